"""How well two measurements of the same hips agree: scatter, and differences over means (Bland and Altman 1986)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from hipjsw.reporting.style import GROUPS, REFERENCE, interval_text, plain_axes, save, spread
from hipjsw.statistics.agreement import Agreement, agreement

__all__ = ["draw_agreement"]

SIZE = (11.0, 5.2)
#: What may have an interval of its own, by the names of ``Agreement``.
SHADED = ("bias_mm", "low_mm", "high_mm")
#: Hips whose group is not known, or that have no colour of their own any more.
UNKNOWN, OTHERS, GREY = "unknown", "others", ("0.55", "x")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs with both widths, in mm; ``low`` and ``high`` NaN where a prediction has no interval."""

    pred: Floats
    reference: Floats
    low: Floats
    high: Floats
    group: NDArray[np.str_]
    out: int

    @property
    def difference(self) -> Floats:
        return self.pred - self.reference

    @property
    def furthest_mm(self) -> float:
        """The largest difference, whiskers included; 0 without pairs."""
        ends = np.abs(np.concatenate([self.difference, self.low - self.reference, self.high - self.reference]))
        return float(np.max(ends, initial=0.0, where=np.isfinite(ends)))

    @property
    def mean(self) -> Floats:
        return (self.pred + self.reference) / 2


def draw_agreement(
    pred_mm: ArrayLike,
    reference_mm: ArrayLike,
    reference_name: str,
    path: Path,
    *,
    low_mm: ArrayLike | None = None,
    high_mm: ArrayLike | None = None,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    groups: ArrayLike | pd.Series | pd.Categorical | None = None,
) -> Path:
    """Draw predicted against reference widths, and their differences over their means (Bland and Altman 1986).

    Args:
        pred_mm: ``(n,)`` predicted widths in mm; NaN where unmeasurable.
        reference_mm: ``(n,)`` what they are compared with, e.g. the label's; NaN where there is none.
        reference_name: What that is, in words.
        path: What to write, in the format of its suffix (``style.save``).
        low_mm: ``(n,)`` lower end of each prediction's interval, drawn as a light whisker; NaN where it has none.
        high_mm: ``(n,)`` upper end likewise.
        intervals: 95 % intervals in mm of ``bias_mm``, ``low_mm``, ``high_mm`` (the bias and the limits of agreement),
            shaded; any may be missing.
        groups: ``(n,)`` a group a hip, e.g. its OA class, a colour and a mark each; None, NaN or empty where unknown.
            In the order of a categorical's categories, else of their names; from the sixth on they share one mark.

    Returns:
        The path. Pairs with a NaN are left out and counted; limits are drawn from two pairs on.

    Raises:
        ValueError: Arrays of several lengths, an interval of something else, or one end of the whiskers without the
            other.
    """
    unknown = sorted(set(intervals or {}) - set(SHADED))
    if unknown:
        raise ValueError(f"intervals are of {', '.join(SHADED)}, not of {', '.join(unknown)}")
    if (low_mm is None) != (high_mm is None):
        raise ValueError("whiskers need both low_mm and high_mm")
    names, order = _groups(groups, np.size(pred_mm))
    pairs = _pairs(pred_mm, reference_mm, low_mm, high_mm, names)
    figure = Figure(figsize=SIZE, layout="constrained")
    scatter, bland = figure.subplots(1, 2)
    count = f"{len(pairs.pred)} hip{'s' * (len(pairs.pred) != 1)}"
    count += f", {pairs.out} left out for want of a width" if pairs.out else ""
    figure.suptitle(f"mJSW, prediction against {reference_name}: {count}", fontsize=13)
    styles = _styles(order)
    _draw_hips(scatter, pairs, pairs.reference, 0.0, styles)
    _draw_hips(bland, pairs, pairs.mean, pairs.reference, styles)
    found = agreement(pairs.pred, pairs.reference)
    if found is not None:
        _draw_identity(scatter, pairs)
        _draw_limits(bland, found, pairs.furthest_mm, intervals or {})
    plain_axes(scatter, f"{reference_name} (mm)", "prediction (mm)", "Predicted width")
    plain_axes(bland, "mean of the two (mm)", f"prediction − {reference_name} (mm)", "Difference")
    if groups is not None:
        _name_groups(figure, pairs, styles)
    return save(figure, path)


def _groups(groups: Any, count: int) -> tuple[NDArray[np.str_], list[str]]:
    """Name of each hip's group, and the known groups in order, with those that have no hip; none without groups."""
    if groups is None:
        return np.full(count, ""), []
    found = pd.Categorical(groups)
    names = np.array([UNKNOWN, *(str(name).strip() or UNKNOWN for name in found.categories)])
    given = names[np.asarray(found.codes) + 1]
    return given, [name for name in dict.fromkeys(names[1:].tolist()) if name != UNKNOWN]


