"""Closed outlines: smooth ones through points, and ones that do not cross themselves."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["ring", "simple"]

Points = NDArray[np.float64]


def ring(points: Points, step: float = 0.5) -> Points:
    """A smooth closed curve through ``(n, 2)`` points, sampled about ``step`` apart, ``(m, 2)``.

    Cubic pieces whose slope at a point is that of the chord between its neighbours.
    """
    gaps = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    before, after = np.roll(gaps, 1), gaps
    slopes = (np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)) / (before + after)[:, None]
    counts = np.maximum(np.ceil(gaps / step).astype(np.intp), 1)
    piece = np.repeat(np.arange(len(points)), counts)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    t = (nth / counts[piece])[:, None]
    following, long = (piece + 1) % len(points), gaps[piece, None]
    start = (1 + 2 * t) * (1 - t) ** 2 * points[piece] + t * (1 - t) ** 2 * long * slopes[piece]
    end = t**2 * (3 - 2 * t) * points[following] + t**2 * (t - 1) * long * slopes[following]
    return np.asarray(start + end, dtype=np.float64)


def simple(outline: Points) -> Points:
    """A closed outline that does not cross itself: where the given one does, its largest part."""
    polygon = shapely.Polygon(outline)
    if polygon.is_valid:
        return outline
    parts = shapely.get_parts(shapely.make_valid(polygon))
    largest = max((part for part in parts if isinstance(part, shapely.Polygon)), key=lambda part: part.area)
    return np.asarray(largest.exterior.coords, dtype=np.float64)[:-1]
