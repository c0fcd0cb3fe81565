"""How far two outlines of one structure lie apart, in mm: mean distance, 95th percentile, surface Dice.

Definition. A structure's border is the line where its probability or coverage crosses 0.5, found by marching squares
to a fraction of a pixel; a mask is the case of zeros and ones. A pixel's worth of that line is an element: it counts
by its length, and its distance is that from its middle to the nearest place of the other border, corners or not.

- ASSD: mean distance over the elements of both borders together, by length.
- HD95: 95th percentile by length, of each border for itself; the larger of the two.
- Surface Dice (normalised surface distance; Nikolov et al. 2018, arXiv 1809.04430): share of both borders together, by
  length, that lies within a tolerance of the other border.

Why not borders of pixels: networks here give probabilities and labels are area coverage, and a tolerance of 0.5 mm is
about a pixel; rounded to pixels first, outlines could be told apart no finer than what is asked. (The line through
coverages swings about a straight edge by less than 0.09 px.)

Against others, on masks: the lengths of the elements are those of DeepMind's surface-distance (the paper's code), whose
distances however run between pixel corners. MONAI's ASSD and HD95 run between centres of the pixels inside the border
and count each once; its HD95 too is the larger of two directions. On smooth outlines both stay within half a pixel of
these. The edge of the view is no border here: nothing ends there but the view. Both others count it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skimage.measure import find_contours

from hipjsw.jsw.polyline import equal_steps

__all__ = ["SurfaceAgreement", "surface_agreement"]

#: Along a sourcil, how far from it on the head's side a border counts: as far as head margins lie from roofs.
BELOW_MM = 10.0
#: And on the other side: far enough for a roof drawn too high, and near enough to leave out the roof's own sides.
ABOVE_MM = 2.0
#: And from its two ends: there the corners of acetabulum and joint space are, and the sides that labels close with.
END_MM = 2.0

#: Steps in which a sourcil is followed.
_STEP_MM = 0.1
#: So many elements of the other border, those with the nearest middles, are measured to at first.
_CANDIDATES = 4
#: A distance that equals a tolerance but for rounding lies within it; so does a probability beside 0 or 1.
_ROUNDING = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurfaceAgreement:
    """How far two borders lie apart; the definitions stand at the module's head.

    Args:
        assd_mm: Average symmetric surface distance in mm; None where undefined.
        hd95_mm: 95th percentile Hausdorff distance in mm; None where undefined.
        dice_05: Surface Dice at 0.5 mm, 0 to 1; None where undefined.
        dice_09: Surface Dice at 0.9 mm, 0 to 1; None where undefined.
    """

    assd_mm: float | None
    hd95_mm: float | None
    dice_05: float | None
    dice_09: float | None


@dataclass(frozen=True, eq=False)
class _Border:
    """Elements of a border: ``(n, 2)`` where each begins and ends, in mm of the view."""

    start: Floats
    end: Floats

    def __len__(self) -> int:
        return len(self.start)

    @property
    def middle(self) -> Floats:
        return 0.5 * (self.start + self.end)

    @property
    def length(self) -> Floats:
        along = self.end - self.start
        return np.hypot(along[:, 0], along[:, 1])

    def only(self, which: NDArray[np.bool_]) -> _Border:
        return _Border(self.start[which], self.end[which])


def surface_agreement(
    predicted: NDArray[Any], reference: NDArray[Any], pixel_mm: float, along_mm: NDArray[Any] | None = None
) -> SurfaceAgreement:
    """Compare the borders of one structure in one view.

    With ``along_mm`` only the weight-bearing part counts: elements, of either border, whose nearest place on that line
    is 2 mm or more from its ends, and that lie at most 10 mm below it (on the head's side, towards larger rows) or
    2 mm above. Of the acetabulum that is the roof's lower edge, of the femur the head margin under it, of the joint
    space both; other bone does not count, nor do the lines with which labels are closed, but for a millimetre or so
    where a sourcil ends steeply. Distances are still to the whole of the other border, so that one predicted farther
    off than this counts by the reference's distance from it.

    Args:
        predicted: ``(rows, cols)`` probability in [0, 1], or a mask of bool.
        reference: ``(rows, cols)`` area coverage in [0, 1], or a mask of bool.
        pixel_mm: Size of the view's square pixels in mm.
        along_mm: ``(n, 2)`` the reference's sourcil ``(row, col)`` in mm of the view, in either direction; the whole
            border counts if None.

    Returns:
        The agreement, the same with the two exchanged. A plane that nowhere crosses 0.5 has no border, be it empty,
        full, or a joint space too thin for its pixels. Without any element that counts all is undefined (None); this
        is so where neither has a border. Where just one has a border, distances are undefined and surface Dice is 0.

    Raises:
        ValueError: Planes that differ in shape, are smaller than 2 x 2 or hold anything but numbers in [0, 1]; a pixel
            size that is not positive; a line of fewer than two places, of no length or not finite.
    """
    planes = [_plane(predicted, "predicted"), _plane(reference, "reference")]
    if planes[0].shape != planes[1].shape:
        raise ValueError(
            f"planes differ in shape: predicted {planes[0].shape}, reference {planes[1].shape}; bring them to one view"
        )
    if not (np.isfinite(pixel_mm) and pixel_mm > 0):
        raise ValueError(f"pixel_mm must be a positive size in mm, got {pixel_mm}")
    borders = [_border(plane, pixel_mm) for plane in planes]
    counted = borders
    if along_mm is not None:
        line = _line(along_mm)
        counted = [border.only(_along(border.middle, line)) for border in borders]
    if not any(map(len, counted)):
        return SurfaceAgreement(None, None, None, None)
    if not all(map(len, borders)):
        return SurfaceAgreement(None, None, 0.0, 0.0)
    sides = [
        (_distances(own.middle, other), own.length)
        for own, other in zip(counted, reversed(borders), strict=True)
        if len(own)
    ]
    return _agreement(sides)


def _agreement(sides: list[tuple[Floats, Floats]]) -> SurfaceAgreement:
    """The four numbers from distances and lengths of the elements of each border that has any."""
    distance, length = (np.concatenate(values) for values in zip(*sides, strict=True))
    whole = length.sum()
    dice_05, dice_09 = (float(length[distance <= limit + _ROUNDING].sum() / whole) for limit in (0.5, 0.9))
    return SurfaceAgreement(
        assd_mm=float(distance @ length / whole),
        hd95_mm=max(_percentile(*side, 0.95) for side in sides),
        dice_05=dice_05,
        dice_09=dice_09,
    )


def _percentile(distance: Floats, length: Floats, share: float) -> float:
    """Least distance that so large a share of the length does not exceed."""
    order = np.argsort(distance)
    within = np.cumsum(length[order])
    return float(distance[order][np.searchsorted(within, share * (1 - _ROUNDING) * within[-1])])


def _plane(values: NDArray[Any], name: str) -> NDArray[Any]:
    plane = np.asarray(values)
    if plane.ndim != 2 or min(plane.shape) < 2:
        raise ValueError(f"{name} must be one plane (rows, cols) of at least 2 x 2, got shape {plane.shape}")
    if plane.dtype != np.bool_ and not (plane.min() >= -_ROUNDING and plane.max() <= 1 + _ROUNDING):
        raise ValueError(f"{name} must hold probabilities in [0, 1] or bool, got {plane.min()} to {plane.max()}")
    return plane


def _border(plane: NDArray[Any], pixel_mm: float) -> _Border:
    """The elements at which a plane crosses 0.5; what lies beyond the view is not known and makes none."""
    inside = plane > 0.5
    rows, cols = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return _Border(np.zeros((0, 2)), np.zeros((0, 2)))
    corner = np.maximum([rows[0] - 1, cols[0] - 1], 0)
    box = plane[corner[0] : rows[-1] + 2, corner[1] : cols[-1] + 2].astype(np.float64)
    pieces: list[Floats] = find_contours(box, 0.5)  # type: ignore[no-untyped-call]
    if not pieces:
        return _Border(np.zeros((0, 2)), np.zeros((0, 2)))
    places = (np.concatenate(pieces) + corner) * pixel_mm
    within = np.ones(len(places) - 1, dtype=np.bool_)
    within[np.cumsum([len(piece) for piece in pieces])[:-1] - 1] = False  # from one piece to the next
    border = _Border(places[:-1], places[1:])
    return border.only(within & (border.length > 0))


def _distances(points: Floats, border: _Border) -> Floats:
    """Distance from each of ``(n, 2)`` points to the nearest place of a border, ``(n,)``."""
    start, step, middle = border.start, border.end - border.start, border.middle
    length2 = (step**2).sum(axis=1)
    tree, half = cKDTree(middle), 0.5 * float(np.sqrt(length2.max()))
    distance = np.empty(len(points))
    todo, count = np.arange(len(points)), _CANDIDATES
    while len(todo):
        count = min(count, len(border))
        away, near = map(np.asarray, tree.query(points[todo], k=range(1, count + 1)))
        offset = points[todo, None] - start[near]
        along = (offset * step[near]).sum(axis=-1) / length2[near]
        offset -= np.clip(along, 0.0, 1.0)[..., None] * step[near]
        distance[todo] = np.sqrt((offset**2).sum(axis=-1).min(axis=1))
        # An element reaches from its middle by half its length: may one that was not asked for be nearer?
        todo = todo[(away[:, -1] - half < distance[todo]) & (count < len(border))]
        count *= 4
    return distance


def _line(along_mm: NDArray[Any]) -> Floats:
    line = np.asarray(along_mm, dtype=np.float64)
    if line.ndim != 2 or line.shape[1] != 2 or len(line) < 2 or not np.isfinite(line).all():
        raise ValueError(f"along_mm must be (n, 2) finite places, n >= 2, got shape {line.shape}")
    if not np.ptp(line, axis=0).any():
        raise ValueError("along_mm is one place only: give the sourcil from its lateral edge to its medial end")
    return equal_steps(line, _STEP_MM)


def _along(points: Floats, line: Floats) -> NDArray[np.bool_]:
    """Which of ``(n, 2)`` points lie above or below a line, within reach of it and away from its ends."""
    if not len(points):
        return np.zeros(0, dtype=np.bool_)
    away, place = cKDTree(line).query(points)
    towards = np.gradient(line, axis=0)[place]
    offset = points - line[place]
    across = towards[:, 1] * offset[:, 0] - towards[:, 0] * offset[:, 1]
    below = (across >= 0) == (line[-1, 1] >= line[0, 1])
    step = float(np.linalg.norm(line[1] - line[0]))
    clear = step * np.minimum(place, len(line) - 1 - place) >= END_MM
    return np.asarray(clear & (away <= np.where(below, BELOW_MM, ABOVE_MM)))
