"""Arms compared in pairs, on the test hips that both were tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hipjsw.ablation.design import Design
from hipjsw.ablation.measures import MEASURES, Measure
from hipjsw.ablation.pooling import (
    ENSEMBLED,
    POOLED,
    HipSet,
    Row,
    ensemble_rows,
    hips_of,
    pooled_rows,
    rows_of,
    value_table,
    values_of_runs,
)
from hipjsw.ablation.result import DifferenceRow
from hipjsw.ablation.sweep import Sweep
from hipjsw.statistics.paired import Difference, holm, paired_difference, run_level_difference

__all__ = ["Comparison", "Side", "compared", "comparisons", "is_compared", "pairs_of"]

#: What a loss is made of: losses of runs that differ in one of these are different numbers.
_OF_LOSS = ("loss", "activation", "weight", "target", "labels")
#: Measures that are made of losses.
_LOSSES = ("overfit",)


@dataclass(frozen=True)
class Comparison:
    """Two arms compared by one measure.

    Args:
        row: The difference.
        first: Mean of the arm over the hips (or runs) that the difference is over; None where there are none.
        second: Of the other, likewise.
        num_shared: Test hips of both; 0 for a measure of whole runs.
        num_alone: Test hips of only one of them, which are left out.
        num_without: Finished runs of either that have no value, which are left out.
        num_missing: Measurements of either that have no value: of every run on every shared hip.
        num_wanted: Those measurements, with a value or without.
        why: Why there is no number, where it is neither for want of runs nor of hips.
    """

    row: DifferenceRow
    first: float | None
    second: float | None
    num_shared: int = 0
    num_alone: int = 0
    num_without: tuple[int, int] = (0, 0)
    num_missing: tuple[int, int] = (0, 0)
    num_wanted: tuple[int, int] = (0, 0)
    why: str = ""

    def turned(self) -> Comparison:
        """The same comparison, the other arm first."""
        row = self.row
        return replace(
            self,
            first=self.second,
            second=self.first,
            num_without=self.num_without[::-1],
            num_missing=self.num_missing[::-1],
            num_wanted=self.num_wanted[::-1],
            row=replace(
                row,
                arm=row.than,
                than=row.arm,
                value=_negative(row.value),
                low=_negative(row.high),
                high=_negative(row.low),
                seeds=(row.seeds[1], row.seeds[0]),
            ),
        )


def pairs_of(design: Design) -> list[tuple[str, str]]:
    """Arm and other arm of every comparison, each pair once.

    Every other arm against the reference in the order of the arms, then the findings' pairs that are not among them;
    of folds, their ensembles against their single runs, where these are asked for.
    """
    if design.pooled:
        return [(ENSEMBLED, POOLED)] if design.ensembled else []
    pairs = [(arm.name, design.reference) for arm in design.arms if arm.name != design.reference]
    for finding in design.findings:
        pair = (finding.arm, finding.than)
        if finding.arm != finding.than and pair not in pairs and pair[::-1] not in pairs:
            pairs.append(pair)
    return pairs


@dataclass(frozen=True, eq=False)
class Side:
    """One arm of a comparison.

    Args:
        arm: Its name.
        rows: Its finished runs.
        hips: What they were tested on.
    """

    arm: str
    rows: Sequence[Row]
    hips: HipSet

    @classmethod
    def of(cls, sweep: Sweep, arm: str) -> Side:
        """An arm of a sweep, or all of its folds put together."""
        folds = {POOLED: pooled_rows, ENSEMBLED: ensemble_rows} if sweep.design.pooled else {}
        rows = folds[arm](sweep) if arm in folds else rows_of(sweep, arm)
        return cls(arm, rows, hips_of(rows))


def is_compared(design: Design, measure: Measure) -> bool:
    """Whether arms may be compared by a measure.

    Where the design names measures, by these. Else by every measure of hips, and of those of whole runs by the ones
    that are asked for: with a few runs a side they show little, and each would be one more chance to find something.
    """
    if design.compared is not None:
        return measure.name in design.compared
    return measure.kind == "hip" or measure.name in (design.measure, *(f.measure for f in design.findings))


def comparisons(sweep: Sweep) -> list[Comparison]:
    """All pairs by all measures that are compared and have a value in both, p corrected by Holm within each measure.

    The order is that of the measures, then of the pairs.
    """
    found: list[Comparison] = []
    pairs = pairs_of(sweep.design)
    sides = {arm: Side.of(sweep, arm) for arm in dict.fromkeys(arm for pair in pairs for arm in pair)}
    for measure in (one for one in MEASURES.values() if is_compared(sweep.design, one)):
        some = [compared(measure, sides[arm], sides[than]) for arm, than in pairs]
        known = [comparison for comparison in some if comparison is not None]
        corrected = holm([comparison.row.p for comparison in known])
        found += [replace(c, row=replace(c.row, p_holm=p)) for c, p in zip(known, corrected, strict=True)]
    return found


def compared(measure: Measure, one: Side, two: Side) -> Comparison | None:
    """Compare two arms by one measure, ``p_holm`` left open.

    Args:
        measure: By which.
        one: The arm.
        two: The other.

    Returns:
        The comparison; without numbers where the arms share no test hip, or only hips of one person, that has a value
        in both, and where the measure is made of losses that are not one. None where an arm has no value at all.
    """
    if not one.rows or not two.rows:
        return None
    return _of_runs(measure, one, two) if measure.kind == "run" else _of_hips(measure, one, two)


def _of_runs(measure: Measure, one: Side, two: Side) -> Comparison | None:
    first, second = (values_of_runs(measure, side.rows) for side in (one, two))
    found = run_level_difference(first, second)
    if found is None:
        return None
    known = (int(np.isfinite(first).sum()), int(np.isfinite(second).sum()))
    without = (len(first) - known[0], len(second) - known[1])
    differing = _unlike(one, two) if measure.name in _LOSSES else []
    if differing:
        why = f"losses of runs that differ in their {' and '.join(differing)} are not one number"
        return Comparison(_row(measure, one, two, None, known), None, None, num_without=without, why=why)
    means = (float(np.nanmean(first)), float(np.nanmean(second)))
    return Comparison(_row(measure, one, two, found, known), *means, num_without=without)


def _unlike(one: Side, two: Side) -> list[str]:
    """Of what a loss is made of, what not all their runs have alike."""
    configs = [run.config for side in (one, two) for row in side.rows for run in row]
    return [key for key in _OF_LOSS if any(config.get(key) != configs[0].get(key) for config in configs)]


def _of_hips(measure: Measure, one: Side, two: Side) -> Comparison | None:
    known = [np.isfinite(value_table(measure, side.rows, side.hips)).any(axis=1) for side in (one, two)]
    if not all(runs.any() for runs in known):
        return None
    shared = one.hips.within(two.hips)
    alone = len(one.hips) + len(two.hips) - 2 * len(shared)
    first, second = (value_table(measure, side.rows, shared) for side in (one, two))
    found = paired_difference(first, second, shared.persons)
    num_runs = (int(known[0].sum()), int(known[1].sum())) if found is None else found.num_runs
    bare = Comparison(
        _row(measure, one, two, found, num_runs),
        *(None, None, len(shared), alone),
        num_without=(len(first) - num_runs[0], len(second) - num_runs[1]),
        num_missing=(int((~np.isfinite(first)).sum()), int((~np.isfinite(second)).sum())),
        num_wanted=(first.size, second.size),
    )
    if found is None:
        return bare
    both = np.isfinite(first).any(axis=0) & np.isfinite(second).any(axis=0)
    means = [float(np.nanmean(np.nanmean(table[:, both], axis=0))) for table in (first, second)]
    return replace(bare, first=means[0], second=means[1])


def _row(measure: Measure, one: Side, two: Side, found: Difference | None, num_runs: tuple[int, int]) -> DifferenceRow:
    if found is None:
        return DifferenceRow(measure.name, one.arm, two.arm, None, None, None, None, None, 0, 0, num_runs)
    low, high = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    counts = (0, 0) if measure.kind == "run" else (found.num_units, found.num_clusters)
    return DifferenceRow(measure.name, one.arm, two.arm, found.value, low, high, found.p, None, *counts, num_runs)


def _negative(value: float | None) -> float | None:
    return None if value is None else 0.0 - value
