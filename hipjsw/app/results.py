"""What a test leaves behind: the table of hips, the numbers, the subgroups, the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hipjsw.app.drawing import draw_results
from hipjsw.cohort.store import Store
from hipjsw.inference.evaluation import hip_rows, summarise
from hipjsw.inference.examples import ProbsOf
from hipjsw.inference.kept_examples import EXAMPLES, write_examples
from hipjsw.inference.measuring import HipRecord
from hipjsw.inference.subgroups import subgroup_table
from hipjsw.inference.table5 import table5
from hipjsw.learning.data import HipDataset
from hipjsw.phantom.options import CohortOptions
from hipjsw.reporting.figures import draw_curves
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
    folder: Path,
    split: str,
    records: Sequence[HipRecord],
    dataset: HipDataset,
    probs_of: ProbsOf,
    keep_examples: bool = False,
) -> Results:
    """Write ``<split>_hips.csv``, ``<split>_subgroups.csv`` and the pictures; the metrics are the caller's, last.

    Args:
        folder: Where.
        split: The split judged.
        records: What was measured on its hips, in the dataset's order.
        dataset: The hips.
        probs_of: What was measured on, for the pictures.
        keep_examples: Also write ``examples.npz``, for pages that compare runs.
    """
    store = dataset.store
    table = hip_rows(records, store)
    _write_table(table, folder / f"{split}_hips.csv")
    groups = [
        subgroup_table(table, store, name).assign(compared_with=name)
        for name, column in (("label", "mjsw_label_mm"), ("truth", "mjsw_truth_mm"))
        if table[column].notna().any()
    ]
    if groups:
        _write_table(pd.concat(groups, ignore_index=True), folder / f"{split}_subgroups.csv")
    if keep_examples:
        write_examples(folder / EXAMPLES, records, table, dataset, probs_of)
    metrics: dict[str, float | int | str] = {
        **summarise(table, store, split),
        **table5(records, store, split),
        **_phantom(store),
    }
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    pictures = draw_results(figures, split, records, table, dataset, probs_of)
    if (folder / "history.csv").is_file():
        pictures["learning_curves"] = draw_curves(pd.read_csv(folder / "history.csv"), figures / "learning_curves.png")
    return Results(table, metrics, pictures)


def _write_table(table: pd.DataFrame, path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    table.to_csv(partial, index=False, float_format="%.6f")
    partial.replace(path)


def _phantom(store: Store) -> dict[str, str]:
    """Which phantom the hips are of and how hard it is, in words; nothing for a real cohort."""
    made = store.meta.get("phantom")
    if not made:
        return {}
    options = CohortOptions(**{name: made[name] for name in ("look", "points_error", "planted") if name in made})
    return {PHANTOM: f"phantom version {made['phantom_version']}, seed {made['seed']}: {options.difficulty}"}
