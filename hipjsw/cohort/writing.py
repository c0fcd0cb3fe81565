"""Writing a store: all films of a cohort, in parallel, into arrays and tables.

It is written as ``<store>.partial`` and renamed when it is whole. Ended at any moment, the next call continues where
the journal ends. Films that an earlier store, or an attempt that was overtaken by a change, holds as they are now
are taken over from there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hipjsw.cohort.companions import Companions, read_companions, strangers
from hipjsw.cohort.durable import beside, clear, no_room_said, publish, repair, sync_file, write_durably
from hipjsw.cohort.earlier import Earlier, earlier_stores, leftovers, set_aside
from hipjsw.cohort.film_entry import CohortListing
from hipjsw.cohort.film_rows import write_films
from hipjsw.cohort.film_source import FilmSource, Unchanged, cohort_source, film_of
from hipjsw.cohort.findings import write_findings
from hipjsw.cohort.journal import Journal
from hipjsw.cohort.layout import CohortError, find_films
from hipjsw.cohort.order import Progress
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.privacy import load_key, phantom_key, write_key
from hipjsw.cohort.relabelling import relabel
from hipjsw.cohort.relations import excluded
from hipjsw.cohort.request import differences, request_of, write_request
from hipjsw.cohort.shard import shard_folders
from hipjsw.cohort.store import Store, StoreError
from hipjsw.cohort.store_tables import (
    content_hash,
    content_of,
    fingerprint,
    hip_lines,
    read_sources,
    write_records,
    write_sources,
    write_tables,
)
from hipjsw.cohort.verification import Verification, all_findings
from hipjsw.imaging.view import ViewSpec

__all__ = ["listed", "prepare_cohort", "relabel", "write_store"]


def prepare_cohort(
    cohort: Path,
    folder: Path,
    options: PrepareOptions,
    workers: int = 1,
    id_key: Path | None = None,
    list_file: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Store, Verification]:
    """Prepare a cohort into a store; a store that is there is opened, or brought up to date.

    Args:
        cohort: Folder or CSV file of the cohort.
        folder: Where the store shall lie.
        options: What hips are made into.
        workers: Processes.
        id_key: File with the key of the pseudonyms; None for one in the store (phantoms: from their seed).
        list_file: BoneFinder's list of films and points, or None.
        progress: Called with films done and films in all, those that were there already included.

    Returns:
        The store, and what was found in the cohort.

    Raises:
        CohortError: No usable hip.
        StoreError: A store of other options, or something else, lies there; or the disk is full.
        WorkerLostError: A process was killed.
    """
    _refuse_files(folder, id_key)
    listing, companions = listed(cohort, list_file)
    given_key = load_key(id_key) if id_key else None
    source = cohort_source(listing.root, listing.films, options, workers, companions, listing.findings)
    store = write_store(folder, options, source, given_key, progress)
    return store, Verification.of(listing, store.records)


def listed(cohort: Path, list_file: Path | None) -> tuple[CohortListing, Companions]:
    """The films of a cohort, and what lies beside them.

    Args:
        cohort: Folder or CSV file of the cohort.
        list_file: BoneFinder's list of films and points, or None.

    Raises:
        CohortError: No films.
    """
    listing = find_films(cohort, list_file)
    companions = read_companions(listing.root)
    return listing.with_findings(strangers(companions, listing.films)), companions


def write_store(
    folder: Path,
    options: PrepareOptions,
    source: FilmSource,
    given_key: bytes | None = None,
    progress: Progress | None = None,
) -> Store:
    """Write films as a store; a store that is there is opened, or brought up to date.

    Args:
        folder: Where the store shall lie.
        options: What hips are made into.
        source: The films.
        given_key: Key of the pseudonyms; None for one in the store (phantoms: from their seed).
        progress: Called with films done and films in all, those that were there already included.

    Raises:
        CohortError: No usable hip.
        StoreError: A store of other options, or something else, lies there; or the disk is full.
        WorkerLostError: A process was killed.
    """
    _refuse_files(folder)
    with no_room_said(folder):
        repair(folder)
        request = request_of(options, source.companions, given_key)
        old = _existing(folder, request, source)
        earlier = earlier_stores(folder, options.view.stored_shape, old, request)
        same = source.unchanged(earlier)
        if old is None or not _is_current(old, earlier[0], source, same):
            begun = [same.begins(nth, len(before.films)) for nth, before in enumerate(earlier)]
            earlier = set_aside(folder, earlier, begun)
            taken = {now: (earlier[nth], there) for nth, films in enumerate(same.films) for now, there in films.items()}
            key = _begin(folder, request, given_key, source.companions)
            _write(folder, request, source, taken, key, progress)
        elif _outdated(earlier[0], source, same):
            write_sources(folder, source.keys, source.stats)
        for leftover in (beside(folder, "partial"), *leftovers(folder), *shard_folders(folder)):
            clear(leftover)
    return Store.open(folder)


def _refuse_files(folder: Path, id_key: Path | None = None) -> None:
    """Nothing of somebody else's may lie where the store is written or where its key is read."""
    for path in (folder, beside(folder, "partial")):
        if path.exists() and not path.is_dir():
            raise StoreError(f"{path} is a file; name another folder with store=DIR")
    if id_key is not None and (id_key.is_dir() or not id_key.parent.is_dir()):
        raise StoreError(f"id_key={id_key} is no file in a folder that exists")


