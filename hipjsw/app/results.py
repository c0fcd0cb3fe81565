"""What a test leaves behind: the table of hips, the numbers, the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hipjsw.cohort.store import Store
from hipjsw.inference.evaluation import hip_rows, summarise
from hipjsw.inference.examples import example_hips, view_and_probabilities
from hipjsw.learning.callbacks import HipRecord
from hipjsw.learning.data import HipDataset
from hipjsw.learning.task import SegmentationTask
from hipjsw.phantom.options import CohortOptions
from hipjsw.reporting.figures import HipPicture, draw_agreement, draw_curves, draw_hips
from hipjsw.reporting.tables import PHANTOM

__all__ = ["Results", "write_results"]


@dataclass(frozen=True, eq=False)
class Results:
    """What was written.

    Args:
        hips: One row a hip.
        metrics: Flat metrics.
        pictures: Pictures by name.
    """

    hips: pd.DataFrame
    metrics: dict[str, float | int | str]
    pictures: dict[str, Path]


def write_results(
    folder: Path, split: str, records: Sequence[HipRecord], task: SegmentationTask, dataset: HipDataset
) -> Results:
    """Write ``<split>_hips.csv`` and the pictures; the metrics are the caller's to write, last.

    Args:
        folder: Where.
        split: The split judged.
        records: What the network made of its hips, in the dataset's order.
        task: The network, for the pictures.
        dataset: The hips.
    """
    table = hip_rows(records, dataset.store)
    partial = folder / f".{split}_hips.csv.partial"
    table.to_csv(partial, index=False, float_format="%.6f")
    partial.replace(folder / f"{split}_hips.csv")
    metrics: dict[str, float | int | str] = {**summarise(table, dataset.store, split), **_phantom(dataset.store)}
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    pictures = _draw(figures, split, records, table, task, dataset)
    if (folder / "history.csv").is_file():
        pictures["learning_curves"] = draw_curves(pd.read_csv(folder / "history.csv"), figures / "learning_curves.png")
    return Results(table, metrics, pictures)


def _phantom(store: Store) -> dict[str, str]:
    """Which phantom the hips are of and how hard it is, in words; nothing for a real cohort."""
    made = store.meta.get("phantom")
    if not made:
        return {}
    options = CohortOptions(**{name: made[name] for name in ("look", "points_error", "planted") if name in made})
    return {PHANTOM: f"phantom version {made['phantom_version']}, seed {made['seed']}: {options.difficulty}"}


def _draw(
    figures: Path,
    split: str,
    records: Sequence[HipRecord],
    table: pd.DataFrame,
    task: SegmentationTask,
    dataset: HipDataset,
) -> dict[str, Path]:
    chosen = [
        (name, _picture(records[position], table.iloc[position], task, dataset, position))
        for name, position in example_hips(table).items()
    ]
    pictures = {f"{split}_hips": draw_hips(chosen, figures / f"{split}_hips.png")}
    for name, column in (("label", "mjsw_label_mm"), ("truth", "mjsw_truth_mm")):
        known = table[table[column].notna()]
        if known["mjsw_pred_mm"].notna().sum() > 1:
            path = figures / f"{split}_agreement_{name}.png"
            said = "label" if name == "label" else "exact truth"
            measured, reference = known["mjsw_pred_mm"].to_numpy(), known[column].to_numpy()
            pictures[f"{split}_agreement_{name}"] = draw_agreement(measured, reference, said, path)
    return pictures


def _picture(
    record: HipRecord, row: pd.Series, task: SegmentationTask, dataset: HipDataset, position: int
) -> HipPicture:
    image, probs, coverage = view_and_probabilities(task, dataset, position)
    truth = float(row["mjsw_truth_mm"])
    return HipPicture(
        image=image,
        probs=probs,
        coverage=coverage,
        pixel_mm=dataset.store.view.pixel_mm,
        width=record.width,
        label_mm=float(row["mjsw_label_mm"]),
        truth_mm=truth if np.isfinite(truth) else None,
        dice_mean=float(np.nanmean(record.dice)) if np.isfinite(record.dice).any() else float("nan"),
        caption=str(row["hip_id"]),
    )
