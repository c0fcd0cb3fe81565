"""What a run cost: time, steps, hardware."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from hipjsw.app.runs import write_json
from hipjsw.learning.data import Budget

__all__ = ["write_cost"]


def write_cost(folder: Path, budget: Budget, options: Mapping[str, Any], judge_s: float) -> None:
    """Write ``cost.json``.

    Training took as long as the rows of ``history.csv`` say, so what an interruption lost does not count.

    Args:
        folder: The run's folder.
        budget: Steps and hips a step.
        options: Of Lightning's Trainer: they say the device.
        judge_s: Seconds of measuring: the unseen hips and the test's.
    """
    history = pd.read_csv(folder / "history.csv")
    cost = {
        "train_s": round(float(history["seconds"].sum()), 3),
        "judge_s": round(judge_s, 3),
        "steps": budget.steps,
        "batch_size": budget.batch_size,
        "device": _device(str(options.get("accelerator", "auto"))),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
    write_json(folder / "cost.json", cost)


def _device(accelerator: str) -> str:
    """``cpu``, the GPU's name, or the accelerator as Lightning calls it."""
    if accelerator in ("auto", "gpu", "cuda"):
        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
        return "cpu" if accelerator == "auto" else accelerator
    return accelerator
