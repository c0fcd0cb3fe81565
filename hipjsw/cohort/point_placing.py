"""From points files to hips on a film: which file is whose side, in what order, in what unit, on which spacing.

Points are placed in pixels first, for a pixel is the same whatever a header says: points in mm are divided by the
spacing tag they rest on. Lengths are then those pixels times the film's own spacing, which may be another tag, or one
that was given by hand.

Where a film has two tags that differ, ``auto`` places the points by both and keeps PixelSpacing unless the curves lie
clearly better on the bone by ImagerPixelSpacing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import ADULT_HEAD_RADIUS_MM, HipLandmarks, Region, Side
from hipjsw.cohort.edge_fit import MISPLACED_BELOW, NO_FIT, EdgeFit, better_fit, edge_fit
from hipjsw.cohort.film_entry import FilmEntry
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.point_sides import read_sides
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.spacing_tags import SAME_SHARE

__all__ = ["POINTS_SPACINGS", "PlacedPoints", "SpacingTag", "Unit", "place_points"]

Points = NDArray[np.float64]
Hips = dict[Side, Points]

#: Which tag the millimetres of points rest on.
POINTS_SPACINGS = ("auto", "pixel", "imager")
#: A head this many times beyond an adult's still tells the unit; mm and px differ by 6 to 10.
_UNIT_SLACK = 1.6


class Unit(StrEnum):
    """What a points file's numbers are."""

    MM = "mm"
    PX = "px"


class SpacingTag(StrEnum):
    """What the mm of a points file rest on."""

    PIXEL = "pixel"
    IMAGER = "imager"
    #: The film's spacing, whatever it is: no tag says one.
    FILM = "film"
    #: Nothing: the points are in pixels.
    NONE = ""


@dataclass(frozen=True, eq=False)
class PlacedPoints:
    """The hips of a film, placed on it.

    Args:
        hips: Landmarks in mm of the film's spacing (in pixels for a film without one), of the sides that have any.
        unit: What the file's numbers are.
        tag: What its mm rest on.
        findings: What was noticed, each with its side where it is one hip's.
        fits: How well each hip's curves lie on the film's edges.
    """

    hips: dict[Side, HipLandmarks]
    unit: Unit
    tag: SpacingTag
    findings: tuple[Finding, ...]
    fits: Mapping[Side, EdgeFit]


def place_points(root: Path, entry: FilmEntry, film: Radiograph, points_spacing: str = "auto") -> PlacedPoints:
    """Place the points of a film on it.

    Args:
        root: The folder the entry's paths start from.
        entry: The film with its points files.
        film: The film.
        points_spacing: The tag that mm rest on: ``pixel``, ``imager``, or ``auto`` for the one that fits better.

    Returns:
        The hips, and what is to be said of them.

    Raises:
        PointsError: No points, or none of its files can be used.
        ValueError: Another word for ``points_spacing``.
    """
    if points_spacing not in POINTS_SPACINGS:
        raise ValueError(f"points_spacing is one of auto, pixel, imager, not {points_spacing!r}")
    found = read_sides(root, entry)
    hips, said = found.hips, list(found.findings)
    unit, unit_said = _unit(entry.film, film, hips)
    said += unit_said
    tag, placed_px, tag_said = _placed_px(entry.film, film, hips, unit, points_spacing)
    said += tag_said
    fits = {side: edge_fit(film.pixels, HipLandmarks(px, side)) for side, px in placed_px.items()}
    for side in found.sought_mirrored:
        placed_px[side], fits[side] = _turned_back(film, side, placed_px[side], fits[side])
    for side, fit in fits.items():
        if fit is not NO_FIT and fit.score < MISPLACED_BELOW:  # no fit at all: the points alone tell why
            said.append(_misplaced(entry.film, side, fit))
    mm = {side: px if film.spacing is None else film.spacing.to_mm(px) for side, px in placed_px.items()}
    return PlacedPoints({side: HipLandmarks(mm[side], side) for side in mm}, unit, tag, tuple(said), fits)


def _unit(film: str, radiograph: Radiograph, hips: Hips) -> tuple[Unit, list[Finding]]:
    """Whether points are in mm or in pixels: the unit that makes a head of an adult's size, on the film."""
    spacing = radiograph.spacing
    if spacing is None:
        return Unit.PX, [Finding(film, "points_in_px", "a film without spacing: its points are taken for pixels")]
    tags = _tags(radiograph) or {SpacingTag.FILM: spacing}
    tag = next(iter(tags.values()))
    as_px = {Unit.MM: {s: tag.to_px(p) for s, p in hips.items()}, Unit.PX: hips}
    for slack in (1.0, _UNIT_SLACK):
        for unit in Unit:
            if any(_fits(px, radiograph.shape, spacing, slack) for px in as_px[unit].values()):
                return unit, [_in_px(film, hips, spacing)] if unit is Unit.PX else []
    low, high = ADULT_HEAD_RADIUS_MM
    radii = {unit: ", ".join(f"{_radius_mm(px, spacing):.1f}" for px in as_px[unit].values()) for unit in Unit}
    message = (
        f"head radius {radii[Unit.MM]} mm if the points are in mm, {radii[Unit.PX]} mm if in pixels; "
        f"an adult's is {low:g} to {high:g} mm, and its joint lies on the film"
    )
    return Unit.MM, [Finding(film, "points_unit", message)]


