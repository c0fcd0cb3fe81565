"""Numbers of an ablation in words: digits by what is measured, intervals, probabilities."""

from __future__ import annotations

import math

from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.pooling import ENSEMBLED
from hipjsw.ablation.result import AblationResult, Cell, DifferenceRow
from hipjsw.ablation.words import NONE, number_words

__all__ = [
    "axis_of",
    "bounds",
    "cell_interval",
    "compared_words",
    "difference_interval",
    "digits_of",
    "duration",
    "interval_words",
    "measure_name",
    "probability",
    "short_name",
    "value_words",
]

#: Shares of hips and pixels, shown in percent.
_SHARES = frozenset({"unmeasurable", "unlabelled", "multiple"})
#: Measures that may be below 0, and those that cannot be above 1.
_SIGNED = frozenset({"bias_truth_mm", "overfit"})
_UP_TO_1 = _SHARES | {"dice", "dice_femur", "dice_acetabulum", "dice_joint_space"}
#: Heads of narrow columns.
_SHORT = {
    "mjsw_label_mm": "mJSW error to label (mm)",
    "mjsw_truth_mm": "mJSW error to truth (mm)",
    "raw_truth_mm": "uncorrected error to truth (mm)",
    "study_label_mm": "study's estimator, error to label (mm)",
    "bias_truth_mm": "bias to truth (mm)",
    "assd_mm": "border distance (mm)",
    "bearing_mm": "border distance along the sourcil (mm)",
    "hd95_mm": "border distance, 95th percentile (mm)",
    "unmeasurable": "not measured",
    "unlabelled": "pixels of no class",
    "multiple": "pixels of several classes",
    "instability": "instability",
    "overfit": "overfitting",
}
#: Digits of numbers that are neither Dice nor lengths.
_DIGITS = {"instability": 5, "table5_hips": 0}
#: Those with more digits than their unit has, as the study prints them.
_FINE = frozenset({"table5_study_mm", "table5_study_sd_mm", "table5_ours_mm", "table5_ours_sd_mm"})
_LEAST_P = 0.001


def measure_name(name: str) -> str:
    """What a measure is called, with its unit; its own name where it is not known."""
    measure = MEASURES.get(name)
    if measure is None:
        return name
    return f"{measure.label} ({measure.unit})" if measure.unit else measure.label


def short_name(name: str) -> str:
    """What a measure is called at the head of a narrow column."""
    return _SHORT.get(name, measure_name(name))


def axis_of(name: str) -> tuple[str, float, int]:
    """How a measure is drawn: its name below an axis, what values are multiplied by, and digits after that."""
    return (f"{measure_name(name)} (%)", 100.0, 2) if name in _SHARES else (measure_name(name), 1.0, digits_of(name))


def value_words(measure: str, value: float | None, signed: bool = False) -> str:
    """A number in the digits of its measure; a dash where undefined.

    Args:
        measure: Name of the measure.
        value: In its unit; a share of 1 is shown in percent.
        signed: Whether a plus is written too.
    """
    if value is None or not math.isfinite(value):
        return NONE
    if measure in _SHARES:
        return number_words(100 * value, 2, "%", signed)
    return number_words(value, digits_of(measure), "", signed)


def digits_of(measure: str) -> int:
    """Digits after the point: Dice to a ten-thousandth, lengths to a thousandth of a millimetre."""
    known = MEASURES.get(measure)
    if known is not None and known.unit == "mm" and measure not in _FINE:
        return 3
    return _DIGITS.get(measure, 4)


def cell_interval(measure: str, cell: Cell | None) -> str:
    """The interval of an arm's number, ``0.94 to 0.96``; empty where there is none or both ends are the number."""
    if cell is None or cell.low == cell.value == cell.high:
        return ""
    return _interval(measure, *bounds(measure, cell))


def bounds(measure: str, cell: Cell) -> tuple[float | None, float | None]:
    """The ends of an arm's interval, cut off where the measure cannot be: t intervals know nothing of that."""
    low = 0.0 if cell.low is not None and cell.low < 0 and measure not in _SIGNED else cell.low
    high = 1.0 if cell.high is not None and cell.high > 1 and measure in _UP_TO_1 else cell.high
    return low, high


def difference_interval(row: DifferenceRow) -> str:
    """The interval of a difference, likewise."""
    return _interval(row.measure, row.low, row.high, True)


def _interval(measure: str, low: float | None, high: float | None, signed: bool = False) -> str:
    if low is None or high is None:
        return ""
    ends = f"{value_words(measure, low, signed)} to {value_words(measure, high, signed)}"
    return ends.replace(" % to", " to")


def interval_words(result: AblationResult) -> str:
    """What the intervals of a result's arms are over."""
    names = {arm.name for arm in result.design.arms}  # folds put together are no arm
    done = [row.done for row in result.arms if row.arm in names]
    if max(done, default=0) < 2:
        return "over persons alone: with one run an arm, nothing is known of how training seeds vary"
    if any(runs == 1 for runs in done):
        return "over seeds and persons (of an arm with one run, over persons alone)"
    together = any(row.arm == ENSEMBLED for row in result.arms) and result.design.pooled
    return f"over seeds and persons{' (of ensembles, over persons alone)' if together else ''}"


def compared_words(result: AblationResult) -> str:
    """A sentence that says by what arms are not compared and why; empty where they are compared by everything."""
    if result.design.compared is None or result.design.pooled:
        return ""
    names = [measure_name(name) for name in result.design.compared]
    return (
        f"Compared by {', '.join(names)} alone: labels or judged pixels are not the same in all arms, so that other "
        "numbers stand by arm without a difference."
    )


def probability(p: float | None) -> str:
    """A probability to three digits, ``< 0.001`` where it is smaller."""
    if p is None or not math.isfinite(p):
        return NONE
    return f"< {_LEAST_P}" if p < _LEAST_P else f"{p:.3f}"


def duration(seconds: float | None) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
