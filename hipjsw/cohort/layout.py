"""Finding films and their points: the folders of CHECK and OAI, a CSV, or a folder with BoneFinder's list.

``OAI/V00/OAI-9000001-V00-20040115.dcm`` and ``CHECK/T00/9000001_T00_APO.dcm``; points in
``OAI-pointfiles/V00/<film>.dcm.pts`` and ``CHECK-pointfiles/T00/...``, or one file a side: ``<film>.dcm_L.pts`` is the
patient's right hip (L is the image's side), ``<film>.dcm_R.pts`` the left one, and so is ``<film>.dcm_RasL.pts``, which
was sought on the mirrored film: whether its points still lie mirrored is told by them, not by the name.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hipjsw.cohort.film_entry import CohortError, CohortListing, FilmEntry, PointsFile
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.folder import Folder, Walk, nfc
from hipjsw.cohort.list_file import ListFile, read_list_file
from hipjsw.cohort.listing import LISTING_NAME, read_listing, unlisted
from hipjsw.cohort.pairing import film_stem, is_points, pair

__all__ = ["CohortError", "CohortListing", "FilmEntry", "PointsFile", "find_films"]

#: Names of films without their endings; an id is text in UTF-8, what follows the visit may be any text without a dot.
_NAMES = {
    "CHECK": re.compile(
        r"(?P<subject>[^\x00-\x1f\x7f\ud800-\udfff]+?)_(?P<visit>T\d+)_[^.\x00-\x1f\x7f]+", re.IGNORECASE
    ),
    "OAI": re.compile(r"OAI-(?P<subject>\d+)-(?P<visit>V\d+)-\d{8}", re.IGNORECASE | re.ASCII),
}


def find_films(cohort: Path, list_file: Path | None = None) -> CohortListing:
    """Find the films of a cohort and their points.

    A folder with ``cohort.csv`` is read by it, else by the names of CHECK and OAI. BoneFinder's list pairs points and
    films in either, over what names and CSV say of the films it lists; it also makes a cohort of any other folder:
    its films' persons and visits come from names like those of CHECK and OAI, and any other film is a person of its
    own, named by the film.

    Args:
        cohort: Folder that holds ``OAI`` and/or ``CHECK`` with their ``-pointfiles`` folders, or a ``cohort.csv``; or
            a CSV as in `hipjsw.cohort.listing.read_listing`.
        list_file: BoneFinder's list of films and points.

    Returns:
        Every film in the order of dataset, subject, visit and name, those without points too, and the findings.

    Raises:
        CohortError: Nothing there, neither layout, or a CSV or list that cannot be used.
    """
    listed = read_list_file(list_file) if list_file is not None else None
    if os.path.isfile(cohort):  # noqa: PTH113 (False for names that no disk takes)
        return _with_list(read_listing(cohort), Folder(cohort.parent), listed)
    if not os.path.isdir(cohort):  # noqa: PTH112
        raise CohortError(f"cohort folder {cohort} does not exist; give one with cohort=DIR")
    folder = Folder(cohort)
    table = folder.find(LISTING_NAME)
    if table is not None and table.kind == "file":
        return _with_list(read_listing(cohort / table.path), folder, listed)
    starts = {name: folder.named(name) for name in _NAMES}
    if any(starts.values()):
        return _with_list(_by_names(folder, starts), folder, listed)
    if listed is not None:
        return _by_list(folder, listed)
    raise CohortError(
        f"{cohort} holds neither a folder OAI nor a folder CHECK nor a {LISTING_NAME}; name the folder above them with "
        "cohort=DIR, list the films in a CSV with cohort=FILE.csv, pair them by BoneFinder's list with "
        "list_file=FILE, or write a phantom cohort with: python -m hipjsw.phantom out=DIR"
    )


def _by_names(folder: Folder, starts: Mapping[str, Sequence[str]]) -> CohortListing:
    """The films of CHECK and OAI in one folder."""
    films: list[FilmEntry] = []
    findings: list[Finding] = []
    for dataset, names in starts.items():
        walks = [folder.walk(start) for start in names]
        beside = [folder.walk(start) for start in folder.named(f"{dataset}-pointfiles")]
        findings += [finding for walk in walks for finding in _oddities(walk)]
        findings += [Finding(p, "unreadable", message) for walk in beside for p, message in walk.closed]
        paths = [file.path for walk in walks for file in walk.files]
        points = [file.path for walk in beside for file in walk.files] + paths
        known, unknown = _entries(dataset, [path for path in paths if not is_points(path)])
        findings += [Finding(p, "unknown_name", f"not named like a film of {dataset}") for p in unknown]
        found, left = pair([entry.film for entry in known], [p for p in points if is_points(p)])
        films += [replace(entry, points=found.get(entry.film, ())) for entry in known]
        findings += [Finding(p, "points_without_film", "no film has this name") for p in left]
    return _listing(folder.root, films, findings)


def _entries(dataset: str, paths: Sequence[str]) -> tuple[list[FilmEntry], list[str]]:
    """Films by their names, without points, and the paths that are named otherwise."""
    known, unknown = [], []
    for path in paths:
        match = _NAMES[dataset].fullmatch(nfc(film_stem(posixpath.basename(path))))
        if match is None:
            unknown.append(path)
        else:
            known.append(FilmEntry(dataset, match["subject"], match["visit"].upper(), path))
    return known, unknown


def _oddities(walk: Walk) -> list[Finding]:
    """What is wrong with what lies among films, whatever it is named."""
    findings = [Finding(path, "empty_folder", "nothing lies in it") for path in walk.empty]
    findings += [
        Finding(path, "unreadable", f"the folder cannot be opened: {message}") for path, message in walk.closed
    ]
    kinds = {"link": "a link that leads nowhere", "other": "a pipe, socket or device"}
    return findings + [Finding(item.path, "unreadable", kinds[item.kind]) for item in walk.odd]


def _with_list(listing: CohortListing, folder: Folder, listed: ListFile | None) -> CohortListing:
    """A listing whose films have the points that BoneFinder's list gives them."""
    if listed is None:
        return listing
    found = listed.find(folder)
    films = [replace(film, points=found.points.get(film.film, film.points)) for film in listing.films]
    used = {file.path for film in films for file in film.points}
    used |= {file.path for film in listing.films if film.film in found.points for file in film.points}
    findings = [f for f in listing.findings if f.rule != "points_without_film" or f.film not in used]
    names = {film.film for film in films}
    strange = [path for path in found.points if path not in names]
    findings += [
        Finding(p, "unknown_name", f"{listed.name} lists it, and it is no film of the cohort") for p in strange
    ]
    return _listing(listing.root, films, findings + found.findings)


