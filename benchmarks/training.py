"""Training samples a second: ours against MONAI's UNet in a bare loop, the study's way, and our own network's limit.

    python benchmarks/training.py [--store DIR] [--seconds 20] [--rounds 3] [--view coarse] [--device cpu] [--out FILE]
    python benchmarks/training.py --sustained 120    our training alone for so long, and the study's final at its rate

All in one process, one after the other, round by round, on the same hips of one store; every loop does the same step:
forward, Dice+CE, backward, AdamW. The limit is our network in a bare loop on batches that lie in memory. The study's
way is MONAI's UNet on 512x512 pelvis views that are unpacked from gzip one by one, as from its compressed HDF5.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import lightning as L  # noqa: N812
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from omegaconf import OmegaConf
from rows import Row, machine, write_rows
from torch import Tensor, nn

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.provision import provide_store
from hipjsw.app.schema import register_schemas
from hipjsw.learning.data import Budget
from hipjsw.learning.fitting import fit

STUDY_PX, STUDY_BATCH = 512, 20
#: Samples of the study's final training: 23,544 hips, 50 epochs.
STUDY_SAMPLES = 23544 * 50
#: What is trained on where no store is named.
PHANTOM = ["data=phantom_views", "data.persons.demo=400", "data.test_hips.demo=200"]
#: Steps that are not counted.
WARM = 2
Step = Callable[[], int]


class Clock(L.Callback):
    """How long a step takes: from the end of the second, which warmed up what is compiled, to the end of the last."""

    def __init__(self) -> None:
        self.steps = 0
        self.began = self.ended = 0.0

    def on_train_batch_end(self, *_: object) -> None:
        """Look at the clock; a GPU's work of one step of many may still be under way at the end."""
        self.steps += 1
        if self.steps == WARM:
            _wait("cuda" if torch.cuda.is_available() else "cpu")
            self.began = time.perf_counter()
        self.ended = time.perf_counter()

    @property
    def seconds_a_step(self) -> float:
        """Mean of the steps that were timed."""
        return (self.ended - self.began) / (self.steps - WARM)


def configured(
    view: str, store: Path | None, steps: int, device: str, more: Sequence[str] = ()
) -> tuple[object, object]:
    """Configuration and data of our own way."""
    register_schemas()
    register_plugins()
    options = [f"view={view}", "logger=none", f"budget.steps={steps}", f"budget.val_every={steps}", *more]
    options += ["trainer=gpu"] if device == "cuda" else []
    options += PHANTOM if store is None else ["data=cohort", f"store={store}"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", options)
    return cfg, build_data(cfg, provide_store(cfg))


def kept_batches(data: object, count: int, device: str) -> list[dict[str, Tensor]]:
    """The first batches of the training stream, in memory."""
    batches = []
    for number, batch in enumerate(loaded(data, device)):
        if number == count:
            break
        batches.append(batch)
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


def loaded(data: object, device: str) -> Iterator[dict[str, Tensor]]:
    """The training stream as our loader gives it, without end."""
    while True:
        for batch in data.train_dataloader():  # type: ignore[attr-defined]
            sent = {n: value.to(device) if isinstance(value, Tensor) else value for n, value in batch.items()}
            yield data.on_after_batch_transfer(sent, 0)  # type: ignore[attr-defined]


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
    for _ in range(WARM):
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
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--view", default="coarse")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--sustained", type=float, help="seconds of our training alone")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=Path)
    said = parser.parse_args()
    logging.disable(logging.INFO)
    cfg, data = configured(said.view, said.store, 720, said.device)
    if said.sustained is not None:
        print(sustained(cfg, data, said))
        return
    batches = kept_batches(data, 8, said.device)
    steps = {
        MONAI: peer(batches, said.device),
        LIMIT: ours(cfg, cycle(batches), said.device),
        "our network, bare loop, our loader": ours(cfg, loaded(data, said.device), said.device),
        STUDY: study_way(batches, said.device),
    }
    if not said.no_compile:
        steps[COMPILED] = ours(cfg, cycle(batches), said.device, compiled=True)
    ways = {WHOLE: cfg}
    if not said.no_compile:
        ways[WHOLE_COMPILED] = OmegaConf.merge(cfg, {"trainer": {"compile": True}})
    found: dict[str, list[float]] = {name: [] for name in [*steps, *ways]}
    for number in range(said.rounds):
        for name, step in steps.items():
            found[name].append(rate(step, said.seconds, said.device))
            print(f"round {number + 1}: {name}: {found[name][-1]:.1f} samples/s", flush=True)
        for name, way in ways.items():
            expected = found[LIMIT][-1]
            found[name].append(whole_rate(way, data, said.seconds, expected))
            print(f"round {number + 1}: {name}: {found[name][-1]:.1f} samples/s", flush=True)
    text = table(found, cfg, said)
    print(text)
    write_rows(said.rows, rows_of(found))
    if said.out is not None:
        said.out.write_text(text + "\n", encoding="utf-8")


LIMIT = "our network, bare loop, in memory (the limit)"
MONAI = "MONAI's UNet, bare loop"
STUDY = "the study's way, 512x512"
COMPILED = "our network, compiled, in memory"
WHOLE, WHOLE_COMPILED = "our training, whole", "our training, whole, trainer.compile=true"


def rows_of(found: dict[str, list[float]]) -> list[Row]:
    """The table's rows; ratios are medians over the rounds."""

    def ratio(one: str, other: str) -> float:
        return float(np.median(np.array(found[one]) / np.array(found[other])))

    rows = [Row(n, f"{np.median(v):.1f} samples/s", f"{ratio(n, LIMIT):.3f} of the limit") for n, v in found.items()]
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
        f"{said.rounds} rounds of {said.seconds:g} s",
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
