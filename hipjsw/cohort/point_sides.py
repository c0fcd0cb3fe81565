"""Which hips a film's points files hold: read, told by side, and put into the current numbering."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import POINTS_PER_HIP, Region, Side, fit_circle
from hipjsw.anatomy.numbering import Numbering, numbering_of, renumbered
from hipjsw.anatomy.points_file import PointsError, read_points
from hipjsw.cohort.film_entry import FilmEntry, PointsFile
from hipjsw.cohort.findings import Finding

__all__ = ["FoundPoints", "read_sides"]

Points = NDArray[np.float64]

#: How BoneFinder names points that it sought on the mirrored film.
_SOUGHT_MIRRORED = "_rasl"


@dataclass(frozen=True, eq=False)
class FoundPoints:
    """The hips that points files hold.

    Args:
        hips: ``(80, 2)`` points ``(row, col)`` of each side in the file's unit, in the current numbering.
        findings: What was noticed.
        sought_mirrored: Sides whose points were sought on the mirrored film and may lie mirrored.
    """

    hips: dict[Side, Points]
    findings: list[Finding] = field(default_factory=list)
    sought_mirrored: frozenset[Side] = frozenset()


def read_sides(root: Path, entry: FilmEntry) -> FoundPoints:
    """Read a film's points files.

    A file of 160 points holds the right hip and then the left; one of 80 points the side its name says, else the only
    side the film shows, else the side towards whose middle its roof runs.

    Args:
        root: The folder the entry's paths start from.
        entry: The film with its points files.

    Raises:
        PointsError: No file, no file that can be used, two of one side, or none of the side the film shows.
    """
    found = FoundPoints({})
    errors: list[PointsError] = []
    mirrored: set[Side] = set()
    for file in entry.points:
        try:
            hips = _hips_of(root, file, entry, found.findings)
        except PointsError as error:
            errors.append(error)
            found.findings.append(Finding(entry.film, "bad_points", str(error), file.side))
            continue
        twice = [side.value for side in hips if side in found.hips]
        if twice:
            raise PointsError(f"{entry.film}: two points files hold the {twice[0]} hip; remove one", "ambiguous_points")
        found.hips.update(hips)
        if PurePosixPath(file.path).stem.lower().endswith(_SOUGHT_MIRRORED):
            mirrored.update(hips)
    if not found.hips:
        raise errors[0] if errors else PointsError(f"{entry.film}: no points of a hip; run BoneFinder on the film")
    said = [*found.findings, *_absent(entry, found), *_renumber(entry.film, found.hips)]
    return FoundPoints({side: found.hips[side] for side in Side if side in found.hips}, said, frozenset(mirrored))


def _hips_of(root: Path, file: PointsFile, entry: FilmEntry, said: list[Finding]) -> dict[Side, Points]:
    """The hips of one file that are wanted and there."""
    points = read_points(root / file.path)
    name = PurePosixPath(file.path).name
    if len(points) == 2 * POINTS_PER_HIP:
        hips = {Side.RIGHT: points[:POINTS_PER_HIP], Side.LEFT: points[POINTS_PER_HIP:]}
        only = file.side or entry.side
        hips = {side: hip for side, hip in hips.items() if only in ("", side.value)}
    elif len(points) == POINTS_PER_HIP:
        side = file.side or entry.side
        hips = {Side(side) if side else _told_side(points, entry.film, said): points}
    else:
        counts = f"{POINTS_PER_HIP} (a hip) or {2 * POINTS_PER_HIP} (a film)"
        raise PointsError(f"{name}: {len(points)} points, where {counts} are; run BoneFinder's hip model on the film")
    there = {side: hip for side, hip in hips.items() if not _is_one_point(hip)}
    if not there:
        raise PointsError(f"{name}: all its points are one point, so no hip; run BoneFinder on the film again")
    return {side: hip for side, hip in there.items() if entry.side in ("", side.value)}


def _is_one_point(hip: Points) -> bool:
    """Whether a hip is absent: its places in the file are filled with one point, usually the origin."""
    return bool(np.ptp(hip, axis=0).max() <= 1e-6 * max(1.0, float(np.abs(hip).max())))


def _told_side(points: Points, film: str, said: list[Finding]) -> Side:
    """The side of 80 points by themselves: the roof runs towards the film's middle, the trochanter lies away from it.

    Where the two disagree the roof decides, and it is said.
    """
    hip = renumbered(points) if numbering_of(points) is Numbering.OLDER else points
    run = float(hip[74, 1] - hip[70, 1])
    try:
        inwards = float(fit_circle(hip[Region.HEAD])[0][1] - hip[:11, 1].mean())
    except ValueError:
        inwards = 0.0
    side = Side.RIGHT if run > 0 else Side.LEFT
    if run * inwards <= 0:
        message = f"no name says whose side the 80 points are, nor do they clearly; taken for the {side.value} hip"
        said.append(Finding(film, "one_hip", message))
    return side


def _absent(entry: FilmEntry, found: FoundPoints) -> list[Finding]:
    """What is to be said of a hip without points, unless the film shows one side only or its file is bad."""
    bad = {finding.side for finding in found.findings if finding.rule == "bad_points"}
    lacking = [side for side in Side if side not in found.hips and side.value not in bad]
    if entry.side or not lacking:
        return []
    return [Finding(entry.film, "one_hip", f"no points of the {side.value} hip", side.value) for side in lacking]


def _renumber(film: str, hips: dict[Side, Points]) -> list[Finding]:
    """Put all hips into the current numbering."""
    older = [side for side, points in hips.items() if numbering_of(points) is Numbering.OLDER]
    for side in older:
        hips[side] = renumbered(hips[side])
    if not older:
        return []
    whose = older[0].value if len(older) == 1 else ""
    what = f"the {whose} hip's points are" if whose else "both hips' points are"
    return [Finding(film, "older_numbering", f"{what} in the older numbering; renumbered", whose)]
