"""Several runs put together: their test hips, a table of values by run and hip, and an arm's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipjsw.ablation.measures import MEASURES, Measure, hip_values, run_values
from hipjsw.ablation.result import Cell
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.statistics.bootstrap import Estimate, share_estimate
from hipjsw.statistics.paired import run_level_mean, run_mean

__all__ = [
    "ENSEMBLED",
    "POOLED",
    "HipSet",
    "Row",
    "arm_cells",
    "ensemble_rows",
    "hips_of",
    "pooled_rows",
    "rows_of",
    "value_table",
    "values_of_runs",
]

#: Name of the row of all folds put together, and of the one of all folds' ensembles put together.
POOLED, ENSEMBLED = "pooled", "ensembled"

#: What counts as one training: a run, or the folds of one cross-validation together.
Row = tuple[RunResult, ...]


@dataclass(frozen=True, eq=False)
class HipSet:
    """Test hips.

    Args:
        ids: ``hip_id`` of each, sorted, so that nothing depends on the order of runs.
        persons: ``(n,)`` whose each is.
    """

    ids: tuple[str, ...]
    persons: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_persons(self) -> int:
        """How many persons they are of."""
        return len(set(self.persons.tolist()))

    def within(self, other: HipSet) -> HipSet:
        """Those that are in the other set as well."""
        known = set(other.ids)
        kept = np.array([name in known for name in self.ids], dtype=bool)
        return HipSet(tuple(name for name in self.ids if name in known), self.persons[kept])


def rows_of(sweep: Sweep, arm: str) -> list[Row]:
    """The finished runs of an arm, each a row of its own."""
    return [(run,) for run in sweep.of(arm)]


def pooled_rows(sweep: Sweep) -> list[Row]:
    """The folds of each seed together; a seed of which a fold is not finished has no row."""
    done = {arm.name: {run.seed: run for run in sweep.of(arm.name)} for arm in sweep.design.arms}
    whole = set.intersection(*(set(runs) for runs in done.values()))
    return [tuple(runs[seed] for runs in done.values()) for seed in sorted(whole)]


def ensemble_rows(sweep: Sweep) -> list[Row]:
    """The ensembles of all folds together; no row while one of them is not done."""
    done = {one.arm: one for one in sweep.ensembles if one.status == "done"}
    names = [arm.name for arm in sweep.design.arms]
    return [tuple(done[name] for name in names)] if all(name in done for name in names) else []


def hips_of(rows: Sequence[Row]) -> HipSet:
    """All hips that any of the runs was tested on."""
    persons: dict[str, str] = {}
    for run in (run for row in rows for run in row):
        persons |= dict(zip(run.hips["hip_id"], run.hips["person"], strict=True))
    ids = tuple(sorted(persons))
    return HipSet(ids, np.array([persons[name] for name in ids], dtype=object))


def value_table(measure: Measure, rows: Sequence[Row], hips: HipSet) -> NDArray[np.float64]:
    """A measure of hips by row.

    Args:
        measure: One of kind ``hip``.
        rows: ``r`` of them.
        hips: ``n`` of them.

    Returns:
        ``(r, n)``; NaN where undefined or not tested. A hip that several runs of a row were tested on, which folds
        do not have, counts once, by the first of them.
    """
    table = np.full((len(rows), len(hips)), np.nan)
    for place, row in enumerate(rows):
        for run in row:
            found = hip_values(measure, run.hips, hips.ids)
            table[place] = np.where(np.isnan(table[place]), found, table[place])
    return table


def values_of_runs(measure: Measure, rows: Sequence[Row]) -> NDArray[np.float64]:
    """A measure of whole runs ``(r,)``, each run of each row; NaN where undefined."""
    runs = [run for row in rows for run in row]
    return run_values(measure, [run.metrics if measure.of_metrics else run.history for run in runs])


def arm_cells(rows: Sequence[Row]) -> dict[str, Cell]:
    """Every measure of the runs of an arm, with 95 % intervals over seeds and persons.

    Args:
        rows: Its finished runs; without any there is no number.
    """
    if not rows:
        return {}
    hips = hips_of(rows)
    return {measure.name: _cell(measure, rows, hips) for measure in MEASURES.values()}


def _cell(measure: Measure, rows: Sequence[Row], hips: HipSet) -> Cell:
    if measure.kind == "run":
        values = values_of_runs(measure, rows)
        known = int(np.isfinite(values).sum())
        return _cell_of(run_level_mean(values), known, len(values) - known)
    table = value_table(measure, rows, hips)
    known = int(np.isfinite(table).any(axis=0).sum())
    found = run_mean(table, hips.persons) if known else None
    if measure.counts:  # no hip of so many is no proof that there is none
        found = share_estimate(found, hips.num_persons)
    return _cell_of(found, known, len(hips) - known)


def _cell_of(found: Estimate | None, num: int, left_out: int) -> Cell:
    if found is None:
        return Cell(None, None, None, num, left_out)
    ends = found.interval
    return Cell(found.value, ends.low if ends else None, ends.high if ends else None, num, left_out)
