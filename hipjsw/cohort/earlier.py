"""Stores that lie there from earlier: the finished one, and unfinished ones whose films need not be prepared again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from hipjsw.cohort.durable import beside, clear, refuse_foreign
from hipjsw.cohort.journal import JOURNAL, WrittenFilm, read_journal
from hipjsw.cohort.request import read_request
from hipjsw.cohort.shard import shard_folders
from hipjsw.cohort.store import Store, row_bytes
from hipjsw.cohort.store_tables import read_sources

__all__ = ["Earlier", "earlier_stores", "leftovers", "set_aside"]


@dataclass(frozen=True, eq=False)
class Earlier:
    """Films written before, in a finished store or an unfinished one, from which rows can be taken over.

    Args:
        folder: Where the arrays lie.
        shape: ``(rows, cols)`` of an image.
        films: The films in the order of their rows.
        known_at_ns: When their stats were written down.
    """

    folder: Path
    shape: tuple[int, int]
    films: Sequence[WrittenFilm]
    known_at_ns: int

    @classmethod
    def unfinished(cls, folder: Path, shape: tuple[int, int]) -> Earlier:
        """What an unfinished store holds for sure."""
        films = read_journal(folder, shape)[0]
        path = folder / JOURNAL
        return cls(folder, shape, films, path.stat().st_mtime_ns if path.is_file() else 0)

    @cached_property
    def _first_rows(self) -> list[int]:
        return list(accumulate((film.num_rows for film in self.films), initial=0))

    def rows(self, number: int) -> dict[str, list[bytes]]:
        """Rows of the film of that number.

        Raises:
            OSError: Fewer bytes than there should be.
        """
        taken: dict[str, list[bytes]] = {}
        for name, size in row_bytes(self.shape).items():
            length = size * self.films[number].num_rows
            with (self.folder / name).open("rb", buffering=0) as file:
                file.seek(size * self._first_rows[number])
                taken[name] = [_read_whole(file, length)]
        return taken


def leftovers(folder: Path) -> list[Path]:
    """Unfinished stores that a change of the cohort overtook."""
    found = (beside(folder, f"overtaken-{number}") for number in range(1, 1000))
    return [path for path in found if path.is_dir()]


def earlier_stores(
    folder: Path, shape: tuple[int, int], old: Store | None, request: Mapping[str, Any]
) -> list[Earlier]:
    """What rows can be taken over from: the store that is there if there is one, then unfinished ones."""
    found = []
    if old is not None:
        path = folder / "sources.json"
        known_at_ns = path.stat().st_mtime_ns if path.is_file() else 0
        found.append(Earlier(folder, shape, read_sources(folder, old.records), known_at_ns))
    for path in (beside(folder, "partial"), *leftovers(folder), *shard_folders(folder)):
        if path.is_dir() and read_request(path) == request:
            refuse_foreign(path)
            found.append(Earlier.unfinished(path, shape))
        else:
            clear(path)
    return found


def set_aside(folder: Path, earlier: Sequence[Earlier], continued: Sequence[bool]) -> list[Earlier]:
    """Let an unfinished store that cannot be continued be one to take rows from."""
    partial = beside(folder, "partial")
    kept = []
    for nth, before in enumerate(earlier):
        if before.folder == partial and not continued[nth]:
            aside = next(p for n in range(1, 1000) if not (p := beside(folder, f"overtaken-{n}")).exists())
            partial.rename(aside)
            before = replace(before, folder=aside)
        kept.append(before)
    return kept


def _read_whole(file: IO[bytes], length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = file.read(length)
        if not part:
            raise OSError(f"{file.name} ends {length} bytes too early; remove the store and prepare it again")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
