"""The ranks of one run: processes that train one network together, each on its share of every batch.

Gradients are averaged by DDP. A loss that is a ratio over the whole batch (cross entropy over the pixels that count,
Dice over a batch) is not the mean of the ranks' losses, so the ranks' logits are brought together and each computes the
loss of the whole batch: the loss, and the gradient, are those of one process, for any loss.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import lightning as L  # noqa: N812
import torch
import torch.distributed as dist
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from torch import Tensor

__all__ = [
    "RANK_VARIABLE",
    "Share",
    "StopAtOnce",
    "alone",
    "end_group",
    "num_ranks",
    "own_rank",
    "rank_environment",
    "slurm_tasks",
    "whole_batch",
]

#: Which rank a process is that rank 0 started.
RANK_VARIABLE = "HIPJSW_RANK"


@dataclass(frozen=True)
class Share:
    """What one of several ranks takes of every batch: as many hips as each other, one after the other.

    Args:
        rank: Which rank, from 0.
        ranks: How many there are.
        batch_size: Hips of the whole batch.

    Raises:
        ValueError: A batch that has no equal shares.
    """

    rank: int
    ranks: int
    batch_size: int

    def __post_init__(self) -> None:
        if self.batch_size % self.ranks:
            raise ValueError(
                f"budget.batch_size={self.batch_size} hips cannot be shared equally by {self.ranks} ranks; "
                f"name a multiple of {self.ranks}, or another trainer.options.devices"
            )

    @property
    def size(self) -> int:
        """Hips of the share."""
        return self.batch_size // self.ranks

    def has(self, number: int) -> bool:
        """Whether the draw of this number is in the share."""
        return number % self.batch_size // self.size == self.rank

    def whole_batches(self, num_hips: int) -> list[int]:
        """Positions that the rank validates: every so many-th whole batch, so no hip is seen by two ranks.

        Where there are fewer batches than ranks each rank has all: none must be without, and means stay the same.
        """
        begins = range(0, num_hips, self.batch_size)
        own = begins[self.rank :: self.ranks] if len(begins) >= self.ranks else begins
        return [n for begin in own for n in range(begin, min(begin + self.batch_size, num_hips))]


def slurm_tasks() -> int:
    """Tasks of the Slurm step that this process is one of; 1 where ``srun`` did not start it."""
    return int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))


def own_rank() -> int:
    """Which rank this process is: as rank 0 said, or as ``srun`` did; 0 where it is alone."""
    if slurm_tasks() > 1:
        return int(os.environ["SLURM_PROCID"])
    return int(os.environ.get(RANK_VARIABLE, "0"))


def num_ranks(options: Mapping[str, Any]) -> int:
    """Ranks that the options of Lightning's Trainer ask for.

    Raises:
        ValueError: ``devices`` or ``num_nodes`` is no whole number of at least 1.
    """
    numbers = []
    for name in ("devices", "num_nodes"):
        value = str(options.get(name, 1))
        if not value.isdecimal() or int(value) < 1:
            raise ValueError(f"trainer.options.{name} is a whole number of at least 1, not {value!r}")
        numbers.append(int(value))
    return numbers[0] * numbers[1]


def alone(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of Lightning's Trainer for what one process does, whatever the number of ranks that train."""
    kept = {name: value for name, value in options.items() if name not in ("strategy", "num_nodes")}
    return kept | {"devices": 1}


def rank_environment(options: Mapping[str, Any]) -> ClusterEnvironment:
    """How Lightning learns which rank it is. Slurm's requeueing is not left to it: the launcher has its own."""
    if num_ranks(options) > 1 and slurm_tasks() > 1:
        return SLURMEnvironment(auto_requeue=False)
    return LightningEnvironment()


def end_group() -> None:
    """Leave the process group, if there is one: what follows is done by each process for itself."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def whole_batch(share: Tensor) -> Tensor:
    """The whole batch of which each rank holds an equal share, in the order of the ranks.

    Its gradient is that of the mean over the ranks, which DDP takes: each rank's own share of it, times their number.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return share
    whole: Tensor = _Whole.apply(share)  # type: ignore[no-untyped-call]
    return whole


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, share: Tensor) -> Tensor:
        ctx.num = len(share)
        own = share.contiguous()
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, own)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        begin = dist.get_rank() * ctx.num
        return grads[0][begin : begin + ctx.num] * dist.get_world_size()


class StopAtOnce(L.Callback):
    """SIGTERM ends rank 0 at once, and rank 0 the others, in place of what Lightning does.

    Lightning's handler would broadcast to ranks that are in the middle of something else, and wait for them for ever.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the signal; Lightning has set its handlers just before."""
        del trainer, pl_module
        signal.signal(signal.SIGTERM, _stop if own_rank() == 0 else signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)
