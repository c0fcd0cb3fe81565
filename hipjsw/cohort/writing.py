"""Writing a store: all films of a cohort, in parallel, into arrays and tables."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from hipjsw.cohort.findings import Finding, write_findings
from hipjsw.cohort.layout import CohortError, FilmEntry, find_films
from hipjsw.cohort.preparation import PreparedFilm, PreparedHip, prepare_film
from hipjsw.cohort.privacy import hip_id, load_key, person_id, phantom_key
from hipjsw.cohort.split import SplitSpec, make_split
from hipjsw.cohort.store import STORE_VERSION, Store, StoreError
from hipjsw.imaging.view import ViewSpec

__all__ = ["PrepareSpec", "prepare_cohort"]

HIPS_COLUMNS = ("hip_id", "person", "split", "side", "spacing_mm", "spacing_source", "mjsw_mm", "status", "reason")
IDENTITY_COLUMNS = ("hip_id", "dataset", "subject", "visit", "side", "film", "points")
Progress = Callable[[int, int], None]


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
    request = _request(cohort, films, spec)
    if folder.exists() and (existing := _existing(folder, request)):
        return existing
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    phantom = _phantom_meta(cohort)
    key = phantom_key(int(phantom["seed"])) if phantom and not id_key else load_key(id_key or partial / "id.key")
    hips = list(_write_arrays(partial, _prepared(cohort, films, spec, workers, progress), key, findings))
    usable = [h for h in hips if not h.hip.reason]
    write_findings(partial / "findings.csv", findings)
    if not usable:
        shutil.copy(partial / "findings.csv", folder.with_name(folder.name + ".findings.csv"))
        raise CohortError(
            f"{cohort}: none of {len(films)} films gives a usable hip; {folder.name}.findings.csv says why"
        )
    _write_tables(partial, cohort, hips, spec)
    digests = sorted({h.film.digest for h in usable})
    meta: dict[str, Any] = {
        "store_version": STORE_VERSION,
        "num_hips": len(usable),
        "num_films": len(films),
        "view": asdict(spec.view),
        "labels": spec.labels,
        "split": asdict(spec.split),
        "phantom": phantom,
        "request": request,
        "fingerprint": _hash([STORE_VERSION, asdict(spec), digests]),
    }
    (partial / "store.json").write_text(json.dumps(meta, indent=2), encoding="utf-8")
    partial.replace(folder)
    return Store.open(folder)


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


def _request(cohort: Path, films: Sequence[FilmEntry], spec: PrepareSpec) -> str:
    """Hash of what was asked for: the spec and each file's name, size and time of change."""
    listing = []
    for entry in films:
        for name in (entry.film, entry.points):
            if name is not None:
                stat = (cohort / name).stat()
                listing.append((name, stat.st_size, stat.st_mtime_ns))
    return _hash([STORE_VERSION, asdict(spec), listing])


def _prepared(
    cohort: Path, films: Sequence[FilmEntry], spec: PrepareSpec, workers: int, progress: Progress | None
) -> Iterator[PreparedFilm]:
    """Prepared films in order, from this process or from several."""
    total = len(films)
    jobs = ((cohort, entry, spec.view, spec.labels) for entry in films)
    if workers <= 1 or total < 4:
        for done, job in enumerate(jobs, 1):
            yield prepare_film(*job)
            if progress:
                progress(done, total)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        args = [[cohort] * total, films, [spec.view] * total, [spec.labels] * total]
        for done, film in enumerate(pool.map(prepare_film, *args, chunksize=4), 1):
            yield film
            if progress:
                progress(done, total)


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
                light = PreparedHip(hip.side, hip.reason, hip.mjsw_mm)
                yield _Hip(name, person, PreparedFilm(entry, film.spacing, film.digest, (), ()), light)


def _write_tables(folder: Path, cohort: Path, hips: Sequence[_Hip], spec: PrepareSpec) -> None:
    counts: dict[str, int] = {}
    for h in hips:
        counts[h.person] = counts.get(h.person, 0) + (not h.hip.reason)
    split = make_split(counts, spec.split, _fixed_test(cohort, hips))
    (folder / "split.json").write_text(json.dumps(asdict(split), indent=1), encoding="utf-8")
    part = split.part_of()
    _write_csv(folder / "hips.csv", HIPS_COLUMNS, (_hip_row(h, part) for h in hips))
    identities = []
    for h in hips:
        entry = h.film.entry
        names = (entry.dataset, entry.subject, entry.visit, h.hip.side.value, entry.film, entry.points or "")
        identities.append((h.hip_id, *names))
    _write_csv(folder / "identities.csv", IDENTITY_COLUMNS, identities)
    truth = _exact_truth(cohort)
    if truth:
        rows = []
        for h in hips:
            value = truth.get((h.film.entry.dataset, h.film.entry.subject, h.film.entry.visit, h.hip.side.value))
            if value is not None:
                rows.append((h.hip_id, repr(value)))
        _write_csv(folder / "truth.csv", ("hip_id", "mjsw_truth_mm"), rows)


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
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _phantom_meta(cohort: Path) -> dict[str, Any] | None:
    path = cohort / "phantom.json"
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _fixed_test(cohort: Path, hips: Sequence[_Hip]) -> list[str]:
    """Persons whom the cohort's own split.csv puts into the test set."""
    path = cohort / "split.csv"
    if not path.is_file():
        return []
    table = pd.read_csv(path, dtype=str)
    test = table[table["split"] == "test"]
    named = set(zip(test["dataset"], test["subject"], strict=True))
    return list(dict.fromkeys(h.person for h in hips if (h.film.entry.dataset, h.film.entry.subject) in named))


def _exact_truth(cohort: Path) -> dict[tuple[str, str, str, str], float]:
    """Exact widths of a phantom cohort, by dataset, subject, visit and side."""
    path = cohort / "truth.csv"
    if not path.is_file():
        return {}
    table = pd.read_csv(path, dtype={"dataset": str, "subject": str, "visit": str, "side": str})
    keys = zip(table["dataset"], table["subject"], table["visit"], table["side"], strict=True)
    return dict(zip(keys, (float(v) for v in table["mjsw_mm"]), strict=True))


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
