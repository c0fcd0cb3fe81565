"""A store in the making: arrays that only grow, and a journal that says how far they are whole.

Each line of the journal is one film: a checksum, its record, and the rows of the arrays up to it. Lines are written
after their rows are on disk, so what the journal says is there whatever ended the work; the rest is cut off.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.sources import Stats
from hipjsw.cohort.store import row_bytes

__all__ = ["JOURNAL", "Blocks", "Journal", "WrittenFilm", "read_journal", "read_stats"]

#: Rows of one film by the array's file.
Blocks = Mapping[str, Sequence[bytes | memoryview]]

JOURNAL = "journal.jsonl"
#: Films and seconds after which what was written is made sure of.
FILMS_PER_COMMIT, SECONDS_PER_COMMIT = 64, 5.0


@dataclass(frozen=True)
class WrittenFilm:
    """One film whose rows are in the arrays.

    Args:
        key: What tells it from the other films before it is read.
        stats: What its files looked like when it was read.
        record: What came of it.
    """

    key: str
    stats: Stats
    record: FilmRecord

    @property
    def num_rows(self) -> int:
        """Its usable hips."""
        return sum(not hip.reason for hip in self.record.hips)


class Journal:
    """The arrays and the journal of an unfinished store, open for appending; closing it makes sure of all films.

    Args:
        folder: Where they lie or shall lie.
        shape: ``(rows, cols)`` of an image.
    """

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self._sizes = row_bytes(shape)
        self.films, length = read_journal(folder, shape)
        self._rows = sum(film.num_rows for film in self.films)
        ends = {name: size * self._rows for name, size in self._sizes.items()} | {JOURNAL: length}
        self._files = {name: _cut(folder / name, end) for name, end in ends.items()}
        self._lines: list[bytes] = []
        self._committed = time.monotonic()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Make sure of all films, whatever ended the work, as far as the disk allows."""
        try:
            with contextlib.suppress(OSError) if error else contextlib.nullcontext():
                self.commit()
        finally:
            for file in self._files.values():
                file.close()

    def append(self, film: WrittenFilm, blocks: Blocks) -> None:
        """Add a film.

        Args:
            film: The film.
            blocks: Its rows by the array's file.

        Raises:
            ValueError: Rows of another size than the film's usable hips need.
        """
        for name, size in self._sizes.items():
            parts = [memoryview(block).cast("B") for block in blocks[name]]
            if sum(map(len, parts)) != size * film.num_rows:
                raise ValueError(f"{film.record.entry.film}: its rows of {name} are not those of {film.num_rows} hips")
            for part in parts:
                _write_whole(self._files[name], part)
        self._rows += film.num_rows
        self.films.append(film)
        self._lines.append(_line(film, self._rows))
        waited = time.monotonic() - self._committed
        if len(self._lines) >= FILMS_PER_COMMIT or waited >= SECONDS_PER_COMMIT:
            self.commit()

    def commit(self) -> None:
        """Make sure that all films so far survive whatever happens."""
        if self._lines:
            for name in self._sizes:
                os.fsync(self._files[name].fileno())
            _write_whole(self._files[JOURNAL], memoryview(b"".join(self._lines)))
            os.fsync(self._files[JOURNAL].fileno())
            self._lines.clear()
        self._committed = time.monotonic()


def _line(film: WrittenFilm, rows: int) -> bytes:
    content = {"key": film.key, "stats": film.stats, "rows": rows, "record": film.record.to_json()}
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def read_journal(folder: Path, shape: tuple[int, int]) -> tuple[list[WrittenFilm], int]:
    """The films that a journal is sure of, and its length in bytes up to them; none where there is no journal.

    Args:
        folder: Where the arrays and the journal lie.
        shape: ``(rows, cols)`` of an image.
    """
    path = folder / JOURNAL
    if not path.is_file():
        return [], 0
    room = min(_size(folder / name) // size for name, size in row_bytes(shape).items())
    films: list[WrittenFilm] = []
    rows = length = 0
    with path.open("rb") as file:
        for line in file:
            film, stated = _parsed(line)
            if film is None or stated != rows + film.num_rows or stated > room:
                break
            films.append(film)
            rows, length = stated, length + len(line)
    return films, length


def _parsed(line: bytes) -> tuple[WrittenFilm | None, int]:
    try:
        checksum, text = line[:8], line[9:-1]
        if line[-1:] != b"\n" or int(checksum, 16) != zlib.crc32(text):
            return None, 0
        content: dict[str, Any] = json.loads(text)
        film = WrittenFilm(str(content["key"]), read_stats(content["stats"]), FilmRecord.from_json(content["record"]))
        return film, int(content["rows"])
    except (ValueError, KeyError, TypeError):
        return None, 0


def read_stats(content: Any) -> Stats:
    """Stats after a way through JSON."""
    return tuple(None if stat is None else (int(stat[0]), int(stat[1])) for stat in content)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _cut(path: Path, length: int) -> IO[bytes]:
    """A file open at its end, after what lies beyond ``length`` was cut off."""
    file = path.open("ab", buffering=0)
    file.truncate(length)
    return file


def _write_whole(file: IO[bytes], content: memoryview) -> None:
    while content:
        content = content[file.write(content) :]
