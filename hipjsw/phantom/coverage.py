"""Exact area coverage of polygons on the pixel grid.

A bone's edge must lie on its curve to a small part of a pixel, so nothing is sampled: the share of every
pixel's area that lies inside is computed in closed form (signed area accumulated cell by cell, then summed
along each row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def _short(polygon: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Starts and ends of the closed polygon's sides, cut so that none crosses two grid lines of one kind."""
    a = np.asarray(polygon, dtype=np.float64)
    step = np.roll(a, -1, axis=0) - a
    counts = np.maximum(np.ceil(np.abs(step).max(axis=1) / 0.9).astype(int), 1)
    side = np.repeat(np.arange(len(a)), counts)
    number = np.arange(len(side)) - np.repeat(np.cumsum(counts) - counts, counts)
    start = a[side] + step[side] * (number / counts[side])[:, None]
    return start, np.roll(start, -1, axis=0)


def _cut(start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cut short sides where they cross a grid line, so that every piece lies in one cell."""
    cells = np.floor(start), np.floor(end)
    line = np.maximum(*cells)
    crosses = cells[0] != cells[1]
    step = np.where(crosses, end - start, 1.0)
    times = np.sort(np.where(crosses, (line - start) / step, 1.0), axis=1).clip(0.0, 1.0)
    knots = np.concatenate([np.zeros((len(start), 1)), times, np.ones((len(start), 1))], axis=1)
    points = start[:, None] + knots[..., None] * (end - start)[:, None]
    pieces = points[:, :-1].reshape(-1, 2), points[:, 1:].reshape(-1, 2)
    real = np.abs(pieces[1] - pieces[0]).max(axis=1) > 0
    return pieces[0][real], pieces[1][real]


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
    rows, cols = window.shape
    total = np.zeros((rows, cols), dtype=np.float32)
    for number, polygon in enumerate(polygons):
        if rows * cols == 0:
            break
        start, end = _cut(*_short(np.asarray(polygon) - (window.top - 0.5, window.left - 0.5)))
        middle, height = (start + end) / 2, end[:, 0] - start[:, 0]
        cell = np.floor(middle).astype(int)
        inside = (cell[:, 0] >= 0) & (cell[:, 0] < rows) & (cell[:, 1] < cols)
        row, col, height = cell[inside, 0], cell[inside, 1], height[inside]
        share = np.where(col < 0, 0.0, middle[inside, 1] - col)
        col = np.maximum(col, 0)
        flat = row * (cols + 1) + col
        touched, place = np.unique(np.concatenate([flat, flat + 1]), return_inverse=True)
        sums = np.zeros(rows * (cols + 1), dtype=np.float32)
        sums[touched] = np.bincount(place, np.concatenate([height * (1 - share), height * share]))
        area = np.abs(np.cumsum(sums.reshape(rows, cols + 1)[:, :cols], axis=1, dtype=np.float32))
        total = area if number == 0 else total - area
    return np.clip(total, 0.0, 1.0)
