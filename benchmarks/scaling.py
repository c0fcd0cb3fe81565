"""Time and memory of what is done with many hips against their number: synthetic rows, sparse arrays, 100 to 100,000.

    python benchmarks/scaling.py [--store STORE] [--hips 100 1000 10000 100000] [--out docs/images/scaling.png]

STORE is any prepared store, without it one of phantoms; its hips are said again under other names, its arrays are holes
of the right length: what is measured is what grows with the number, tables, reading, memory, and not what a hip costs.
Each point is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from rows import Row, write_rows

from hipjsw.ablation.answers import answer
from hipjsw.ablation.design import Design
from hipjsw.ablation.measures import HISTORY_NEEDED
from hipjsw.ablation.read import read_sweeps
from hipjsw.app.film_batch import LINES, BatchOptions, measure_films
from hipjsw.app.film_list import FilmFile
from hipjsw.app.film_tables import write_tables as write_tables_of_films
from hipjsw.app.results import write_results
from hipjsw.cohort.companions import Companions
from hipjsw.cohort.split_spec import SplitSpec
from hipjsw.cohort.store import Store, row_bytes
from hipjsw.cohort.store_tables import hip_lines, write_records, write_tables
from hipjsw.inference.evaluation import HIP_COLUMNS
from hipjsw.inference.examples import view_and_coverage
from hipjsw.inference.measurement import failed_row
from hipjsw.inference.measuring import HipRecord, Measurer
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.learning.augment import CentreCrop
from hipjsw.learning.data import HipDataset, StreamSampler
from hipjsw.reporting.ablation_page import write_ablation_page
from hipjsw.reporting.measure_page import write_measure_page
from hipjsw.statistics.agreement import compare

BATCHES, BATCH = 20, 16
LOSS = Path(__file__).parents[1] / "conf" / "ablation" / "loss.yaml"


def sparse_store(store: Store, hips: int, folder: Path) -> Path:
    """A store of so many hips whose arrays are holes."""
    made = folder / "store"
    made.mkdir()
    for name, size in row_bytes(store.view.stored_shape).items():
        with (made / name).open("wb") as file:
            file.truncate(size * hips)
    table = store.hips.drop(columns="mjsw_truth_mm").reset_index(drop=True)
    number = np.arange(hips)
    table = table.loc[number % len(table)].reset_index(drop=True)
    table["row"], table["hip_id"], table["person"] = number, [f"h{n}" for n in number], [f"p{n // 2}" for n in number]
    table.to_csv(made / "hips.csv", index=False)
    (made / "store.json").write_text(json.dumps(store.meta | {"num_hips": hips, "num_rows": hips}))
    return made


def read_and_deal(store: Store, hips: int, folder: Path) -> float:
    """Open a store, deal its persons, list the training hips."""
    made = sparse_store(store, hips, folder)
    began = time.perf_counter()
    dealt = Store.open(made).dealt(SplitSpec(kind="random", test_hips=min(1000, hips // 4)))
    assert dealt.rows("train")
    return time.perf_counter() - began


def load_batches(store: Store, hips: int, folder: Path) -> float:
    """Twenty batches of a training stream over all hips, without augmentation."""
    opened = Store.open(sparse_store(store, hips, folder))
    data = HipDataset(opened, range(hips), CentreCrop(), 0)
    draws = list(StreamSampler(hips, BATCHES * BATCH, 0))
    began = time.perf_counter()
    for draw in draws:
        _ = data[draw]
    return time.perf_counter() - began


def write_the_tables(store: Store, hips: int, folder: Path) -> float:
    """The tables of a store."""
    films = store.records
    records = [
        replace(films[n % len(films)], entry=replace(films[n % len(films)].entry, subject=f"s{n}", film=f"f{n}"))
        for n in range(-(-hips // 2))
    ]
    began = time.perf_counter()
    lines = hip_lines(records, b"k" * 32, Companions({}, None, ""), {})
    write_tables(folder, lines)
    write_records(folder, records)
    return time.perf_counter() - began


def statistics(store: Store, hips: int, folder: Path) -> float:
    """Agreement with its intervals by persons."""
    del store, folder
    rng = np.random.default_rng(0)
    truth = rng.normal(3.5, 0.8, hips)
    began = time.perf_counter()
    compare(truth + rng.normal(0, 0.2, hips), truth, np.arange(hips) // 2)
    return time.perf_counter() - began


def put_together(store: Store, hips: int, folder: Path) -> float:
    """Rows of films that shards have measured, to tables and page."""
    del store
    films = [FilmFile(f"{n}.dcm", None) for n in range(-(-hips // 2))]
    options, rows = BatchOptions("model", "0" * 16), [failed_row("x.dcm", "none", "0" * 16)] * 2
    from hipjsw.app.film_batch import _file_key

    with (folder / LINES).open("w") as file:
        for film in films:
            file.write(json.dumps({"options": options.key, "key": _file_key(film), "rows": rows}) + "\n")
    began = time.perf_counter()
    rows = measure_films(films, folder, options)
    write_tables_of_films(folder, rows)
    write_measure_page(folder / "report.html", rows, lambda _film, _side: None, "scaling")
    return time.perf_counter() - began


def evaluate(store: Store, hips: int, folder: Path) -> float:
    """What a test leaves behind: tables, numbers, subgroups and pictures of records that share their curves."""
    made = sparse_store(store, hips, folder)
    np.repeat(store.landmarks_px[:1], hips, axis=0).tofile(made / "landmarks.f64")
    opened, rng = Store.open(made), np.random.default_rng(0)
    known_mm = opened.hips["mjsw_mm"].to_numpy(float)
    opened.hips[["hip_id"]].assign(mjsw_truth_mm=known_mm + rng.normal(0, 0.1, hips)).to_csv(
        made / "truth.csv", index=False, float_format="%.6f"
    )
    width = Measurer(store).label(0)
    assert isinstance(width, JointSpaceWidth)
    found_mm, looked = np.abs(known_mm + rng.normal(0, 0.2, hips)).tolist(), rng.uniform(0.5, 1, (hips, 4))
    records = [
        HipRecord(n, good[:3], replace(width, mjsw_mm=mm, interval_mm=(mm - 0.4, mm + 0.4), quality=float(good[3])))
        for n, (mm, good) in enumerate(zip(found_mm, looked, strict=True))
    ]
    data, seen = HipDataset(Store.open(made), range(hips), CentreCrop(), 0), HipDataset(store, [0], CentreCrop(), 0)
    probs = view_and_coverage(seen, 0)[1]
    began = time.perf_counter()
    write_results(folder, "test", records, data, lambda _position: probs, keep_examples=True)
    return time.perf_counter() - began


def report(store: Store, hips: int, folder: Path) -> float:
    """Six runs that were tested on so many hips, read, compared and put on a page."""
    del store
    design, rng = Design.read(yaml.safe_load(LOSS.read_text())["ablation"]), np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0.5, 1, (hips, len(HIP_COLUMNS))), columns=list(HIP_COLUMNS))
    table["hip_id"], table["person"] = [f"h{n}" for n in range(hips)], [f"p{n // 2}" for n in range(hips)]
    table["status"], table["reason"] = "measured", ""
    runs = [
        {"arm": arm.name, "seed": seed, "run": f"{arm.name}-{seed}", "reason": ""}
        for arm in design.arms
        for seed in range(2)
    ]
    for run in runs:
        made = folder / str(run["run"])
        made.mkdir()
        table["dice_femur"] = rng.uniform(0.5, 1, hips)
        table.to_csv(made / "test_hips.csv", index=False, float_format="%.6f")
        (made / "history.csv").write_text(",".join(HISTORY_NEEDED) + "\n1,0.1,0.9,0.1\n")
        (made / "metrics.json").write_text(json.dumps({"test/num_hips": hips}))
        (made / "run.json").write_text("{}")
        (made / "config.yaml").write_text(f"seed: {run['seed']}\n")
    record = {"version": 1, "ablation": design.plain(), "record": "loss", "options": [], "scale": "demo", "runs": runs}
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "loss.json").write_text(json.dumps(record))
    began = time.perf_counter()
    sweeps = read_sweeps(folder)
    write_ablation_page(folder / "report.html", sweeps, [answer(sweep) for sweep in sweeps])
    return time.perf_counter() - began


STAGES: dict[str, Callable[[Store, int, Path], float]] = {
    "open a store and deal its persons": read_and_deal,
    f"load {BATCHES} batches of {BATCH}": load_batches,
    "write a store's tables": write_the_tables,
    "agreement with intervals": statistics,
    "put measured shards together": put_together,
    "evaluate": evaluate,
    "report on 6 runs": report,
}


def _memory_kb(name: str) -> int:
    """What Linux says of this process's memory: VmRSS now, VmHWM at most."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))


