"""Training samples a second: ours against MONAI's UNet in a bare loop, the study's way, and our own network's limit.

    python benchmarks/training.py [--store DIR] [--seconds 20] [--rounds 3] [--view coarse] [--device cpu] [--out FILE]

All in one process, one after the other, round by round, on the same hips of one store; every loop does the same step:
forward, Dice+CE, backward, AdamW. The limit is our network in a bare loop on batches that lie in memory. The study's
way is MONAI's UNet on 512x512 pelvis views that are unpacked from gzip one by one, as from its compressed HDF5.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import lightning as L  # noqa: N812
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from omegaconf import OmegaConf
from torch import Tensor, nn

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.provision import provide_store
from hipjsw.app.schema import register_schemas
from hipjsw.learning.data import Budget
from hipjsw.learning.fitting import fit

STUDY_PX, STUDY_BATCH = 512, 20
Step = Callable[[], int]


class _Clock(L.Callback):
    """When each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        """Look at the clock."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())


def configured(view: str, store: Path | None, steps: int, device: str) -> tuple[object, object]:
    """Configuration and data of our own way."""
    register_schemas()
    register_plugins()
    options = [f"view={view}", "logger=none", f"budget.steps={steps}", f"budget.val_every={steps}"]
    options += ["trainer=gpu"] if device == "cuda" else []
    if store is not None:
        options += ["data=cohort", f"store={store}"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", options)
    return cfg, build_data(cfg, provide_store(cfg))


def kept_batches(data: object, count: int, device: str) -> list[dict[str, Tensor]]:
    """The first batches of the training stream, in memory."""
    batches = []
    for number, batch in enumerate(data.train_dataloader()):  # type: ignore[attr-defined]
        if number == count:
            break
        batches.append({name: value.to(device) for name, value in batch.items()})
    return batches


def optimiser_of(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)


def mixed(device: str) -> torch.autocast:
    """bfloat16 on a GPU, as trainer=gpu says; nothing on a CPU."""
    return torch.autocast(device, torch.bfloat16, enabled=device == "cuda")


def ours(cfg: object, batches: Iterator[dict[str, Tensor]], device: str, compiled: bool = False) -> Step:
    """Our network and loss in a bare loop."""
    task = build_task(cfg).to(device)  # type: ignore[arg-type]
    task.train()
    if compiled:
        task.net.compile()
    optimiser = optimiser_of(task.net)

    def step() -> int:
        batch = {name: value.to(device) for name, value in next(batches).items()}
        optimiser.zero_grad()
        with mixed(device):
            loss = task._step(batch, 0.0).loss
        loss.backward()
        optimiser.step()
        return len(batch["row"])

    return step


def loaded(data: object) -> Iterator[dict[str, Tensor]]:
    """The training stream as our loader gives it, without end."""
    while True:
        yield from data.train_dataloader()  # type: ignore[attr-defined]


def monai_net() -> nn.Module:
    """The study's shape in MONAI's own defaults."""
    return UNet(2, 1, 4, channels=(16, 32, 64, 128, 256), strides=(2, 2, 2, 2), num_res_units=2)


def peer(batches: list[dict[str, Tensor]], device: str) -> Step:
    """MONAI's network and loss in a bare loop, on the same batches in memory."""
    net, loss = monai_net().to(device), DiceCELoss(softmax=True)
    optimiser, endless = optimiser_of(net), cycle(batches)

    def step() -> int:
        batch = next(endless)
        optimiser.zero_grad()
        with mixed(device):
            value = loss(net(batch["image"]), batch["target"])
        value.backward()
        optimiser.step()
        return len(batch["row"])

    return step


