"""Writing a store: all films of a cohort, in parallel, into arrays and tables."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hipjsw.cohort.companions import Companions, read_companions
from hipjsw.cohort.findings import Finding, write_findings
from hipjsw.cohort.layout import CohortError, FilmEntry, find_films
from hipjsw.cohort.order import Progress, in_order
from hipjsw.cohort.preparation import PreparedFilm, PreparedHip, prepare_film
from hipjsw.cohort.privacy import hip_id, load_key, person_id, phantom_key
from hipjsw.cohort.split import SplitError, SplitSpec, make_split
from hipjsw.cohort.store import STORE_VERSION, Store, StoreError
from hipjsw.imaging.view import ViewSpec

__all__ = ["FilmSource", "PrepareSpec", "content_hash", "prepare_cohort", "write_store"]

HIPS_COLUMNS = ("hip_id", "person", "split", "side", "spacing_mm", "spacing_source", "mjsw_mm", "status", "reason")
IDENTITY_COLUMNS = ("hip_id", "dataset", "subject", "visit", "side", "film", "points")


@dataclass(frozen=True)
class PrepareSpec:
    """What a store is made of: view, way of labelling, split."""

    view: ViewSpec
    labels: str
    split: SplitSpec


@dataclass(frozen=True)
class _Hip:
    """One line of the tables."""

    hip_id: str
    person: str
    film: PreparedFilm
    hip: PreparedHip

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Dataset, subject, visit and side."""
        entry = self.film.entry
        return entry.dataset, entry.subject, entry.visit, self.hip.side.value


def prepare_cohort(
    cohort: Path,
    folder: Path,
    spec: PrepareSpec,
    workers: int = 1,
    id_key: Path | None = None,
    progress: Progress | None = None,
) -> Store:
    """Prepare a cohort into a store, or open the store if it already holds just that.

    Args:
        cohort: Folder in the layout of CHECK and OAI.
        folder: Where the store shall lie.
        spec: What it is made of.
        workers: Processes.
        id_key: File with the key of the pseudonyms; None for one in the store (phantoms: from their seed).
        progress: Called with films done and films in all.

    Raises:
        CohortError: No usable hip.
        StoreError: Another store, or something else, lies there.
        SplitError: Too few persons.
    """
    films, findings = find_films(cohort)
    beside = read_companions(cohort)
    _refuse_files(folder, id_key)
    given_key = load_key(id_key) if id_key else None
    work = partial(_prepare_entry, cohort, spec)
    source = FilmSource(
        name=str(cohort),
        num_films=len(films),
        request=_request(cohort, films, spec, beside, given_key),
        prepared=in_order(work, films, workers if len(films) >= 4 else 1, progress),
        beside=beside,
        findings=findings,
    )
    return write_store(folder, spec, source, given_key)


@dataclass(frozen=True, eq=False)
class FilmSource:
    """Prepared films to be written, and what is known of them all.

    Args:
        name: Where they come from, for messages.
        num_films: How many there are.
        request: Hash of everything that decides what is written.
        prepared: The films, in order; nothing is prepared before the first is taken.
        beside: Who is kept for testing, exact widths, what made a phantom.
        findings: What was noticed before preparing.
    """

    name: str
    num_films: int
    request: str
    prepared: Iterable[PreparedFilm]
    beside: Companions
    findings: Sequence[Finding] = ()


def write_store(folder: Path, spec: PrepareSpec, source: FilmSource, given_key: bytes | None = None) -> Store:
    """Write prepared films as a store, or open the store if it already holds just them.

    Args:
        folder: Where the store shall lie.
        spec: What it is made of.
        source: The films.
        given_key: Key of the pseudonyms; None for one in the store (phantoms: from their seed).

    Raises:
        CohortError: No usable hip.
        StoreError: Another store, or something else, lies there.
        SplitError: Too few persons.
    """
    partial_folder = _partial(folder)
    _refuse_files(folder)
    if folder.exists() and (existing := _existing(folder, source.request)):
        return existing
    shutil.rmtree(partial_folder, ignore_errors=True)
    partial_folder.mkdir(parents=True)
    _write_whole(partial_folder, folder, spec, source, given_key)
    partial_folder.replace(folder)
    folder.with_name(folder.name + ".findings.csv").unlink()
    return Store.open(folder)


def _write_whole(
    partial_folder: Path, folder: Path, spec: PrepareSpec, source: FilmSource, given_key: bytes | None
) -> None:
    """Write everything of a store that will be renamed to ``folder``."""
    beside, findings = source.beside, list(source.findings)
    own_key = phantom_key(beside.phantom["seed"]) if beside.phantom else None
    key = given_key or own_key or load_key(partial_folder / "id.key")
    hips = list(_write_arrays(partial_folder, source.prepared, key, findings))
    write_findings(partial_folder / "findings.csv", findings)
    aside = folder.with_name(folder.name + ".findings.csv")
    shutil.copy(partial_folder / "findings.csv", aside)  # stays if this fails
    num_hips = sum(not h.hip.reason for h in hips)
    if num_hips == 0:
        raise CohortError(f"{source.name}: none of {source.num_films} films gives a usable hip; {aside.name} says why")
    meta: dict[str, Any] = {
        "store_version": STORE_VERSION,
        "num_hips": num_hips,
        "num_films": source.num_films,
        "view": asdict(spec.view),
        "labels": spec.labels,
        "split": asdict(spec.split),
        "phantom": beside.phantom,
        "request": source.request,
        "fingerprint": content_hash([STORE_VERSION, asdict(spec), _write_tables(partial_folder, hips, spec, beside)]),
    }
    (partial_folder / "store.json").write_text(json.dumps(meta, indent=2), encoding="utf-8")


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


