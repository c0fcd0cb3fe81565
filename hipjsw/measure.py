"""Door: films without points to joint space widths, ``python -m hipjsw.measure images=PATH``."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from omegaconf import DictConfig

from hipjsw.app.door import open_door
from hipjsw.app.film_batch import BatchOptions, measure_films
from hipjsw.app.film_files import OVERLAYS, hip_pictures, said_of
from hipjsw.app.film_list import FilmFile, list_films
from hipjsw.app.film_tables import write_tables
from hipjsw.app.lock import only_one
from hipjsw.app.progress import num_workers, progress_bar
from hipjsw.cohort.shard import Shard
from hipjsw.imaging.spacing import given_spacing
from hipjsw.inference.device import usable_device
from hipjsw.inference.measure import FilmMeasurer
from hipjsw.inference.measurement import Row, summary
from hipjsw.inference.model_place import model_folder
from hipjsw.reporting.measure_page import write_measure_page
from hipjsw.reporting.overlay import contact_sheet, png_bytes

#: Some film or hip was not measured.
SOME_NOT = 3
REPORT, SHEET = "report.html", "contact_sheet.png"
#: Hips on the contact sheet, the first.
MOST_ON_SHEET = 96
HEAD_MM = (30.0, 80.0)


def main(cfg: DictConfig) -> None:
    """Measure the films, write rows and pictures, say what came of them."""
    device = usable_device(str(cfg.device))
    given_spacing(cfg.spacing_mm)
    if cfg.assume_head_mm is not None and not HEAD_MM[0] <= cfg.assume_head_mm <= HEAD_MM[1]:
        raise ValueError(f"assume_head_mm is a femoral head's diameter, {HEAD_MM[0]:g} to {HEAD_MM[1]:g} mm")
    films, out = list_films(Path(cfg.images), Path(cfg.out)), Path(cfg.out)
    model = model_folder(cfg.model)
    found = FilmMeasurer.load(model).hash
    options = BatchOptions(
        str(model),
        found,
        device,
        cfg.spacing_mm,
        cfg.assume_head_mm,
        overlays=bool(cfg.overlays),
        dicom=bool(cfg.dicom),
        points=bool(cfg.points),
    )
    if cfg.shard is not None:
        _measure_shard(cfg, films, out, options, Shard.parse(str(cfg.shard)))
        return
    with only_one(out, wait=False):
        workers = min(num_workers(cfg.workers), len(films))
        with progress_bar("measuring films", "films") as moved:
            rows = measure_films(films, out, options, workers, moved, _tell if cfg.verbose else None)
        write_tables(out, rows)
    batch = hashlib.sha256(f"{options.key} {out.resolve()}".encode()).hexdigest()[:16]
    write_measure_page(out / REPORT, rows, partial(hip_pictures, out), batch)
    if cfg.overlays:
        _sheet(out, rows)
    counts = summary(rows)
    said = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in counts.items() if number)
    print(f"{len(films)} films: {said}")
    print(f"to look at and to judge: {out / REPORT}")
    print(f"rows: {out / 'measurements.csv'} and .json" + (f"; pictures: {out / OVERLAYS}" if cfg.overlays else ""))
    if counts["unmeasurable"] or counts["not_found"] or counts["failed"]:
        print("some were not measured; the column `reason` says why", file=sys.stderr)
        raise SystemExit(SOME_NOT)


def _measure_shard(cfg: DictConfig, films: Sequence[FilmFile], out: Path, options: BatchOptions, shard: Shard) -> None:
    """Measure a share of the films, and say how all are put together."""
    out.mkdir(parents=True, exist_ok=True)
    with only_one(out / shard.name, wait=False), progress_bar(f"measuring shard {shard}", "films") as moved:
        workers = min(num_workers(cfg.workers), max(len(films) // shard.of, 1))
        rows = measure_films(films, out, options, workers, moved, _tell if cfg.verbose else None, shard)
    print(f"shard {shard}: {len(rows)} rows; when all are measured, the same command without shard= puts them together")


def _tell(rows: Sequence[Row]) -> None:
    for row in rows:
        note = f"; {row['reason']}" if row["status"] == "measured" and row["reason"] else ""
        print(f"{row['film']} {row['side']}: {said_of(row)}{note}", flush=True)


def _sheet(out: Path, rows: Iterable[Row]) -> None:
    """The first hips side by side."""
    found = (hip_pictures(out, str(row["film"]), str(row["side"])) for row in rows if row["side"])
    drawn = list(islice((out / pictures[0] for pictures in found if pictures is not None), MOST_ON_SHEET))
    if drawn:
        pictures = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in drawn]
        sheet = contact_sheet([np.asarray(one, dtype=np.uint8) for one in pictures if one is not None])
        (out / SHEET).write_bytes(png_bytes(sheet))


if __name__ == "__main__":
    open_door(main, "measure")
