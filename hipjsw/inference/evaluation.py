"""From what was measured on each hip to rows and numbers.

Comparisons, never mixed: ``mjsw`` (prediction with label), ``mjsw_truth`` (prediction with the exact truth of a
phantom), ``label_truth`` (label with exact truth), and the same two of the 2024 study's estimator on the same
prediction, ``study`` (with label) and ``study_truth``. Readers have a file of their own: `hipjsw.inference.reader`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.cohort.store import Store
from hipjsw.inference.measuring import HipRecord
from hipjsw.jsw.profile import FIXED_DEG, JointSpaceWidth
from hipjsw.jsw.study import StudyWidth
from hipjsw.jsw.surface import SurfaceAgreement
from hipjsw.statistics.agreement import compare
from hipjsw.statistics.coverage import interval_coverage
from hipjsw.statistics.risk_coverage import risk_coverage

__all__ = [
    "COMPARISONS",
    "HIP_COLUMNS",
    "STRUCTURES",
    "Metrics",
    "hip_rows",
    "persons_of",
    "summarise",
]

#: What borders are compared of: whole classes, then the head margin and the roof along the weight-bearing part.
STRUCTURES = ("femur", "acetabulum", "joint_space", "head_bearing", "roof_bearing")

#: Measure of a border, in the order of the columns: field of ``SurfaceAgreement``, and its column.
_SURFACE = {
    "assd_mm": "assd_{}_mm",
    "hd95_mm": "hd95_{}_mm",
    "dice_05": "nsd05_{}",
    "dice_09": "nsd09_{}",
}

_PROFILE = ("p5_mm", "mean_mm", "median_mm", "lateral_mm", "central_mm", "medial_mm")
_FIXED = tuple(f"jsw{angle:.0f}_mm" for angle in FIXED_DEG)

#: Columns of text; all others are numbers.
_TEXT = ("hip_id", "person", "status", "reason")

HIP_COLUMNS = (
    "hip_id",
    "person",
    "mjsw_pred_mm",
    "mjsw_label_mm",
    "mjsw_truth_mm",
    *(f"dice_{name}" for name in FOREGROUND),
    "status",
    "reason",
    "mjsw_ci_low_mm",
    "mjsw_ci_high_mm",
    *_PROFILE,
    "quality",
    "place",
    *_FIXED,
    "raw_mjsw_mm",
    "spread_mm",
    "typicality",
    "length_mm",
    "mjsw_study_mm",
    *(column.format(name) for name in STRUCTURES for column in _SURFACE.values()),
    "unlabelled",
    "multiple",
)

#: What is compared with what: the measurement's column, the reference's, and whether the reference is free of error.
COMPARISONS = {
    "mjsw": ("mjsw_pred_mm", "mjsw_label_mm", False),
    "mjsw_truth": ("mjsw_pred_mm", "mjsw_truth_mm", True),
    "label_truth": ("mjsw_label_mm", "mjsw_truth_mm", True),
    "study": ("mjsw_study_mm", "mjsw_label_mm", False),
    "study_truth": ("mjsw_study_mm", "mjsw_truth_mm", True),
}
#: Those of the measurement with its interval and quality.
_JUDGED = ("mjsw", "mjsw_truth")

Metrics = dict[str, float | int]


def hip_rows(records: Sequence[HipRecord], store: Store) -> pd.DataFrame:
    """One row a hip with ``HIP_COLUMNS``, in the records' order; NaN where a number is undefined or unknown.

    Args:
        records: What was measured.
        store: The store that the records' rows index.

    Raises:
        ValueError: A study's width that is not in mm.
    """
    hips = store.hips.loc[[record.row for record in records]].reset_index(drop=True)
    table = pd.DataFrame([_row(record) for record in records], columns=list(HIP_COLUMNS))
    numbers = [name for name in HIP_COLUMNS if name not in _TEXT]
    table = table.astype(dict.fromkeys(numbers, np.float64))
    table["hip_id"], table["person"] = hips["hip_id"], hips["person"]
    table["mjsw_label_mm"] = hips["mjsw_mm"].astype(float)
    table["mjsw_truth_mm"] = hips["mjsw_truth_mm"].astype(float)
    for place, record in enumerate(records):
        if record.label_mm is not None:  # the store's widths are minima over the whole sourcil
            table.loc[place, ["mjsw_label_mm", "mjsw_truth_mm"]] = record.label_mm, np.nan
    return table


def _row(record: HipRecord) -> dict[str, object]:
    width = record.width
    row: dict[str, object] = {f"dice_{name}": value for name, value in zip(FOREGROUND, record.dice, strict=True)}
    row |= {"raw_mjsw_mm": record.raw_mm, "spread_mm": record.spread_mm, "typicality": record.typicality}
    row |= {"unlabelled": record.unlabelled, "multiple": record.multiple}
    if isinstance(width, JointSpaceWidth):
        row |= {"status": "measured", "reason": "", "mjsw_pred_mm": width.mjsw_mm, "quality": width.quality}
        row["mjsw_ci_low_mm"], row["mjsw_ci_high_mm"] = width.interval_mm or (None, None)
        row |= {name: getattr(width, name) for name in (*_PROFILE, "place", "length_mm")}
        row |= {name: width.at_angle(angle) for name, angle in zip(_FIXED, FIXED_DEG, strict=True)}
    else:
        row |= {"status": "unmeasurable", "reason": width.reason}
    if isinstance(record.study, StudyWidth):
        if record.study.unit != "mm":
            raise ValueError(
                f"the study's width of row {record.row} is {record.study.unit}, which is no length; "
                "measure it with units='mm'"
            )
        row["mjsw_study_mm"] = record.study.value
    for name, agreement in record.surface.items():
        row |= _surface_row(name, agreement)
    return row


def _surface_row(name: str, agreement: SurfaceAgreement) -> dict[str, object]:
    if name not in STRUCTURES:
        raise ValueError(f"no structure {name!r}; borders are of {', '.join(STRUCTURES)}")
    return {column.format(name): getattr(agreement, field) for field, column in _SURFACE.items()}


def persons_of(table: pd.DataFrame, store: Store) -> NDArray[np.object_]:
    """Pseudonym ``(n,)`` of the person of each row.

    Args:
        table: Rows of ``hip_rows``, or any table with ``hip_id``.
        store: The store they are of.

    Raises:
        ValueError: A hip that the store does not hold.
    """
    persons = store.hips.set_index("hip_id")["person"].reindex(table["hip_id"])
    if persons.isna().any():
        raise ValueError(
            f"{int(persons.isna().sum())} hips are not in the store, e.g. {persons.index[persons.isna()][0]}; "
            "give the store that they were measured on"
        )
    return persons.to_numpy(dtype=object)


def summarise(table: pd.DataFrame, store: Store, split: str) -> Metrics:
    """Flat metrics of a split's hips, ``<split>/...``; a number that is undefined is left out.

    - ``dice/<class>``: mean over hips, where defined; ``mean`` is the mean of the class means.
    - ``<comparison>/...`` for each of ``COMPARISONS`` with a known reference: ``agreement.Comparison.flat``, with
      intervals clustered by person, and ``num_left_out``, hips with a reference and no measurement.
    - ``mjsw/interval/...`` and ``mjsw_truth/interval/...``: ``coverage.IntervalCoverage.flat``;
      ``interval/mean_width_mm`` over all hips with an interval.
    - ``mjsw/risk_coverage_area_mm`` and ``..._excess_mm`` (above the best possible), likewise for ``mjsw_truth``.
    - ``surface/<structure>/assd_mm``, ``hd95_mm``, ``nsd05``, ``nsd09``: means where defined, with
      ``num_undefined_mm`` hips left out of the distances and ``num_undefined_nsd`` out of surface Dice.

    Args:
        table: Rows of ``hip_rows``.
        store: The store they are of.
        split: First part of the names.

    Raises:
        ValueError: A hip that the store does not hold.
    """
    measured = table["status"] == "measured"
    persons = persons_of(table, store)
    result: Metrics = {"num_hips": len(table), "num_persons": len(set(persons))} | _dice(table)
    for name, (value, reference, exact) in COMPARISONS.items():
        if name.startswith("study") and table["mjsw_study_mm"].isna().all():
            continue  # the study's estimator was not asked for
        result |= {f"{name}/{key}": n for key, n in _compared(table, persons, value, reference, exact).items()}
    for name in _JUDGED:
        result |= {f"{name}/{key}": n for key, n in _judged(table, persons, COMPARISONS[name][1]).items()}
    result |= {"mjsw/num_measured": int(measured.sum()), "mjsw/num_unmeasurable": int((~measured).sum())}
    result |= _interval_width(table) | _surface(table)
    return {f"{split}/{key}": value for key, value in result.items()}


def _dice(table: pd.DataFrame) -> Metrics:
    columns = {name: table[f"dice_{name}"] for name in FOREGROUND}
    means = {name: float(column.mean()) for name, column in columns.items() if column.notna().any()}
    result: Metrics = {f"dice/{name}": value for name, value in means.items()}
    result |= {f"dice/num_undefined_{name}": int(column.isna().sum()) for name, column in columns.items()}
    return result | ({"dice/mean": float(np.mean(list(means.values())))} if means else {})


def _compared(
    table: pd.DataFrame, persons: NDArray[np.object_], value: str, reference: str, exact_reference: bool
) -> Metrics:
    """Numbers of one comparison; nothing where no hip has the reference."""
    known, both = table[reference].notna(), table[[value, reference]].notna().all(axis=1).to_numpy()
    if not known.any():
        return {}
    result: Metrics = {"num_compared": int(both.sum()), "num_left_out": int(known.sum() - both.sum())}
    found = compare(
        table[value].to_numpy()[both],
        table[reference].to_numpy()[both],
        persons[both],
        exact_reference=exact_reference,
    )
    return result | (found.flat() if found is not None else {})


def _judged(table: pd.DataFrame, persons: NDArray[np.object_], reference: str) -> Metrics:
    """How intervals and quality of the measurement stand up to a reference."""
    low, high, truth, quality = (
        table[name].to_numpy() for name in ("mjsw_ci_low_mm", "mjsw_ci_high_mm", reference, "quality")
    )
    with_interval = np.isfinite(low) & np.isfinite(high) & np.isfinite(truth)
    result: Metrics = {}
    ends = low[with_interval], high[with_interval]
    of = persons[with_interval]
    held = interval_coverage(*ends, truth[with_interval], of)
    if held is not None:
        result |= {f"interval/{key}": number for key, number in held.flat().items()}
    error = table["mjsw_pred_mm"].to_numpy() - truth
    ranked = np.isfinite(error) & np.isfinite(quality)
    curve = risk_coverage(error[ranked], quality[ranked])
    if curve is not None:
        result |= {"risk_coverage_area_mm": curve.area_mm, "risk_coverage_excess_mm": curve.excess_area_mm}
        result["risk_coverage_num"] = curve.num
    return result


def _interval_width(table: pd.DataFrame) -> Metrics:
    """Mean width of the intervals, whatever the references; nothing where no hip has one."""
    width = (table["mjsw_ci_high_mm"] - table["mjsw_ci_low_mm"]).dropna()
    if len(width) == 0:
        return {}
    without = int((table["status"] == "measured").sum()) - len(width)
    return {"interval/mean_width_mm": float(width.mean()), "interval/num": len(width), "interval/num_without": without}


def _surface(table: pd.DataFrame) -> Metrics:
    """Means of the borders' distances; nothing of a structure of which nothing is known."""
    result: Metrics = {}
    for structure in STRUCTURES:
        columns = {field: table[column.format(structure)] for field, column in _SURFACE.items()}
        if all(column.isna().all() for column in columns.values()):
            continue
        for field, column in columns.items():
            if column.notna().any():
                result[f"surface/{structure}/{field.replace('dice_', 'nsd')}"] = float(column.mean())
        result[f"surface/{structure}/num_undefined_mm"] = int(columns["assd_mm"].isna().sum())
        result[f"surface/{structure}/num_undefined_nsd"] = int(columns["dice_05"].isna().sum())
    return result