def _fits(points_px: Points, shape: tuple[int, int], spacing: PixelSpacing, slack: float) -> bool:
    low, high = ADULT_HEAD_RADIUS_MM
    centre_px = points_px[Region.HEAD].mean(axis=0)
    on_film = bool(((centre_px >= 0) & (centre_px < shape)).all())
    return on_film and low / slack <= _radius_mm(points_px, spacing) <= high * slack


def _radius_mm(points_px: Points, spacing: PixelSpacing) -> float:
    """Radius of the head; 0 where its points make none."""
    try:
        return HipLandmarks(spacing.to_mm(points_px), Side.RIGHT).head_circle()[1]
    except ValueError:
        return 0.0


def _in_px(film: str, hips: Hips, spacing: PixelSpacing) -> Finding:
    radii_mm = ", ".join(f"{_radius_mm(px, spacing):.1f}" for px in hips.values())
    return Finding(film, "points_in_px", f"taken for pixels, the points make a head of radius {radii_mm} mm")


def _tags(film: Radiograph) -> dict[SpacingTag, PixelSpacing]:
    """The film's spacing tags: one where both say the same."""
    facts = film.facts
    if facts is None:
        return {}
    pixel, imager = facts.pixel_spacing_mm, facts.imager_spacing_mm
    tags = {}
    if pixel is not None:
        tags[SpacingTag.PIXEL] = PixelSpacing(*pixel, SpacingSource.PIXEL)
    if imager is not None and (pixel is None or not np.allclose(pixel, imager, rtol=SAME_SHARE, atol=0.0)):
        tags[SpacingTag.IMAGER] = PixelSpacing(*imager, SpacingSource.IMAGER)
    return tags


def _placed_px(
    name: str, film: Radiograph, hips: Hips, unit: Unit, wanted: str
) -> tuple[SpacingTag, Hips, list[Finding]]:
    """The points in pixels, by the tag that they rest on."""
    if unit is Unit.PX or film.spacing is None:
        return SpacingTag.NONE, hips, []
    tags = _tags(film) or {SpacingTag.FILM: film.spacing}
    by_tag = {tag: {side: spacing.to_px(points) for side, points in hips.items()} for tag, spacing in tags.items()}
    first = next(iter(by_tag))
    if len(by_tag) == 1 or wanted == SpacingTag.PIXEL:
        return first, by_tag[first], []
    imager, pixel_mm, imager_mm = by_tag[SpacingTag.IMAGER], tags[SpacingTag.PIXEL], tags[SpacingTag.IMAGER]
    tags_said = f"ImagerPixelSpacing ({imager_mm.mean_mm:.4f} mm), not on PixelSpacing ({pixel_mm.mean_mm:.4f} mm)"
    if wanted == SpacingTag.IMAGER:
        said = Finding(name, "points_on_imager_spacing", f"the points rest on {tags_said}, as points_spacing= says")
        return SpacingTag.IMAGER, imager, [said]
    better, pixel_fit, imager_fit = better_fit(_fits_of(film, by_tag[SpacingTag.PIXEL]), _fits_of(film, imager))
    if not better:
        return SpacingTag.PIXEL, by_tag[SpacingTag.PIXEL], []
    message = f"the points rest on {tags_said}: they fit the film by {imager_fit:.2f}, else by {pixel_fit:.2f}"
    return SpacingTag.IMAGER, imager, [Finding(name, "points_on_imager_spacing", message)]


def _fits_of(film: Radiograph, hips_px: Hips) -> list[EdgeFit]:
    return [edge_fit(film.pixels, HipLandmarks(px, side)) for side, px in hips_px.items()]


def _turned_back(film: Radiograph, side: Side, points_px: Points, fit: EdgeFit) -> tuple[Points, EdgeFit]:
    """Points that were sought on the mirrored film, mirrored back if they lie so and then fit better."""
    runs_right = points_px[74, 1] > points_px[70, 1]
    if runs_right == (side is Side.RIGHT):
        return points_px, fit
    turned_px = points_px * (1.0, -1.0) + (0.0, film.shape[1] - 1.0)
    turned_fit = edge_fit(film.pixels, HipLandmarks(turned_px, side))
    return (turned_px, turned_fit) if turned_fit.score > fit.score else (points_px, fit)


def _misplaced(film: str, side: Side, fit: EdgeFit) -> Finding:
    message = (
        f"{side.value} hip: the curves fit the film by {fit.score:.2f}, less than {MISPLACED_BELOW:g} "
        f"(head {fit.head:.2f}, rest of the femur {fit.femur:.2f}, roof {fit.roof:.2f})"
    )
    return Finding(film, "misplaced", message, side.value)
