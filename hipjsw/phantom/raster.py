"""A grid of square pixels laid on a film: the film itself, one of its hip views, or a coarse overview.

Everything of a phantom is drawn from curves in the film's millimetres, so the same film can be drawn on any grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Raster"]


@dataclass(frozen=True)
class Raster:
    """Where a grid of pixels lies on a film.

    Args:
        shape: Rows and columns.
        pixel_mm: Side of a pixel.
        origin_mm: Film place ``(row, col)`` in mm under the centre of the first pixel.
        mirrored: Whether columns run against the film's.
    """

    shape: tuple[int, int]
    pixel_mm: float
    origin_mm: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False

    @property
    def _direction(self) -> float:
        return -1.0 if self.mirrored else 1.0

    def to_px(self, points_mm: NDArray[Any]) -> NDArray[np.float64]:
        """Film points ``(n, 2)`` in mm as pixels of the grid."""
        away = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        return away * (1.0, self._direction) / self.pixel_mm

    def places_mm(self, rows: NDArray[Any], cols: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Film rows and columns in mm of grid rows ``(n,)`` and columns ``(m,)``."""
        row = self.origin_mm[0] + np.asarray(rows, dtype=np.float32) * np.float32(self.pixel_mm)
        col = self.origin_mm[1] + self._direction * np.asarray(cols, dtype=np.float32) * np.float32(self.pixel_mm)
        return row.astype(np.float32), col.astype(np.float32)
