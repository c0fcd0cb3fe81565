"""The pictures of a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hipjsw.inference.evaluation import persons_of
from hipjsw.inference.examples import ProbsOf, example_hips, view_and_coverage
from hipjsw.inference.measuring import HipRecord, Measurer
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.learning.data import HipDataset
from hipjsw.reporting.figures import HipPicture, draw_agreement, draw_hips
from hipjsw.reporting.profile_figure import ProfilePicture, draw_profiles
from hipjsw.reporting.risk_coverage_figure import draw_risk_coverage
from hipjsw.statistics.agreement import compare
from hipjsw.statistics.risk_coverage import risk_coverage

__all__ = ["draw_results"]


def draw_results(
    folder: Path,
    split: str,
    records: Sequence[HipRecord],
    table: pd.DataFrame,
    dataset: HipDataset,
    probs_of: ProbsOf,
) -> dict[str, Path]:
    """Draw a test: three hips with their profiles, agreement with label and truth, risk over coverage.

    Args:
        folder: Where the pictures go.
        split: First part of their names.
        records: What was measured.
        table: Rows of ``hip_rows``.
        dataset: The hips.
        probs_of: What was measured on.

    Returns:
        Paths by name.
    """
    chosen = example_hips(table)
    hips = [
        (name, _picture(records[position], table.iloc[position], dataset, position, probs_of))
        for name, position in chosen.items()
    ]
    pictures = {f"{split}_hips": draw_hips(hips, folder / f"{split}_hips.png")}
    label = Measurer(dataset.store).label
    profiles = []
    for name, position in chosen.items():
        own = label(records[position].row)
        caption = f"{name}: hip {table['hip_id'].iloc[position]}"
        profile_mm = own.profile_mm if isinstance(own, JointSpaceWidth) else None
        profiles.append(ProfilePicture(caption, records[position].width, profile_mm))
    pictures[f"{split}_profiles"] = draw_profiles(profiles, folder / f"{split}_profiles.png")
    for name, column, said in (("label", "mjsw_label_mm", "label"), ("truth", "mjsw_truth_mm", "exact truth")):
        known = table[table[column].notna()]
        if known["mjsw_pred_mm"].notna().sum() > 1:
            pictures |= _agreement(folder / f"{split}_agreement_{name}.png", known, dataset, column, said)
            pictures |= _risk(folder / f"{split}_risk_coverage_{name}.png", known, column)
    return pictures


def _agreement(path: Path, known: pd.DataFrame, dataset: HipDataset, column: str, said: str) -> dict[str, Path]:
    measured = known[known["mjsw_pred_mm"].notna()]
    persons = persons_of(measured, dataset.store)
    found = compare(measured["mjsw_pred_mm"].to_numpy(), measured[column].to_numpy(), persons)
    numbers = {} if found is None else found.flat()
    intervals = {
        f"{name}_mm": (float(numbers[f"{name}_ci_low_mm"]), float(numbers[f"{name}_ci_high_mm"]))
        for name in ("bias", "low", "high")
        if f"{name}_ci_low_mm" in numbers
    }
    low, high = (known[name].to_numpy() for name in ("mjsw_ci_low_mm", "mjsw_ci_high_mm"))
    drawn = draw_agreement(
        known["mjsw_pred_mm"].to_numpy(),
        known[column].to_numpy(),
        said,
        path,
        low_mm=low if np.isfinite(low).any() else None,
        high_mm=high if np.isfinite(high).any() else None,
        intervals=intervals or None,
    )
    return {path.stem: drawn}


def _risk(path: Path, known: pd.DataFrame, column: str) -> dict[str, Path]:
    """Error among the best hips; nothing where quality is not known."""
    error = (known["mjsw_pred_mm"] - known[column]).to_numpy()
    quality = known["quality"].to_numpy()
    ranked = np.isfinite(error) & np.isfinite(quality)
    curve = risk_coverage(error[ranked], quality[ranked])
    if curve is None or curve.num < 2:
        return {}
    width = (known["mjsw_ci_high_mm"] - known["mjsw_ci_low_mm"]).to_numpy()[ranked]
    drawn = draw_risk_coverage(
        curve.coverage,
        curve.mae_mm,
        path,
        p95_mm=curve.p95_mm,
        width_mm=width,
        error_mm=np.abs(error[ranked]),
        num_hips=curve.num,
        num_left_out=int((~ranked).sum()),
    )
    return {path.stem: drawn}


def _picture(record: HipRecord, row: pd.Series, dataset: HipDataset, position: int, probs_of: ProbsOf) -> HipPicture:
    image, coverage = view_and_coverage(dataset, position)
    truth = float(row["mjsw_truth_mm"])
    return HipPicture(
        image=image,
        probs=probs_of(position),
        coverage=coverage,
        pixel_mm=dataset.store.view.pixel_mm,
        width=record.width,
        label_mm=float(row["mjsw_label_mm"]),
        truth_mm=truth if np.isfinite(truth) else None,
        dice_mean=float(np.nanmean(record.dice)) if np.isfinite(record.dice).any() else float("nan"),
        caption=str(row["hip_id"]),
    )