def study_way(batches: list[dict[str, Tensor]], device: str) -> Step:
    """512x512 pelvis views, packed one by one; labels are whole numbers, one-hot when read."""
    net, loss = monai_net().to(device), DiceCELoss(softmax=True)
    optimiser, rng = optimiser_of(net), np.random.default_rng(0)
    image = torch.nn.functional.interpolate(batches[0]["image"].cpu(), (STUDY_PX, STUDY_PX), mode="bilinear")
    label = torch.nn.functional.interpolate(batches[0]["target"].cpu(), (STUDY_PX, STUDY_PX)).argmax(1)
    packed = [
        tuple(gzip.compress(np.ascontiguousarray(array, dtype=kind).tobytes(), 4) for array, kind in pair)
        for pair in (((one, np.float32), (of, np.uint8)) for one, of in zip(image[:, 0], label, strict=True))
    ]

    def step() -> int:
        drawn = [packed[n] for n in rng.integers(len(packed), size=STUDY_BATCH)]
        shape = (STUDY_PX, STUDY_PX)
        images = np.stack([np.frombuffer(gzip.decompress(one), np.float32).reshape(shape) for one, _ in drawn])
        labels = np.stack([np.frombuffer(gzip.decompress(of), np.uint8).reshape(shape) for _, of in drawn])
        target = torch.nn.functional.one_hot(torch.from_numpy(labels).long(), 4).permute(0, 3, 1, 2).float()
        optimiser.zero_grad()
        with mixed(device):
            value = loss(net(torch.from_numpy(images)[:, None].to(device)), target.to(device))
        value.backward()
        optimiser.step()
        return STUDY_BATCH

    return step


def rate(step: Step, seconds: float, device: str) -> float:
    """Samples a second, after two steps that are not counted."""
    for _ in range(2):
        step()
    _wait(device)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        done += step()
        _wait(device)
    return done / (time.perf_counter() - began)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def whole_rate(cfg: object, data: object, seconds: float, limit: float) -> float:
    """Samples a second of our training as it is used: Lightning, loader, callbacks, without the validation."""
    size = data.budget.batch_size  # type: ignore[attr-defined]
    every = max(round(seconds * limit / size), 4)
    other = build_data(cfg, data.train.store)  # type: ignore[arg-type, attr-defined]
    other.budget = Budget(every, every, size)
    other.val.rows = other.val.rows[:size]
    task = build_task(cfg)  # type: ignore[arg-type]
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder:
        fit(task, other, other.budget, Path(folder), trainer_options(cfg), callbacks=[clock])  # type: ignore[arg-type]
    return (len(clock.ends) - 1) * size / (clock.ends[-1] - clock.ends[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--view", default="coarse")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--out", type=Path)
    said = parser.parse_args()
    logging.disable(logging.INFO)
    cfg, data = configured(said.view, said.store, 720, said.device)
    batches = kept_batches(data, 8, said.device)
    steps = {
        "MONAI's UNet, bare loop": peer(batches, said.device),
        "our network, bare loop, in memory (the limit)": ours(cfg, cycle(batches), said.device),
        "our network, bare loop, our loader": ours(cfg, loaded(data), said.device),
        "the study's way, 512x512": study_way(batches, said.device),
    }
    if not said.no_compile:
        steps["our network, compiled, in memory"] = ours(cfg, cycle(batches), said.device, compiled=True)
    ways = {"our training, whole": cfg}
    if not said.no_compile:
        ways["our training, whole, trainer.compile=true"] = OmegaConf.merge(cfg, {"trainer": {"compile": True}})
    found: dict[str, list[float]] = {name: [] for name in [*steps, *ways]}
    for number in range(said.rounds):
        for name, step in steps.items():
            found[name].append(rate(step, said.seconds, said.device))
            print(f"round {number + 1}: {name}: {found[name][-1]:.1f} samples/s", flush=True)
        for name, way in ways.items():
            expected = found["our network, bare loop, in memory (the limit)"][-1]
            found[name].append(whole_rate(way, data, said.seconds, expected))
            print(f"round {number + 1}: {name}: {found[name][-1]:.1f} samples/s", flush=True)
    text = table(found, cfg, said)
    print(text)
    if said.out is not None:
        said.out.write_text(text + "\n", encoding="utf-8")


def table(found: dict[str, list[float]], cfg: object, said: argparse.Namespace) -> str:
    """Medians, and medians of the rounds' ratios to the limit."""
    limit = np.array(found["our network, bare loop, in memory (the limit)"])
    view, batch = cfg.view, cfg.budget.batch_size  # type: ignore[attr-defined]
    device = torch.cuda.get_device_name() if said.device == "cuda" else f"{os.cpu_count()} cores ({platform.machine()})"
    lines = [
        f"{view.rows_px}x{view.cols_px} pixels, batches of {batch}, {device}, {torch.get_num_threads()} threads, "
        f"{said.rounds} rounds of {said.seconds:g} s, torch {torch.__version__}",
        "",
        "| | samples a second | of the limit |",
        "|---|---:|---:|",
    ]
    for name, values in found.items():
        ratio = float(np.median(np.array(values) / limit))
        lines.append(f"| {name} | {np.median(values):.1f} | {ratio:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
