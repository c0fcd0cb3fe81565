"""Training samples a second: ours against MONAI's UNet in a bare loop, the study's way, and our own network's limit.

    python benchmarks/training.py [--store DIR] [--rounds 40] [--steps 3] [--view coarse] [--device cpu] [--out FILE]
    python benchmarks/training.py --sustained 120    our training alone for so long, and the study's final at its rate

All in one process, a few steps of each in turn, round by round, on the same hips of one store, so that what else the
machine does falls on all alike. The limit is our network in a bare loop on batches that lie in memory. The study's way
is MONAI's UNet on 512x512 pelvis views that are unpacked from gzip one by one, as from its compressed HDF5.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np
from loops import MONAI, WARM, Clock, Step, configured, kept_batches, loaded, ours, peer, study_way, wait
from omegaconf import OmegaConf
from rows import Row, machine, write_rows
from turns import ENDLESS, WholeTraining

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.learning.data import Budget
from hipjsw.learning.fitting import fit

#: Samples of the study's final training: 23,544 hips, 50 epochs.
STUDY_SAMPLES = 23544 * 50
#: The study's way is slow: one step of it in so many rounds.
STUDY_EVERY = 8
LIMIT = "our network, bare loop, in memory (the limit)"
STUDY = "the study's way, 512x512"
COMPILED = "our network, compiled, in memory"
WHOLE, WHOLE_COMPILED = "our training, whole", "our training, whole, trainer.compile=true"


def pace(step: Step, count: int, device: str) -> float:
    """Samples a second of so many steps."""
    wait(device)
    began = time.perf_counter()
    done = sum(step() for _ in range(count))
    wait(device)
    return done / (time.perf_counter() - began)


def whole_rate(cfg: object, data: object, seconds: float, limit: float) -> float:
    """Samples a second of our training as it is used: Lightning, loader, callbacks, without the validation."""
    size = data.budget.batch_size  # type: ignore[attr-defined]
    every = max(round(seconds * limit / size), WARM + 2)
    other = build_data(cfg, data.train.store)  # type: ignore[arg-type, attr-defined]
    other.budget = Budget(every, every, size)
    other.val.rows = other.val.rows[:size]
    task = build_task(cfg)  # type: ignore[arg-type]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        fit(task, other, other.budget, Path(folder), trainer_options(cfg), callbacks=[clock])  # type: ignore[arg-type]
    return size / clock.seconds_a_step


def sustained(cfg: object, data: object, said: argparse.Namespace) -> str:
    """Our training for so long, and the study's final training at that rate."""
    way = cfg if said.no_compile else OmegaConf.merge(cfg, {"trainer": {"compile": True}})
    guess = whole_rate(way, data, 5.0, 20.0)  # of few steps: enough to know how many fill the time
    reached = whole_rate(way, data, said.sustained, guess)
    hours = STUDY_SAMPLES / reached / 3600
    kind = "as it is" if said.no_compile else "trainer.compile=true"
    return (
        f"{way.view.name}, {kind}, {machine(said.device)}: {reached:.0f} samples/s over {said.sustained:.0f} s; the "  # type: ignore[attr-defined]
        f"study's final training (23,544 hips, 50 epochs) would take {60 * hours:.1f} minutes at this rate (projected)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=3, help="of each loop in a round")
    parser.add_argument("--view", default="coarse")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--sustained", type=float, help="seconds of our training alone")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=Path)
    said = parser.parse_args()
    logging.disable(logging.INFO)
    cfg, data = configured(said.view, said.store, ENDLESS, said.device)
    if said.sustained is not None:
        print(sustained(cfg, data, said))
        return
    loops = loops_of(cfg, data, said.device, said.no_compile)
    for step in loops.values():
        pace(step, WARM, said.device)
    found: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(said.rounds):
        for name, step in loops.items():
            seldom = name == STUDY and number % STUDY_EVERY
            found[name].append(np.nan if seldom else pace(step, 1 if name == STUDY else said.steps, said.device))
        if (number + 1) % STUDY_EVERY == 0 or number + 1 == said.rounds:
            said_so_far = ", ".join(f"{name} {np.nanmedian(values):.1f}" for name, values in found.items())
            print(f"round {number + 1} of {said.rounds}, samples/s: {said_so_far}", flush=True)
    for step in loops.values():
        if isinstance(step, WholeTraining):
            step.close()
    text = table(found, cfg, said)
    print(text)
    write_rows(said.rows, rows_of(found))
    if said.out is not None:
        said.out.write_text(text + "\n", encoding="utf-8")


def loops_of(cfg: object, data: object, device: str, no_compile: bool) -> dict[str, Step]:
    """All loops by name; each call is a step."""
    batches, store = kept_batches(data, 8, device), data.train.store  # type: ignore[attr-defined]
    loops: dict[str, Step] = {
        MONAI: peer(batches, device),
        LIMIT: ours(cfg, cycle(batches), device),
        "our network, bare loop, our loader": ours(cfg, loaded(data, device), device),
        WHOLE: WholeTraining(cfg, store),  # type: ignore[arg-type]
        STUDY: study_way(batches, device),
    }
    if not no_compile:
        way = OmegaConf.merge(cfg, {"trainer": {"compile": True}})
        loops[COMPILED] = ours(cfg, cycle(batches), device, compiled=True)
        loops[WHOLE_COMPILED] = WholeTraining(way, store)  # type: ignore[arg-type]
    return loops


def rows_of(found: dict[str, list[float]]) -> list[Row]:
    """The table's rows; ratios are medians over the rounds."""

    def ratio(one: str, other: str) -> float:
        return float(np.nanmedian(np.array(found[one]) / np.array(found[other])))

    rows = [Row(n, f"{np.nanmedian(v):.1f} samples/s", f"{ratio(n, LIMIT):.3f} of the limit") for n, v in found.items()]
    over = 1 / ratio(WHOLE, LIMIT) - 1
    rows.append(Row("loader and framework", f"{100 * over:.1f} %", "over the limit", "3 % or less", over <= 0.03))
    if COMPILED in found:
        over = ratio(COMPILED, WHOLE_COMPILED) - 1
        rows.append(Row("loader and framework, compiled", f"{100 * over:.1f} %", "over the compiled bare loop"))
    best = max((name for name in (WHOLE, WHOLE_COMPILED) if name in found), key=lambda name: ratio(name, MONAI))
    times = ratio(best, MONAI)
    rows.append(Row(f"{best}, against MONAI", f"{times:.2f} times", "MONAI's bare loop", "2 or more", times >= 2))
    rows.append(Row(f"{best}, against the study", f"{ratio(best, STUDY):.0f} times", STUDY))
    return rows


def table(found: dict[str, list[float]], cfg: object, said: argparse.Namespace) -> str:
    """Medians, and medians of the rounds' ratios to the limit."""
    limit = np.array(found[LIMIT])
    view, batch = cfg.view, cfg.budget.batch_size  # type: ignore[attr-defined]
    lines = [
        f"{view.rows_px}x{view.cols_px} pixels, batches of {batch}, {machine(said.device)}, "
        f"{said.rounds} rounds of {said.steps} steps",
        "",
        "| | samples a second | of the limit |",
        "|---|---:|---:|",
    ]
    for name, values in found.items():
        ratio = float(np.nanmedian(np.array(values) / limit))
        lines.append(f"| {name} | {np.nanmedian(values):.1f} | {ratio:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
