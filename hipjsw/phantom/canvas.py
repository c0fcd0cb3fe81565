"""Bones drawn on a raster as attenuation.

Edges are exact area coverage of the outlines, and depth below an outline is known to a fraction of a pixel, so a
bone ends where its curve runs, on the film's grid as on a coarse one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.coverage import Box, Window, cover_each
from hipjsw.phantom.field import Field
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Element, Frame, Patch, Solid, Stroke, ribbon

__all__ = ["Canvas", "trabeculae"]

#: Attenuation above soft tissue per mm near 60-70 keV, lowered for magnification: compact, spongy.
COMPACT_PER_MM = 0.052
SPONGY_PER_MM = 0.0105

Image = NDArray[np.float32]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_TILE, _TILE_MM, _WRAP = 512, 0.17, 24
#: Pixels of the windows that are covered in one go.
_BATCH_PX = 1 << 20
#: Grid on which fields are evaluated.
_FIELD_MM = 2.5
#: Main directions of each texture's trabeculae, angle from the columns' axis: none, those of a right hip, a left one.
_STREAKS_DEG = ((), (-70.0, -55.0, -12.0), (70.0, 55.0, 12.0))


@lru_cache(maxsize=16)
def trabeculae(streak: int, pitch_mm: float) -> Image:
    """A square seamless tile of trabecular texture, mean 0 and SD 1 at its finest pitch.

    Args:
        streak: Which: 0 without a main direction, 1 those of a right hip, 2 of a left one.
        pitch_mm: Side of the tile's pixels; coarser ones are averages, so they show less.
    """
    rng = np.random.default_rng([0x7AB, streak])
    base = np.pad(rng.standard_normal((_TILE, _TILE), dtype=np.float32), _WRAP, mode="wrap")
    grid = np.arange(-14, 15, dtype=np.float32)
    tile = np.zeros_like(base)
    for angle in np.deg2rad(np.asarray(_STREAKS_DEG[streak] or (0.0, 60.0, 120.0), dtype=np.float64)):
        along = grid[None] * np.cos(angle) + grid[:, None] * np.sin(angle)
        across = -grid[None] * np.sin(angle) + grid[:, None] * np.cos(angle)
        kernel = np.exp(-((along / 7.0) ** 2) / 2) * (
            np.exp(-((across / 1.7) ** 2) / 2) - 0.25 * np.exp(-((across / 3.4) ** 2) / 2)
        )
        tile += cv2.filter2D(base, -1, kernel.astype(np.float32))
    tile += 10.0 * cv2.GaussianBlur(base, (0, 0), 2.5) + 14.0 * cv2.GaussianBlur(base, (0, 0), 7.0)
    tile = tile[_WRAP:-_WRAP, _WRAP:-_WRAP]
    tile = (tile - tile.mean()) / tile.std()
    side = max(round(_TILE * _TILE_MM / pitch_mm), 8)
    if side < _TILE:
        tile = np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA))
    return np.asarray(tile, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Shape:
    """An element as it lies on a raster: its outline and holes in pixels, and the window it is drawn in."""

    element: Element
    outlines_px: list[NDArray[np.float64]]
    window: Window


@lru_cache(maxsize=2048)
def _outlines_mm(element: Element) -> tuple[tuple[NDArray[np.float64], ...], Box]:
    """An element's outline and holes, and the rectangle about them."""
    if isinstance(element, Solid):
        outlines = element.outlines_mm
    elif isinstance(element, Patch):
        outlines = (element.outline_mm,)
    else:
        outlines = (ribbon(element.line_mm, element.width_mm),)
    low, high = outlines[0].min(axis=0).tolist(), outlines[0].max(axis=0).tolist()
    return outlines, (*low, *high)


def _box_px(box_mm: Box, raster: Raster) -> Box:
    """A rectangle on the film as one on a raster."""
    (row, col), pitch = raster.origin_mm, raster.pixel_mm
    top, left, bottom, right = box_mm
    cols = (col - right, col - left) if raster.mirrored else (left - col, right - col)
    return (top - row) / pitch, cols[0] / pitch, (bottom - row) / pitch, cols[1] / pitch


