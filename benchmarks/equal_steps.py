"""Validation Dice and seconds after equal steps: MONAI's UNet in a bare loop, and ours as it is used.

    python benchmarks/equal_steps.py [--store DIR] [--steps 720] [--seeds 1] [--view coarse] [--out FILE]

All see the same batches of the same stream, with the same optimiser and schedule; MONAI's loop has MONAI's loss, ours
its own. Dice is the mean over validation hips and classes of the last weights, by the same code. Seconds are of the
training's steps; validation is left out.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from loops import MONAI, Clock, configured, loaded, monai_net
from monai.losses import DiceCELoss
from omegaconf import OmegaConf
from rows import Row, machine, write_rows
from torch import Tensor, nn

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.learning.data import Budget
from hipjsw.learning.fitting import LAST, fit
from hipjsw.learning.overlap import ImageDice, hard_target

WAYS = {
    "ours": {},
    "ours, trainer.compile=true": {"trainer": {"compile": True}},
    "ours, half the channels, compiled": {"net": {"channels": [8, 16, 32, 64, 128]}, "trainer": {"compile": True}},
}


def dice_of(net: nn.Module, data: object, decode: object) -> float:
    """Mean validation Dice of a network."""
    metric = ImageDice()
    net.eval()
    with torch.inference_mode():
        for batch in data.val_dataloader():  # type: ignore[attr-defined]
            masks = decode(net(batch["image"]))  # type: ignore[operator]
            metric.update(masks, hard_target(batch["target"]), batch["weight"])
    return float(metric.compute()["mean"])


def monai_way(cfg: object, data: object, steps: int, seed: int) -> tuple[float, float]:
    """MONAI's network and loss; the optimiser and schedule of the configuration."""
    torch.manual_seed(seed)
    task = build_task(cfg)  # type: ignore[arg-type]
    net, loss = monai_net(), DiceCELoss(softmax=True)
    optimiser = task.optimiser(net.parameters())
    schedule = task.schedule(optimiser)  # type: ignore[misc]
    batches, spent = loaded(data, "cpu"), 0.0
    for _ in range(steps):
        began = time.perf_counter()
        batch = next(batches)
        optimiser.zero_grad()
        loss(net(batch["image"]), batch["target"]).backward()
        optimiser.step()
        schedule.step()
        spent += time.perf_counter() - began
    return dice_of(net, data, lambda logits: _decoded(task, logits)), spent


def _decoded(task: object, logits: Tensor) -> Tensor:
    activation = task.activation  # type: ignore[attr-defined]
    masks: Tensor = activation.decode(activation.probs(logits))
    return masks


def our_way(cfg: object, data: object, steps: int) -> tuple[float, float]:
    """Our training as it is used, with one validation at its end."""
    task, clock = build_task(cfg), Clock()  # type: ignore[arg-type]
    data.budget = Budget(steps, steps, data.budget.batch_size)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        fit(task, data, data.budget, Path(folder), trainer_options(cfg), callbacks=[clock])  # type: ignore[arg-type, attr-defined]
        assert (Path(folder) / LAST).is_file()
    return dice_of(task.net, data, lambda logits: _decoded(task, logits)), clock.seconds_a_step * steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--steps", type=int, default=720)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--view", default="coarse")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=Path)
    said = parser.parse_args()
    logging.disable(logging.INFO)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in [MONAI, *WAYS]}
    for seed in range(said.seeds):
        cfg, data = configured(said.view, said.store, said.steps, "cpu", [f"seed={seed}", "dataset_size=full_equal"])
        ways = {MONAI: lambda c=cfg, d=data, s=seed: monai_way(c, d, said.steps, s)}
        for name, more in WAYS.items():
            way = OmegaConf.merge(cfg, more)
            ways[name] = lambda c=way, d=data: our_way(c, build_data(c, d.train.store), said.steps)
        for name, run in ways.items():
            found[name].append(run())
            print(f"seed {seed}: {name}: Dice {found[name][-1][0]:.4f}, {found[name][-1][1]:.0f} s", flush=True)
    text = table(found, said, machine("cpu"), len(data.train), len(data.val))
    print(text)
    write_rows(said.rows, rows_of(found, said.steps))
    if said.out is not None:
        said.out.write_text(text + "\n", encoding="utf-8")


def rows_of(found: dict[str, list[tuple[float, float]]], steps: int) -> list[Row]:
    """The table's rows, means over the seeds."""
    base, rows = np.array(found[MONAI]), []
    for name, values in found.items():
        dice, seconds = np.array(values).T
        less, times = float((dice - base[:, 0]).mean()), float(np.median(base[:, 1] / seconds))
        figure = f"{dice.mean():.4f}"
        if name == MONAI:
            rows.append(Row(f"{name}: validation Dice after {steps} steps", figure))
        else:
            ratio = f"{less:+.4f} to MONAI's, {times:.2f} times its rate"
            rows.append(Row(name, figure, ratio, "within 0.005", abs(less) <= 0.005))
    return rows


def table(
    found: dict[str, list[tuple[float, float]]], said: argparse.Namespace, where: str, train: int, val: int
) -> str:
    """Means over the seeds, against MONAI's loop."""
    base = np.array(found[MONAI])
    lines = [
        f"{said.steps} steps, {said.seeds} seeds, {train} hips to train and {val} to validate, {where}",
        "",
        "| | validation Dice | less MONAI's | samples a second, of MONAI's |",
        "|---|---:|---:|---:|",
    ]
    for name, values in found.items():
        dice, seconds = np.array(values).T
        less = dice - base[:, 0]
        lines.append(f"| {name} | {dice.mean():.4f} | {less.mean():+.4f} | {np.median(base[:, 1] / seconds):.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
