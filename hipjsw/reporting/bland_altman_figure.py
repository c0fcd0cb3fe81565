"""Differences of widths over their means (Bland and Altman 1986), a small diagram an arm on common axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.reporting.themed_svg import SERIES, Axis, Drawing, padded, ticks
from hipjsw.statistics.agreement import agreement

__all__ = ["Widths", "bland_altman_svgs", "limits_words", "widths_of"]

#: Size in units of the drawing.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _FOOT = 320.0, 232.0, 40.0, 12.0, 26.0, 42.0
#: Share of all differences, in percent, that the axes reach to; what lies farther is drawn at their end and counted.
_REACH_PERCENT = 99.5
#: Axes reach at least so far, in mm.
_LEAST_MM = 0.25

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Widths:
    """Widths of one run that have both numbers, in mm.

    Args:
        label: What it is of; text of any origin.
        measured: ``(n,)``.
        reference: ``(n,)``.
        num_left_out: Hips without one of the two.
        colour: Place of its arm.
    """

    label: str
    measured: Floats
    reference: Floats
    num_left_out: int
    colour: int = 0


def widths_of(hips: pd.DataFrame, label: str, reference: str, colour: int = 0) -> Widths:
    """The final widths of a run beside a reference.

    Args:
        hips: Rows of ``test_hips.csv``; columns may be missing.
        label: What they are of.
        reference: Column of the reference, e.g. ``mjsw_truth_mm``.
        colour: Place of its arm.
    """
    absent = pd.Series(np.nan, index=hips.index)
    columns = [
        pd.to_numeric(hips.get(name, absent), errors="coerce").to_numpy(dtype=np.float64)
        for name in ("mjsw_pred_mm", reference)
    ]
    both = np.isfinite(columns[0]) & np.isfinite(columns[1])
    return Widths(label, columns[0][both], columns[1][both], int((~both).sum()), colour)


def bland_altman_svgs(several: Sequence[Widths], reference_name: str) -> list[str]:
    """Draw every run's differences over the means of the two, with bias and 95 % limits of agreement.

    Args:
        several: One a diagram; all share their axes.
        reference_name: What the reference is, in words, e.g. ``exact truth``.

    Returns:
        One ``svg`` element each; one without hips says so.
    """
    apart = np.concatenate([np.abs(one.measured - one.reference) for one in several] or [np.zeros(0)])
    limits = [abs(value) for one in several for value in _limits(one)]
    reach = 1.1 * max(float(np.percentile(apart, _REACH_PERCENT)) if len(apart) else 0.0, *limits, _LEAST_MM)
    low, high = padded([v for one in several for v in ((one.measured + one.reference) / 2).tolist()], 0.04, 1.0)
    return [_panel(one, reach, (max(low, 0.0), high), reference_name) for one in several]


def _limits(one: Widths) -> list[float]:
    """Limits of agreement; none for fewer than two hips."""
    found = agreement(one.measured, one.reference)
    return [value for value in (found.low_mm, found.high_mm) if value is not None] if found else []


def limits_words(one: Widths) -> str:
    """Bias and limits of agreement in words, and over how many hips."""
    found = agreement(one.measured, one.reference)
    left_out = f", {one.num_left_out} left out" if one.num_left_out else ""
    if found is None:
        return f"no hip has both widths{left_out}"
    said = f"bias {found.bias_mm:+.3f} mm"
    if found.low_mm is not None and found.high_mm is not None:
        said += f", limits {found.low_mm:+.2f} to {found.high_mm:+.2f} mm"
    return f"{said}, {found.num} hip{'s' * (found.num != 1)}{left_out}".replace("-", "−")


def _panel(one: Widths, reach: float, span: tuple[float, float], reference_name: str) -> str:
    difference, mean = one.measured - one.reference, (one.measured + one.reference) / 2
    found = agreement(one.measured, one.reference)
    beyond = int((np.abs(difference) > reach).sum())
    drawing = Drawing(_WIDTH, _HEIGHT, _words(one, reference_name))
    x, y = Axis(*span, _LEFT, _WIDTH - _RIGHT), Axis(-reach, reach, _HEIGHT - _FOOT, _TOP)
    drawing.upwards(y, _LEFT, _WIDTH - _RIGHT, ticks(-reach, reach, 5), f"measured − {reference_name} (mm)")
    drawing.across(x, _TOP, _HEIGHT - _FOOT, ticks(*span, 5), "mean of the two (mm)")
    drawing.line((_LEFT, y.at(0.0)), (_WIDTH - _RIGHT, y.at(0.0)), "zero")
    size = "dots" if len(mean) <= 400 else "dots small"
    drawing.dots(
        [(x.at(across), y.at(up)) for across, up in zip(mean, difference, strict=True)],
        f"c{one.colour % SERIES} {size}",
    )
    if found is None:
        drawing.text(((_LEFT + _WIDTH - _RIGHT) / 2, y.at(0.0) - 8), "no hip has both widths", "tick", "middle")
        return drawing.svg()
    for value, kind in ((found.bias_mm, "bias"), (found.low_mm, "limit"), (found.high_mm, "limit")):
        if value is not None:
            drawing.line((_LEFT, y.at(value)), (_WIDTH - _RIGHT, y.at(value)), kind)
    if beyond:
        drawing.text((_WIDTH - _RIGHT, _TOP - 9), f"{beyond} farther off", "tick", "end")
    return drawing.svg()


def _words(one: Widths, reference_name: str) -> str:
    return f"{one.label}: measured mJSW less {reference_name} over the mean of the two, {len(one.measured)} hips"
