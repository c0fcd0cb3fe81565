"""Rows of films as they stand in lines of files: read whenever they are asked for, and not held."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from hipjsw.inference.measurement import Row

__all__ = ["FilmRows", "Place", "film_line", "known_lines"]

#: Files that are read side by side; more shards than these are opened again and again.
_MOST_OPEN = 64
_HELD = -1


class Place(NamedTuple):
    """Where a film's rows stand.

    Args:
        file: Which file, by its number.
        offset: Where its line begins there, bytes.
        rows: How many.
    """

    file: int
    offset: int
    rows: int


class FilmRows:
    """Rows of films in the films' order. They can be gone through any number of times, and equal the list of them.

    What is held of a film is where its rows stand, 16 bytes, or its line where it stands nowhere.

    Args:
        files: That hold lines; a line that was put is read from there as often as rows are gone through.
        films: How many films.
    """

    def __init__(self, files: Sequence[Path], films: int) -> None:
        self._files = list(files)
        self._file, self._count = array("i", [_HELD]) * films, array("i", [0]) * films
        self._offset = array("q", [0]) * films
        self._lines: dict[int, bytes] = {}

    def put(self, film: int, place: Place) -> None:
        """Say where a film's rows stand."""
        self._file[film], self._offset[film], self._count[film] = place

    def hold(self, film: int, rows: Sequence[Row]) -> None:
        """Hold rows that stand in no file."""
        self._lines[film], self._count[film] = film_line("", "", rows), len(rows)

    def __len__(self) -> int:
        return sum(self._count)

    def __iter__(self) -> Iterator[Row]:
        """Each row; a film that nothing was said of has none.

        Raises:
            OSError: A file is not there any more.
            ValueError: A line is not what it was.
        """
        opened: dict[int, BinaryIO] = {}
        try:
            for film, (file, offset) in enumerate(zip(self._file, self._offset, strict=True)):
                if file != _HELD:
                    yield from _rows(self._line(opened, file, offset))
                elif film in self._lines:
                    yield from _rows(self._lines[film])
        finally:
            for one in opened.values():
                one.close()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilmRows | list):
            return NotImplemented
        return all(mine == its for mine, its in zip_longest(self, other))

    def _line(self, opened: dict[int, BinaryIO], file: int, offset: int) -> bytes:
        if file not in opened:
            if len(opened) >= _MOST_OPEN:
                opened.pop(next(iter(opened))).close()
            opened[file] = self._files[file].open("rb")
        opened[file].seek(offset)
        return opened[file].readline()


def film_line(options: str, key: str, rows: Sequence[Row]) -> bytes:
    """The line of a film.

    Args:
        options: Key of how it was measured.
        key: Of the film's file.
        rows: What came of it.
    """
    return json.dumps({"options": options, "key": key, "rows": rows}).encode("ascii") + b"\n"


def known_lines(file: int, path: Path, options: str, own: bool) -> dict[str, Place]:
    """Where the rows of films stand that were measured before, by the films' keys.

    Args:
        file: Number of the file.
        path: The file; it need not be there.
        options: Key of how they must have been measured.
        own: Whether a last line that was cut short is to be cut off; it and damaged lines are none in any case.
    """
    found: dict[str, Place] = {}
    if path.is_file():
        offset = 0
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                found.update(_known(line, options, file, offset))
                offset += len(line)
        if own and offset < path.stat().st_size:  # the last line was being written when the work ended
            os.truncate(path, offset)
    return found


def _known(line: bytes, options: str, file: int, offset: int) -> dict[str, Place]:
    try:
        said: dict[str, Any] = json.loads(line)
        if said["options"] != options:
            return {}
        return {str(said["key"]): Place(file, offset, len(list(said["rows"])))}
    except (ValueError, LookupError, TypeError):
        return {}


def _rows(line: bytes) -> list[Row]:
    return list(json.loads(line)["rows"])
