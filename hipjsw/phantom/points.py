"""The points written beside a phantom film: exact, or with the errors a shape model's fit makes.

BoneFinder's points are no truth: a shape model is fitted to the film, so its errors are smooth. They are drawn here
as a sum of two parts. One moves the hip's whole set (shift, size, turn); it is what the fit of the whole shape gets
wrong. The other runs along each curve, mostly across it, and is alike over several neighbouring points. Both grow
as the film's contrast falls, the second also with the region: the border of the femur is plain, that of the
foramen is not.

Size: the mean distance of points to their curves is about 0.5 mm a film and below 0.9 mm in 99 % of films, the
figure published for BoneFinder's femur on 839 films (Lindner et al. 2013, IEEE Trans Med Imaging 32:1462-72). What
else happens to such files, rarely: a fit that is lost, points in an older numbering, no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import POINTS_PER_HIP, Region, Side, fit_circle
from hipjsw.anatomy.numbering import OLDER_INDEX
from hipjsw.phantom.film import Film
from hipjsw.phantom.population import stream

__all__ = [
    "QUIRK_RATES",
    "FilmPoints",
    "PointsModel",
    "Quirk",
    "draw_quirk",
    "film_points",
    "fit_errors_mm",
    "in_older_numbering",
]

Points = NDArray[np.float64]

#: Purpose of this module's random numbers (see ``population.stream``).
_STREAM = 9

#: Sizes of errors in mm, or as said, at visibility 1: shift of the set (per axis), its size (share), its turn in
#: degrees, the curves' own error across and along.
_SHIFT_MM, _SIZE, _TURN_DEG, _ACROSS_MM, _ALONG_MM = 0.235, 0.004, 0.27, 0.325, 0.2
#: An error at visibility v is v to this power times as large.
_VISIBILITY_POWER = -0.5
#: Films differ beyond what is visible: SD of the logarithm of their factor.
_FILM_SPREAD = 0.12
#: Points over which an error along a curve stays alike (SD of the Gaussian correlation).
_CORRELATION_POINTS = 2.5

#: Curves along which an error runs on; 44 and 70 belong to two outlines, so each pair is one chain.
_CHAINS = (
    Region.FEMUR,
    Region.TROCHANTER,
    slice(Region.POSTERIOR_WALL.start, Region.ISCHIUM_PUBIS.stop),
    Region.FORAMEN,
    Region.ROOF,
    Region.TEARDROP,
)

#: How large an error of the curve's own is at each of the 80 points: least at the head, whose edge is plainest.
_AT = np.array([0, 14, 18, 27, 31, 39, 40, 59, 60, 66, 67, 74, 75, 79])
_FACTOR = np.array([1.1, 1.1, 0.8, 0.8, 1.1, 1.1, 1.4, 1.4, 1.6, 1.6, 0.95, 0.95, 1.5, 1.5])
_REGION_FACTOR = np.interp(np.arange(POINTS_PER_HIP), _AT, _FACTOR)


class PointsModel(StrEnum):
    """What errors the points have."""

    NONE = "none"
    BONEFINDER = "bonefinder"


class Quirk(StrEnum):
    """What may be wrong with a film's points beyond the usual errors."""

    #: No file.
    MISSING = "no points"
    #: The older numbering of the 80 points.
    OLDER = "older numbering"
    #: The set of one hip lies far off.
    LOST = "gross failure"


#: Share of films with each. Without points: 135 of the 14,994 films of CHECK and OAI. The others: a small share.
QUIRK_RATES = {Quirk.MISSING: 0.009, Quirk.OLDER: 0.01, Quirk.LOST: 0.005}


@dataclass(frozen=True, eq=False)
class FilmPoints:
    """The points of a film as they are written.

    Args:
        points_mm: ``(160, 2)`` points ``(row, col)`` on the film in mm, None where there is no file.
        note: What is odd about them: a `Quirk`, with its side where it is one hip's; else empty.
    """

    points_mm: Points | None
    note: str


def draw_quirk(rng: np.random.Generator) -> Quirk | None:
    """What is odd about a film's points, None for the usual."""
    chance = rng.random()
    for quirk, rate in QUIRK_RATES.items():
        if chance < rate:
            return quirk
        chance -= rate
    return None


