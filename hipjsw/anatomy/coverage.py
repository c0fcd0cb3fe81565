"""Exact area coverage of polygons on a pixel grid.

The signed-area accumulation of anti-aliased font rasterisers: every edge is cut at the grid lines, each piece adds to
one cell the height it crosses and the area to its right, and a running sum along the row makes coverage of it. The
result is the exact share of each pixel that lies inside, at a cost of edges plus pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["polygon_coverage"]

Floats = NDArray[np.float64]


def polygon_coverage(polygon: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Share of each pixel's square that lies inside a closed polygon.

    Args:
        polygon: ``(n, 2)`` vertices ``(row, col)`` in pixels, either orientation, closed by itself; it may reach
            beyond the grid. Where it crosses itself the winding number counts.
        shape: ``(rows, cols)`` of the grid; pixel ``(0, 0)`` covers ``[-0.5, 0.5]`` both ways.

    Returns:
        ``(rows, cols)`` coverage, in [0, 1] for a simple polygon.
    """
    rows, cols = shape
    start = np.asarray(polygon, dtype=np.float64) + 0.5
    end = np.roll(start, -1, axis=0)
    orientation = np.sign((start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1]).sum())
    start, end = _cut(start, end, axis=0, last=rows)
    start, end = _cut(start, end, axis=1, last=cols)
    middle = 0.5 * (start + end)
    seen = (middle[:, 0] > 0) & (middle[:, 0] < rows) & (middle[:, 1] < cols)
    start, end, middle = start[seen], end[seen], middle[seen]

    height = (end[:, 0] - start[:, 0]) * orientation
    row = np.floor(middle[:, 0]).astype(np.intp)
    col = np.maximum(np.floor(middle[:, 1]), -1).astype(np.intp)
    own = np.where(col < 0, 0.0, col + 1.0 - middle[:, 1])  # share of its own pixel's width right of the edge
    width = cols + 2  # one cell left of the grid, one right of it
    cell = row * width + col + 1
    total: Floats = np.bincount(cell, weights=height * own, minlength=rows * width).astype(np.float64)
    total += np.bincount(cell + 1, weights=height * (1.0 - own), minlength=rows * width)[: rows * width]
    covered: Floats = np.cumsum(total.reshape(rows, width), axis=1)[:, 1 : cols + 1]
    return covered


def _cut(start: Floats, end: Floats, axis: int, last: int) -> tuple[Floats, Floats]:
    """Cut the edges at every grid line ``0..last`` of one axis; ``(m, 2)`` pieces in, more pieces out."""
    low = np.minimum(start[:, axis], end[:, axis])
    high = np.maximum(start[:, axis], end[:, axis])
    first_line = np.clip(np.floor(low) + 1, 0, last + 1).astype(np.intp)
    end_line = np.clip(np.ceil(high), 0, last + 1).astype(np.intp)
    counts = np.maximum(end_line - first_line, 0)
    edge = np.repeat(np.arange(len(start)), counts)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    line = first_line[edge] + nth
    delta = end[edge, axis] - start[edge, axis]
    share = (line - start[edge, axis]) / delta
    cuts = start[edge] + share[:, None] * (end[edge] - start[edge])
    cuts[:, axis] = line

    ids = np.concatenate([np.arange(len(start)), edge, np.arange(len(start))])
    place = np.concatenate([np.full(len(start), -1.0), share, np.full(len(start), 2.0)])
    points = np.concatenate([start, cuts, end])
    order = np.lexsort((place, ids))
    ids, points = ids[order], points[order]
    pieces = ids[:-1] == ids[1:]
    return points[:-1][pieces], points[1:][pieces]
