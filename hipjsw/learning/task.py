"""The LightningModule: a built net, activation, loss and optimiser, and one step that all stages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import lightning as L  # noqa: N812
import torch
from torch import Tensor, nn

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.learning.activation import Activation
from hipjsw.learning.averaging import Looks
from hipjsw.learning.data import Batch
from hipjsw.learning.embedding import Embedding
from hipjsw.learning.loss import Loss
from hipjsw.learning.overlap import ImageDice, dice_scores, hard_target
from hipjsw.learning.ranks import whole_batch

__all__ = ["OptimiserFactory", "ScheduleFactory", "SegmentationTask", "Step"]

OptimiserFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
ScheduleFactory = Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]


class Step(NamedTuple):
    """What one pass over a batch gives: the loss and the logits ``(B, C, H, W)``, without their gradient."""

    loss: Tensor
    logits: Tensor


class SegmentationTask(L.LightningModule):
    """Trains and judges a network; draws nothing and writes no files.

    Logs ``train/loss``, ``val/loss``, ``val/dice/...`` and ``test/dice/...`` (mean over images of each class, and the
    mean of the class means; the empty case is ``ImageDice``'s).

    Args:
        net: Image ``(B, 1, H, W)`` to logits ``(B, activation.num_channels, H, W)``.
        activation: What the logits mean.
        loss: What is made small; in training as it is ``at`` the task's progress, in validation as it is at the end,
            so that validation losses of one run can be compared.
        optimiser: Makes the optimiser from the parameters.
        schedule: Makes the learning rate's schedule, stepped every batch; None for a constant rate.
        channels_last: Memory layout of the convolutions; the same numbers to rounding. Faster on GPUs, slower on CPUs.
        steps: Optimiser steps of the whole training; None for a task whose training has no known end.
        compiled: Whether training steps run a compiled network (torch.compile): faster after a warm-up of half a
            minute, the same numbers to rounding. Validation and test run it as it is.
    """

    def __init__(
        self,
        net: nn.Module,
        activation: Activation,
        loss: Loss,
        optimiser: OptimiserFactory,
        schedule: ScheduleFactory | None = None,
        channels_last: bool = False,
        steps: int | None = None,
        compiled: bool = False,
    ) -> None:
        super().__init__()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.net = net.to(memory_format=self.memory_format)  # type: ignore[call-overload]
        self.activation = activation
        self.loss = loss
        self.optimiser = optimiser
        self.schedule = schedule
        self.steps = steps
        #: In a list, or it would be a second network of this module.
        self._compiled = [torch.compile(self.net, dynamic=False)] if compiled else []
        #: How a test hip is looked at for measuring; Dice is always the unmoved look's.
        self.looks = Looks(1)
        self.val_dice = ImageDice()
        self.test_dice = ImageDice()

    def forward(self, image: Tensor) -> Tensor:
        """Logits of images ``(B, 1, H, W)``."""
        net = self._compiled[0] if self._compiled and self.training else self.net
        logits: Tensor = net(image.contiguous(memory_format=self.memory_format))
        return logits

    def predict_foreground(self, image: Tensor) -> Tensor:
        """Probabilities ``(B, 3, H, W)`` of femur, acetabulum and joint space."""
        return self.activation.probs(self(image))[:, -len(FOREGROUND) :]

    @property
    def progress(self) -> float:
        """Share of the training's steps already made, 0 to 1; 1 where its end is not known."""
        return 1.0 if self.steps is None else min(self.global_step / self.steps, 1.0)

    def _step(self, batch: Batch, progress: float = 1.0, together: bool = False) -> Step:
        logits = self(batch["image"])
        weight = batch["weight"] * batch["emphasis"] if "emphasis" in batch else batch["weight"]
        judged = (logits, batch["target"], weight)
        loss = self.loss.at(progress)(self.activation, *(map(whole_batch, judged) if together else judged))
        return Step(loss, logits.detach())

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Loss of one batch; of several ranks each has the loss of the whole."""
        step = self._step(batch, self.progress, together=True)
        self.log("train/loss", step.loss, on_step=True, on_epoch=True, prog_bar=True, batch_size=len(batch["row"]))
        return step.loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Loss and Dice of one validation batch."""
        step = self._step(batch)
        self.log("val/loss", step.loss, on_epoch=True, batch_size=len(batch["row"]), sync_dist=True)
        masks = self.activation.decode(self.activation.probs(step.logits))
        self.val_dice.update(masks, hard_target(batch["target"]), batch["weight"])

    def on_validation_epoch_end(self) -> None:
        """Log the validation Dice."""
        self._log_dice("val", self.val_dice, prog_bar=True)

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:  # noqa: ARG002
        """One test batch: foreground probabilities ``(looks, B, 3, H, W)``, masks and Dice of the unmoved look."""
        with Embedding(self.net) as embedding:
            probs = self.activation.probs(self(batch["image"]))
            features = embedding.rows(len(probs))
        looks = self.looks(self.predict_foreground, batch["image"], probs[:, -len(FOREGROUND) :])
        masks, reference = self.activation.decode(probs), hard_target(batch["target"])
        self.test_dice.update(masks, reference, batch["weight"])
        return {
            "row": batch["row"],
            "looks": looks,
            "masks": masks,
            "target": batch["target"][:, -len(FOREGROUND) :],
            "embedding": features,
            "dice": dice_scores(masks, reference, batch["weight"]),
        }

    def on_test_epoch_end(self) -> None:
        """Log the test Dice."""
        self._log_dice("test", self.test_dice)

    def _log_dice(self, stage: str, metric: ImageDice, prog_bar: bool = False) -> None:
        for name, value in metric.compute().items():
            if not name.startswith("num"):
                self.log(f"{stage}/dice/{name}", value.float(), prog_bar=prog_bar and name == "mean")
        metric.reset()

    def configure_optimizers(self) -> Any:
        """Optimiser over all parameters, and its schedule if there is one."""
        optimiser = self.optimiser(self.parameters())
        if self.schedule is None:
            return optimiser
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": self.schedule(optimiser), "interval": "step"},
        }
