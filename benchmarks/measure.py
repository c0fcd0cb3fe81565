"""Seconds a film from DICOM to widths, in parts, against what cannot be spared, in one run.

    python benchmarks/measure.py [--model DIR] [--films 40] [--repeats 3] [--folder DIR]

Phantom films of 1860x2316 pixels, uncompressed, both hips. What cannot be spared is decoding by pydicom alone and the
bare forward passes of the networks on batches of the same size, timed in turn with the whole work on each film. Then
the whole command on links to the films, as it is used, and its start: the same command on one film.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import torch

from hipjsw.app.film_files import write_overlays, write_reports
from hipjsw.imaging.reading import read_film
from hipjsw.inference.locate import find_hips
from hipjsw.inference.measure import FilmMeasurer
from hipjsw.inference.measurement import film_rows
from hipjsw.inference.model_place import model_folder
from hipjsw.phantom.cohort import write_cohort

SHAPE = (2316, 1860), (1860, 2316)


def films_of(folder: Path, count: int) -> list[Path]:
    """Phantom films of the size, linked to be so many."""
    write_cohort(folder / "drawn", subjects=12, seed=5, workers=os.cpu_count() or 1)
    drawn = []
    for path in sorted((folder / "drawn").rglob("*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if (header.Rows, header.Columns) in SHAPE:
            drawn.append(path)
    linked = folder / f"films-{count}"
    linked.mkdir(exist_ok=True)
    for nth in range(count):
        target = linked / f"{nth:05d}.dcm"
        if not target.exists():
            os.link(drawn[nth % len(drawn)], target)
    return sorted(linked.iterdir())


def timed(work: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def one_film(measurer: FilmMeasurer, path: Path, out: Path) -> dict[str, float]:
    """Seconds of each part on one film."""
    model, locator = measurer.model, measurer.locator
    views = torch.rand(2, 1, model.view.rows_px, model.view.cols_px)
    whole = torch.rand(2, 1, locator.view.rows_px, locator.view.cols_px)
    spent: dict[str, float] = {}
    spent["bare: decode"], _ = timed(lambda: pydicom.dcmread(path).pixel_array)
    with torch.inference_mode():
        spent["bare: locator's pass"], _ = timed(lambda: locator.net(whole))
        spent[f"bare: {model.looks} passes of both hips"], _ = timed(
            lambda: [model.net(views) for _ in range(model.looks)]
        )
    spent["read"], film = timed(lambda: read_film(path))
    spent["locate"], _ = timed(lambda: find_hips(measurer.locator, film))
    spent["whole: locate, look, measure"], measured = timed(lambda: measurer(film))
    rows = film_rows(path.name, film.shape, measured, "", film.facts)
    spent["draw"], _ = timed(lambda: write_overlays(out, path.name, measured, rows))
    spent["SEG and SR"], _ = timed(lambda: write_reports(out, path, path.name, measured, "0" * 16))
    return spent


def command(model: str, images: Path, out: Path) -> float:
    said = [sys.executable, "-m", "hipjsw.measure", f"images={images}", f"out={out}", f"model={model}"]
    seconds, done = timed(lambda: subprocess.run(said, capture_output=True, text=True, check=False))
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stderr)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs/measure-bench"))
    said = parser.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    films = films_of(said.folder, said.films)
    measurer = FilmMeasurer.load(model_folder(said.model))
    with tempfile.TemporaryDirectory() as folder:
        one_film(measurer, films[0], Path(folder))  # what is done once
        spent = [one_film(measurer, path, Path(folder)) for path in films[:12] * said.repeats]
        print(f"one process, {torch.get_num_threads()} threads, {len(spent)} films; seconds a film\n")
        print("| part | median | least |\n|---|---:|---:|")
        for name in spent[0]:
            values = np.array([one[name] for one in spent])
            print(f"| {name} | {np.median(values):.3f} | {values.min():.3f} |")
        bare = np.array([sum(v for k, v in one.items() if k.startswith("bare")) for one in spent])
        whole = np.array([one["read"] + one["whole: locate, look, measure"] for one in spent])
        print(f"| **read and measured** | {np.median(whole):.3f} | {whole.min():.3f} |")
        print(f"\nover what cannot be spared: {np.median(whole / bare):.2f} (median of the films' ratios)")
        start = command(said.model, films[0], Path(folder, "one"))
        many = command(said.model, films[0].parent, Path(folder, "many"))
        rate = (len(films) - 1) / (many - start)
        print(f"\nthe command on one film: {start:.1f} s; on {len(films)}: {many:.1f} s; {rate:.2f} films a second")


if __name__ == "__main__":
    main()
