"""The study's estimator alone: a table of hips in its own unit or in millimetres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hipjsw.cohort.store import Store
from hipjsw.inference.measuring import HipRecord
from hipjsw.jsw.study import StudyWidth

__all__ = ["UNITS", "study_rows", "study_summary"]

UNITS = ("mm", "as_printed")


def study_rows(records: Sequence[HipRecord], store: Store, units: str) -> pd.DataFrame:
    """One row a hip: what the study's estimator gives for the predicted and for the label's masks.

    Args:
        records: What was measured.
        store: The store they are of.
        units: ``mm``, or ``as_printed`` for the study's own number: pixels times the film's spacing over the view's.

    Returns:
        ``hip_id``, ``study_pred_<units>``, ``study_label_<units>``, ``mjsw_truth_mm``; NaN where undefined.

    Raises:
        ValueError: Another unit.
    """
    if units not in UNITS:
        raise ValueError(f"units is one of {', '.join(UNITS)}, not {units!r}")
    hips = store.hips.loc[[record.row for record in records]].reset_index(drop=True)
    pixel_mm = store.view.pixel_mm
    scale = np.full(len(hips), pixel_mm) if units == "mm" else hips["spacing_mm"].to_numpy(dtype=np.float64) / pixel_mm
    widths = {"pred": [record.study for record in records], "label": [record.study_label for record in records]}
    table = pd.DataFrame({"hip_id": hips["hip_id"]})
    for name, found in widths.items():
        pixels = np.array([width.width_px if isinstance(width, StudyWidth) else np.nan for width in found], np.float64)
        table[f"study_{name}_{units}"] = pixels * scale
    return table.assign(mjsw_truth_mm=hips["mjsw_truth_mm"].astype(float))


def study_summary(table: pd.DataFrame, units: str) -> dict[str, float | int]:
    """Mean and standard deviation of the absolute difference to the label; in mm also the error to the exact truth.

    Args:
        table: Rows of ``study_rows``.
        units: Their unit.
    """
    pred, label, truth = (
        table[name].to_numpy() for name in (f"study_pred_{units}", f"study_label_{units}", "mjsw_truth_mm")
    )
    apart = np.abs(pred - label)[np.isfinite(pred) & np.isfinite(label)]
    unit = "_mm" if units == "mm" else ""
    result: dict[str, float | int] = {"num_compared": len(apart), "num_left_out": len(table) - len(apart)}
    if len(apart) > 1:
        result |= {f"mean{unit}": float(apart.mean()), f"sd{unit}": float(apart.std(ddof=1))}
    error = (pred - truth)[np.isfinite(pred) & np.isfinite(truth)]
    if units == "mm" and len(error):
        result |= {"truth_mae_mm": float(np.abs(error).mean()), "truth_bias_mm": float(error.mean())}
    return result
