"""Films to be written into a store, and which of them an earlier store holds already, unchanged."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2

from hipjsw.cohort.companions import Companions
from hipjsw.cohort.earlier import Earlier
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.journal import WrittenFilm
from hipjsw.cohort.layout import FilmEntry
from hipjsw.cohort.order import in_order
from hipjsw.cohort.preparation import PreparedFilm, PrepareOptions, prepare_film
from hipjsw.cohort.sources import Digests, Stats, contents, file_stats, trusted
from hipjsw.cohort.store_tables import content_hash

__all__ = ["FilmSource", "Unchanged", "cohort_source", "film_key", "film_of"]

#: Fewer films than this are not worth the start of processes.
_FEW = 4


def _unread(numbers: Sequence[int]) -> Iterator[Digests]:
    return (("", "") for _ in numbers)


@dataclass(frozen=True, eq=False)
class FilmSource:
    """Films to be written, and what is known of them before they are prepared.

    Args:
        name: Where they come from, for messages.
        keys: What tells each film from the others (`film_key`), in the films' order.
        stats: What each film's files look like now; ``()`` for films that are drawn.
        prepare: Prepares the films of some numbers, in that order, when they are taken.
        companions: Who is kept for testing, exact widths, what made a phantom.
        findings: What was noticed before preparing.
        contents: Hashes of the bytes of some films' files, in that order.
    """

    name: str
    keys: Sequence[str]
    stats: Sequence[Stats]
    prepare: Callable[[Sequence[int]], Generator[PreparedFilm, None, None]]
    companions: Companions
    findings: Sequence[Finding] = ()
    contents: Callable[[Sequence[int]], Iterator[Digests]] = _unread

    def unchanged(self, earlier: Sequence[Earlier]) -> Unchanged:
        """Which films earlier stores hold as they are now; files are read only where their stats changed."""
        place = {key: number for number, key in enumerate(self.keys)}
        known = [
            (nth, place[film.key], number)
            for nth, before in enumerate(earlier)
            for number, film in enumerate(before.films)
            if film.key in place
        ]
        sure = {
            (nth, now, number)
            for nth, now, number in known
            if trusted(earlier[nth].films[number].stats, self.stats[now], earlier[nth].known_at_ns)
            and _was_read(earlier[nth].films[number])
        }
        unsure = sorted({now for _, now, _ in known} - {now for _, now, _ in sure})
        read = dict(zip(unsure, self.contents(unsure), strict=True))
        found: tuple[dict[int, int], ...] = tuple({} for _ in earlier)
        for nth, now, number in known:
            record = earlier[nth].films[number].record
            if (nth, now, number) in sure or read.get(now) == (record.film_digest, record.points_digest):
                found[nth][now] = number
        return Unchanged(found, frozenset(read))


@dataclass(frozen=True)
class Unchanged:
    """Films that earlier stores hold as they are now.

    Args:
        films: For each earlier store: the film's number now, and its number there.
        read: Films whose files had to be read to know.
    """

    films: tuple[dict[int, int], ...]
    read: frozenset[int]

    def begins(self, nth: int, length: int) -> bool:
        """Whether the ``length`` films of an earlier store are the first films now, unchanged and in order."""
        return all(self.films[nth].get(number) == number for number in range(length))


def _was_read(film: WrittenFilm) -> bool:
    """Whether its files could be opened when it was written; reading may be allowed by now, and no time tells."""
    record = film.record
    return film.stats == () or bool(record.film_digest and (record.points_digest or not record.entry.points))


def film_key(identity: Sequence[str], rest: object = None) -> str:
    """What tells a film from others: who and which it is, and what else decides how it is read."""
    return f"{content_hash(list(identity))}:{content_hash(rest)}"


def film_of(key: str) -> str:
    """What two keys of one film have in common, though its points or its spacing may be others."""
    return key.partition(":")[0]


def cohort_source(
    root: Path,
    films: Sequence[FilmEntry],
    options: PrepareOptions,
    workers: int,
    companions: Companions,
    findings: Sequence[Finding],
) -> FilmSource:
    """The films of a cohort on disk.

    Args:
        root: The folder the entries' paths start from.
        films: The films, in order.
        options: What their hips are made into.
        workers: Processes.
        companions: What lies beside the films.
        findings: What was noticed of the films' names.
    """

    def processes(numbers: Sequence[int]) -> int:
        return workers if len(numbers) >= _FEW else 1

    def prepare(numbers: Sequence[int]) -> Generator[PreparedFilm, None, None]:
        return in_order(partial(_prepared, root, options), [films[n] for n in numbers], processes(numbers))

    def read(numbers: Sequence[int]) -> Iterator[Digests]:
        return in_order(partial(contents, root), [films[n] for n in numbers], processes(numbers))

    return FilmSource(
        name=str(root),
        keys=[_entry_key(entry) for entry in films],
        stats=[file_stats(root, entry) for entry in films],
        prepare=prepare,
        companions=companions,
        findings=findings,
        contents=read,
    )


def _entry_key(entry: FilmEntry) -> str:
    content = asdict(entry)
    return film_key([content.pop(name) for name in ("dataset", "subject", "visit", "film")], content)


def _prepared(root: Path, options: PrepareOptions, entry: FilmEntry) -> PreparedFilm:
    cv2.setNumThreads(1)
    return prepare_film(root, entry, options)
