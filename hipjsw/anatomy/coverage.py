"""Exact area coverage of polygons on pixel grids.

The signed-area accumulation of anti-aliased font rasterisers: every edge is cut at the grid lines, each piece adds to
one cell the height it crosses and the area to its right, and a running sum along the row makes coverage of it. Between
the cells that edges touch the sum stays the same, so it is taken over those alone and repeated. The result is the
exact share of each pixel that lies inside, at a cost of edges plus pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

__all__ = ["area_coverage", "polygon_coverage", "shape_coverages"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

#: Pixels for each cell that edges touch, up to which all pixels are summed rather than those cells alone.
_DENSE = 8

#: What running sums leave of nothing is less than this, and is taken for nothing.
_ROUNDING = 1e-9


def polygon_coverage(polygon: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Share of each pixel's square that lies inside a closed polygon.

    Args:
        polygon: ``(n, 2)`` vertices ``(row, col)`` in pixels, either orientation, closed by itself; it may reach
            beyond the grid. Where it crosses itself the winding number counts.
        shape: ``(rows, cols)`` of the grid; pixel ``(0, 0)`` covers ``[-0.5, 0.5]`` both ways.

    Returns:
        ``(rows, cols)`` coverage, in [0, 1] for a simple polygon.
    """
    values, lengths = _runs([[polygon]], [(0, 0, *shape)])
    return np.repeat(values, lengths).reshape(shape)


def shape_coverages(
    shapes: Sequence[Sequence[NDArray[Any]]], boxes: Sequence[tuple[int, int, int, int]]
) -> list[NDArray[np.float32]]:
    """Coverage of many shapes, each on a grid of its own.

    Args:
        shapes: Of each its outline and then the holes in it, polygons ``(n, 2)`` as in `polygon_coverage`.
        boxes: Of each ``(top, left, bottom, right)``, the pixels of its grid, ends excluded; none is empty.

    Returns:
        Of each ``(bottom - top, right - left)`` float32 coverage, clipped to [0, 1].
    """
    if not shapes:
        return []
    values, lengths = _runs(shapes, boxes)
    values = np.where(values > _ROUNDING, np.minimum(values, 1.0), 0.0)
    dense = np.repeat(values.astype(np.float32), lengths)
    sizes = [(bottom - top, right - left) for top, left, bottom, right in boxes]
    ends = np.cumsum([rows * cols for rows, cols in sizes])
    return [dense[end - rows * cols : end].reshape(rows, cols) for end, (rows, cols) in zip(ends, sizes, strict=True)]


