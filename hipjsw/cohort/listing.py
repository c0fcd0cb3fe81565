"""A cohort in a CSV: one line a film, or one a side, with the film's points, person, visit, side and spacing.

Paths start from the CSV's folder and may not leave it, by a link neither: a list that somebody sends must not have
other files of the disk read, or named in findings.csv.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hipjsw.cohort.csv_table import read_table
from hipjsw.cohort.film_entry import CohortError, CohortListing, FilmEntry, PointsFile
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.folder import CONTROL, Folder, Found, nfc
from hipjsw.cohort.pairing import film_ending
from hipjsw.imaging.spacing import PLAUSIBLE_MM

__all__ = ["LISTING_NAME", "read_listing", "unlisted"]

#: The CSV that is used where only a folder is given.
LISTING_NAME = "cohort.csv"

_REQUIRED = ("film", "person")
_OPTIONAL = ("points", "points_right", "points_left", "visit", "side", "spacing", "cohort")
_SIDES = {"": "", "r": "right", "right": "right", "l": "left", "left": "left"}
_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: The cohort's own picture, where its report was written beside the films.
_PICTURE = "fingerprint.png"
#: Unlisted films that are each a finding, and files that are looked at to find them.
_MOST_UNLISTED, _MOST_FILES = 50, 200_000


class _RowError(ValueError):
    """Why a line cannot be used; without its content, which may be anything."""


@dataclass(frozen=True)
class _Row:
    """One line: the entry it stands for, and what is wrong with its points though the film may be used."""

    line: int
    entry: FilmEntry
    faults: tuple[str, ...] = ()


def read_listing(path: Path) -> CohortListing:
    """Read a cohort's CSV.

    Columns ``film`` and ``person`` are needed. ``points`` is a film's points file, or that of the line's side;
    ``points_right`` and ``points_left`` are one a side. ``side`` is right, left, R, L or empty; two lines of a film,
    one a side, are one film. ``visit`` is ``0`` where none is given, ``spacing`` (or ``spacing_mm``) is in mm.
    ``cohort`` names the data set; without it the CSV's own name does, for ``cohort.csv`` its folder's.

    Args:
        path: The CSV.

    Returns:
        The films that are there, from the CSV's folder, and a finding for each line that cannot be used.

    Raises:
        CohortError: No readable CSV, no such columns, no lines.
    """
    table = read_table(path, _REQUIRED, _OPTIONAL, {"spacing_mm": "spacing"})
    if not table.rows and not table.faults:
        raise CohortError(f"{path.name} lists no film; write one line a film under {', '.join(table.columns)}")
    folder = Folder(path.parent)
    own = nfc(path.stem if path.name.lower() != LISTING_NAME else path.resolve().parent.name)
    faults = list(table.faults)
    findings: list[Finding] = []
    rows: list[_Row] = []
    named: set[str] = set()
    for line, cells in table.rows:
        try:
            name = _path(folder, cells["film"], "film")
            named.add(name)
            found = folder.find(name)
            if found is None or found.kind != "file":
                message = f"{path.name}, line {line}: the film is not there"
                findings.append(Finding(name, "listed_but_missing", message))
                continue
            named.add(found.path)
            rows.append(_row(folder, line, cells, found, own or "cohort", table.delimiter))
        except _RowError as error:
            faults.append((line, str(error)))
    films, said = _merged(rows)
    findings += [Finding(path.name, "bad_row", f"line {line}: {fault}") for line, fault in faults + said]
    findings += unlisted(folder, named)
    return CohortListing(path.parent, sorted(films, key=lambda f: f.place), sorted(findings))


def unlisted(folder: Folder, named: Iterable[str]) -> list[Finding]:
    """Films in the folder that no list names, told by the endings of those that it names and by DICOM's.

    Beyond 50 only their number is said; a folder of more than 200,000 files is not looked through to its end.

    Args:
        folder: The cohort's folder.
        named: Paths of the films that the list names.
    """
    known = set(named)
    endings = {".dcm", ".dicom", *(film_ending(name).lower() for name in known)}
    files = (file.path for file in folder.walk(most=_MOST_FILES).files)
    films = [f for f in files if f not in known and _looks_like_film(f, endings)]
    findings = [Finding(f, "unlisted_film", "no line names it") for f in films[:_MOST_UNLISTED]]
    if more := films[_MOST_UNLISTED:]:
        findings.append(Finding(more[0], "unlisted_film", f"no line names it, nor {len(more) - 1} more"))
    return findings


def _looks_like_film(path: str, endings: set[str]) -> bool:
    """Whether a file has one of the endings; of files without one, only a name without a dot may be a film's."""
    ending = film_ending(path).lower()
    if posixpath.basename(path) == _PICTURE:
        return False
    return ending in endings and (ending != "" or "." not in posixpath.basename(path))


