"""The loops that are timed: each makes the same step, forward, Dice+CE, backward, AdamW, on batches of one store."""

from __future__ import annotations

import gzip
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
from torch import Tensor, nn

from hipjsw.app.build import build_data, build_task
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.provision import provide_store
from hipjsw.app.schema import register_schemas

STUDY_PX, STUDY_BATCH = 512, 20
#: Name of the peer.
MONAI = "MONAI's UNet, bare loop"
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
            wait("cuda" if torch.cuda.is_available() else "cpu")
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
    optimiser = task.optimiser(task.net.parameters())

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


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