def _point(stage: str, place: str, hips: int, said: multiprocessing.Queue[tuple[float, float]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="hipjsw-scaling-"))
    try:
        store = Store.open(Path(place))
        _ = store.hips, store.records
        Path("/proc/self/clear_refs").write_text("5")  # the peak of importing is forgotten
        before = _memory_kb("VmRSS")
        seconds = STAGES[stage](store, hips, folder)
        said.put((seconds, (_memory_kb("VmHWM") - before) / 1024))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measured(place: Path, counts: Sequence[int]) -> dict[str, list[tuple[float, float]]]:
    """Seconds and MB more of each stage at each number."""
    context = multiprocessing.get_context("spawn")
    found: dict[str, list[tuple[float, float]]] = {}
    for stage in STAGES:
        found[stage] = []
        for hips in counts:
            said = context.Queue()
            process = context.Process(target=_point, args=(stage, str(place), hips, said))
            process.start()
            process.join()
            found[stage].append(said.get(timeout=5))
            print(f"{stage}, {hips} hips: {found[stage][-1][0]:.3f} s, {found[stage][-1][1]:.0f} MB", flush=True)
    return found


def phantoms() -> Path:
    """A store of phantoms; what makes it is imported here, for it would count as memory of every point."""
    from loops import configured

    place: Path = configured("coarse", None, 1, "cpu")[1].train.store.folder  # type: ignore[attr-defined]
    return place