def _batches(shapes: Iterator[_Shape]) -> Iterator[list[_Shape]]:
    """Shapes in lots of about ``_BATCH_PX`` pixels: small windows share a call, large ones stay in the cache."""
    some: list[_Shape] = []
    pixels = 0
    for shape in shapes:
        some.append(shape)
        pixels += shape.window.shape[0] * shape.window.shape[1]
        if pixels > _BATCH_PX:
            yield some
            some, pixels = [], 0
    if some:
        yield some


class Canvas:
    """Attenuation of what is drawn on a raster.

    Args:
        raster: The grid.
        shift_mm: Where the trabecular textures begin (any place; it varies from film to film).
        grain: Factor on the contrast of all trabeculae.
    """

    def __init__(self, raster: Raster, shift_mm: tuple[float, float] = (0.0, 0.0), grain: float = 1.0) -> None:
        self.raster = raster
        self.shift_mm = shift_mm
        self.grain = grain
        self.attenuation: Image = np.zeros(raster.shape, dtype=np.float32)

    def draw(self, elements: Sequence[Element]) -> None:
        """Add elements, one after the other; their order changes nothing but rounding."""
        for some in _batches(self._on_raster(elements)):
            covered = cover_each([shape.outlines_px for shape in some], [shape.window for shape in some])
            for shape, coverage in zip(some, covered, strict=True):
                if isinstance(shape.element, Solid):
                    self._solid(shape.element, shape.window, coverage)
                else:
                    self._shade(shape.element, shape.window, coverage)

    def _on_raster(self, elements: Sequence[Element]) -> Iterator[_Shape]:
        """Those elements that reach the raster."""
        shape, pitch = self.raster.shape, self.raster.pixel_mm
        for element in elements:
            outlines, box_mm = _outlines_mm(element)
            box = _box_px(box_mm, self.raster)
            if isinstance(element, Solid):  # depth is to the nearest edge, which may lie beside the raster
                window = Window.about(box, shape, beyond=int(np.ceil(element.round_mm / pitch)))
                seen = window.on(shape)
            else:
                seen = window = Window.about(box, shape, margin=int(np.ceil(3 * element.soft_mm / pitch)) + 1)
            if 0 not in seen.shape:
                yield _Shape(element, [self.raster.to_px(outline) for outline in outlines], window)

    def _depth_mm(self, coverage: Image) -> Image:
        """Depth below the outline at each pixel: to the edge through the nearest pixel not wholly inside."""
        full = coverage >= np.float32(0.999)
        if full.all():
            return np.full(coverage.shape, 1e3, dtype=np.float32)
        inside = full.view(np.uint8)
        distance, labels = cv2.distanceTransformWithLabels(
            inside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        label: NDArray[np.int32] = np.asarray(labels, dtype=np.int32)
        row, col = np.nonzero(cv2.dilate(inside, np.ones((3, 3), dtype=np.uint8)) > inside)
        down, right, offset = _edges(coverage, row, col)
        table = np.zeros((3, coverage.size + 1), dtype=np.float32)
        table[:, label[row, col]] = down, right, offset - row * down - col * right
        depth: Image = np.take(table[0], label) * np.arange(coverage.shape[0], dtype=np.float32)[:, None]
        depth += np.take(table[1], label) * np.arange(coverage.shape[1], dtype=np.float32)
        depth += np.take(table[2], label)
        # Round the tip of a notch it is the tip that is nearest, not an edge.
        least = np.maximum(np.asarray(distance) * np.float32(0.96) - np.float32(1), np.float32(0.5))
        depth = np.where(full, np.maximum(depth, least), np.float32(0.5) * coverage)
        depth *= np.float32(self.raster.pixel_mm)
        return depth

    def _texture(self, window: Window, streak: int) -> Image:
        pixel = self.raster.pixel_mm
        tile = trabeculae(streak, max(pixel, _TILE_MM))
        pitch = _TILE * _TILE_MM / len(tile)
        row, col = self.raster.places_mm(np.arange(window.top, window.bottom), np.arange(window.left, window.right))
        rows = ((row + np.float32(self.shift_mm[0])) / np.float32(pitch)) % np.float32(len(tile))
        cols = ((col + np.float32(self.shift_mm[1])) / np.float32(pitch)) % np.float32(len(tile))
        x, y = np.broadcast_to(cols[None], window.shape), np.broadcast_to(rows[:, None], window.shape)
        return np.asarray(
            cv2.remap(tile, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR, None, cv2.BORDER_WRAP)
        )

    def _field(self, field: float | Field, frame: Frame | None, window: Window) -> Image | np.float32:
        """A field's values in a window, evaluated on a coarse grid and interpolated."""
        if not callable(field):
            return np.float32(field)
        if frame is None:
            raise ValueError("a solid with fields needs a frame")
        rows, cols = (max(int(np.ceil(n * self.raster.pixel_mm / _FIELD_MM)), 2) for n in window.shape)
        row = (np.arange(rows) + 0.5) * window.shape[0] / rows - 0.5 + window.top
        col = (np.arange(cols) + 0.5) * window.shape[1] / cols - 0.5 + window.left
        row_mm, col_mm = self.raster.places_mm(row, col)
        coarse = field(*frame(row_mm[:, None], col_mm[None]))
        return np.asarray(cv2.resize(coarse, window.shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)

    def _solid(self, solid: Solid, window: Window, coverage: Image) -> None:
        depth, thick = self._depth_mm(coverage), np.float32(solid.round_mm)
        seen = window.on(self.raster.shape)
        part, window = window.slices_of(seen), seen
        coverage, depth = coverage[part], np.ascontiguousarray(depth[part])
        cortex = np.minimum(self._field(solid.cortex_mm, solid.frame, window), np.float32(0.9 * solid.round_mm))
        value = _chord(np.minimum(depth, thick), thick)
        depth -= cortex
        core = _chord(np.minimum(np.maximum(depth, np.float32(0)), thick - cortex), thick - cortex)
        value -= core
        value += np.float32(solid.plate_mm)
        value *= np.float32(COMPACT_PER_MM)
        density = self._field(solid.spongy, solid.frame, window) * np.float32(SPONGY_PER_MM)
        value += core * density
        if solid.grain and self.raster.pixel_mm < 1.5:
            core *= np.maximum(density, np.float32(0.15 * SPONGY_PER_MM)) * np.float32(solid.grain * self.grain)
            core *= self._texture(window, solid.streak)
            value += core
        value *= coverage
        value *= self._field(solid.factor, solid.frame, window)
        self.attenuation[window.slices] += value

    def _shade(self, element: Patch | Stroke, window: Window, shade: Image) -> None:
        soft = element.soft_mm / self.raster.pixel_mm
        if soft > 0.3:
            shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), soft), dtype=np.float32)
        self.attenuation[window.slices] += np.float32(element.amount) * shade