def _refuse_files(folder: Path, id_key: Path | None = None) -> None:
    """Nothing of somebody else's may lie where the store is written or where its key is read."""
    for path in (folder, _partial(folder)):
        if path.exists() and not path.is_dir():
            raise StoreError(f"{path} is a file; name another folder with store=DIR")
    if id_key is not None and (id_key.is_dir() or not id_key.parent.is_dir()):
        raise StoreError(f"id_key={id_key} is no file in a folder that exists")


def _existing(folder: Path, request: str) -> Store | None:
    if not any(folder.iterdir()):
        folder.rmdir()
        return None
    store = Store.open(folder)
    if store.meta["request"] != request:
        raise StoreError(
            f"{folder} holds a store of another cohort, view, labelling or split (view={store.view.name}); "
            "name another folder with store=DIR, or remove this one"
        )
    return store


def _request(
    cohort: Path, films: Sequence[FilmEntry], spec: PrepareSpec, beside: Companions, given_key: bytes | None
) -> str:
    """Hash of what was asked for: spec, key, the files beside the films, each film's name, size and time of change."""
    listing = []
    for entry in films:
        for name in (entry.film, entry.points):
            if name is not None:
                stat = (cohort / name).stat()
                listing.append((name, stat.st_size, stat.st_mtime_ns))
    key = hashlib.sha256(given_key).hexdigest() if given_key else "own"
    return content_hash([STORE_VERSION, asdict(spec), key, beside.stamp, listing])


def _prepare_entry(cohort: Path, spec: PrepareSpec, entry: FilmEntry) -> PreparedFilm:
    return prepare_film(cohort, entry, spec.view, spec.labels)


def _write_arrays(folder: Path, films: Iterable[PreparedFilm], key: bytes, findings: list[Finding]) -> Iterator[_Hip]:
    """Append each usable hip to the arrays; yield every hip without its pixels."""
    with (
        (folder / "images.u16").open("wb") as images,
        (folder / "planes.u8").open("wb") as planes,
        (folder / "landmarks.f64").open("wb") as landmarks,
    ):
        for film in films:
            findings += film.findings
            entry = film.entry
            person = person_id(key, entry.dataset, entry.subject)
            for hip in film.hips:
                if hip.image is not None and hip.planes is not None and hip.landmarks_px is not None:
                    images.write(hip.image.tobytes())
                    planes.write(hip.planes.tobytes())
                    landmarks.write(hip.landmarks_px.tobytes())
                name = hip_id(key, entry.dataset, entry.subject, entry.visit, entry.film, hip.side)
                light = PreparedHip(hip.side, hip.reason, hip.mjsw_mm, hip.truth_mm)
                yield _Hip(name, person, PreparedFilm(entry, film.spacing, film.digest, (), ()), light)


def _write_tables(folder: Path, hips: Sequence[_Hip], spec: PrepareSpec, beside: Companions) -> list[Any]:
    """Write split, hips, identities and truth.

    Returns:
        What the arrays and tables hold, without ids: for each usable hip its film's hash, side, person's number, part
        and exact width.
    """
    counts: dict[str, int] = {}
    for h in hips:
        counts[h.person] = counts.get(h.person, 0) + (not h.hip.reason)
    fixed = dict.fromkeys(h.person for h in hips if h.names[:2] in beside.test_persons)
    if beside.test_persons and not any(counts[person] for person in fixed):
        raise SplitError("split.csv names no person with a usable hip for the test set; mend or remove it")
    split = make_split(counts, spec.split, list(fixed))
    (folder / "split.json").write_text(json.dumps(asdict(split), indent=1), encoding="utf-8")
    part = split.part_of()
    _write_csv(folder / "hips.csv", HIPS_COLUMNS, (_hip_row(h, part) for h in hips))
    identities = ((h.hip_id, *h.names, h.film.entry.film, h.film.entry.points or "") for h in hips)
    _write_csv(folder / "identities.csv", IDENTITY_COLUMNS, identities)
    known = ((h.hip_id, beside.truth_mm.get(h.names, h.hip.truth_mm)) for h in hips)
    truth = {name: width_mm for name, width_mm in known if width_mm is not None}
    if truth:
        rows = ((name, repr(width_mm)) for name, width_mm in truth.items())
        _write_csv(folder / "truth.csv", ("hip_id", "mjsw_truth_mm"), rows)
    number = {person: n for n, person in enumerate(counts)}
    return [
        (h.film.digest, h.hip.side, number[h.person], part.get(h.person), truth.get(h.hip_id))
        for h in hips
        if not h.hip.reason
    ]


def _hip_row(h: _Hip, part: dict[str, str]) -> tuple[str, ...]:
    spacing = h.film.spacing
    return (
        h.hip_id,
        h.person,
        part.get(h.person, ""),
        h.hip.side.value,
        f"{spacing.mean_mm:.6g}" if spacing else "",
        spacing.source.value if spacing else "none",
        "" if h.hip.mjsw_mm is None else f"{h.hip.mjsw_mm:.6f}",
        "excluded" if h.hip.reason else "ok",
        h.hip.reason,
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def content_hash(content: Any) -> str:
    """Sixteen hexadecimal digits that stand for anything JSON can say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
