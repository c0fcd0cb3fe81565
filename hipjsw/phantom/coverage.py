"""Exact area coverage of outlines with holes, in a window of the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.coverage import shape_coverages

__all__ = ["Box", "Window", "cover", "cover_each"]

#: Lowest row and column, highest row and column.
Box = tuple[float, float, float, float]


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
        low, high = points_px.min(axis=0).tolist(), points_px.max(axis=0).tolist()
        return cls.about((*low, *high), shape, margin)

    @classmethod
    def about(cls, box_px: Box, shape: tuple[int, int], margin: int = 1, beyond: int = 0) -> Window:
        """The smallest window that holds a rectangle and a margin.

        Args:
            box_px: The rectangle's lowest row and column, its highest row and column.
            shape: Rows and columns of the film.
            margin: Pixels added on all sides.
            beyond: Pixels by which the window may reach beyond the film.
        """
        top, left, bottom, right = box_px
        rows, cols = shape[0] + beyond, shape[1] + beyond
        first_row = min(max(floor(top) - margin, -beyond), rows)
        first_col = min(max(floor(left) - margin, -beyond), cols)
        end_row = min(max(ceil(bottom) + margin + 1, first_row), rows)
        return cls(first_row, first_col, end_row, min(max(ceil(right) + margin + 1, first_col), cols))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in the film's array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def on(self, shape: tuple[int, int]) -> Window:
        """The part of it that lies on a film of ``shape``."""
        top, bottom = (min(max(row, 0), shape[0]) for row in (self.top, self.bottom))
        left, right = (min(max(col, 0), shape[1]) for col in (self.left, self.right))
        return Window(top, left, bottom, right)

    def slices_of(self, part: Window) -> tuple[slice, slice]:
        """Index of a part of the window in an array of the window's shape."""
        rows = slice(part.top - self.top, part.bottom - self.top)
        return rows, slice(part.left - self.left, part.right - self.left)


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
    return cover_each([polygons], [window])[0]


def cover_each(shapes: Sequence[Sequence[NDArray[Any]]], windows: Sequence[Window]) -> list[NDArray[np.float32]]:
    """As `cover`, for many shapes in one go, each in a window of its own that is not empty."""
    return shape_coverages(shapes, [(w.top, w.left, w.bottom, w.right) for w in windows])
