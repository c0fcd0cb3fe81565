"""The files of films with a quirk: one function each, written whole, the same whenever it is called."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import POINTS_PER_HIP, Side
from hipjsw.anatomy.points_file import write_points
from hipjsw.phantom.dicom import encode
from hipjsw.phantom.film import Film, render
from hipjsw.phantom.marker import replace_file
from hipjsw.phantom.names import film_name, points_name
from hipjsw.phantom.points import in_older_numbering
from hipjsw.phantom.quirk_bytes import FILES
from hipjsw.phantom.quirks import EXPECTED, FilmQuirk

__all__ = ["QUIRK_COLUMNS", "plain_rows", "quirk_row", "write_quirk"]

#: Columns of quirks.csv.
QUIRK_COLUMNS = ("film", "quirk", "rules", "severity", "side", "also")

Row = tuple[str, ...]
Points = NDArray[np.float64]
Stored = NDArray[np.uint16]

#: Persons that no phantom cohort has, the visit of a copy, and one that no film has.
_STRANGERS, _LATER, _NO_VISIT = ("9900001", "9900002"), "V10", "V03"
_JUMP_POINT, _JUMP_MM, _LOST_MM = 31, 75.0, (30.0, 22.0)


def quirk_row(film: Film, quirk: FilmQuirk, name: str = "", side: str = "") -> Row:
    """A row of quirks.csv.

    Args:
        film: The film.
        quirk: What it has.
        name: Its path, if not the usual.
        side: The side that findings are of.
    """
    expected, kind = EXPECTED[quirk], film.placement.format
    rules = list(expected.rules)
    if kind.pixel_mm != kind.imager_mm and "spacing_mismatch" not in rules:
        rules.append("spacing_mismatch")
        severity = expected.severity if expected.severity == "error" else "warning"
    else:
        severity = expected.severity
    return name or film_name(film), quirk.value, " ".join(rules), severity, side, " ".join(expected.also)


def plain_rows(film: Film) -> list[Row]:
    """The rows of a film that has no quirk: one if its two spacing tags differ, else none."""
    kind = film.placement.format
    return [] if kind.pixel_mm == kind.imager_mm else [quirk_row(film, FilmQuirk.TWO_SPACINGS)]


def write_quirk(out: Path, film: Film, quirk: FilmQuirk) -> list[Row]:
    """Write a film, or what is there instead of it, and its points.

    Args:
        out: The cohort's folder.
        film: The film, with the plant of its quirk (``quirks.PLANTS``).
        quirk: What to do to it.

    Returns:
        Its rows of quirks.csv.
    """
    name, side = film_name(film), ""
    if quirk in _EXTRA:
        return _EXTRA[quirk](out, film)
    if quirk in _POINTS:
        _save_film(out, name, film, render(film))
        side = _POINTS[quirk](out, film)
    else:
        suffix = ".jpg" if quirk is FilmQuirk.SUFFIX else ".dcm"
        name = str(Path(name).with_suffix(suffix).as_posix())
        replace_file(out / name, FILES[quirk](film, render(film)))
        _save_points(out, points_name(name), film.points_mm)
        side = next(iter(film.planted)).value if film.plant else ""
    return [quirk_row(film, quirk, name, side)]


def _save_film(out: Path, name: str, film: Film, stored: Stored) -> None:
    replace_file(out / name, encode(film, stored))


def _save_points(out: Path, name: str, points: Points) -> None:
    target = out / name
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    write_points(temporary, points)
    temporary.replace(target)


# The points: written beside a plain film; the side they are wrong on.


def _other(side: Side) -> Side:
    return Side.LEFT if side is Side.RIGHT else Side.RIGHT


def _no_points(_out: Path, _film: Film) -> str:
    return ""


def _changed(out: Path, film: Film, change: Callable[[Film, Points], Points]) -> str:
    _save_points(out, points_name(film_name(film)), change(film, film.points_mm))
    return ""


def _halves(points: Points) -> tuple[Points, Points]:
    return points[:POINTS_PER_HIP], points[POINTS_PER_HIP:]


def _decomposed(out: Path, film: Film) -> str:
    _save_points(out, unicodedata.normalize("NFD", points_name(film_name(film))), film.points_mm)
    return ""


def _lost(out: Path, film: Film) -> str:
    points = film.points_mm
    points[:POINTS_PER_HIP] += _LOST_MM
    return _changed(out, film, lambda _film, _points: points) or Side.RIGHT.value


def _jump(out: Path, film: Film) -> str:
    points = film.points_mm
    points[POINTS_PER_HIP + _JUMP_POINT] -= (0.0, _JUMP_MM)
    return _changed(out, film, lambda _film, _points: points) or Side.LEFT.value


def _malformed(out: Path, film: Film) -> str:
    _changed(out, film, lambda _film, points: points)
    path = out / points_name(film_name(film))
    replace_file(path, path.read_bytes().replace(b"n_points: 160", b"n_points: 159"))
    return ""


def _beyond(out: Path, film: Film) -> str:
    _changed(out, film, lambda _film, points: points)
    return _other(next(iter(film.planted))).value


def _one_file(out: Path, film: Film) -> str:
    """The hip on the film in a file of its own; ``_L`` is the image's left, the patient's right."""
    kept = next(iter(film.planted))
    own = dict(zip(Side, _halves(film.points_mm), strict=True))[kept]
    letter = "L" if kept is Side.RIGHT else "R"
    _save_points(out, points_name(film_name(film)).replace(".pts", f"_{letter}.pts"), own)
    return ""


_CHANGES: dict[FilmQuirk, Callable[[Film, Points], Points]] = {
    FilmQuirk.OLDER: lambda _film, points: np.concatenate([in_older_numbering(hip) for hip in _halves(points)]),
    FilmQuirk.SWAPPED: lambda _film, points: np.concatenate(_halves(points)[::-1]),
    FilmQuirk.PIXELS: lambda film, points: points / film.placement.format.pixel_mm,
    FilmQuirk.IMAGER_POINTS: lambda film, points: (
        points * (film.placement.format.imager_mm / film.placement.format.pixel_mm)
    ),
}
_POINTS: dict[FilmQuirk, Callable[[Path, Film], str]] = {
    **{quirk: partial(_changed, change=change) for quirk, change in _CHANGES.items()},
    FilmQuirk.UNICODE: _decomposed,
    FilmQuirk.NO_POINTS: _no_points,
    FilmQuirk.LOST: _lost,
    FilmQuirk.JUMP: _jump,
    FilmQuirk.MALFORMED: _malformed,
    FilmQuirk.ONE_HIP: _beyond,
    FilmQuirk.ONE_HIP_FILE: _one_file,
}


# More than the film: it is plain, and something lies beside it.


def _beside(out: Path, film: Film) -> Stored:
    stored = render(film)
    _save_film(out, film_name(film), film, stored)
    _save_points(out, points_name(film_name(film)), film.points_mm)
    return stored


def _copied(out: Path, film: Film, copy: Film) -> str:
    name, stored = film_name(copy), _beside(out, film)
    _save_film(out, name, copy, stored)
    _save_points(out, points_name(name), film.points_mm)
    return name


def _duplicate(out: Path, film: Film) -> list[Row]:
    later = replace(film.visit, name=_LATER, day=film.visit.day.replace(year=film.visit.day.year + 8))
    return [quirk_row(film, FilmQuirk.DUPLICATE, _copied(out, film, replace(film, visit=later)))]


def _two_identities(out: Path, film: Film) -> list[Row]:
    copy = replace(film, person=replace(film.person, subject=_STRANGERS[0]))
    names = film_name(film), _copied(out, film, copy)
    return [quirk_row(film, FilmQuirk.TWO_IDENTITIES, name) for name in names]


def _orphan(out: Path, film: Film) -> list[Row]:
    name = points_name(film_name(replace(film, person=replace(film.person, subject=_STRANGERS[1]))))
    _beside(out, film)
    _save_points(out, name, film.points_mm)
    return [_alone(FilmQuirk.ORPHAN, name)]


def _empty_folder(out: Path, film: Film) -> list[Row]:
    _beside(out, film)
    name = f"{film.person.dataset}/{_NO_VISIT}"
    (out / name).mkdir(parents=True, exist_ok=True)
    return [_alone(FilmQuirk.EMPTY_FOLDER, name)]


def _alone(quirk: FilmQuirk, name: str) -> Row:
    return name, quirk.value, " ".join(EXPECTED[quirk].rules), EXPECTED[quirk].severity, "", ""


_EXTRA: dict[FilmQuirk, Callable[[Path, Film], list[Row]]] = {
    FilmQuirk.DUPLICATE: _duplicate,
    FilmQuirk.TWO_IDENTITIES: _two_identities,
    FilmQuirk.ORPHAN: _orphan,
    FilmQuirk.EMPTY_FOLDER: _empty_folder,
}
