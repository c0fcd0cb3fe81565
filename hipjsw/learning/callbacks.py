"""What happens beside the training: the history file and the measuring of test hips."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import lightning as L  # noqa: N812
import numpy as np
import torch

from hipjsw.learning.hip_output import HipOutput

__all__ = ["HistoryFile", "MeasureHips", "NonFiniteLossError", "ProgressLines", "StopOnNonFinite"]


log = logging.getLogger(__name__)

T = TypeVar("T")

#: So often is said how far the measuring is.
QUARTERS = 4


class NonFiniteLossError(RuntimeError):
    """Training met a loss, a gradient or a weight that is not a finite number."""


class StopOnNonFinite(L.Callback):
    """Stops a run before a step that is no longer finite, and says where.

    The step is not made, so that the weights stay those of the step before; nothing of it reaches a checkpoint.
    """

    def __init__(self) -> None:
        self.rows = torch.empty(0, dtype=torch.long)
        self.loss = torch.zeros(())
        self.weights: list[torch.nn.Parameter] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """List the weights, once."""
        del trainer
        self.weights = list(pl_module.parameters())

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note which hips are in the batch."""
        del trainer, pl_module, batch_idx
        self.rows = batch["row"]

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: torch.Tensor) -> None:
        """Note the loss."""
        del trainer, pl_module
        self.loss = loss.detach()

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any) -> None:
        """Look at loss and gradient, together: on a GPU each look waits for it."""
        del optimizer, pl_module
        found = [p.grad for p in self.weights if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(found) if found else torch.zeros_like(self.loss)
        loss, size = torch.stack([self.loss, norm.to(self.loss.dtype)]).tolist()
        if not np.isfinite(loss):
            raise NonFiniteLossError(self._said(trainer, f"the loss is {loss}"))
        if not np.isfinite(size):
            raise NonFiniteLossError(self._said(trainer, f"the gradient's norm is {size}"))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at the weights before they are saved."""
        bad = [name for name, value in pl_module.state_dict().items() if not bool(torch.isfinite(value).all())]
        if bad:
            raise NonFiniteLossError(self._said(trainer, f"{bad[0]} is not finite"))

    def _said(self, trainer: L.Trainer, what: str) -> str:
        table = getattr(getattr(trainer, "datamodule", None), "train", None)
        rows = self.rows.tolist()
        names = [str(row) for row in rows] if table is None else list(table.store.hips["hip_id"].loc[rows])
        last = trainer.checkpoint_callback
        kept = Path(str(getattr(last, "last_model_path", "") or ""))
        there = f"{kept.name} holds the weights of the last epoch that went well" if kept.name else "nothing was saved"
        return (
            f"{what} at step {trainer.global_step + 1}, with the hips {', '.join(names)}; {there}. "
            "Lower optim.optimizer.lr or change the loss"
        )


class HistoryFile(L.Callback):
    """Writes one row an epoch: step, losses, validation Dice, learning rate, and ``seconds``, its wall time.

    An epoch lasts from its start, or the end of the one before, to the end of its validation. A resumed run goes on in
    the same file; the time of an epoch that was cut short is in no row.

    Args:
        path: The CSV file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.since_s = time.monotonic()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take up the rows of the part that was trained before."""
        del pl_module
        if self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["step"] <= trainer.global_step]
        self.since_s = time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the epoch's row and write the file anew."""
        del pl_module
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {"step": float(trainer.global_step), "lr": float(trainer.optimizers[0].param_groups[0]["lr"])}
        row["train/loss"] = values.get("train/loss_epoch", float("nan"))
        row |= {name: value for name, value in sorted(values.items()) if name.startswith("val/")}
        now_s = time.monotonic()
        row["seconds"], self.since_s = round(now_s - self.since_s, 3), now_s
        self.rows.append(row)
        partial = self.path.with_name(self.path.name + ".partial")
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerows(self.rows)
        partial.replace(self.path)


class ProgressLines(L.Callback):
    """Says a line an epoch where nobody sees a progress bar."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say how far the training is and how well it does."""
        del pl_module
        values = trainer.callback_metrics
        log.info(
            "epoch %d/%s, step %d: training loss %.4f, validation Dice %.4f",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            trainer.global_step,
            float(values.get("train/loss_epoch", float("nan"))),
            float(values.get("val/dice/mean", float("nan"))),
        )


class MeasureHips(L.Callback, Generic[T]):
    """Hands every test hip on as it comes by, so that probabilities need not be kept.

    Args:
        measure: Makes of each what is to be kept.
    """

    def __init__(self, measure: Callable[[HipOutput], T]) -> None:
        self.measure = measure
        self.records: list[T] = []

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget an earlier test."""
        del trainer, pl_module
        self.records = []

    def on_test_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Hand on the hips of one batch."""
        del pl_module, batch, dataloader_idx
        looks, dice, masks, target, embedding = (
            outputs[name].cpu().numpy() for name in ("looks", "dice", "masks", "target", "embedding")
        )
        for n, row in enumerate(outputs["row"].tolist()):
            output = HipOutput(row, dice[n].astype(np.float64), looks[:, n], masks[n], target[n], embedding[n])
            self.records.append(self.measure(output))
        batches = sum(int(number) for number in trainer.num_test_batches)
        if (batch_idx + 1) * QUARTERS // batches > batch_idx * QUARTERS // batches:
            log.info("measured %d hips, %d of %d batches", len(self.records), batch_idx + 1, batches)
