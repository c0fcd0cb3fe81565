"""What may lie beside a cohort's films: who is kept for testing, the exact truth, what made a phantom."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hipjsw.cohort.csv_table import read_table
from hipjsw.cohort.film_entry import CohortError, FilmEntry
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.folder import nfc
from hipjsw.cohort.split import PARTS

__all__ = ["Companions", "read_companions", "strangers"]

NAMES = ("split.csv", "truth.csv", "phantom.json")


@dataclass(frozen=True)
class Companions:
    """Content of ``split.csv``, ``truth.csv`` and ``phantom.json``, empty where a file is absent.

    Args:
        truth_mm: Exact mJSW by (dataset, subject, visit, side); hips without a true width are not in it.
        phantom: Version, seed and size of a phantom cohort; None for a real one.
        stamp: Hash of the three files.
        given: Part (``train``, ``val``, ``test``) by (dataset, subject) for every person whom split.csv names.
    """

    truth_mm: dict[tuple[str, str, str, str], float]
    phantom: dict[str, Any] | None
    stamp: str
    given: dict[tuple[str, str], str] = field(default_factory=dict)


def read_companions(cohort: Path) -> Companions:
    """Read what lies beside the films.

    Args:
        cohort: The cohort's folder, or its CSV: then what lies beside that.

    Raises:
        CohortError: A file that is there and cannot be used, by name and line.
    """
    folder = cohort.parent if cohort.is_file() else cohort
    given = _given(folder / "split.csv")
    return Companions(
        truth_mm=_truth(folder / "truth.csv"),
        phantom=_phantom(folder / "phantom.json"),
        stamp=_stamp(folder),
        given=given,
    )


def strangers(companions: Companions, films: Iterable[FilmEntry]) -> list[Finding]:
    """What is to be said of persons whom split.csv or truth.csv names and of whom no film is here.

    Such a person may be one whose id is written otherwise there, and who would then be dealt at random.
    """
    here = {(film.dataset, film.subject) for film in films}
    said: list[Finding] = []
    for name, persons in (
        ("split.csv", set(companions.given)),
        ("truth.csv", {key[:2] for key in companions.truth_mm}),
    ):
        missing = len(persons - here)
        if missing:
            message = f"of {missing} of the {len(persons)} persons it names, no film is here"
            said.append(Finding(name, "unknown_person", message))
    return said


def _given(path: Path) -> dict[tuple[str, str], str]:
    given: dict[tuple[str, str], str] = {}
    for line, (dataset, subject, part) in _rows(path, ("dataset", "subject", "split")):
        if part.lower() not in PARTS:
            raise CohortError(f"{path.name}, line {line}: split is none of {', '.join(PARTS)}; mend or remove the line")
        if given.setdefault((dataset, subject), part.lower()) != part.lower():
            raise CohortError(f"{path.name}, line {line}: a person who is in another part too; remove one of the lines")
    return given


def _truth(path: Path) -> dict[tuple[str, str, str, str], float]:
    truth_mm: dict[tuple[str, str, str, str], float] = {}
    for line, (*names, width) in _rows(path, ("dataset", "subject", "visit", "side", "mjsw_mm")):
        if not width:
            continue
        dataset, subject, visit, side = names
        value_mm = _width(f"{path.name}, line {line}", width)
        if truth_mm.setdefault((dataset, subject, visit, side), value_mm) != value_mm:
            raise CohortError(f"{path.name}, line {line}: a hip that has another width too; remove one of the lines")
    return truth_mm


def _rows(path: Path, columns: tuple[str, ...]) -> list[tuple[int, tuple[str, ...]]]:
    """Number of the line and cells of each row, in NFC as films' names are; none where there is no file."""
    if not path.exists():
        return []
    table = read_table(path, columns)
    for line, fault in table.faults:
        raise CohortError(f"{path.name}, line {line}: {fault}; mend or remove the line")
    return [(line, tuple(nfc(cells[name]) for name in columns)) for line, cells in table.rows]


def _stamp(folder: Path) -> str:
    stamp = hashlib.sha256()
    for name in NAMES:
        try:
            stamp.update((folder / name).read_bytes() if (folder / name).is_file() else b"-")
        except OSError as error:
            raise CohortError(f"{name} cannot be read ({error.strerror}); check its permissions") from error
    return stamp.hexdigest()


def _width(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise CohortError(f"{where}: mjsw_mm is no width in mm; mend the line, or remove the file")
    return value


def _phantom(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content | {"phantom_version": str(content["phantom_version"]), "seed": int(content["seed"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CohortError(f"{path.name} is damaged; write the phantom cohort again, or remove the file") from error
