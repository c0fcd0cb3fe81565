"""From what a network made of each hip to rows and numbers.

Three comparisons, never mixed: ``mjsw`` (prediction with label), ``mjsw_truth`` (prediction with the exact truth of a
phantom) and ``label_truth`` (label with exact truth).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from hipjsw.cohort.store import Store
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.learning.callbacks import HipRecord
from hipjsw.learning.overlap import FOREGROUND
from hipjsw.statistics.agreement import agreement

__all__ = ["HIP_COLUMNS", "hip_rows", "summarise"]

HIP_COLUMNS = (
    "hip_id",
    "mjsw_pred_mm",
    "mjsw_label_mm",
    "mjsw_truth_mm",
    *(f"dice_{name}" for name in FOREGROUND),
    "status",
    "reason",
)


def hip_rows(records: Sequence[HipRecord], store: Store) -> pd.DataFrame:
    """One row a hip with ``HIP_COLUMNS``, in the records' order; NaN where a number is undefined or unknown."""
    hips = store.hips.loc[[record.row for record in records]].reset_index(drop=True)
    measured = [isinstance(record.width, JointSpaceWidth) for record in records]
    table = pd.DataFrame(
        {
            "hip_id": hips["hip_id"],
            "mjsw_pred_mm": [r.width.mjsw_mm if isinstance(r.width, JointSpaceWidth) else np.nan for r in records],
            "mjsw_label_mm": hips["mjsw_mm"].astype(float),
            "mjsw_truth_mm": hips["mjsw_truth_mm"].astype(float),
        }
    )
    dice = np.array([record.dice for record in records]).reshape(len(records), len(FOREGROUND))
    for name, column in zip(FOREGROUND, dice.T, strict=True):
        table[f"dice_{name}"] = column
    table["status"] = np.where(measured, "measured", "unmeasurable")
    table["reason"] = ["" if isinstance(r.width, JointSpaceWidth) else r.width.reason for r in records]
    return table[list(HIP_COLUMNS)]


def summarise(table: pd.DataFrame, store: Store, split: str) -> dict[str, float | int]:
    """Flat metrics of a split's hips, ``<split>/...``; a number that is undefined is left out.

    Dice: mean over hips of each class, where defined; ``mean`` is the mean of the class means.
    """
    measured = table["status"] == "measured"
    persons = store.hips.set_index("hip_id").loc[table["hip_id"], "person"]
    result: dict[str, float | int] = {f"{split}/num_hips": len(table), f"{split}/num_persons": persons.nunique()}
    means = {name: float(table[f"dice_{name}"].mean()) for name in FOREGROUND if table[f"dice_{name}"].notna().any()}
    result |= {f"{split}/dice/{name}": value for name, value in means.items()}
    result |= {f"{split}/dice/num_undefined_{name}": int(table[f"dice_{name}"].isna().sum()) for name in FOREGROUND}
    if means:
        result[f"{split}/dice/mean"] = float(np.mean(list(means.values())))
    pairs = {
        "mjsw": ("mjsw_pred_mm", "mjsw_label_mm"),
        "mjsw_truth": ("mjsw_pred_mm", "mjsw_truth_mm"),
        "label_truth": ("mjsw_label_mm", "mjsw_truth_mm"),
    }
    for name, (value, reference) in pairs.items():
        both = table[table[value].notna() & table[reference].notna()]
        known = table[reference].notna()
        if known.any():
            result[f"{split}/{name}/num_compared"] = len(both)
            result[f"{split}/{name}/num_left_out"] = int(known.sum()) - len(both)
        found = agreement(both[value].to_numpy(), both[reference].to_numpy())
        if found is not None:
            numbers = {k: v for k, v in asdict(found).items() if v is not None and k != "num"}
            result |= {f"{split}/{name}/{key}": number for key, number in numbers.items()}
    result[f"{split}/mjsw/num_measured"] = int(measured.sum())
    result[f"{split}/mjsw/num_unmeasurable"] = int((~measured).sum())
    return result
