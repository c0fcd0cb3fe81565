"""Many films measured, by several processes, in order, and none of it lost when the work is stopped.

What came of each film is written as a line of ``films.jsonl`` as soon as it is known. Called again, films that have a
line of the same model and options, and whose files look as they did, are not looked at again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import torch

from hipjsw.app.film_files import remove_files, write_curves, write_overlays, write_reports
from hipjsw.app.film_lines import FilmRows, Place, film_line, known_lines
from hipjsw.app.film_list import FilmFile
from hipjsw.cohort.examination import unforeseen
from hipjsw.cohort.order import in_order
from hipjsw.cohort.shard import Shard
from hipjsw.imaging.radiograph import FilmError, refuse_flat
from hipjsw.imaging.reading import read_film
from hipjsw.inference.measure import FilmMeasurer
from hipjsw.inference.measurement import Row, failed_row, film_rows

__all__ = ["LINES", "BatchOptions", "measure_films"]

LINES = "films.jsonl"


@dataclass(frozen=True)
class BatchOptions:
    """How films are measured.

    Args:
        model: Folder of the model with its locator.
        hash: Of both.
        device: ``cpu`` or ``cuda``.
        spacing_mm: Spacing of all films, over any header's; None for their own.
        assume_head_mm: Heads of films without spacing; None leaves them without millimetres.
        overlays: Whether to draw each hip.
        dicom: Whether to write SEG and SR of DICOM films.
        points: Whether to write each hip's curves.
    """

    model: str
    hash: str
    device: str = "cpu"
    spacing_mm: float | None = None
    assume_head_mm: float | None = None
    overlays: bool = True
    dicom: bool = True
    points: bool = False

    @property
    def key(self) -> str:
        """What decides the rows; where the model lies and what computes them do not."""
        said = {key: value for key, value in asdict(self).items() if key not in ("model", "device")}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def measure_films(
    films: Sequence[FilmFile],
    out: Path,
    options: BatchOptions,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[Sequence[Row]], None] | None = None,
    shard: Shard | None = None,
) -> FilmRows:
    """Measure films; one that cannot be read becomes a row that says why.

    Args:
        films: Which.
        out: Folder of the results; made.
        options: How.
        workers: Processes; the rows are the same whatever their number.
        progress: Called with films done and films in all.
        tell: Called with the rows of each film as soon as it is measured.
        shard: Measure this share of the films alone, into lines of its own; a call without takes over those of all.

    Returns:
        Rows in the order of the films; they stay where they are written, and are read again each time.
    """
    out.mkdir(parents=True, exist_ok=True)
    films = films if shard is None else shard.of_all(films)
    files = _files(out, shard)
    result = FilmRows(files, len(films))
    missing = _put_known(result, films, files, options)
    count = min(workers, len(missing)) if options.device == "cpu" else 1  # a GPU is one process's
    work = partial(_film_rows, options, out, count > 1)
    with files[-1].open("ab") as lines:
        results = in_order(work, [films[n] for n in missing], max(count, 1))
        for done, (n, (rows, lasting)) in enumerate(zip(missing, results, strict=True), len(films) - len(missing) + 1):
            if lasting:
                result.put(n, Place(len(files) - 1, lines.tell(), len(rows)))
                lines.write(film_line(options.key, missing[n], rows))
                lines.flush()
            else:
                result.hold(n, rows)
            if tell is not None:
                tell(rows)
            if progress is not None:
                progress(done, len(films))
        os.fsync(lines.fileno())
    return result


def _files(out: Path, shard: Shard | None) -> list[Path]:
    """Where rows of films may stand that were measured before; the last is one's own."""
    if shard is not None:
        return [out / LINES, out / f"{shard.name}.jsonl"]
    return [*sorted(out.glob("shard-*-of-*.jsonl")), out / LINES]


def _put_known(
    result: FilmRows, films: Sequence[FilmFile], files: Sequence[Path], options: BatchOptions
) -> dict[int, str]:
    """Put the rows of films that were measured before; the keys of the others by their numbers."""
    known: dict[str, Place] = {}
    for number, path in enumerate(files):
        known |= known_lines(number, path, options.key, own=path == files[-1])
    missing = {}
    for n, film in enumerate(films):
        key = _file_key(film)
        if key in known:
            result.put(n, known[key])
        else:
            missing[n] = key
    return missing


def _file_key(film: FilmFile) -> str:
    """What tells whether a film's file is the one that was measured."""
    stats: list[Any] = [film.name, film.spacing_mm]
    try:
        if film.path is not None:
            seen = film.path.stat()
            stats += [seen.st_size, seen.st_mtime_ns]
    except OSError:
        stats.append("gone")
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()[:24]


@lru_cache(maxsize=1)
def _measurer(options: BatchOptions, alone: bool) -> FilmMeasurer:
    """Of this process: the models are read once; one of several processes has one thread."""
    if not alone:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    return FilmMeasurer.load(Path(options.model), options.device, options.assume_head_mm)


def _film_rows(options: BatchOptions, out: Path, among_others: bool, film: FilmFile) -> tuple[list[Row], bool]:
    """A film's rows, and whether they are the film's own: a full disk or a full GPU is asked again next time."""
    measurer = _measurer(options, not among_others)
    try:
        remove_files(out, film.name)
        if film.path is None:
            raise FilmError("unreadable", f"{film.name}: there is no such file beside the list")
        seen = read_film(film.path, film.spacing_mm or options.spacing_mm)
        refuse_flat(seen.pixels, film.name)
        measured = measurer(seen)
        rows = film_rows(film.name, seen.shape, measured, options.hash, seen.facts)
        if options.overlays:
            write_overlays(out, film.name, measured, rows)
        if options.points:
            write_curves(out, film.name, measured)
        if options.dicom and seen.facts is not None and seen.facts.format == "dicom":
            no_report = write_reports(out, film.path, film.name, measured, options.hash)
            for row in rows:
                row["reason"] = "; ".join(filter(None, (row["reason"], no_report)))
    except FilmError as error:
        return [failed_row(film.name, str(error), options.hash)], error.rule != "unreadable"
    except Exception as error:  # whatever one film does, the batch goes on
        return [failed_row(film.name, unforeseen(error), options.hash)], False
    return rows, True