def film_points(film: Film, model: PointsModel) -> FilmPoints:
    """The points of a film; (seed, person, visit) and the model decide them.

    Args:
        film: The film.
        model: What errors they have.
    """
    exact = film.points_mm
    if model is PointsModel.NONE:
        return FilmPoints(exact, "")
    rng = stream(film.seed, film.person.index, _STREAM, film.visit.number)
    quirk, lost = draw_quirk(rng), Side.RIGHT if rng.random() < 0.5 else Side.LEFT
    if quirk is Quirk.MISSING:
        return FilmPoints(None, quirk.value)
    points = exact + fit_errors_mm(exact, film.visibility, rng)
    hips = dict(zip(Side, (points[:POINTS_PER_HIP], points[POINTS_PER_HIP:]), strict=True))
    note = "" if quirk is None else quirk.value
    if quirk is Quirk.LOST:
        hips[lost], note = _lose(hips[lost], rng), f"{quirk.value} {lost.value}"
    elif quirk is Quirk.OLDER:
        hips = {side: in_older_numbering(hip) for side, hip in hips.items()}
    return FilmPoints(np.concatenate([hips[side] for side in Side]), note)


def in_older_numbering(points: Points) -> Points:
    """The 80 points ``(80, 2)`` of a hip in the order of the older numbering."""
    older = np.empty_like(points)
    older[list(OLDER_INDEX)] = points
    return older


def fit_errors_mm(points_mm: Points, visibility: float, rng: np.random.Generator) -> Points:
    """Errors of a usual fit.

    Args:
        points_mm: The exact points ``(160, 2)`` of a film in mm.
        visibility: Contrast of the film's edges, in (0, 1].
        rng: Random numbers.

    Returns:
        ``(160, 2)`` what to add, in mm.
    """
    size = visibility**_VISIBILITY_POWER * np.exp(rng.normal(0.0, _FILM_SPREAD))
    hips = (points_mm[:POINTS_PER_HIP], points_mm[POINTS_PER_HIP:])
    return np.concatenate([size * (_pose_errors(hip, rng) + _curve_errors(hip, rng)) for hip in hips])


def _moved(points: Points, shift: Points, scale: float, turn_deg: float) -> Points:
    """Points turned and scaled about the centre of the head, then shifted."""
    centre, turn = fit_circle(points[Region.HEAD])[0], np.deg2rad(turn_deg)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((points - centre) @ matrix.T + centre + shift, dtype=np.float64)


def _pose_errors(hip: Points, rng: np.random.Generator) -> Points:
    shift, size, turn_deg = rng.normal(0.0, _SHIFT_MM, 2), rng.normal(0.0, _SIZE), rng.normal(0.0, _TURN_DEG)
    return _moved(hip, shift, 1.0 + float(size), float(turn_deg)) - hip


def _lose(hip: Points, rng: np.random.Generator) -> Points:
    """A lost fit: the set shifted by 1-5 cm, wrong in size by up to a quarter, turned by up to 15 degrees."""
    away, direction = rng.uniform(10.0, 50.0), rng.uniform(0.0, 2 * np.pi)
    shift = away * np.array([np.sin(direction), np.cos(direction)])
    return _moved(hip, shift, float(rng.uniform(0.8, 1.25)), float(rng.uniform(-15.0, 15.0)))


@cache
def _smooth(count: int) -> Points:
    """Matrix ``(count, count)`` that makes independent numbers alike over neighbours, each with SD 1."""
    place = np.arange(count, dtype=np.float64)
    near = np.exp(-(((place[:, None] - place[None]) / _CORRELATION_POINTS) ** 2) / 2)
    return np.asarray(np.linalg.cholesky(near + 1e-6 * np.eye(count)), dtype=np.float64)


def _tangents(hip: Points) -> Points:
    """Unit tangents ``(80, 2)`` of the curves at their points; 70, a corner, has the sourcil's."""
    tangents = np.empty_like(hip)
    before_corner = slice(Region.ROOF.start, Region.SOURCIL.start + 1)
    for part in (*_CHAINS, before_corner, Region.SOURCIL):
        curve = Curve(hip[part])
        nudge = 1e-3 * curve.knots[-1]
        low, high = np.clip(curve.knots - nudge, 0.0, None), np.clip(curve.knots + nudge, None, curve.knots[-1])
        step = curve.at(high) - curve.at(low)
        tangents[part] = step / np.linalg.norm(step, axis=1, keepdims=True)
    return tangents


def _curve_errors(hip: Points, rng: np.random.Generator) -> Points:
    """Each curve's own errors ``(80, 2)`` in mm: smooth along it, mostly across it."""
    tangents = _tangents(hip)
    normals = np.column_stack([-tangents[:, 1], tangents[:, 0]])
    errors = np.zeros_like(hip)
    for part in _CHAINS:
        across, along = _smooth(len(hip[part])) @ rng.standard_normal((len(hip[part]), 2)).T[:, :, None]
        errors[part] = _ACROSS_MM * across * normals[part] + _ALONG_MM * along * tangents[part]
    return np.asarray(_REGION_FACTOR[:, None] * errors, dtype=np.float64)