def _chord(inward: Image, thick: Image | np.float32) -> Image:
    """Chord of a cylinder of radius ``thick`` at a depth below its edge; ``inward`` is used up."""
    inward *= 2 * thick - inward
    chord: Image = np.asarray(cv2.sqrt(inward), dtype=np.float32)
    chord *= np.float32(2)
    return chord


def _edges(coverage: Image, row: Indices, col: Indices) -> tuple[Floats, Floats, Floats]:
    """The straight edges through pixels ``(n,)``: unit normals inwards, and how deep the pixels' centres lie."""
    last_row, last_col = coverage.shape[0] - 1, coverage.shape[1] - 1
    rows = [np.clip(row + step, 0, last_row) for step in (-1, 0, 1)]
    cols = [np.clip(col + step, 0, last_col) for step in (-1, 0, 1)]
    around = [[coverage[r, c].astype(np.float64) for c in cols] for r in rows]
    weights = (1.0, 2.0, 1.0)
    down = sum(w * (below - above) for w, below, above in zip(weights, around[2], around[0], strict=True))
    right = sum(w * (line[2] - line[0]) for w, line in zip(weights, around, strict=True))
    size = np.maximum(np.hypot(down, right), 1e-9)
    down, right = np.asarray(down / size), np.asarray(right / size)
    long, short = np.maximum(np.abs(down), np.abs(right)), np.minimum(np.abs(down), np.abs(right))
    share = around[1][1]
    less = np.minimum(share, 1 - share)
    corner = 0.5 * (long + short) - np.sqrt(2 * long * short * less)  # a triangle is cut off, else a trapezium
    away = np.where(2 * long * less < short, corner, (0.5 - less) * long)
    return down, right, np.where(share < 0.5, -away, away)
