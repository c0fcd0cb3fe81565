"""A film's attenuation, to which bones are added one after the other.

Bone is ray thickness: a cortical shell whose chord is longest at the edge, and trabecular bone inside with a
faint texture. Edges are exact area coverage of the outline, so a bone ends where its curve runs. Attenuation
is what bone adds to the soft tissue it displaces, per millimetre of film.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.coverage import Window, cover

__all__ = ["Canvas", "trabeculae"]

#: Attenuation above soft tissue per mm near 60-70 keV, lowered for magnification: compact, spongy.
COMPACT_PER_MM = 0.042
SPONGY_PER_MM = 0.0085

Image = NDArray[np.float32]

_WRAP = 24


def trabeculae(pixel_mm: float, angles_deg: Sequence[float], rng: np.random.Generator) -> Image:
    """A square seamless tile of streaky noise, mean 0, SD 1; angles count from the columns' axis."""
    base = np.pad(rng.standard_normal((480, 480), dtype=np.float32), _WRAP, mode="wrap")
    grid = np.arange(-9, 10, dtype=np.float32)
    tile = np.zeros_like(base)
    for angle in np.deg2rad(np.asarray(angles_deg, dtype=np.float64)):
        along = grid[None] * np.cos(angle) + grid[:, None] * np.sin(angle)
        across = -grid[None] * np.sin(angle) + grid[:, None] * np.cos(angle)
        kernel = np.exp(-((along / 4.5) ** 2) / 2) * (
            np.exp(-((across / 1.0) ** 2) / 2) - 0.5 * np.exp(-((across / 2.0) ** 2) / 2)
        )
        tile += cv2.filter2D(base, -1, kernel.astype(np.float32))
    tile += 12.0 * cv2.GaussianBlur(base, (0, 0), 6.0)
    scale = 0.17 / pixel_mm
    tile = tile[_WRAP:-_WRAP, _WRAP:-_WRAP]
    side = round(scale * len(tile))
    sized = np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    return np.asarray((sized - sized.mean()) / sized.std(), dtype=np.float32)


def _tiled(tile: Image, shape: tuple[int, int]) -> Image:
    repeats = [-(-n // m) for n, m in zip(shape, tile.shape, strict=True)]
    return np.asarray(np.tile(tile, repeats)[: shape[0], : shape[1]], dtype=np.float32)


class Canvas:
    """Attenuation of the bones of one film.

    Args:
        shape: Rows and columns.
        pixel_mm: Side of a pixel.
    """

    def __init__(self, shape: tuple[int, int], pixel_mm: float) -> None:
        self.shape, self.pixel_mm = shape, pixel_mm
        self.attenuation: Image = np.zeros(shape, dtype=np.float32)

    def _depth(self, coverage: Image) -> Image:
        inside = (coverage >= 0.5).astype(np.uint8)
        wide = np.asarray(cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_REPLICATE), dtype=np.uint8)
        distance = cv2.distanceTransform(wide, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
        return np.asarray(distance * self.pixel_mm, dtype=np.float32)

    def bone(
        self,
        outlines: Sequence[NDArray[np.float64]],
        *,
        round_mm: float,
        cortex_mm: float | NDArray[np.float32],
        thickness: float | NDArray[np.float32] = 1.0,
        plate_mm: float = 1.0,
        spongy: float = 1.0,
        texture: Image | None = None,
        grain: float = 0.0,
    ) -> Window:
        """Add a bone.

        Args:
            outlines: Outline and holes, ``(n, 2)`` points in pixels.
            round_mm: Half of the bone's greatest thickness, reached like a cylinder's from the edge inwards.
            cortex_mm: Thickness of the cortical shell (a number, or one per row of the film).
            thickness: Factor on everything (a number, or one per row of the film).
            plate_mm: Compact bone of even thickness over the whole outline.
            spongy: Factor on the trabecular part.
            texture: Tile for the trabeculae.
            grain: How strong they are.

        Returns:
            The window that was painted.
        """
        window = Window.around(outlines[0], self.shape)
        if 0 in window.shape:
            return window
        rows = slice(window.top, window.bottom)
        cortex = cortex_mm[rows, None] if isinstance(cortex_mm, np.ndarray) else np.float32(cortex_mm)
        factor = thickness[rows, None] if isinstance(thickness, np.ndarray) else np.float32(thickness)
        coverage = cover(outlines, window)
        inward = np.minimum(self._depth(coverage), round_mm)
        chord = 2 * np.sqrt(inward * (2 * round_mm - inward))
        core = np.maximum(inward - cortex, 0.0)
        core = 2 * np.sqrt(core * (2 * (round_mm - cortex) - core).clip(0.0))
        inner = SPONGY_PER_MM * spongy * core
        if texture is not None:
            inner *= 1 + grain * _tiled(texture, window.shape)
        whole = coverage * factor * (COMPACT_PER_MM * (plate_mm + chord - core) + inner)
        self.attenuation[window.slices] += whole.astype(np.float32)
        return window

    def line(self, points: NDArray[np.float64], width_mm: float, amount: float) -> None:
        """Add a soft line of ``amount`` attenuation (negative: darker) along ``(n, 2)`` points in pixels."""
        width = width_mm / self.pixel_mm
        window = Window.around(points, self.shape, margin=int(3 * width) + 2)
        if 0 in window.shape:
            return
        mask = np.zeros(window.shape, dtype=np.uint8)
        local = np.round((points - (window.top, window.left))[:, ::-1] * 16).astype(np.int32)
        cv2.polylines(mask, [local], False, 255, max(round(width), 1), cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(width / 2.5, 0.5))
        self.attenuation[window.slices] += amount * soft

    def film(self, polygon: NDArray[np.float64], amount: float) -> None:
        """Add an even ``amount`` of attenuation inside a closed polygon ``(n, 2)`` in pixels."""
        window = Window.around(polygon, self.shape)
        self.attenuation[window.slices] += amount * cover([polygon], window)