def _pairs(pred: Any, reference: Any, low: Any, high: Any, names: NDArray[np.str_]) -> _Pairs:
    """The pairs that have both widths."""
    columns = [np.full(np.size(pred), np.nan) if column is None else column for column in (pred, reference, low, high)]
    arrays = [np.asarray(column, dtype=np.float64).ravel() for column in columns]
    lengths = [len(array) for array in (*arrays, names)]
    if len(set(lengths)) > 1:
        raise ValueError(
            "pred_mm, reference_mm, low_mm, high_mm and groups are of the same hips in the same order; "
            f"got lengths {', '.join(map(str, lengths))}"
        )
    both = np.isfinite(arrays[0]) & np.isfinite(arrays[1])
    pred_mm, reference_mm, low_mm, high_mm = (array[both] for array in arrays)
    return _Pairs(pred_mm, reference_mm, low_mm, high_mm, names[both], int((~both).sum()))


def _styles(order: list[str]) -> dict[str, tuple[str, str, str]]:
    """Colour, mark and legend name of each group; those of hips without a group as well."""
    styles = {name: (*mark, name) for name, mark in zip(order, GROUPS, strict=False)}
    styles |= dict.fromkeys(order[len(GROUPS) :], (*GREY, OTHERS))
    return styles | {UNKNOWN: (*GREY, OTHERS if len(order) > len(GROUPS) else UNKNOWN), "": (*GROUPS[0], "")}


def _draw_hips(
    axes: Axes, pairs: _Pairs, across: Floats, less: Floats | float, styles: dict[str, tuple[str, str, str]]
) -> None:
    """A mark a hip and its whisker, at ``across`` and at its prediction ``less`` something."""
    size = float(np.clip(28 * np.sqrt(200 / max(len(pairs.pred), 1)), 8, 28))
    known = np.isfinite(pairs.low) & np.isfinite(pairs.high)
    colours = np.array([styles[name][0] for name in pairs.group.tolist()], dtype=object)
    if known.any():
        low, high = pairs.low - less, pairs.high - less
        faint = float(np.clip(60 / known.sum(), 0.12, 0.4))
        axes.vlines(across[known], low[known], high[known], colors=list(colours[known]), lw=0.8, alpha=faint, zorder=1)
    up = pairs.pred - less
    for name, (colour, mark, _) in styles.items():
        mine = pairs.group == name
        if mine.any():
            edge: dict[str, Any] = {"linewidths": 1.0} if mark == "x" else {"edgecolors": "none"}
            axes.scatter(across[mine], up[mine], s=size, color=colour, marker=mark, alpha=0.65, **edge)


def _draw_identity(axes: Axes, pairs: _Pairs) -> None:
    """The line where both are the same, from 0 to the largest width on square axes."""
    high = 1.05 * max(pairs.pred.max(), pairs.reference.max(), np.nanmax([1.0, *pairs.high]))
    axes.plot([0, high], [0, high], color="0.4", lw=1.2, label="identity")
    axes.set(xlim=(0, high), ylim=(0, high), aspect="equal")
    axes.legend(frameon=False, loc="upper left")


def _draw_limits(
    axes: Axes, found: Agreement, furthest_mm: float, intervals: Mapping[str, tuple[float, float]]
) -> None:
    """Lines of bias and 95 % limits, shaded by their intervals; their values beside the axes so as to hide no hip."""
    lines = [("bias_mm", "bias", "-"), ("high_mm", "upper 95 % limit", "--"), ("low_mm", "lower 95 % limit", "--")]
    drawn = [(key, name, dash, getattr(found, key)) for key, name, dash in lines if getattr(found, key) is not None]
    shown = [intervals[key] for key, *_ in drawn if key in intervals]
    reach = 1.15 * max(*(abs(value) for *_, value in drawn), furthest_mm, 0.1, *np.abs(shown).ravel())
    rows = 3 if shown else 2
    heights = spread([value for *_, value in drawn], 2 * reach * (0.055 * rows + 0.02))
    for (key, name, dash, value), height in zip(drawn, heights, strict=True):
        text = f"{name}\n{value:+.2f} mm".replace("-", "−")
        if key in intervals:
            axes.axhspan(*intervals[key], color=REFERENCE, alpha=0.16, lw=0, zorder=0.8)
            text += f"\n({interval_text(intervals[key])})"
        axes.axhline(value, color=REFERENCE, lw=1.8, ls=dash)
        axes.text(1.02, height, text, transform=axes.get_yaxis_transform(), va="center", fontsize=10)
    axes.axhline(0, color="0.4", lw=1.0, zorder=1.2)
    axes.set_ylim(-reach, reach)


def _name_groups(figure: Figure, pairs: _Pairs, styles: dict[str, tuple[str, str, str]]) -> None:
    """A legend of the groups with how many hips each has; those of one mark together."""
    counts: dict[str, int] = {}
    marks: dict[str, tuple[str, str]] = {}
    for name, (colour, mark, shown) in styles.items():
        if not name:
            continue
        counts[shown] = counts.get(shown, 0) + int((pairs.group == name).sum())
        marks[shown] = colour, mark
    handles = [
        Line2D([], [], color=marks[name][0], marker=marks[name][1], ls="", ms=7, label=f"{name} (n = {count})")
        for name, count in counts.items()
        if count
    ]
    if handles:
        columns = len(handles) if len(handles) <= 4 else 3
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=11)
