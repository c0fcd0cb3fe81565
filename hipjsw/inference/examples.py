"""Test hips worth looking at: the best, the median and the worst."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from hipjsw.learning.data import HipDataset
from hipjsw.learning.overlap import FOREGROUND
from hipjsw.learning.task import SegmentationTask

__all__ = ["example_hips", "view_and_probabilities"]

Floats = NDArray[np.float32]


def example_hips(table: pd.DataFrame) -> dict[str, int]:
    """Positions of the best, the median and the worst hip by mean Dice; an unmeasurable hip is worse than any other.

    Args:
        table: Rows of ``hip_rows``, at least one.
    """
    dice = table[[f"dice_{name}" for name in FOREGROUND]].mean(axis=1).fillna(0.0)
    order = np.argsort((dice - 2.0 * (table["status"] != "measured")).to_numpy(), kind="stable")[::-1]
    return {"best": int(order[0]), "median": int(order[len(order) // 2]), "worst": int(order[-1])}


def view_and_probabilities(task: SegmentationTask, dataset: HipDataset, position: int) -> tuple[Floats, Floats, Floats]:
    """One hip as the network sees it: image ``(h, w)``, probabilities and label coverage ``(3, h, w)``."""
    sample = dataset[position]
    task.eval()
    with torch.inference_mode():
        probs: Any = task.predict_foreground(sample["image"][None].to(task.device))[0].float().cpu().numpy()
    return sample["image"][0].numpy(), probs, sample["target"][1:].numpy()