def _by_list(folder: Folder, listed: ListFile) -> CohortListing:
    """The films of a folder that BoneFinder's list makes a cohort."""
    found = listed.find(folder)
    stems = Counter(nfc(film_stem(posixpath.basename(path))) for path in found.points)
    films: list[FilmEntry] = []
    unknown = 0
    own = nfc(folder.root.resolve().name) or "cohort"
    for path, points in found.points.items():
        known = [entry for dataset in reversed(_NAMES) for entry in _entries(dataset, [path])[0]]
        stem = nfc(film_stem(posixpath.basename(path)))
        person = stem if stems[stem] == 1 else nfc(film_stem(path))
        unknown += not known
        films.append(replace(known[0] if known else FilmEntry(own, person, "0", path), points=points))
    findings = found.findings + unlisted(folder, found.points)
    if unknown:
        first = min(film.film for film in films if film.dataset == own)
        message = f"{unknown} film{'s are' * (unknown > 1) or ' is'} taken for a person each, named by the film"
        findings.append(Finding(first, "person_by_name", message))
    return _listing(folder.root, films, findings)


def _listing(root: Path, films: Sequence[FilmEntry], findings: Sequence[Finding]) -> CohortListing:
    return CohortListing(root, sorted(films, key=lambda film: film.place), sorted(findings))