def _row(folder: Folder, line: int, cells: dict[str, str], film: Found, dataset: str, delimiter: str) -> _Row:
    if not folder.holds(film):
        raise _RowError("film is a link that leaves the CSV's folder; put the file itself there")
    side = _SIDES.get(cells.get("side", "").casefold())
    if side is None:
        raise _RowError("side is neither right, left, R, L nor empty")
    person = _name(cells["person"], "person")
    if not person:
        raise _RowError("person is empty")
    dataset = _name(cells.get("cohort", ""), "cohort") or dataset
    visit = _name(cells.get("visit", ""), "visit") or "0"
    spacing_mm = _spacing(cells.get("spacing", ""), delimiter)
    points, faults = _points(folder, cells, side)
    return _Row(line, FilmEntry(dataset, person, visit, film.path, points, side, spacing_mm), faults)


def _points(folder: Folder, cells: dict[str, str], side: str) -> tuple[tuple[PointsFile, ...], tuple[str, ...]]:
    """The points of a line, and what is wrong with those that are left out."""
    given = {"points": side, "points_right": "right", "points_left": "left"}
    files: list[PointsFile] = []
    faults: list[str] = []
    for column in (name for name in given if cells.get(name)):
        if side and given[column] != side:
            raise _RowError(f"{column} is given for a line whose side is {side}")
        name = _path(folder, cells[column], column)
        found = folder.find(name)
        if found is None or found.kind != "file":
            faults.append(f"the file of {column} is not there")
        elif not folder.holds(found):
            faults.append(f"{column} is a link that leaves the CSV's folder; put the file itself there")
        else:
            files.append(PointsFile(found.path, given[column]))
    return tuple(sorted(files)), tuple(faults)


def _path(folder: Folder, text: str, column: str) -> str:
    if not text:
        raise _RowError(f"{column} is empty")
    path = folder.relative(text)
    if path is None:
        raise _RowError(f"{column} is no path that starts from the CSV's folder and stays in it")
    return path


def _name(text: str, column: str) -> str:
    """A name of a person, visit or data set: any text in UTF-8 on one line, in NFC."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _RowError(f"{column} is not in UTF-8; save the CSV as UTF-8")
    if CONTROL.search(text):
        raise _RowError(f"{column} has a control character")
    return nfc(text)


def _spacing(text: str, delimiter: str) -> float | None:
    if not text:
        return None
    if delimiter != "," and "." not in text:
        text = text.replace(",", ".")
    value = float(text) if _NUMBER.fullmatch(text) else 0.0
    low, high = PLAUSIBLE_MM
    if not low <= value <= high:
        raise _RowError(f"spacing is no number of mm between {low} and {high}")
    return value


def _merged(rows: Sequence[_Row]) -> tuple[list[FilmEntry], list[tuple[int, str]]]:
    """One entry a film, and lines with what is wrong with them.

    Lines that give one film to two persons or visits leave the film out: nobody can say which is right.
    """
    films: list[FilmEntry] = []
    faults = [(row.line, fault) for row in rows for fault in row.faults]
    lines: dict[str, list[_Row]] = {}
    for row in rows:
        lines.setdefault(row.entry.film, []).append(row)
    for same in lines.values():
        whose = {(row.entry.dataset, row.entry.subject, row.entry.visit) for row in same}
        spacings = {row.entry.spacing_mm for row in same} - {None}
        if len(whose) > 1 or len(spacings) > 1:
            what = "cohort, person or visit" if len(whose) > 1 else "spacing"
            faults += [
                (row.line, f"{len(same)} lines give one film another {what}; the film is left out") for row in same
            ]
            continue
        sides: dict[str, _Row] = {}
        for row in same:
            clash = [sides[side] for side in sides if side == row.entry.side or not side or not row.entry.side]
            if clash:
                faults.append((row.line, f"line {clash[0].line} lists this film already; this line is passed over"))
            else:
                sides[row.entry.side] = row
        films.append(_one([row.entry for row in sides.values()], next(iter(spacings), None)))
    return films, faults


def _one(entries: Sequence[FilmEntry], spacing_mm: float | None) -> FilmEntry:
    """The entry of a film by its lines, no two of the same side; a points file of both sides is the whole film's."""
    paths: dict[str, set[str]] = {}
    for file in (file for entry in entries for file in entry.points):
        paths.setdefault(file.path, set()).add(file.side)
    points = tuple(sorted(PointsFile(path, sides.pop() if len(sides) == 1 else "") for path, sides in paths.items()))
    side = entries[0].side if len(entries) == 1 else ""
    return replace(entries[0], points=points, side=side, spacing_mm=spacing_mm)
