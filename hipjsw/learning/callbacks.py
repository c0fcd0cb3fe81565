"""What happens beside the training: the history file and the measuring of test hips."""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import numpy as np
from numpy.typing import NDArray

from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable

__all__ = ["HipRecord", "HistoryFile", "MeasureHips", "NonFiniteLossError", "ProgressLines", "StopOnNonFinite"]


log = logging.getLogger(__name__)


class NonFiniteLossError(RuntimeError):
    """Training met a loss that is not a finite number."""


class StopOnNonFinite(L.Callback):
    """Stops a run whose loss is no longer finite, and says where."""

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look at the loss of the step just made."""
        del pl_module, batch, batch_idx
        loss = float(outputs["loss"])
        if not np.isfinite(loss):
            raise NonFiniteLossError(
                f"loss is {loss} at step {trainer.global_step}; lower optim.optimizer.lr or change the loss. "
                "The best checkpoint so far is kept."
            )


class HistoryFile(L.Callback):
    """Writes one row an epoch: step, losses, validation Dice, learning rate. A resumed run goes on in the same file.

    Args:
        path: The CSV file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take up the rows of the part that was trained before."""
        del pl_module
        if self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["step"] <= trainer.global_step]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the epoch's row and write the file anew."""
        del pl_module
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {"step": float(trainer.global_step), "lr": float(trainer.optimizers[0].param_groups[0]["lr"])}
        row["train/loss"] = values.get("train/loss_epoch", float("nan"))
        row |= {name: value for name, value in sorted(values.items()) if name.startswith("val/")}
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


@dataclass(frozen=True, eq=False)
class HipRecord:
    """What a network made of one test hip.

    Args:
        row: Its row in the store.
        dice: ``(3,)`` Dice of femur, acetabulum and joint space; NaN where undefined.
        width: The measured width, or why there is none.
    """

    row: int
    dice: NDArray[np.float64]
    width: JointSpaceWidth | Unmeasurable


class MeasureHips(L.Callback):
    """Measures every test hip as its probabilities come by, so that they need not be kept.

    Args:
        pixel_mm: Size of the view's pixels in mm.
    """

    def __init__(self, pixel_mm: float) -> None:
        self.pixel_mm = pixel_mm
        self.records: list[HipRecord] = []

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
        """Measure the hips of one batch."""
        del trainer, pl_module, batch, batch_idx, dataloader_idx
        probs = outputs["probs"].float().cpu().numpy()
        dice = outputs["dice"].double().cpu().numpy()
        for row, hip_probs, hip_dice in zip(outputs["row"].tolist(), probs, dice, strict=True):
            self.records.append(HipRecord(row, hip_dice, measure_probabilities(hip_probs, self.pixel_mm)))
