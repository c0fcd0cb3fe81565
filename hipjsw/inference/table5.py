"""The study's Table 5 in three ways: as printed, in true millimetres, and as measured here.

Its number is the mean of |mJSW of the predicted mask - mJSW of the label's mask|, both by the study's estimator, times
the film's spacing over the view's pixel size instead of times the pixel size (docs/table5.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hipjsw.cohort.store import Store
from hipjsw.inference.measuring import HipRecord
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.jsw.study import StudyWidth

__all__ = ["table5"]


def table5(records: Sequence[HipRecord], store: Store, split: str) -> dict[str, float | int]:
    """Mean and standard deviation of the absolute difference to the label, hips with all three measurements.

    Args:
        records: What was measured.
        store: The store they are of; without a film's spacing nothing is as printed.
        split: First part of the names.

    Returns:
        ``<split>/table5/as_printed_mean`` and ``_sd`` (no unit), ``study_mean_mm``, ``study_sd_mm``, ``ours_mean_mm``,
        ``ours_sd_mm``, ``num_hips``; nothing where fewer than two hips have all three.
    """
    hips, pixel_mm = store.hips, store.view.pixel_mm
    rows: list[tuple[float, float, float]] = []
    for record in records:
        spacing_mm = float(hips["spacing_mm"].loc[record.row])
        label_mm = float(hips["mjsw_mm"].loc[record.row]) if record.label_mm is None else record.label_mm
        both = isinstance(record.study, StudyWidth) and isinstance(record.study_label, StudyWidth)
        if both and isinstance(record.width, JointSpaceWidth) and np.isfinite([label_mm, spacing_mm]).all():
            assert isinstance(record.study, StudyWidth)
            assert isinstance(record.study_label, StudyWidth)
            apart_px = abs(record.study.width_px - record.study_label.width_px)
            rows.append((apart_px * spacing_mm / pixel_mm, apart_px * pixel_mm, abs(record.width.mjsw_mm - label_mm)))
    if len(rows) < 2:
        return {}
    mean, sd = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
    result: dict[str, float | int] = {"num_hips": len(rows)}
    for n, (name, unit) in enumerate((("as_printed", ""), ("study", "_mm"), ("ours", "_mm"))):
        result |= {f"{name}_mean{unit}": float(mean[n]), f"{name}_sd{unit}": float(sd[n])}
    return {f"{split}/table5/{key}": value for key, value in result.items()}
