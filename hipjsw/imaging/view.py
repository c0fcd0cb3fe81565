"""Hip views: film to view geometry, there and back, and the resampling between them.

A view shows one hip like a right one (medial towards larger columns) on square pixels of a stated size. Its geometry
is one affine map; points and pixels go through the same map, so they cannot come apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.frame import film_area
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing

__all__ = ["HipView", "ViewSpec"]

#: Standard deviation of the Gaussian before resampling, in view pixels: little aliasing, little blur.
ANTIALIAS_PX = 0.45
#: The frame is looked for on every fourth pixel.
FRAME_STEP = 4
#: A view whose pixels are so many film pixels large, along their shorter side, is sampled from means of blocks of
#: ``BLOCK_PX`` pixels, and what those blur is left out of the Gaussian: the same, but for thousandths, and quicker.
COARSE_TIMES, BLOCK_PX = 8.0, 2
#: A view that shows less film than this share is normalised over all that it shows.
LEAST_SEEN = 0.05


@dataclass(frozen=True)
class ViewSpec:
    """What a view shows: one file of conf/view.

    Args:
        name: The file's name.
        rows_px: Rows of the network's input.
        cols_px: Columns of the network's input.
        pixel_mm: Pixel size in mm.
        margin_px: Pixels kept on each side in the store, for augmentation to move in.
        centre: ``head`` (the fitted femoral head) or ``film``.
        normalise_over: Percentiles are taken over the ``view`` or the ``film``.
        low_percentile: This percentile becomes 0; below is clipped.
        high_percentile: This percentile becomes 1; above is clipped.
        judge_padding: Whether pixels outside the film count in losses and metrics (as background), or have weight 0.

    Raises:
        ValueError: A value that makes no view.
    """

    name: str
    rows_px: int
    cols_px: int
    pixel_mm: float
    margin_px: int
    centre: str
    normalise_over: str
    low_percentile: float
    high_percentile: float
    judge_padding: bool = False

    def __post_init__(self) -> None:
        if self.centre not in ("head", "film"):
            raise ValueError(f"view.centre is 'head' or 'film', not {self.centre!r}")
        if self.normalise_over not in ("view", "film"):
            raise ValueError(f"view.normalise_over is 'view' or 'film', not {self.normalise_over!r}")
        if min(self.rows_px, self.cols_px) < 16 or self.margin_px < 0 or not 0.01 <= self.pixel_mm <= 10:
            raise ValueError(f"view {self.name} of {self.rows_px}x{self.cols_px} px at {self.pixel_mm} mm is no view")
        if not 0 <= self.low_percentile < self.high_percentile <= 100:
            raise ValueError(
                f"view {self.name}: percentiles {self.low_percentile} and {self.high_percentile} do not rise in 0-100"
            )

    @property
    def stored_shape(self) -> tuple[int, int]:
        """``(rows, cols)`` in the store, margin included."""
        return self.rows_px + 2 * self.margin_px, self.cols_px + 2 * self.margin_px


@dataclass(frozen=True, eq=False)
class HipView:
    """Where a view lies on its film.

    Args:
        shape: ``(rows, cols)`` of the view.
        pixel_mm: Size of its square pixels in mm.
        centre_mm: ``(2,)`` film place ``(row, col)`` in mm under the view's centre.
        mirrored: Whether columns run against the film's (left hips).
        spacing: The film's spacing.
    """

    shape: tuple[int, int]
    pixel_mm: float
    centre_mm: NDArray[np.float64]
    mirrored: bool
    spacing: PixelSpacing

    @classmethod
    def laid(
        cls,
        spec: ViewSpec,
        film_shape: tuple[int, int],
        spacing: PixelSpacing,
        head_mm: NDArray[np.float64],
        mirrored: bool,
    ) -> HipView:
        """The view of one hip, as stored: about its head or about the film's middle, as the spec says.

        Args:
            spec: What the view shows.
            film_shape: ``(rows, cols)`` of the film.
            spacing: The film's spacing.
            head_mm: ``(2,)`` film place ``(row, col)`` of the femoral head's centre in mm.
            mirrored: Whether the hip is a left one.
        """
        middle_mm = spacing.to_mm((np.asarray(film_shape) - 1.0) / 2.0)
        centre_mm = head_mm if spec.centre == "head" else middle_mm
        return cls(spec.stored_shape, spec.pixel_mm, centre_mm, mirrored, spacing)

    @property
    def _middle_px(self) -> NDArray[np.float64]:
        return (np.asarray(self.shape, dtype=np.float64) - 1.0) / 2.0

    @property
    def _direction(self) -> NDArray[np.float64]:
        return np.array([1.0, -1.0 if self.mirrored else 1.0])

    def from_film_mm(self, points_mm: NDArray[Any]) -> NDArray[np.float64]:
        """Film points ``(..., 2)`` in mm to view pixels."""
        return (np.asarray(points_mm) - self.centre_mm) * self._direction / self.pixel_mm + self._middle_px

    def to_film_mm(self, points_px: NDArray[Any]) -> NDArray[np.float64]:
        """View points ``(..., 2)`` in pixels to film mm."""
        return (np.asarray(points_px) - self._middle_px) * self.pixel_mm * self._direction + self.centre_mm

    def sample(self, film: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Resample film pixels to the view.

        Args:
            film: ``(rows, cols)`` film pixels.

        Returns:
            The view ``(rows, cols)`` in the film's values (0 outside it), and the mask of what the film covers.
        """
        row_px, col_px = self._places_px()
        ends = np.array([[row_px.min(), col_px.min()], [row_px.max(), col_px.max()]])
        inside = np.asarray(_within(row_px, film.shape[0])[:, None] & _within(col_px, film.shape[1]))
        scale = self.pixel_mm / np.array([self.spacing.row_mm, self.spacing.col_mm])
        sigma = np.where(scale > 1.0, ANTIALIAS_PX * scale, 1e-3)  # so small a blur is none, and OpenCV wants one
        if scale.min() >= COARSE_TIMES:
            film, sigma = _blocks(film), np.sqrt(sigma**2 - (BLOCK_PX**2 - 1) / 12) / BLOCK_PX
            row_px, col_px = ((place - (BLOCK_PX - 1) / 2) / BLOCK_PX for place in (row_px, col_px))
            ends = (ends - (BLOCK_PX - 1) / 2) / BLOCK_PX
        pad = np.ceil(4 * sigma).astype(int) + 2
        low = np.clip(np.floor(ends[0]).astype(int) - pad, 0, None)
        high = np.minimum(np.ceil(ends[1]).astype(int) + pad + 1, film.shape)
        if (high <= low).any():
            return np.zeros(self.shape, dtype=np.float32), inside
        patch = film[low[0] : high[0], low[1] : high[1]].astype(np.float32)
        if (scale > 1.0).any():
            blurred = cv2.GaussianBlur(
                patch, (0, 0), sigmaX=float(sigma[1]), sigmaY=float(sigma[0]), borderType=cv2.BORDER_REPLICATE
            )
            patch = np.asarray(blurred, dtype=np.float32)
        rows, cols = (row_px - low[0]).astype(np.float32), (col_px - low[1]).astype(np.float32)
        across, down = np.tile(cols, (len(rows), 1)), np.repeat(rows, len(cols)).reshape(self.shape)
        values = cv2.remap(patch, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(values if inside.all() else np.where(inside, values, np.float32(0)), dtype=np.float32), inside

    def _places_px(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Film rows ``(rows,)`` and columns ``(cols,)`` in pixels under the view's rows and columns."""
        count = max(self.shape)
        places = self.spacing.to_px(self.to_film_mm(np.repeat(np.arange(count, dtype=np.float64)[:, None], 2, axis=1)))
        return places[: self.shape[0], 0], places[: self.shape[1], 1]

    def normalised(self, film: Radiograph, spec: ViewSpec) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The view scaled to [0, 1] between the spec's percentiles (0 outside the film), and the film's mask.

        Percentiles look at the film and not at its frame (`film_area`); where a view shows next to nothing but frame,
        at all of it.
        """
        values, inside = self.sample(film.pixels)
        reference = self._reference(film, values, inside, spec.normalise_over == "view")
        if reference.size == 0:
            return np.zeros_like(values), inside
        low, high = np.percentile(reference, (spec.low_percentile, spec.high_percentile))
        scaled = (values - np.float32(low)) * np.float32(1.0 / max(float(high - low), 1e-6))
        np.clip(scaled, np.float32(0), np.float32(1), out=scaled)
        return np.asarray(scaled if inside.all() else np.where(inside, scaled, np.float32(0))), inside

    def _reference(
        self, film: Radiograph, values: NDArray[np.float32], inside: NDArray[np.bool_], over_view: bool
    ) -> NDArray[Any]:
        area = film_area(film, FRAME_STEP)
        if not over_view:
            coarse = film.pixels[::FRAME_STEP, ::FRAME_STEP]
            return coarse if area is None else coarse[area]
        whole = values.ravel() if inside.all() else values[inside]
        if area is None:
            return whole
        at = (
            np.clip(np.rint(place / FRAME_STEP), 0, size - 1).astype(np.intp)
            for place, size in zip(self._places_px(), area.shape, strict=True)
        )
        seen = values[inside & area[np.ix_(*at)]]
        return seen if seen.size >= LEAST_SEEN * values.size else whole


def _blocks(film: NDArray[Any]) -> NDArray[np.float32]:
    """Means of whole blocks; the last row and column go on where a block would be cut."""
    rows, cols = (-(-size // BLOCK_PX) * BLOCK_PX for size in film.shape)
    missing = [(0, rows - film.shape[0]), (0, cols - film.shape[1])]
    whole = np.pad(film, missing, mode="edge") if any(after for _, after in missing) else film
    size = (cols // BLOCK_PX, rows // BLOCK_PX)
    return np.asarray(cv2.resize(whole.astype(np.float32), size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _within(place_px: NDArray[np.float64], size: int) -> NDArray[np.bool_]:
    return np.asarray((place_px >= -0.5) & (place_px <= size - 0.5))
