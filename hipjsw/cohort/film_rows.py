"""Films into the rows of an unfinished store: prepared, or as an earlier store has them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.cohort.earlier import Earlier
from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.film_source import FilmSource
from hipjsw.cohort.journal import Blocks, Journal, WrittenFilm
from hipjsw.cohort.order import Progress
from hipjsw.cohort.preparation import PreparedFilm

__all__ = ["write_films"]


def write_films(
    journal: Journal, source: FilmSource, taken: Mapping[int, tuple[Earlier, int]], progress: Progress | None
) -> None:
    """Add all films that the journal does not hold, in order: prepared, or as an earlier store has them.

    Args:
        journal: Of the unfinished store.
        source: All films.
        taken: Of films to be taken over, the earlier store and the number there.
        progress: Called with films done and films in all.
    """
    total = len(source.keys)
    todo = range(len(journal.films), total)
    if progress and len(journal.films):
        progress(len(journal.films), total)
    with closing(source.prepare([number for number in todo if number not in taken])) as prepared:
        for number in todo:
            film, blocks = _taken_over(*taken[number]) if number in taken else _rows_of(next(prepared))
            journal.append(WrittenFilm(source.keys[number], source.stats[number], film), blocks)
            del blocks  # or they would be held while the next film is waited for
            if progress:
                progress(number + 1, total)


def _taken_over(before: Earlier, there: int) -> tuple[FilmRecord, Blocks]:
    return before.films[there].record, before.rows(there)


def _rows_of(film: PreparedFilm) -> tuple[FilmRecord, Blocks]:
    """A film's record, and the rows of its usable hips."""
    used = [hip for hip in film.hips if hip.image is not None]
    return film.record, {
        "images.u16": [_bytes(hip.image) for hip in used],
        "planes.u8": [_bytes(hip.planes) for hip in used],
        "landmarks.f64": [_bytes(hip.landmarks_px) for hip in used],
        "geometry.f64": [_bytes(hip.geometry) for hip in used],
    }


def _bytes(array: NDArray[Any] | None) -> memoryview:
    return memoryview(b"") if array is None else np.ascontiguousarray(array).data.cast("B")
