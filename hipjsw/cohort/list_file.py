"""BoneFinder's list of films and points: which points file is which film's, whatever their names."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from hipjsw.cohort.csv_table import file_lines
from hipjsw.cohort.film_entry import CohortError, PointsFile
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.folder import Folder, folded, nfc
from hipjsw.cohort.pairing import side_of

__all__ = ["ListFile", "Listed", "read_list_file"]

_SETTING = re.compile(r"(?P<name>[A-Za-z_]+)\s*:(?P<value>.*)", re.DOTALL)
_LONGEST = 4096


@dataclass(frozen=True)
class ListFile:
    """What a list says.

    Args:
        name: The list's own name.
        image_dir: Folder of films as it is written there; empty for none.
        points_dir: Folder of points as it is written there.
        pairs: Line, points file and film.
        faults: Line, and why it cannot be used.
    """

    name: str
    image_dir: str
    points_dir: str
    pairs: list[tuple[int, str, str]]
    faults: list[tuple[int, str]]

    def find(self, folder: Folder) -> Listed:
        """Look the films and points up in a cohort.

        Names are looked up in ``image_dir`` and ``points_dir`` where the cohort has them, then from the cohort's
        folder, then anywhere in it.
        """
        films, points = _Place(folder, self.image_dir), _Place(folder, self.points_dir)
        found: dict[str, list[PointsFile]] = {}
        findings = [Finding(self.name, "bad_row", f"line {line}: {fault}") for line, fault in self.faults]
        missing: set[str] = set()
        for line, points_name, film_name in self.pairs:
            film, said = films.find(film_name)
            if film is None:
                if film_name not in missing:
                    where = folder.relative(film_name) or posixpath.basename(film_name.replace("\\", "/"))
                    findings.append(Finding(where, "listed_but_missing", f"{self.name}, line {line}: the film {said}"))
                missing.add(film_name)
                continue
            files = found.setdefault(film, [])
            path, said = points.find(points_name)
            if path is None:
                findings.append(Finding(self.name, "bad_row", f"line {line}: the points file {said}"))
            elif path not in (file.path for file in files):
                files.append(PointsFile(path, side_of(points_name, film_name)))
        return Listed({film: tuple(sorted(files)) for film, files in found.items()}, findings)


@dataclass(frozen=True)
class Listed:
    """The points of each listed film that is there, by paths within the cohort, and what was noticed."""

    points: dict[str, tuple[PointsFile, ...]]
    findings: list[Finding]


def read_list_file(path: Path) -> ListFile:
    """Read a list: ``image_dir:``, ``points_dir:``, ``images: { POINTS.pts : FILM ... }``, one pair a line.

    Raises:
        CohortError: A file that cannot be read, or without ``images: { ... }``.
    """
    settings = {"image_dir": "", "points_dir": ""}
    pairs: list[tuple[int, str, str]] = []
    faults: list[tuple[int, str]] = []
    named, inside, ended = False, False, False
    for number, raw in enumerate(file_lines(path), 1):
        line = raw.strip()
        if not named and len(line) <= _LONGEST and (setting := _SETTING.fullmatch(line)):
            named = setting["name"].lower() == "images"
            settings[setting["name"].lower()] = setting["value"].strip()
            line = setting["value"].strip() if named else ""
        if named and not inside and line.startswith("{"):
            inside, line = True, line[1:].strip()
        if inside and not ended:
            ended, line = line.endswith("}"), line.removesuffix("}").strip()
            if not line:
                continue
            names = _names(line)
            if names is None:
                faults.append((number, "it is not POINTS.pts : FILM"))
            else:
                pairs.append((number, *names))
    if not inside:
        raise CohortError(f"{path.name} is no list of BoneFinder: it has no images: {{ POINTS.pts : FILM ... }}")
    if not ended:
        faults.append((number, "the list ends without its brace, so it may be cut short"))
    return ListFile(path.name, settings["image_dir"], settings["points_dir"], pairs, faults)


def _names(line: str) -> tuple[str, str] | None:
    """Points and film of a line, the blanks round the colon allowing for names with colons."""
    if len(line) > _LONGEST:
        return None
    cut = " : " if " : " in line else ":"
    first, _, second = line.partition(cut)
    names = first.strip().strip('"'), second.strip().strip('"')
    return names if all(names) and cut not in second else None


class _Place:
    """Where names of one kind are looked up."""

    def __init__(self, folder: Folder, start: str) -> None:
        self._folder = folder
        inside = folder.relative(start) if start else None
        found = folder.find(inside) if inside else None
        self._start = found.path if found and found.kind == "folder" else ""
        self._files: dict[str, list[str]] | None = None
        self._known: dict[str, tuple[str | None, str]] = {}

    def find(self, name: str) -> tuple[str | None, str]:
        """Path of a file by its name; else None and what is wrong."""
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> tuple[str | None, str]:
        for start in dict.fromkeys((self._start, "")):
            path = self._folder.relative(posixpath.join(start, name.replace("\\", "/")))
            found = self._folder.find(path) if path else None
            if found and found.kind == "file":
                return found.path, ""
        base = posixpath.basename(name.replace("\\", "/"))
        files = self._by_name()
        paths = files.get(folded(base), [])
        paths = [path for path in paths if nfc(posixpath.basename(path)) == nfc(base)] or paths
        if len(paths) == 1:
            return paths[0], ""
        return None, f"is there {len(paths)} times under that name" if paths else "is not there"

    def _by_name(self) -> dict[str, list[str]]:
        if self._files is None:
            self._files = {}
            for file in self._folder.walk().files:
                self._files.setdefault(folded(posixpath.basename(file.path)), []).append(file.path)
        return self._files