def area_coverage(area: shapely.Geometry, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Coverage of an area of any form: pieces, holes, nothing.

    Args:
        area: A geometry in pixels ``(row, col)``, valid; only its polygons count.
        shape: ``(rows, cols)`` of the grid, as in `polygon_coverage`.

    Returns:
        ``(rows, cols)`` float32, in [0, 1].
    """
    plane = np.zeros(shape, dtype=np.float32)
    for part in shapely.get_parts(area):
        if not isinstance(part, Polygon) or part.area <= 0:
            continue
        low_row, low_col, high_row, high_col = part.bounds
        top, left = max(math.floor(low_row + 0.5), 0), max(math.floor(low_col + 0.5), 0)
        bottom, right = min(math.ceil(high_row + 0.5), shape[0]), min(math.ceil(high_col + 0.5), shape[1])
        if top < bottom and left < right:
            outlines = [np.asarray(ring.coords)[:-1] for ring in (part.exterior, *part.interiors)]
            plane[top:bottom, left:right] += shape_coverages([outlines], [(top, left, bottom, right)])[0]
    return np.minimum(plane, 1.0, out=plane)


@dataclass(frozen=True, eq=False)
class _Edges:
    """Edges or pieces of them, each on the grid of its shape.

    Args:
        start: ``(2, n)`` rows and columns from the grid's corner, in pixels.
        end: ``(2, n)`` likewise.
        shape: ``(n,)`` which shape.
        sign: ``(n,)`` 1 or -1, so that an outline adds and a hole takes away.
    """

    start: Floats
    end: Floats
    shape: Integers
    sign: Floats

    def chosen(self, which: NDArray[np.bool_]) -> _Edges:
        """Some of them."""
        if which.all():
            return self
        index = np.flatnonzero(which)
        start, end = self.start.take(index, axis=1), self.end.take(index, axis=1)
        return _Edges(start, end, self.shape.take(index), self.sign.take(index))


def _runs(
    shapes: Sequence[Sequence[NDArray[Any]]], boxes: Sequence[tuple[int, int, int, int]]
) -> tuple[Floats, Integers]:
    """Coverage of all grids, one after the other row by row, as values and how often each repeats."""
    box = np.asarray(boxes, dtype=np.intp).reshape(-1, 4)
    rows, cols = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    edges = _edges(shapes, box)
    for axis, last in ((0, rows), (1, cols)):
        edges = _cut(edges, axis, last)
    middle_row, middle_col = 0.5 * (edges.start + edges.end)
    seen = (middle_row > 0) & (middle_row < rows[edges.shape]) & (middle_col < cols[edges.shape])
    edges, middle_row, middle_col = edges.chosen(seen), middle_row[seen], middle_col[seen]

    height = (edges.end[0] - edges.start[0]) * edges.sign
    col = np.floor(middle_col).astype(np.intp)
    own = np.where(col < 0, 1.0, col + 1.0 - middle_col)  # share of its own pixel's width right of the edge
    sizes = rows * cols
    base, width = (np.cumsum(sizes) - sizes), cols[edges.shape]
    cell = base[edges.shape] + np.floor(middle_row).astype(np.intp) * width + np.maximum(col, 0)
    beside = (col >= 0) & (col + 1 < width)
    row_starts = np.repeat(base, rows) + _counted(rows) * np.repeat(cols, rows)
    place = np.concatenate([row_starts, cell, cell[beside] + 1])
    weight = np.concatenate([np.zeros(len(row_starts)), height * own, (height * (1.0 - own))[beside]])
    return _summed(place, weight, row_starts, int(sizes.sum()))


def _summed(place: Integers, weight: Floats, row_starts: Integers, size: int) -> tuple[Floats, Integers]:
    """Running sums along rows of what lies at places: their values from each place to the next, and how far that is."""
    if size <= _DENSE * len(place):
        running: Floats = np.cumsum(np.bincount(place, weights=weight, minlength=size), dtype=np.float64)
        before = np.where(row_starts > 0, running[row_starts - 1], 0.0)
        return running - np.repeat(before, np.diff(row_starts, append=size)), np.ones(size, dtype=np.intp)
    order = np.argsort(place, kind="stable")
    place, running = place[order], np.cumsum(weight[order])
    last = np.flatnonzero(np.append(place[1:] != place[:-1], True))
    first = np.searchsorted(place, row_starts)
    before = np.where(first > 0, running[first - 1], 0.0)
    place = place[last]
    row = np.searchsorted(row_starts, place, side="right") - 1
    return running[last] - before[row], np.diff(place, append=size)


def _counted(counts: Integers) -> Integers:
    """``0 .. n-1`` for each of the counts, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _edges(shapes: Sequence[Sequence[NDArray[Any]]], box: Integers) -> _Edges:
    """The edges of all polygons that can add to their grid."""
    polygons = [polygon for polygons in shapes for polygon in polygons]
    counts = np.array([len(polygon) for polygon in polygons])
    first = np.cumsum(counts) - counts
    owner = np.repeat(np.arange(len(shapes)), [len(polygons) for polygons in shapes])
    hole = np.concatenate([np.arange(len(polygons)) > 0 for polygons in shapes])
    shape = np.repeat(owner, counts)
    corner = np.repeat(box[owner, :2].T - 0.5, counts, axis=1)
    start = np.ascontiguousarray(np.concatenate(polygons).T, dtype=np.float64) - corner
    following = np.arange(1, len(shape) + 1)
    following[first + counts - 1] = first
    end = start.take(following, axis=1)
    turning = np.add.reduceat(start[0] * end[1] - end[0] * start[1], first)
    sign = np.repeat(np.where(hole, -1.0, 1.0) * np.sign(turning), counts)
    edges = _Edges(start, end, shape, sign)
    low, high = np.minimum(start, end), np.maximum(start, end)
    rows, cols = (np.repeat((box[:, axis + 2] - box[:, axis])[owner], counts) for axis in range(2))
    return edges.chosen((high[0] > 0) & (low[0] < rows) & (low[1] < cols) & (high[0] > low[0]))


def _cut(edges: _Edges, axis: int, last: Integers) -> _Edges:
    """Cut edges at every grid line ``0..last`` of one axis; ``last`` is each shape's."""
    start, end = edges.start[axis], edges.end[axis]
    most = last.take(edges.shape) + 1.0
    lowest = np.minimum(np.maximum(np.floor(np.minimum(start, end)) + 1, 0), most)
    counts = np.minimum(np.maximum(np.ceil(np.maximum(start, end)), 0), most) - lowest
    crossing = counts > 0
    if not crossing.any():
        return edges
    whole, across = edges.chosen(~crossing), edges.chosen(crossing)
    pieces = _pieces(across, axis, *(values[crossing].astype(np.intp) for values in (lowest, counts)))
    return _Edges(
        np.concatenate([whole.start, pieces.start], axis=1),
        np.concatenate([whole.end, pieces.end], axis=1),
        np.concatenate([whole.shape, pieces.shape]),
        np.concatenate([whole.sign, pieces.sign]),
    )


def _pieces(edges: _Edges, axis: int, first_line: Integers, counts: Integers) -> _Edges:
    """The pieces of edges that each cross ``counts`` lines of one axis, ``first_line`` the lowest."""
    start, end = edges.start[axis], edges.end[axis]
    edge, nth = np.repeat(np.arange(len(counts)), counts), _counted(counts)
    line = first_line[edge] + np.where((end > start)[edge], nth, (counts - 1)[edge] - nth)
    share = (line - start[edge]) / (end - start)[edge]
    cuts = edges.start.take(edge, axis=1) + share * (edges.end - edges.start).take(edge, axis=1)
    cuts[axis] = line

    begin = np.cumsum(counts + 2) - (counts + 2)  # each edge's points: its start, the cuts, its end
    points = np.empty((2, int(counts.sum()) + 2 * len(counts)))
    points[:, begin], points[:, begin + counts + 1] = edges.start, edges.end
    points[:, begin[edge] + 1 + nth] = cuts
    owner = np.repeat(np.arange(len(counts)), counts + 1)
    piece = np.arange(len(owner)) + owner  # a piece starts at every point but an edge's last
    start, end = points.take(piece, axis=1), points.take(piece + 1, axis=1)
    return _Edges(start, end, edges.shape.take(owner), edges.sign.take(owner))
