"""Figures of a run: its hips, its learning curves and how well the widths agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from hipjsw.reporting.hip_figure import draw_hip, draw_hips
from hipjsw.reporting.picture import HipPicture, contrast_map
from hipjsw.reporting.style import COLOURS, NEUTRAL, REFERENCE, plain_axes, save
from hipjsw.statistics.agreement import Agreement, agreement

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
        path: PNG to write.

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


def draw_agreement(pred_mm: ArrayLike, reference_mm: ArrayLike, reference_name: str, path: Path) -> Path:
    """Draw predicted against reference widths, and their differences over their means (Bland and Altman 1986).

    Args:
        pred_mm: ``(n,)`` predicted widths in mm; NaN where unmeasurable.
        reference_mm: ``(n,)`` what they are compared with, e.g. the label's; NaN where there is none.
        reference_name: What that is, in words.
        path: PNG to write.

    Returns:
        The path. Pairs with a NaN are left out and counted; limits are drawn from two pairs on.
    """
    pred, reference = (np.asarray(values, dtype=np.float64).ravel() for values in (pred_mm, reference_mm))
    both = np.isfinite(pred) & np.isfinite(reference)
    out = int((~both).sum())
    pred, reference = pred[both], reference[both]
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    scatter, bland = figure.subplots(1, 2)
    count = f"{len(pred)} hips" + (f", {out} left out for want of a width" if out else "")
    figure.suptitle(f"mJSW, prediction against {reference_name}: {count}", fontsize=14)
    dots: dict[str, Any] = {"s": 28, "color": NEUTRAL, "alpha": 0.6, "edgecolors": "none"}
    scatter.scatter(reference, pred, **dots)
    bland.scatter((pred + reference) / 2, pred - reference, **dots)
    found = agreement(pred, reference)
    if found is not None:
        high = 1.05 * max(pred.max(), reference.max(), 1.0)
        scatter.plot([0, high], [0, high], color="0.4", lw=1.2, label="identity")
        scatter.set(xlim=(0, high), ylim=(0, high), aspect="equal")
        scatter.legend(frameon=False, loc="upper left")
        _limits(bland, found, float(np.abs(pred - reference).max()))
    plain_axes(scatter, f"{reference_name} (mm)", "prediction (mm)", "Predicted width")
    plain_axes(bland, "mean of the two (mm)", f"prediction − {reference_name} (mm)", "Difference")
    return save(figure, path)


def _limits(axes: Axes, found: Agreement, furthest_mm: float) -> None:
    """Lines of bias and 95 % limits, their values beside the axes so that they hide no hip."""
    lines = [(found.bias_mm, "bias", "-", "center")]
    if found.low_mm is not None and found.high_mm is not None:
        lines += [
            (found.high_mm, "upper 95 %\nlimit", "--", "bottom"),
            (found.low_mm, "lower 95 %\nlimit", "--", "top"),
        ]
    for value, name, dash, side in lines:
        axes.axhline(value, color=REFERENCE, lw=1.8, ls=dash)
        text = f"{name}\n{value:+.2f} mm".replace("-", "−")
        axes.text(1.02, value, text, transform=axes.get_yaxis_transform(), va=side)
    reach = 1.25 * max(*(abs(value) for value, *_ in lines), furthest_mm, 0.1)
    axes.axhline(0, color="0.4", lw=1.0)
    axes.set_ylim(-reach, reach)


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
