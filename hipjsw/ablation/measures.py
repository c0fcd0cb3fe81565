"""What is compared of runs: a number a test hip, or one a whole run, each with its name and its better direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["HIP_NEEDED", "HIP_TEXT", "HISTORY_NEEDED", "MEASURES", "Measure", "hip_values", "run_values"]

Floats = NDArray[np.float64]

_DICE = ("dice_femur", "dice_acetabulum", "dice_joint_space")
_ASSD = ("assd_femur_mm", "assd_acetabulum_mm")
_BEARING = ("assd_head_bearing_mm", "assd_roof_bearing_mm")
_HD95 = ("hd95_femur_mm", "hd95_acetabulum_mm")
_WIDTHS = ("mjsw_pred_mm", "mjsw_label_mm", "mjsw_truth_mm", "raw_mjsw_mm", "mjsw_study_mm")

#: Columns of ``test_hips.csv`` that hold text.
HIP_TEXT = ("hip_id", "person", "status", "reason")
#: Columns of ``test_hips.csv`` that measures read.
HIP_NEEDED = (*HIP_TEXT, *_DICE, *_WIDTHS, *_ASSD, *_BEARING, *_HD95, "unlabelled", "multiple")
#: Columns of ``history.csv`` that measures read.
HISTORY_NEEDED = ("step", "train/loss", "val/dice/mean", "val/loss")

#: Fewest successive differences that have a spread.
_LEAST_DIFFERENCES = 2


@dataclass(frozen=True)
class Measure:
    """Something that can be compared.

    Args:
        name: As designs and records call it.
        label: As tables call it, without the unit.
        unit: ``mm``, or empty for Dice, losses and shares (which are of 1, not of 100).
        higher_is_better: None where neither direction is better.
        kind: ``hip``, a number a test hip, or ``run``, one a whole run.
        of: From the table of test hips to ``(n,)``, or from the history to one number; NaN where undefined.
        counts: Whether a hip is 1 or 0 and nothing between.
        of_metrics: Whether ``of`` takes a run's ``metrics.json`` in place of its history.
    """

    name: str
    label: str
    unit: str
    higher_is_better: bool | None
    kind: str
    of: Callable[[Any], Floats | float] = field(repr=False, compare=False)
    counts: bool = False
    of_metrics: bool = False


def hip_values(measure: Measure, hips: pd.DataFrame, hip_ids: Sequence[str]) -> Floats:
    """The measure of hips in a given order.

    Args:
        measure: One of kind ``hip``.
        hips: A run's ``test_hips.csv``; each hip once.
        hip_ids: Whose, ``n`` of them.

    Returns:
        ``(n,)``, NaN where undefined or where the run did not measure the hip.
    """
    column = pd.Series(np.asarray(measure.of(hips), np.float64), index=hips["hip_id"].to_numpy(dtype=object))
    return _defined(column.reindex(list(hip_ids)))


def run_values(measure: Measure, told: Sequence[pd.DataFrame | Mapping[str, Any]]) -> Floats:
    """The measure of whole runs.

    Args:
        measure: One of kind ``run``.
        told: ``history.csv`` of ``r`` runs, or their ``metrics.json`` where the measure is ``of_metrics``.

    Returns:
        ``(r,)``, NaN where undefined.
    """
    return _defined([float(measure.of(one)) for one in told])


def _defined(values: ArrayLike) -> Floats:
    """NaN for what is infinite: a distance or a loss without bounds is no number to take a mean of."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _column(name: str) -> Callable[[pd.DataFrame], Floats]:
    return lambda hips: hips[name].to_numpy(dtype=np.float64)


def _apart(first: str, second: str, signed: bool = False) -> Callable[[pd.DataFrame], Floats]:
    def of(hips: pd.DataFrame) -> Floats:
        difference = _column(first)(hips) - _column(second)(hips)
        return difference if signed else np.abs(difference)

    return of


def _mean_dice(hips: pd.DataFrame) -> Floats:
    """Mean over the classes; one that is undefined, empty in both masks, is left out as in every mean of Dice."""
    return hips[list(_DICE)].mean(axis=1, skipna=True).to_numpy(dtype=np.float64)


def _mean_of(columns: Sequence[str]) -> Callable[[pd.DataFrame], Floats]:
    """Mean of columns; undefined where one of them is: the distance to a bone that was not found is no number."""
    return lambda hips: hips[list(columns)].mean(axis=1, skipna=False).to_numpy(dtype=np.float64)


