"""Which points files are a film's, by their names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

from hipjsw.cohort.film_entry import PointsFile
from hipjsw.cohort.folder import folded, nfc

__all__ = ["FILM_ENDINGS", "film_ending", "film_stem", "is_points", "pair", "side_of"]

#: Endings that a film may have, in any case; it may have none, too.
FILM_ENDINGS = (".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
#: A film's endings and what mail and browsers put behind them, after at least one other letter.
_ENDINGS = re.compile(
    rf"(?<=.)(?:{'|'.join(map(re.escape, FILM_ENDINGS))})+(?:\.txt)?\Z", re.IGNORECASE | re.ASCII | re.DOTALL
)
#: BoneFinder names a side by the image's: L is the patient's right hip. RasL is the image's right hip sought as a left
#: one on the mirrored film; it is the patient's left hip, and its points may lie mirrored.
_SIDED = re.compile(r"(?P<base>.+)_(?P<side>L|R|RasL)", re.IGNORECASE | re.DOTALL)
_SIDES = {"l": "right", "r": "left", "rasl": "left"}

#: What names are compared by, the strictest first.
_FORMS: tuple[Callable[[str], str], ...] = (str, nfc, folded, lambda name: folded(film_stem(name)))


def film_ending(name: str) -> str:
    """The ending that says that a file is a film, with what was put behind it; empty if it has none."""
    return name[len(film_stem(name)) :]


def film_stem(name: str) -> str:
    """A film's name without the endings of films: ``x.dcm``, ``x.dcm.jpg`` and ``x.dcm.txt`` are all ``x``."""
    ending = _ENDINGS.search(name)
    return name[: ending.start()] if ending else name


def is_points(name: str) -> bool:
    """Whether a file is a points file by its name."""
    return name.lower().endswith(".pts")


def side_of(points: str, film: str) -> str:
    """The patient's side that a points file's name says it holds, given its film's; empty if it says none.

    ``x.dcm_L.pts`` is the right hip of ``x.dcm``, but ``x_L.pts`` is no side of ``x_L.dcm``.
    """
    name = posixpath.basename(points)[: -len(".pts")] if is_points(points) else posixpath.basename(points)
    sided = _SIDED.fullmatch(name)
    whole = folded(film_stem(name)) == folded(film_stem(posixpath.basename(film)))
    return _SIDES[sided["side"].lower()] if sided and not whole else ""


def pair(films: Sequence[str], points: Iterable[str]) -> tuple[dict[str, tuple[PointsFile, ...]], list[str]]:
    """Give each points file to its film.

    Their names are compared as they are, then in NFC, then in any case, then without the endings of films, and folders
    by their way below the cohort's first folder, then by their last name; a film or points file that lies in no folder
    of its own goes with all.

    Args:
        films: Paths of films, ``OAI/V00/x.dcm``.
        points: Paths of points, ``OAI-pointfiles/V00/x.dcm.pts``.

    Returns:
        The points files of each film that has any, in order, and the points that are no film's.
    """
    known: list[dict[str, list[str]]] = [{} for _ in _FORMS]
    for film in films:
        for form, names in zip(_FORMS, known, strict=True):
            names.setdefault(form(posixpath.basename(film)), []).append(film)
    found: dict[str, list[PointsFile]] = {}
    left: list[str] = []
    for path in sorted(points):
        owners, side = _owners(path, known)
        for film in owners:
            found.setdefault(film, []).append(PointsFile(path, side))
        if not owners:
            left.append(path)
    return {film: tuple(files) for film, files in found.items()}, left


def _owners(path: str, known: Sequence[dict[str, list[str]]]) -> tuple[list[str], str]:
    """The films whose points a file may hold (several only if they differ by their endings), and the side."""
    name = posixpath.basename(path)[: -len(".pts")]
    claims = [(name, "")]
    if sided := _SIDED.fullmatch(name):
        claims.append((sided["base"], _SIDES[sided["side"].lower()]))
    for base, side in claims:
        for form, names in zip(_FORMS, known, strict=True):
            near = [(distance, film) for film in names.get(form(base), []) if (distance := _distance(film, path)) >= 0]
            if near:
                nearest = min(distance for distance, _ in near)
                return [film for distance, film in near if distance == nearest], side
    return [], ""


def _distance(film: str, points: str) -> int:
    """How far the folders of a film and of points are from each other; -1 if they do not belong together."""
    first, second = _below(film), _below(points)
    if first == second:
        return 0
    if first and second and first[-1] == second[-1]:
        return 1
    return -1 if first and second else 2


def _below(path: str) -> list[str]:
    return [folded(part) for part in path.split("/")[1:-1]]
