"""Polylines: the nearest place to a point, and places at equal steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["arc_length", "equal_steps", "evenly", "nearest_on_polyline"]

#: Pieces of a polyline that are looked at or passed over together.
_BLOCK = 8

Floats = NDArray[np.float64]


def arc_length(curve: NDArray[Any]) -> Floats:
    """Length of a polyline ``(n, 2)`` from its start to each vertex, ``(n,)``, in its unit."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])


def nearest_on_polyline(points: NDArray[Any], polyline: NDArray[Any]) -> tuple[Floats, Floats]:
    """Shortest distance from each point to a polyline.

    Args:
        points: ``(n, 2)``.
        polyline: ``(m, 2)`` vertices, m >= 2, open.

    Returns:
        Distances ``(n,)`` and nearest points ``(n, 2)``, in the same unit.
    """
    points, polyline = np.asarray(points, dtype=np.float64), np.asarray(polyline, dtype=np.float64)
    start, step = polyline[:-1], np.diff(polyline, axis=0)
    length2 = np.maximum((step**2).sum(axis=1), 1e-300)
    point, piece = _candidates(points, polyline)
    along = step[piece]
    from_start = points[point] - start[piece]
    share = from_start[:, 0] * (along[:, 0] / length2[piece])
    share += from_start[:, 1] * (along[:, 1] / length2[piece])
    np.clip(share, 0.0, 1.0, out=share)
    from_start -= share[:, None] * along
    distance2 = from_start[:, 0] ** 2 + from_start[:, 1] ** 2
    first = np.searchsorted(point, np.arange(len(points)))
    nearest = distance2 == np.repeat(np.minimum.reduceat(distance2, first), np.diff(first, append=len(point)))
    at = np.flatnonzero(nearest)
    best = at[np.searchsorted(point[at], np.arange(len(points)))]  # of equally near pieces the first
    foot = start[piece[best]] + share[best, None] * along[best]
    return np.linalg.norm(points - foot, axis=1), foot


def _candidates(points: Floats, polyline: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of a point and a piece of the polyline among which each point's nearest surely is, in order.

    A block of pieces lies within a circle about one of its vertices; a block whose circle is farther away than some
    vertex is cannot hold the nearest place.
    """
    count = len(polyline) - 1
    first = np.arange(0, count, _BLOCK)
    last = np.minimum(first + _BLOCK, count)
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(polyline, axis=0), axis=1))])
    middle = (first + last) // 2
    radius = np.maximum(steps[middle] - steps[first], steps[last] - steps[middle])
    away = np.hypot(*(points[:, axis, None] - polyline[middle, axis] for axis in range(2)))
    upper = away.min(axis=1, keepdims=True)
    point, block = np.nonzero(away - radius <= upper * (1 + 1e-9) + 1e-9)
    lengths = (last - first)[block]
    nth = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(point, lengths), np.repeat(first[block], lengths) + nth


def equal_steps(curve: Floats, step: float) -> Floats:
    """Resample a polyline at equal steps of arc length of at most ``step``, ends included."""
    return evenly(curve, max(int(np.ceil(arc_length(curve)[-1] / step)) + 1, 2))


def evenly(curve: Floats, count: int) -> Floats:
    """``(count, 2)`` places at equal steps of arc length along a polyline, ends included."""
    arc = arc_length(curve)
    wanted = np.linspace(0.0, arc[-1], count)
    return np.column_stack([np.interp(wanted, arc, curve[:, axis]) for axis in range(2)])