def _unmeasurable(hips: pd.DataFrame) -> Floats:
    return np.asarray(hips["status"] != "measured", dtype=np.float64)


def _instability(history: pd.DataFrame) -> float:
    """Standard deviation of the steps from one validation's mean Dice to the next, over the last half of them.

    A steady rise or fall is no instability. Undefined with fewer than three validations in that half.
    """
    if len(history) == 0:
        return float("nan")
    dice = history["val/dice/mean"].to_numpy(dtype=np.float64)
    differences = np.diff(dice[len(dice) // 2 :])
    return float(differences.std(ddof=1)) if len(differences) >= _LEAST_DIFFERENCES else float("nan")


def _overfit(history: pd.DataFrame) -> float:
    """Validation's loss less training's, at the last validation."""
    if len(history) == 0:
        return float("nan")
    last = history.iloc[-1]
    return float(last["val/loss"]) - float(last["train/loss"])


def _metric(name: str) -> Callable[[Mapping[str, Any]], float]:
    def of(metrics: Mapping[str, Any]) -> float:
        value = metrics.get(name)
        return float(value) if isinstance(value, int | float) else float("nan")

    return of


def _table5(name: str, label: str, unit: str, key: str) -> Measure:
    """A number of `hipjsw.inference.table5`; it is small where two masks err alike: neither direction is better."""
    return Measure(name, f"Table 5: {label}", unit, None, "run", _metric(f"test/table5/{key}"), of_metrics=True)


def _measures(*several: Measure) -> Mapping[str, Measure]:
    return {measure.name: measure for measure in several}


#: Everything that is compared, in the order of tables.
MEASURES: Mapping[str, Measure] = _measures(
    Measure("dice", "Dice", "", True, "hip", _mean_dice),
    Measure("dice_femur", "Dice, femur", "", True, "hip", _column(_DICE[0])),
    Measure("dice_acetabulum", "Dice, acetabulum", "", True, "hip", _column(_DICE[1])),
    Measure("dice_joint_space", "Dice, joint space", "", True, "hip", _column(_DICE[2])),
    Measure("mjsw_label_mm", "mJSW error to the label", "mm", False, "hip", _apart("mjsw_pred_mm", "mjsw_label_mm")),
    Measure(
        "mjsw_truth_mm", "mJSW error to the exact truth", "mm", False, "hip", _apart("mjsw_pred_mm", "mjsw_truth_mm")
    ),
    Measure(
        "raw_truth_mm",
        "mJSW error to the exact truth before correction",
        "mm",
        False,
        "hip",
        _apart("raw_mjsw_mm", "mjsw_truth_mm"),
    ),
    Measure(
        "study_label_mm",
        "mJSW by the study's estimator, error to the label",
        "mm",
        False,
        "hip",
        _apart("mjsw_study_mm", "mjsw_label_mm"),
    ),
    Measure(
        "bias_truth_mm",
        "mJSW bias to the exact truth before correction",
        "mm",
        None,
        "hip",
        _apart("raw_mjsw_mm", "mjsw_truth_mm", signed=True),
    ),
    Measure("assd_mm", "mean distance of the bones' borders", "mm", False, "hip", _mean_of(_ASSD)),
    Measure("bearing_mm", "border distance along the sourcil", "mm", False, "hip", _mean_of(_BEARING)),
    Measure("hd95_mm", "95th percentile of the borders' distance", "mm", False, "hip", _mean_of(_HD95)),
    Measure("unmeasurable", "share of hips not measured", "", False, "hip", _unmeasurable, counts=True),
    Measure("unlabelled", "share of pixels without any class", "", False, "hip", _column("unlabelled")),
    Measure("multiple", "share of pixels with several classes", "", False, "hip", _column("multiple")),
    Measure("instability", "instability of validation Dice", "", False, "run", _instability),
    Measure("overfit", "validation loss less training loss", "", False, "run", _overfit),
    _table5("table5_printed", "study's estimator as printed, mean", "", "as_printed_mean"),
    _table5("table5_printed_sd", "study's estimator as printed, SD", "", "as_printed_sd"),
    _table5("table5_study_mm", "study's estimator, mean", "mm", "study_mean_mm"),
    _table5("table5_study_sd_mm", "study's estimator, SD", "mm", "study_sd_mm"),
    _table5("table5_ours_mm", "sub-pixel contour, mean", "mm", "ours_mean_mm"),
    _table5("table5_ours_sd_mm", "sub-pixel contour, SD", "mm", "ours_sd_mm"),
    _table5("table5_hips", "hips of a run", "", "num_hips"),
)
