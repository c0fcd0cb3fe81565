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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pydicom
import torch
from rows import Row, lines_of, write_rows

from hipjsw.app.film_files import write_overlays, write_reports
from hipjsw.imaging.reading import read_film
from hipjsw.inference import measure as module
from hipjsw.inference.locate import find_hips
from hipjsw.inference.measure import FilmMeasurer
from hipjsw.inference.measurement import film_rows
from hipjsw.inference.model import Model
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
    spent["decode"], film = timed(lambda: read_film(path))
    with watched() as within:
        whole, measured = timed(lambda: measurer(film))
    spent |= within | {"lay views, judge": whole - sum(within.values())}
    rows = film_rows(path.name, film.shape, measured, "", film.facts)
    spent["write: pictures"], _ = timed(lambda: write_overlays(out, path.name, measured, rows))
    spent["write: SEG and SR"], _ = timed(lambda: write_reports(out, path, path.name, measured, "0" * 16))
    return spent


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Seconds within the measuring of a film: finding hips, networks on their views, the joint space itself."""
    within = {"locate": 0.0, "segment": 0.0, "measure": 0.0}
    nested: list[str] = []

    def timer(part: str, work: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **more: object) -> object:
            nested.append(part)
            seconds, made = timed(lambda: work(*args, **more))
            nested.pop()
            if not nested:  # what is called within another part is that part's
                within[part] += seconds
            return made

        return run

    with ExitStack() as stack:
        for name in ("find_joint", "head_ellipse", "measure_looks"):
            stack.enter_context(patch.object(module, name, timer("measure", getattr(module, name))))
        stack.enter_context(patch.object(module, "find_hips", timer("locate", find_hips)))
        stack.enter_context(patch.object(Model, "see", timer("segment", Model.see)))
        yield within


MEASURED = ("decode", "locate", "segment", "measure", "lay views, judge")


def rows_of(spent: list[dict[str, float]], rate: float, start: float) -> list[Row]:
    """The table's rows: medians over films."""
    rows = [
        Row(name, f"{1000 * float(np.median([one[name] for one in spent])):.0f} ms a film")
        for name in spent[0]
        if not name.startswith("bare")
    ]
    bare = np.array([sum(v for k, v in one.items() if k.startswith("bare")) for one in spent])
    whole = np.array([sum(one[name] for name in MEASURED) for one in spent])
    ratio = float(np.median(whole / bare))
    said = f"{ratio:.2f} times bare decoding and passes ({1000 * np.median(bare):.0f} ms)"
    rows.append(
        Row("decoded and measured", f"{1000 * np.median(whole):.0f} ms a film", said, "1.5 or less", ratio <= 1.5)
    )
    rows.append(Row("`hipjsw.measure` on many films", f"{rate:.2f} films/s"))
    rows.append(Row("`hipjsw.measure` on one film", f"{start:.1f} s"))
    return rows


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
    parser.add_argument("--rows", type=Path)
    said = parser.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    films = films_of(said.folder, said.films)
    measurer = FilmMeasurer.load(model_folder(said.model))
    with tempfile.TemporaryDirectory() as folder:
        one_film(measurer, films[0], Path(folder))  # what is done once
        spent = [one_film(measurer, path, Path(folder)) for path in films[:12] * said.repeats]
        start = command(said.model, films[0], Path(folder, "one"))
        many = command(said.model, films[0].parent, Path(folder, "many"))
        rate = (len(films) - 1) / (many - start)
    rows = rows_of(spent, rate, start)
    print(f"one process, {torch.get_num_threads()} threads, {len(spent)} films\n")
    print("\n".join(["| | | against what | aim |", "|---|---:|---|---|", *lines_of("measuring films", rows)]))
    write_rows(said.rows, rows)


if __name__ == "__main__":
    main()
