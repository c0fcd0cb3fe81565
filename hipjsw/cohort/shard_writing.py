"""Writing a share of a cohort's films, on any machine."""

from __future__ import annotations

from pathlib import Path

from hipjsw.cohort.durable import beside, clear, no_room_said
from hipjsw.cohort.earlier import Earlier
from hipjsw.cohort.film_rows import write_films
from hipjsw.cohort.film_source import cohort_source
from hipjsw.cohort.journal import Journal
from hipjsw.cohort.order import Progress
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.privacy import load_key
from hipjsw.cohort.request import read_request, request_of, write_request
from hipjsw.cohort.shard import Shard
from hipjsw.cohort.writing import listed

__all__ = ["prepare_shard"]


def prepare_shard(
    cohort: Path,
    folder: Path,
    options: PrepareOptions,
    shard: Shard,
    workers: int = 1,
    id_key: Path | None = None,
    list_file: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Prepare a share of a cohort's films, to be taken over by ``prepare_cohort`` with the same arguments.

    Args:
        cohort: Folder or CSV file of the cohort.
        folder: Where the store shall lie; the shard lies beside it.
        options: What hips are made into.
        shard: Which films.
        workers: Processes.
        id_key: File with the key of the pseudonyms, or None.
        list_file: BoneFinder's list of films and points, or None.
        progress: Called with films done and films in all.

    Returns:
        The shard's folder.

    Raises:
        StoreError: Something else lies there; or the disk is full.
        WorkerLostError: A process was killed.
    """
    listing, companions = listed(cohort, list_file)
    source = cohort_source(listing.root, shard.of_all(listing.films), options, workers, companions, ())
    request = request_of(options, companions, load_key(id_key) if id_key else None)
    place = beside(folder, shard.name)
    with no_room_said(place):
        there = Earlier.unfinished(place, options.view.stored_shape)
        if read_request(place) != request or not source.unchanged([there]).begins(0, len(there.films)):
            clear(place)
        place.mkdir(parents=True, exist_ok=True)
        write_request(place, request)
        with Journal(place, options.view.stored_shape) as journal:
            write_films(journal, source, {}, progress)
    return place
