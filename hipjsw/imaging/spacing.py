"""Pixel spacing with its passport: the one place where pixels become millimetres and back.

Coordinates are ``(row, col)`` with the centre of the first pixel at ``(0, 0)`` (docs/conventions.md). Millimetres lie
in the plane the spacing refers to and share that origin, so ``row_mm = row_px * spacing.row_mm``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PixelSpacing", "SpacingSource", "given_spacing"]

#: Outside this range a spacing is no film detector's (the finest plates have 0.04 mm, the coarsest scans 1.5 mm).
PLAUSIBLE_MM = (0.03, 3.0)


class SpacingSource(StrEnum):
    """Where a spacing comes from (DICOM PS3.3 10.7); the words are those of ``hips.csv``."""

    CALIBRATED = "pixel_spacing_calibrated"
    PIXEL = "pixel_spacing"
    IMAGER = "imager_pixel_spacing"
    SCANNED = "nominal_scanned_pixel_spacing"
    GIVEN = "given"
    ASSUMED_HEAD = "assumed_head"
    NONE = "none"


@dataclass(frozen=True)
class PixelSpacing:
    """Distance between neighbouring pixel centres.

    Args:
        row_mm: Distance between two rows, i.e. along a column, in mm (the first value of DICOM's Pixel Spacing).
        col_mm: Distance between two columns, i.e. along a row, in mm (the second value).
        source: The tag or person that says so.

    Raises:
        ValueError: A value that is not finite, not positive, or no film's spacing.
    """

    row_mm: float
    col_mm: float
    source: SpacingSource

    def __post_init__(self) -> None:
        low, high = PLAUSIBLE_MM
        for name, value in (("row", self.row_mm), ("column", self.col_mm)):
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(
                    f"{name} spacing {value!r} mm from {self.source} is not between {low} and {high} mm; "
                    "give the true spacing by hand"
                )

    @property
    def mean_mm(self) -> float:
        """Geometric mean of the two spacings in mm."""
        return math.sqrt(self.row_mm * self.col_mm)

    @property
    def is_isotropic(self) -> bool:
        """Whether rows and columns are equally far apart (to 0.05 %)."""
        return math.isclose(self.row_mm, self.col_mm, rel_tol=5e-4)

    def to_mm(self, points_px: NDArray[Any]) -> NDArray[np.float64]:
        """Turn ``(..., 2)`` points ``(row, col)`` in pixels into mm."""
        return np.asarray(points_px, dtype=np.float64) * (self.row_mm, self.col_mm)

    def to_px(self, points_mm: NDArray[Any]) -> NDArray[np.float64]:
        """Turn ``(..., 2)`` points ``(row, col)`` in mm into pixels."""
        return np.asarray(points_mm, dtype=np.float64) / (self.row_mm, self.col_mm)


def given_spacing(spacing_mm: float | None) -> PixelSpacing | None:
    """A spacing given by the user, with its passport; None for none.

    Raises:
        ValueError: A value that is no film's spacing.
    """
    return None if spacing_mm is None else PixelSpacing(float(spacing_mm), float(spacing_mm), SpacingSource.GIVEN)
