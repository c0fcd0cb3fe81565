"""Finding films and their points in the folders of CHECK and OAI.

``OAI/V00/OAI-9000001-V00-20040115.dcm`` and ``CHECK/T00/9000001_T00_APO.dcm``; points in
``OAI-pointfiles/V00/<film>.dcm.pts`` and ``CHECK-pointfiles/T00/...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hipjsw.cohort.findings import Finding, Severity

__all__ = ["CohortError", "FilmEntry", "find_films"]

_NAMES = {
    "OAI": re.compile(r"OAI-(?P<subject>\d+)-(?P<visit>V\d+)-\d{8}\.dcm", re.IGNORECASE),
    "CHECK": re.compile(r"(?P<subject>\w+?)_(?P<visit>T\d+)_\w+\.dcm", re.IGNORECASE),
}


class CohortError(ValueError):
    """A cohort folder that cannot be used; the message says what to do."""


@dataclass(frozen=True, order=True)
class FilmEntry:
    """One film by its name; paths are within the cohort folder, with forward slashes.

    Args:
        dataset: ``OAI`` or ``CHECK``.
        subject: The cohort's own id of the person.
        visit: ``V00``, ``T05`` and the like.
        film: The DICOM file.
        points: Its ``.pts`` file, or None.
    """

    dataset: str
    subject: str
    visit: str
    film: str
    points: str | None


def find_films(cohort: Path) -> tuple[list[FilmEntry], list[Finding]]:
    """Find and pair what lies in a cohort folder.

    Args:
        cohort: Folder that holds ``OAI`` and/or ``CHECK`` and their ``-pointfiles`` folders.

    Returns:
        Films in the order of dataset, subject, visit and name (those without points too), and the findings.

    Raises:
        CohortError: The folder is absent or holds neither dataset.
    """
    if not cohort.is_dir():
        raise CohortError(f"cohort folder {cohort} does not exist; give one with cohort=DIR")
    datasets = [name for name in _NAMES if (cohort / name).is_dir()]
    if not datasets:
        raise CohortError(
            f"{cohort} holds neither a folder OAI nor a folder CHECK; name the folder above them with cohort=DIR, "
            "or write a phantom cohort with: python -m hipjsw.phantom out=DIR"
        )
    films: list[FilmEntry] = []
    findings: list[Finding] = []
    for dataset in datasets:
        found, said = _find_dataset(cohort, dataset)
        films += found
        findings += said
    return sorted(films), findings


def _find_dataset(cohort: Path, dataset: str) -> tuple[list[FilmEntry], list[Finding]]:
    points = {_key(p): p for p in _files(cohort / f"{dataset}-pointfiles") if p.suffix.lower() == ".pts"}
    films: list[FilmEntry] = []
    findings: list[Finding] = []
    for folder in _empty_folders(cohort / dataset):
        findings.append(_finding(cohort, folder, Severity.WARNING, "empty_folder", "the folder is empty"))
    for path in _files(cohort / dataset):
        match = _NAMES[dataset].fullmatch(path.name)
        if match is None:
            message = f"not named like a film of {dataset}; rename or remove it (docs/how-to/prepare.md has the names)"
            findings.append(_finding(cohort, path, Severity.ERROR, "unknown_name", message))
            continue
        own = points.pop((path.parent.name, path.name), None)
        name = path.relative_to(cohort).as_posix()
        points_name = None if own is None else own.relative_to(cohort).as_posix()
        films.append(FilmEntry(dataset, match["subject"], match["visit"], name, points_name))
    for path in points.values():
        message = "points whose film is not there; add the film or remove the points"
        findings.append(_finding(cohort, path, Severity.WARNING, "points_without_film", message))
    return films, findings


def _key(points: Path) -> tuple[str, str]:
    return points.parent.name, points.stem


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))


def _empty_folders(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.is_dir() and not any(p.iterdir()))


def _finding(cohort: Path, path: Path, severity: Severity, rule: str, message: str) -> Finding:
    return Finding(path.relative_to(cohort).as_posix(), severity, rule, message)
