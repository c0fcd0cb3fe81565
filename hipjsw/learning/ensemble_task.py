"""Trained tasks as one that judges what they say together."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hipjsw.learning.ensemble import Averaged, Ensemble
from hipjsw.learning.task import SegmentationTask

__all__ = ["ensemble_task"]


def ensemble_task(members: Sequence[SegmentationTask]) -> SegmentationTask:
    """A task that judges what trained members say together; it cannot be trained.

    Args:
        members: Tasks whose networks have their weights.

    Raises:
        ValueError: As for ``Ensemble``.
    """
    first = members[0]
    return SegmentationTask(
        net=Ensemble([task.net for task in members], [task.activation for task in members]),
        activation=Averaged(first.activation),
        loss=first.loss,
        optimiser=first.optimiser,
        channels_last=first.memory_format == torch.channels_last,
    )
