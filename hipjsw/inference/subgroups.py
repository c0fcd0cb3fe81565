"""Agreement by subgroup: where a measurement is good and where it is not.

A hip's subgroups come from the store and from the reference alone, never from the prediction, so that a hip does not
move to another group because it was misjudged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hipjsw.cohort.store import Store
from hipjsw.statistics.agreement import compare

__all__ = ["GROUPS", "SUBGROUP_COLUMNS", "groups_left_out", "subgroup_table"]

#: Ways to group hips: by cohort, the person's sex, width class, the film's pixel size, and side of the body.
GROUPS = ("all", "dataset", "sex", "oa_class", "spacing", "side")

#: Column of each reference, and whether it is free of error.
_REFERENCES = {
    "label": ("mjsw_label_mm", False),
    "truth": ("mjsw_truth_mm", True),
    "reader": ("mjsw_reader_mm", False),
}

#: Upper limit in mm of each class of the reference width, its own limit included; domain: bone on bone below 0.5,
#: osteoarthritis up to 2.0, at risk up to 2.5.
OA_CLASSES = (("bone on bone", 0.5), ("osteoarthritis", 2.0), ("at risk", 2.5), ("healthy", np.inf))
#: Upper limit of each class of the film's pixel size in mm.
SPACINGS = (("<= 0.12 mm/px", 0.12), ("0.12-0.15 mm/px", 0.15), ("0.15-0.18 mm/px", 0.18), ("> 0.18 mm/px", np.inf))

_NUMBERS = ("mae_mm", "bias_mm", "sd_mm", "rmse_mm", "icc2", "within_05")
SUBGROUP_COLUMNS = (
    *("group", "level", "per", "num_hips", "num_persons", "num_compared", "num_unmeasurable"),
    *(
        name
        for number in _NUMBERS
        for stem, unit in ((number.removesuffix("_mm"), "_mm" if number.endswith("_mm") else ""),)
        for name in (number, f"{stem}_ci_low{unit}", f"{stem}_ci_high{unit}")
    ),
)


def groups_left_out(store: Store) -> dict[str, str]:
    """Groups that the store knows nothing of, and why; they have no row in ``subgroup_table``."""
    columns = {"dataset": "dataset", "sex": "sex", "spacing": "spacing_mm", "side": "side"}
    return {
        group: f"hips.csv says no {column} of any hip"
        for group, column in columns.items()
        if column not in store.hips.columns or store.hips[column].isna().all()
    }


def subgroup_table(table: pd.DataFrame, store: Store, comparison: str = "truth") -> pd.DataFrame:
    """Agreement by subgroup, per hip and per person.

    Per person, the mean of a person's measured hips within the level is compared with the mean of the same hips'
    references, so that the error is the person's mean error and everybody counts once. All intervals are clustered by
    person.

    Args:
        table: Rows of ``evaluation.hip_rows``; for readers, ``reader.with_readings`` of one reader.
        store: The store they are of.
        comparison: What the prediction is compared with: ``label``, ``truth`` or ``reader``. They are never mixed;
            hips without the reference are in no row.

    Returns:
        ``SUBGROUP_COLUMNS``, two rows (``per`` hip, person) for each level that occurs. ``num_hips`` and
        ``num_persons`` are those with a reference, ``num_compared`` hips or persons with a measurement as well,
        ``num_unmeasurable`` hips without one. A hip of which the store does not know a group is in level
        ``unknown``. NaN where undefined. Groups of ``groups_left_out`` are absent.

    Raises:
        ValueError: Another comparison, a hip that the store does not hold, or no column of readings.
    """
    value, reference, exact = _columns(table, comparison)
    known = table[table[reference].notna()].reset_index(drop=True)
    hips = store.hips.set_index("hip_id").reindex(known["hip_id"]).reset_index()
    if hips["person"].isna().any():
        raise ValueError(
            f"{int(hips['person'].isna().sum())} hips are not in the store, e.g. "
            f"{hips['hip_id'][hips['person'].isna()].iloc[0]}; give the store that they were measured on"
        )
    pairs = pd.DataFrame({"person": hips["person"], "value": known[value], "reference": known[reference]})
    rows: list[dict[str, Any]] = []
    for group, (of_hip, order) in _levels(hips, pairs["reference"], groups_left_out(store)).items():
        for level in order:
            chosen = pairs[(of_hip == level).to_numpy()]
            if len(chosen):
                rows += [{"group": group, "level": level} | row for row in _rows(chosen, exact)]
    return pd.DataFrame(rows, columns=list(SUBGROUP_COLUMNS))


def _columns(table: pd.DataFrame, comparison: str) -> tuple[str, str, bool]:
    """Columns of measurement and reference, and whether the reference is exact."""
    if comparison not in _REFERENCES:
        raise ValueError(f"comparison is one of {', '.join(_REFERENCES)}, not {comparison!r}")
    reference, exact = _REFERENCES[comparison]
    if reference not in table.columns:
        raise ValueError(f"the table has no {reference}; join one reader's widths with reader.with_readings")
    return "mjsw_pred_mm", reference, exact


def _levels(
    hips: pd.DataFrame, reference_mm: pd.Series[float], left_out: Mapping[str, str]
) -> dict[str, tuple[pd.Series[str], list[str]]]:
    """Level of each hip and the order of levels, by group."""
    found: dict[str, tuple[pd.Series[str], list[str]]] = {"all": (pd.Series("all", index=hips.index), ["all"])}
    for group in GROUPS[1:]:
        if group in left_out:
            continue
        if group == "oa_class":
            level, order = _class_of(reference_mm, OA_CLASSES)
        elif group == "spacing":
            level, order = _class_of(hips["spacing_mm"].astype(float), SPACINGS)
        else:
            level = hips[group].astype(object).where(hips[group].notna(), "unknown").astype(str)
            order = sorted(set(level))
        found[group] = level, order
    return found


def _class_of(values: pd.Series[float], classes: Sequence[tuple[str, float]]) -> tuple[pd.Series[str], list[str]]:
    """First class whose upper limit is not passed; ``unknown`` for NaN."""
    names = [name for name, _ in classes]
    at = np.searchsorted([limit for _, limit in classes], values.to_numpy(), side="left")
    level = pd.Series([*names, "unknown"], dtype=object).iloc[np.minimum(at, len(names))]
    return level.reset_index(drop=True), [*names, "unknown"]


def _rows(pairs: pd.DataFrame, exact_reference: bool) -> list[dict[str, Any]]:
    """The row per hip and the row per person of one level's hips with a reference."""
    measured = pairs[pairs["value"].notna()]
    counts = {
        "num_hips": len(pairs),
        "num_persons": int(pairs["person"].nunique()),
        "num_unmeasurable": len(pairs) - len(measured),
    }
    means = measured.groupby("person", sort=False)[["value", "reference"]].mean().reset_index()
    return [
        {"per": per, "num_compared": len(chosen)} | counts | _numbers(chosen, exact_reference)
        for per, chosen in (("hip", measured), ("person", means))
    ]


def _numbers(pairs: pd.DataFrame, exact_reference: bool) -> dict[str, float]:
    found = compare(
        pairs["value"].to_numpy(),
        pairs["reference"].to_numpy(),
        pairs["person"].to_numpy(),
        exact_reference=exact_reference,
    )
    if found is None:
        return {}
    flat = found.flat()
    return {name: flat[name] for name in SUBGROUP_COLUMNS if name in flat and not name.startswith("num_")}
