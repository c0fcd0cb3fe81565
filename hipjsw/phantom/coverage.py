"""Exact area coverage of outlines with holes, in a window of the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.coverage import polygon_coverage

__all__ = ["Window", "cover"]


@dataclass(frozen=True)
class Window:
    """A rectangle of whole pixels: rows ``top <= row < bottom``, columns ``left <= col < right``."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def around(cls, points_px: NDArray[Any], shape: tuple[int, int], margin: int = 1) -> Window:
        """The smallest window on a film of ``shape`` that holds ``(n, 2)`` points and a margin."""
        low = np.floor(points_px.min(axis=0)).astype(int) - margin
        high = np.ceil(points_px.max(axis=0)).astype(int) + margin + 1
        top, left = np.clip(low, 0, shape)
        bottom, right = np.clip(high, (top, left), shape)
        return cls(int(top), int(left), int(bottom), int(right))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in the film's array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def cover(polygons: Sequence[NDArray[Any]], window: Window) -> NDArray[np.float32]:
    """Share of each pixel's area inside polygons.

    Args:
        polygons: Closed polygons ``(n, 2)``, points ``(row, col)`` in pixels of the film (centre of the
            first pixel at 0), last side implied. The first is the outline, later ones are holes in it. None
            crosses itself.
        window: The pixels to compute.

    Returns:
        float32 ``window.shape`` in [0, 1].
    """
    if 0 in window.shape:
        return np.zeros(window.shape, dtype=np.float32)
    outline, *holes = (
        polygon_coverage(polygon - np.array([window.top, window.left]), window.shape) for polygon in polygons
    )
    return np.clip(outline - sum(holes), 0.0, 1.0).astype(np.float32)
