"""Everything that may be wrong with a film of a cohort, each planted once, so that what checks find can be compared.

A cohort written with ``quirks=true`` has each quirk of `FilmQuirk` on one film of a person of its own; its other films
are plain. ``quirks.csv`` says which, and what should be found there; at every other film nothing should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from hipjsw.phantom.film import place
from hipjsw.phantom.planting import Plant, draw_plant
from hipjsw.phantom.population import Person, Visit, draw_person

__all__ = ["EXPECTED", "PLANTS", "Expected", "FilmQuirk", "QuirkPlan", "plan_quirks", "renamed"]

#: Purpose of this module's random numbers; they are a cohort's, not a person's.
_STREAM = 15

#: Which film has which quirk: by person's index and visit's number.
QuirkPlan = Mapping[tuple[int, int], "FilmQuirk"]


class FilmQuirk(StrEnum):
    """What may be odd about a film, its file or its points."""

    #: Bone dark in the file: nothing is wrong with it.
    MONOCHROME1 = "MONOCHROME1"
    #: The millimetres of the points rest on ImagerPixelSpacing, which differs from PixelSpacing.
    IMAGER_POINTS = "points on imager spacing"
    #: Letters beyond ASCII in both names, composed in the film's and decomposed in the points'.
    UNICODE = "unicode name"
    #: A DICOM file whose name ends in .jpg.
    SUFFIX = "wrong suffix"
    #: A PNG whose name ends in .dcm.
    PNG = "PNG named DICOM"
    #: The file ends within its pixels.
    TRUNCATED = "truncated"
    #: Three colours.
    COLOUR = "colour"
    #: The film again, as a later visit's.
    DUPLICATE = "duplicate"
    #: The film again, as another person's.
    TWO_IDENTITIES = "two identities"
    #: PixelSpacing is zero; ImagerPixelSpacing is right.
    ZERO_SPACING = "zero spacing"
    #: No spacing tag.
    NO_SPACING = "no spacing"
    #: Rows and columns not equally far apart.
    ANISOTROPIC = "anisotropic"
    #: The header says that text is burned in.
    ANNOTATION = "annotation"
    #: A name is burned in; the header says nothing of it.
    TEXT = "burned-in text"
    #: Compressed without loss: nothing is wrong with these.
    RLE = "RLE"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    #: A total hip replacement.
    PROSTHESIS = "prosthesis"
    #: A screw or nail through the neck.
    SCREW = "screw"
    #: One hip is on the film; the points of the other lie beyond it.
    ONE_HIP = "one hip"
    #: One hip is on the film and has a points file of its own.
    ONE_HIP_FILE = "one hip, one points file"
    #: No points file.
    NO_POINTS = "missing points"
    #: The older numbering of the 80 points.
    OLDER = "older numbering"
    #: The right hip's 80 points written as the left hip's, and the reverse.
    SWAPPED = "swapped sides"
    #: Points in pixels.
    PIXELS = "points in pixels"
    #: One hip's whole set far off.
    LOST = "gross failure"
    #: One point 75 mm away.
    JUMP = "jump"
    #: A points file with a wrong count.
    MALFORMED = "malformed points"
    #: Points of a film that is not there.
    ORPHAN = "points without film"
    #: A folder with nothing in it.
    EMPTY_FOLDER = "empty folder"
    #: Two spacing tags that differ, as half the films of CHECK have; on every film that has no other quirk.
    TWO_SPACINGS = "two spacings"


@dataclass(frozen=True)
class Expected:
    """What should be found of a quirk.

    Args:
        rules: Names of the rules that should be found, all of them.
        severity: ``error``, ``warning`` or ``info``: the worst of them; empty where nothing should be found.
        also: Rules that may be found besides, as they follow from the same fault.
    """

    rules: tuple[str, ...] = ()
    severity: str = ""
    also: tuple[str, ...] = ()


#: By quirk; the sides are the film's own.
EXPECTED: dict[FilmQuirk, Expected] = {
    FilmQuirk.MONOCHROME1: Expected(),
    FilmQuirk.IMAGER_POINTS: Expected(("points_on_imager_spacing",), "warning"),
    FilmQuirk.UNICODE: Expected(),
    FilmQuirk.SUFFIX: Expected(("wrong_suffix",), "warning"),
    FilmQuirk.PNG: Expected(("no_spacing", "wrong_suffix"), "error"),
    FilmQuirk.TRUNCATED: Expected(("truncated",), "error"),
    FilmQuirk.COLOUR: Expected(("colour",), "error"),
    FilmQuirk.DUPLICATE: Expected(("duplicate_film",), "error"),
    FilmQuirk.TWO_IDENTITIES: Expected(("two_identities",), "error"),
    FilmQuirk.ZERO_SPACING: Expected(("bad_spacing",), "warning"),
    FilmQuirk.NO_SPACING: Expected(("no_spacing",), "error"),
    FilmQuirk.ANISOTROPIC: Expected(("anisotropic",), "info"),
    FilmQuirk.ANNOTATION: Expected(("burned_in_text",), "warning"),
    FilmQuirk.TEXT: Expected(("burned_in_text",), "warning"),
    FilmQuirk.RLE: Expected(),
    FilmQuirk.JPEG_LS: Expected(),
    FilmQuirk.JPEG_2000: Expected(),
    FilmQuirk.PROSTHESIS: Expected(("prosthesis",), "error"),
    FilmQuirk.SCREW: Expected(("metal",), "warning"),
    FilmQuirk.ONE_HIP: Expected(("outside_film",), "error", ("misplaced",)),
    FilmQuirk.ONE_HIP_FILE: Expected(("one_hip",), "info"),
    FilmQuirk.NO_POINTS: Expected(("film_without_points",), "error"),
    FilmQuirk.OLDER: Expected(("older_numbering",), "info"),
    FilmQuirk.SWAPPED: Expected(("sides_swapped",), "error"),
    FilmQuirk.PIXELS: Expected(("points_in_px",), "info"),
    FilmQuirk.LOST: Expected(("misplaced",), "error"),
    FilmQuirk.JUMP: Expected(("step_length",), "error", ("crossing_curves", "misplaced")),
    FilmQuirk.MALFORMED: Expected(("bad_points",), "error"),
    FilmQuirk.ORPHAN: Expected(("points_without_film",), "warning"),
    FilmQuirk.EMPTY_FOLDER: Expected(("empty_folder",), "warning"),
    FilmQuirk.TWO_SPACINGS: Expected(("spacing_mismatch",), "warning"),
}

#: What a quirk's film shows.
PLANTS = {
    FilmQuirk.PROSTHESIS: Plant.PROSTHESIS,
    FilmQuirk.SCREW: Plant.SCREW,
    FilmQuirk.ONE_HIP: Plant.SINGLE_HIP,
    FilmQuirk.ONE_HIP_FILE: Plant.SINGLE_HIP,
}

#: Kinds of films a quirk may be on, where it may not be on any: most only where the two spacing tags agree.
_KINDS = dict.fromkeys(FilmQuirk, ("OAI", "CHECK-B")) | {
    FilmQuirk.MONOCHROME1: ("CHECK-B",),
    FilmQuirk.IMAGER_POINTS: ("CHECK-A",),
    FilmQuirk.UNICODE: ("CHECK-A", "CHECK-B"),
    FilmQuirk.SUFFIX: ("OAI",),
    FilmQuirk.DUPLICATE: ("OAI",),
}
_ANY = ("OAI", "CHECK-A", "CHECK-B")
_KINDS |= dict.fromkeys((quirk for quirk in FilmQuirk if "points" in quirk and quirk not in _KINDS), _ANY)


def renamed(person: Person, plan: QuirkPlan) -> Person:
    """The person under the name that a quirk gives them."""
    odd = plan.get((person.index, person.visits[0].number)) is FilmQuirk.UNICODE
    return replace(person, subject=f"\u00c5s\u00ebfin{person.subject}") if odd else person


def plan_quirks(seed: int, subjects: int, look: str, planted: float) -> QuirkPlan:
    """Deal each quirk to the first film of a person of its own.

    Args:
        seed: The cohort's seed.
        subjects: Persons in the cohort.
        look: How films look.
        planted: Share of films that show something else; quirks are on others.

    Raises:
        ValueError: Too few persons.
    """
    order = np.random.default_rng([seed, _STREAM]).permutation(subjects)
    free = list(_plain_films(seed, order.tolist(), look, planted))
    plan: dict[tuple[int, int], FilmQuirk] = {}
    wanted = [quirk for quirk in FilmQuirk if quirk is not FilmQuirk.TWO_SPACINGS]
    for quirk in sorted(wanted, key=lambda quirk: (len(_KINDS[quirk]), list(FilmQuirk).index(quirk))):
        fitting = [(person, visit) for person, visit, kind in free if kind in _KINDS[quirk] and _fits(quirk, person)]
        if not fitting:
            raise ValueError(
                f"no film is left to plant the quirk {quirk.value!r} on; ask for more persons: 60 are enough for most "
                "seeds, more if planted films take their part"
            )
        person, visit = fitting[0]
        plan[person.index, visit.number] = quirk
        free = [item for item in free if item[0].index != person.index]
    return plan


def _fits(quirk: FilmQuirk, person: Person) -> bool:
    """Whether a person's visits allow a quirk: another name is all their films', a copy needs a later visit's name."""
    if quirk is FilmQuirk.UNICODE:
        return len(person.visits) == 1
    return quirk is not FilmQuirk.DUPLICATE or len(person.visits) == 1


def _plain_films(seed: int, order: list[int], look: str, planted: float) -> Iterator[tuple[Person, Visit, str]]:
    for index in order:
        person = draw_person(seed, index)
        visit = person.visits[0]
        if draw_plant(seed, person, visit, planted) is None:
            yield person, visit, place(seed, person, visit, look).placement.format.name
