"""Figures of a run: its hips, its learning curves and how well the widths agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hipjsw.reporting.agreement_figure import draw_agreement
from hipjsw.reporting.hip_figure import draw_hip, draw_hips
from hipjsw.reporting.picture import HipPicture, contrast_map
from hipjsw.reporting.style import COLOURS, NEUTRAL, REFERENCE, plain_axes, save

__all__ = ["HipPicture", "contrast_map", "draw_agreement", "draw_curves", "draw_hip", "draw_hips"]

DICE = {
    "val/dice/femur": ("femur", 1.3),
    "val/dice/acetabulum": ("acetabulum", 1.3),
    "val/dice/joint_space": ("joint_space", 1.3),
    "val/dice/mean": ("mean", 2.6),
}


def draw_curves(history: Sequence[Mapping[str, float]] | pd.DataFrame, path: Path) -> Path:
    """Draw the learning curves: losses, learning rate, validation Dice.

    Args:
        history: One row an epoch with ``step``, ``lr``, ``train/loss``, ``val/loss`` and ``val/dice/...``; columns
            may be missing and numbers NaN.
        path: What to write, in the format of its suffix (``style.save``).

    Returns:
        The path.
    """
    table = pd.DataFrame(history)
    figure = Figure(figsize=(12, 5), layout="constrained")
    axes = figure.subplot_mosaic([["loss", "dice"], ["lr", "dice"]], height_ratios=[3, 1])
    _curve(axes["loss"], table, "train/loss", "training", color=NEUTRAL, lw=2)
    _curve(axes["loss"], table, "val/loss", "validation", color=REFERENCE, lw=2)
    _curve(axes["lr"], table, "lr", None, color="0.3", lw=1.5)
    for column, (name, width) in DICE.items():
        _curve(axes["dice"], table, column, name.replace("_", " "), color=COLOURS[name], lw=width)
    plain_axes(axes["loss"], "", "loss", "Loss")
    plain_axes(axes["lr"], "optimiser steps", "learning rate", "")
    plain_axes(axes["dice"], "optimiser steps", "validation Dice", "Validation Dice")
    axes["loss"].sharex(axes["lr"])
    axes["loss"].tick_params(labelbottom=False)
    axes["lr"].set_ylim(bottom=0)
    _mark_best(axes["dice"], table)
    for name in ("loss", "dice"):
        if axes[name].get_legend_handles_labels()[0]:
            axes[name].legend(frameon=False, loc="best")
    figure.suptitle(f"Learning curves over {len(table)} epochs", fontsize=14)
    return save(figure, path)


def _curve(axes: Axes, table: pd.DataFrame, column: str, label: str | None, **style: Any) -> None:
    if column in table and "step" in table:
        known = table[["step", column]].astype(float).replace([np.inf, -np.inf], np.nan).dropna()
        if len(known):
            axes.plot(known["step"], known[column], label=label, marker="." if len(known) < 40 else None, **style)


def _mark_best(axes: Axes, table: pd.DataFrame) -> None:
    """A ring round the best validation Dice, and its value."""
    if "step" not in table or "val/dice/mean" not in table or not table["val/dice/mean"].notna().any():
        return
    value = float(table["val/dice/mean"].max())
    step = float(table["step"][table["val/dice/mean"] == value].iloc[0])
    axes.plot(step, value, "o", ms=11, mfc="none", mec=REFERENCE, mew=2, label=f"best mean {value:.4f}")
