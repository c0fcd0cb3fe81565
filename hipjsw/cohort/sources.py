"""Whether films are what they were: hashes of their bytes, and a cache that spares reading unchanged files.

A file of the same size and time of change counts as the same, as in git; one whose time of change is not older than
the cache itself is read. A file that was only touched or copied is read once and found the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from hipjsw.cohort.layout import FilmEntry

__all__ = ["Digests", "Stats", "contents", "digest", "entry_files", "file_stats", "trusted"]

#: (size in bytes, time of change in ns) of each file of a film; None for one that is not there.
Stats = tuple[tuple[int, int] | None, ...]
#: Hashes of a film's bytes and of its points files' bytes.
Digests = tuple[str, str]


def entry_files(entry: FilmEntry) -> list[str]:
    """The film's file and its points files, as paths within the cohort."""
    return [entry.film, *(file.path for file in entry.points)]


def file_stats(root: Path, entry: FilmEntry) -> Stats:
    """Size and time of change of a film's files."""
    found: list[tuple[int, int] | None] = []
    for name in entry_files(entry):
        try:
            stat = (root / name).stat()
            found.append((stat.st_size, stat.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)


def trusted(before: Stats, now: Stats, known_at_ns: int) -> bool:
    """Whether files are surely the same without reading them.

    Args:
        before: What they were.
        now: What they are.
        known_at_ns: When ``before`` was written down; a change in that very moment would not show.
    """
    return before == now and all(stat is not None and stat[1] < known_at_ns for stat in now)


def contents(root: Path, entry: FilmEntry) -> Digests:
    """Hashes of a film's bytes and of its points files' bytes; each is empty where it cannot be read."""
    film, *points = entry_files(entry)
    return digest(root, [film]), digest(root, points)


def digest(root: Path, names: Iterable[str]) -> str:
    """Hash of the files' bytes, in order; empty where there are none or one cannot be read."""
    content = hashlib.blake2b(digest_size=16)
    read = False
    for name in names:
        try:
            with (root / name).open("rb") as file:
                content.update(hashlib.file_digest(file, "blake2b").digest())
        except OSError:
            return ""
        read = True
    return content.hexdigest() if read else ""
