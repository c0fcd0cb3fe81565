"""Many films measured, by several processes, in order, and none of it lost when the work is stopped.

What came of each film is written as a line of ``films.jsonl`` as soon as it is known. Called again, films that have a
line of the same model and options, and whose files look as they did, are not looked at again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import torch

from hipjsw.app.film_list import FilmFile
from hipjsw.cohort.examination import unforeseen
from hipjsw.cohort.order import in_order
from hipjsw.imaging.radiograph import FilmError, refuse_flat
from hipjsw.imaging.reading import read_film
from hipjsw.inference.measure import FilmMeasurer, MeasuredFilm
from hipjsw.inference.measurement import Row, failed_row, film_rows
from hipjsw.reporting.overlay import draw_overlay, png_bytes

__all__ = ["LINES", "OVERLAYS", "BatchOptions", "hip_pictures", "measure_films", "overlay_name"]

LINES, OVERLAYS, REPORTS = "films.jsonl", "overlays", "dicom"
#: Longest readable part of an overlay's name.
_LONGEST = 80


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
    """

    model: str
    hash: str
    device: str = "cpu"
    spacing_mm: float | None = None
    assume_head_mm: float | None = None
    overlays: bool = True
    dicom: bool = True

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
) -> list[Row]:
    """Measure films; one that cannot be read becomes a row that says why.

    Args:
        films: Which.
        out: Folder of the results; made.
        options: How.
        workers: Processes; the rows are the same whatever their number.
        progress: Called with films done and films in all.

    Returns:
        Rows in the order of the films.
    """
    out.mkdir(parents=True, exist_ok=True)
    known = _known(out / LINES, options.key)
    keys = [_file_key(film) for film in films]
    done = {n: known[key] for n, key in enumerate(keys) if key in known}
    missing = [n for n in range(len(films)) if n not in done]
    count = min(workers, len(missing))
    work = partial(_film_rows, options, out, count > 1)
    with (out / LINES).open("a", encoding="utf-8") as lines:
        for n, rows in zip(missing, in_order(work, [films[n] for n in missing], max(count, 1)), strict=True):
            done[n] = rows
            lines.write(json.dumps({"options": options.key, "key": keys[n], "rows": rows}) + "\n")
            lines.flush()
            if progress is not None:
                progress(len(done), len(films))
        os.fsync(lines.fileno())
    return [row for n in range(len(films)) for row in done[n]]


def _known(path: Path, options: str) -> dict[str, list[Row]]:
    """Rows of films that were measured before; a line that was cut short is none."""
    found: dict[str, list[Row]] = {}
    if path.is_file():
        whole = path.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):  # the last line was being written when the work ended
            os.truncate(path, end)
        for line in whole[:end].splitlines():
            try:
                said: dict[str, Any] = json.loads(line)
                if said["options"] == options:
                    found[str(said["key"])] = list(said["rows"])
            except (ValueError, LookupError, TypeError):
                continue
    return found


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


def _film_rows(options: BatchOptions, out: Path, among_others: bool, film: FilmFile) -> list[Row]:
    measurer = _measurer(options, not among_others)
    try:
        if film.path is None:
            raise FilmError("unreadable", f"{film.name}: there is no such file beside the list")
        seen = read_film(film.path, film.spacing_mm or options.spacing_mm)
        refuse_flat(seen.pixels, film.name)
        measured = measurer(seen)
        rows = film_rows(film.name, seen.shape, measured, options.hash, seen.facts)
        if options.overlays:
            _draw(out / OVERLAYS, film.name, measured, rows)
        if options.dicom and seen.facts is not None and seen.facts.format == "dicom":
            _report(out / REPORTS, film.path, film.name, measured, options.hash)
    except FilmError as error:
        return [failed_row(film.name, str(error), options.hash)]
    except Exception as error:  # whatever one film does, the batch goes on
        return [failed_row(film.name, unforeseen(error), options.hash)]
    return rows


def _draw(folder: Path, name: str, measured: MeasuredFilm, rows: Sequence[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    by_side = {row["side"]: row for row in rows}
    for hip in measured.hips:
        row = by_side[hip.side.value]
        drawn = draw_overlay(hip, [f"{hip.side.value}: {_said(row)}"])
        for picture, bare in ((drawn, False), (draw_overlay(hip, bare=True), True)):
            (folder / overlay_name(name, hip.side.value, bare)).write_bytes(png_bytes(picture))


def _report(folder: Path, path: Path, name: str, measured: MeasuredFilm, model_hash: str) -> None:
    """SEG and SR; a film whose header cannot be pointed at has none, and its rows stand all the same."""
    from hipjsw.reporting.dicom_report import DicomReportError, write_dicom_reports  # highdicom takes a second

    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(DicomReportError):
        write_dicom_reports(path, measured, model_hash, folder / _safe(name))


def _safe(film: str) -> str:
    """A film's name, as far as any disk takes it, and a few letters that make it its own."""
    digest = hashlib.sha256(film.encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', film)[-_LONGEST:]}-{digest}"


def overlay_name(film: str, side: str, bare: bool = False) -> str:
    """Name of a hip's picture.

    Args:
        film: What the film is called.
        side: The patient's side.
        bare: Of the picture without drawing.
    """
    return f"{_safe(film)}-{side}{'-film' if bare else ''}.png"


def hip_pictures(out: Path, film: str, side: str) -> tuple[str, str] | None:
    """The pictures of a hip, drawn on and bare, by their paths from ``out`` on; None where there are none."""
    drawn, bare = (f"{OVERLAYS}/{overlay_name(film, side, one)}" for one in (False, True))
    return (drawn, bare) if (out / drawn).is_file() and (out / bare).is_file() else None


def _said(row: Row) -> str:
    if row["status"] != "measured":
        return f"{row['status']}: {row['reason']}"
    if row["mjsw_mm"] is None:
        return f"mJSW {row['mjsw_px']:.1f} px, {100 * row['mjsw_per_head']:.1f} % of the head"
    interval = (
        "" if row["mjsw_ci_low_mm"] is None else f" ({row['mjsw_ci_low_mm']:.2f} to {row['mjsw_ci_high_mm']:.2f})"
    )
    return f"mJSW {row['mjsw_mm']:.2f} mm{interval}"