def rows_of(found: dict[str, list[tuple[float, float]]], counts: Sequence[int]) -> list[Row]:
    """Each stage with the most hips, and how it grew there: 1 is in proportion to the hips."""
    rows, (fewer, most) = [], counts[-2:]
    for stage, points in found.items():
        (before, _), (seconds, megabytes) = points[-2:]
        power = float(np.log(seconds / before) / np.log(most / fewer))
        figure = f"{seconds:.1f} s, {megabytes:.0f} MB"
        rows.append(Row(f"{stage}, {most:,} hips", figure, f"grows as hips^{power:.2f}", "1.1 or less", power <= 1.1))
    return rows


def draw(found: dict[str, list[tuple[float, float]]], counts: Sequence[int], out: Path) -> None:
    """Two pictures in one: seconds and memory, both axes by powers of ten."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(13, 4.2), layout="constrained")
    for stage, points in found.items():
        for axis, values, least in zip(axes, zip(*points, strict=True), (1e-3, 0.1), strict=True):
            axis.loglog(counts, np.maximum(values, least), "o-", label=stage, markersize=4)
    axes[0].loglog(counts, [1e-5 * n for n in counts], ":", color="0.5", label="in proportion")
    axes[1].loglog(counts, [1e-2 * n for n in counts], ":", color="0.5")
    for axis, what in zip(axes, ("seconds", "memory, MB more"), strict=True):
        axis.set_xlabel("hips")
        axis.set_ylabel(what)
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=9, frameon=False)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--hips", type=int, nargs="+", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=Path)
    said = parser.parse_args()
    found = measured(said.store or phantoms(), said.hips)
    write_rows(said.rows, rows_of(found, said.hips))
    print("\n| | " + " | ".join(f"{n} hips" for n in said.hips) + " |\n|---" + "|---:" * len(said.hips) + "|")
    for stage, points in found.items():
        print(f"| {stage} | " + " | ".join(f"{s:.2f} s, {mb:.0f} MB" for s, mb in points) + " |")
    if said.out is not None:
        draw(found, said.hips, said.out)


if __name__ == "__main__":
    main()