def _existing(folder: Path, request: Mapping[str, Any], source: FilmSource) -> Store | None:
    """The store that lies there, if it can be brought up to date."""
    if not folder.exists():
        return None
    if not any(folder.iterdir()):
        folder.rmdir()
        return None
    store = Store.open(folder)
    advice = "name another folder with store=DIR, or remove this one"
    other = differences(store.meta, request)
    if other:
        raise StoreError(f"{folder} holds a store of another kind ({'; '.join(other[:4])}); {advice}")
    known = {film_of(film.key) for film in read_sources(folder, store.records)}
    if known and not any(film_of(key) in known for key in source.keys):
        raise StoreError(f"{folder} holds a store of another cohort, no film of which is here; {advice}")
    return store


def _is_current(old: Store, there: Earlier, source: FilmSource, same: Unchanged) -> bool:
    """Whether the store holds just these films, and what lies beside them is as it was."""
    length = len(source.keys)
    return (
        len(there.films) == len(same.films[0]) == length
        and same.begins(0, length)
        and old.meta["companions"] == _beside_films(source)
    )


def _beside_films(source: FilmSource) -> str:
    return content_hash([source.companions.stamp, sorted(map(asdict, source.findings), key=str)])


def _outdated(there: Earlier, source: FilmSource, same: Unchanged) -> bool:
    """Whether the cache of what files look like would have to be read round again."""
    touched = any(film.stats != now for film, now in zip(there.films, source.stats, strict=True))
    return touched or any(None not in source.stats[number] for number in same.read)


def _begin(folder: Path, request: Mapping[str, Any], given_key: bytes | None, companions: Companions) -> bytes:
    """Lay out the unfinished store, or keep the one that is there; returns the key of the pseudonyms."""
    partial = beside(folder, "partial")
    partial.mkdir(parents=True, exist_ok=True)
    write_request(partial, request)
    if given_key:
        return given_key
    if companions.phantom:
        return phantom_key(companions.phantom["seed"])
    place = partial / "id.key"
    for path in (folder, *leftovers(folder)):
        if (path / "id.key").is_file() and not place.exists():
            write_key(place, load_key(path / "id.key"))
    return load_key(place)


def _write(
    folder: Path,
    request: Mapping[str, Any],
    source: FilmSource,
    taken: Mapping[int, tuple[Earlier, int]],
    key: bytes,
    progress: Progress | None,
) -> None:
    """Write all of a store that will be put into its place, and put it there."""
    partial = beside(folder, "partial")
    rows, cols = ViewSpec(**request["view"]).stored_shape
    with Journal(partial, (rows, cols)) as journal:
        write_films(journal, source, taken, progress)
        films = journal.films
    records = [film.record for film in films]
    findings = all_findings(source.findings, records)
    write_findings(partial / "findings.csv", findings)
    sync_file(partial / "findings.csv")
    lines = hip_lines(records, key, source.companions, excluded(findings))
    num_hips = sum(not line.reason for line in lines)
    aside = folder.with_name(folder.name + ".findings.csv")
    if num_hips == 0:
        shutil.copy(partial / "findings.csv", aside)
        raise CohortError(f"{source.name}: none of {len(films)} films gives a usable hip; {aside} says why")
    aside.unlink(missing_ok=True)
    write_tables(partial, lines)
    write_records(partial, records)
    write_sources(partial, source.keys, source.stats)
    meta: dict[str, Any] = {
        **request,
        "num_hips": num_hips,
        "num_rows": sum(film.num_rows for film in films),
        "num_films": len(films),
        "companions": _beside_films(source),
        "content": content_of(lines),
    }
    meta["fingerprint"] = fingerprint(meta)
    write_durably(partial / "store.json", [json.dumps(meta, indent=2)])
    publish(folder)
