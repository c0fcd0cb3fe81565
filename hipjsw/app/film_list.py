"""Which films a command is to look at: one, a folder's, or a CSV's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hipjsw.cohort.csv_table import read_table
from hipjsw.cohort.folder import Folder
from hipjsw.imaging.spacing import PLAUSIBLE_MM

__all__ = ["FilmFile", "FilmListError", "list_films"]

#: Files that lie beside films and are none.
_BESIDE = (".pts",)


class FilmListError(ValueError):
    """No films to look at; the message says what to do."""


@dataclass(frozen=True)
class FilmFile:
    """A file that may be a film.

    Args:
        name: What it is called: its path within the folder, or as the CSV says it.
        path: Where it lies; None for one that is not there.
        spacing_mm: Its spacing where the CSV says one.
    """

    name: str
    path: Path | None
    spacing_mm: float | None = None


def list_films(images: Path, out: Path | None = None) -> list[FilmFile]:
    """The files to look at, in one order on every disk.

    Args:
        images: A film; a folder, all of whose files are taken but hidden ones and points; or a CSV with a column
            ``film`` of paths that start from its folder and do not leave it, and perhaps ``spacing_mm``.
        out: Folder of the results: what lies in it is none of a folder's films.

    Raises:
        FilmListError: Nothing there, an empty folder, or a line of a CSV that cannot be used.
        CohortError: A CSV without the column, or one that cannot be read.
    """
    if images.is_dir():
        found = [file.path for file in Folder(images).walk().files if not file.path.lower().endswith(_BESIDE)]
        if out is not None and out.resolve() != images.resolve():
            found = [name for name in found if not (images / name).resolve().is_relative_to(out.resolve())]
        if not found:
            raise FilmListError(f"{images} holds no files; name a film, a folder of films or a CSV with images=PATH")
        return [FilmFile(name, images / name) for name in found]
    if not images.is_file():
        raise FilmListError(f"{images} is not there; name a film, a folder of films or a CSV with images=PATH")
    return _listed(images) if images.suffix.lower() == ".csv" else [FilmFile(images.name, images)]


def _listed(path: Path) -> list[FilmFile]:
    table = read_table(path, ("film",), ("spacing_mm",), {"spacing": "spacing_mm"})
    if table.faults:
        line, why = table.faults[0]
        raise FilmListError(f"{path}, line {line}: {why}")
    if not table.rows:
        raise FilmListError(f"{path} has no lines; a column `film` names the films, from the CSV's folder on")
    folder = Folder(path.parent)
    return [_entry(folder, path, line, row) for line, row in table.rows]


def _entry(folder: Folder, path: Path, line: int, row: Mapping[str, str]) -> FilmFile:
    name, said = row["film"], row.get("spacing_mm", "")
    low, high = PLAUSIBLE_MM
    try:
        spacing = float(said) if said else None
    except ValueError:
        spacing = float("nan")
    if spacing is not None and not low <= spacing <= high:
        raise FilmListError(f"{path}, line {line}: the spacing is a length in mm between {low} and {high}")
    within = folder.relative(name)
    found = None if within is None else folder.find(within)
    usable = found is not None and found.kind == "file" and folder.holds(found)
    return FilmFile(name or f"line {line}", folder.root / found.path if found is not None and usable else None, spacing)
