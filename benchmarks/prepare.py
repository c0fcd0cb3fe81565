"""Films a second from DICOM and points to hip views, against bare decoding by pydicom, in one run.

    python benchmarks/prepare.py [--films 200] [--view hip] [--workers 2] [--folder DIR]

Phantom films are drawn once and hard-linked to so many films as further visits of their persons (identical films of
one person are a finding, so the store keeps one of each; what is timed is the work on all of them). Times are wall
clock; memory is the largest resident set of the parent and of any one worker.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pydicom
from rows import Row, write_rows

from hipjsw.app.provision import prepare_options
from hipjsw.cohort.examination import examine_film
from hipjsw.cohort.layout import find_films
from hipjsw.cohort.preparation import prepare_film
from hipjsw.cohort.verification import verify_cohort
from hipjsw.cohort.writing import prepare_cohort
from hipjsw.phantom.cohort import write_cohort


def options_of(view: str, labels: str):
    """The door's options."""
    from hydra import compose, initialize_config_dir

    from hipjsw.app.paths import conf_dir
    from hipjsw.app.schema import register_schemas

    register_schemas()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return prepare_options(compose("prepare", overrides=[f"view={view}", f"labels={labels}"]))


def linked_cohort(folder: Path, films: int) -> Path:
    """A cohort of so many OAI films, each a link to one of a few drawn ones."""
    source, target = folder / "drawn", folder / f"linked-{films}"
    write_cohort(source, subjects=12, seed=5, workers=2)
    drawn = [entry for entry in find_films(source).films if entry.dataset == "OAI"]
    for nth in range(films):
        entry = drawn[nth % len(drawn)]
        visit = f"V{1000 + nth // len(drawn)}"
        name = f"OAI-{9000000 + nth % len(drawn)}-{visit}-20040101.dcm"
        for path, to in (
            (entry.film, f"OAI/{visit}/{name}"),
            (entry.points[0].path, f"OAI-pointfiles/{visit}/{name}.pts"),
        ):
            (target / to).parent.mkdir(parents=True, exist_ok=True)
            if not (target / to).exists():
                os.link(source / path, target / to)
    return target


def decode(path: str) -> int:
    """What cannot be spared: the file's pixels by pydicom alone."""
    return int(pydicom.dcmread(path).pixel_array[0, 0])


def peak_mib() -> str:
    own, children = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return f"{own:.0f} MiB parent, {children:.0f} MiB largest worker"


def timed(what: str, count: int, work) -> float:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    print(f"| {what} | {seconds:.1f} | {count / seconds:.1f} |", flush=True)
    return count / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--view", default="hip")
    parser.add_argument("--labels", default="study")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--memory-only", action="store_true", help="prepare alone, for its memory")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.folder or Path(made)
        cohort = linked_cohort(folder, args.films)
        options, films = options_of(args.view, args.labels), find_films(cohort).films
        paths = [str(cohort / entry.film) for entry in films]
        shapes = sorted({pydicom.dcmread(p, stop_before_pixels=True).Rows for p in paths[:20]})
        print(f"{len(films)} films (rows {shapes}), view={args.view}, labels={args.labels}, {args.workers} processes\n")
        if args.memory_only:
            timed("prepare", len(films), lambda: prepare_cohort(cohort, folder / "store", options, args.workers))
            print(peak_mib())
            return
        one_film(cohort, films[:20], options, paths[:20])
        print("\n| | seconds | films/s |\n|---|---|---|")
        with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(decode, paths[: 2 * args.workers]))  # both are up
            bare = timed("bare decoding (pydicom)", len(films), lambda: list(pool.map(decode, paths, chunksize=8)))
        seen = timed("verify_only", len(films), lambda: verify_cohort(cohort, options.imports, args.workers))
        whole = timed(
            "prepare into a store", len(films), lambda: prepare_cohort(cohort, folder / "store", options, args.workers)
        )
        again = timed(
            "prepare again, nothing changed",
            len(films),
            lambda: prepare_cohort(cohort, folder / "store", options, args.workers),
        )
        rows = [Row("bare decoding (pydicom)", f"{bare:.1f} films/s")]
        parts = {"look at them (verify_only)": seen, "prepare into a store": whole, "again, nothing changed": again}
        rows += [
            Row(name, f"{rate:.1f} films/s", f"{rate / bare:.2f} of bare decoding") for name, rate in parts.items()
        ]
        write_rows(args.rows, rows)
        print(f"\nratio to bare decoding: verify {seen / bare:.2f}, prepare {whole / bare:.2f}; {peak_mib()}")


def one_film(cohort: Path, films, options, paths) -> None:
    """Median milliseconds of one film in this process."""
    parts = {
        "bare decoding": lambda nth: decode(paths[nth]),
        "examined": lambda nth: examine_film(cohort, films[nth], options.imports),
        "prepared": lambda nth: prepare_film(cohort, films[nth], options),
    }
    for what, work in parts.items():
        taken = []
        for nth in range(len(films)):
            start = time.perf_counter()
            work(nth)
            taken.append(time.perf_counter() - start)
        print(f"one film {what}: median {1000 * float(np.median(taken)):.1f} ms")


if __name__ == "__main__":
    main()
