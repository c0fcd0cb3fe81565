"""Test hips worth looking at: the best, the median and the worst; and what the network sees of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.learning.data import HipDataset
from hipjsw.learning.task import SegmentationTask

__all__ = ["ProbsOf", "example_hips", "probs_of_task", "view_and_coverage"]

Floats = NDArray[np.float32]
#: Probabilities ``(3, h, w)`` of the hip at a position of the dataset.
ProbsOf = Callable[[int], Floats]


def example_hips(table: pd.DataFrame) -> dict[str, int]:
    """Positions of the best, the median and the worst hip by mean Dice; an unmeasurable hip is worse than any other.

    Args:
        table: Rows of ``hip_rows``, at least one.
    """
    dice = table[[f"dice_{name}" for name in FOREGROUND]].mean(axis=1).fillna(0.0)
    order = np.argsort((dice - 2.0 * (table["status"] != "measured")).to_numpy(), kind="stable")[::-1]
    return {"best": int(order[0]), "median": int(order[len(order) // 2]), "worst": int(order[-1])}


def view_and_coverage(dataset: HipDataset, position: int) -> tuple[Floats, Floats]:
    """One hip as the network sees it: image ``(h, w)`` and label coverage ``(3, h, w)``."""
    sample = dataset[position]
    return sample["image"][0].numpy(), sample["target"][1:].numpy()


def probs_of_task(task: SegmentationTask, dataset: HipDataset) -> ProbsOf:
    """The probabilities that the task measures on: the mean over its looks."""

    def probs_of(position: int) -> Floats:
        task.eval()
        with torch.inference_mode():
            image = dataset[position]["image"][None].to(task.device, next(task.parameters()).dtype)
            mean = task.looks(task.predict_foreground, image).mean(dim=0)
        return np.asarray(mean[0].float().cpu().numpy())

    return probs_of
