"""From a sweep to its answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hipjsw.ablation.comparing import comparisons
from hipjsw.ablation.pooling import ENSEMBLED, POOLED, Row, arm_cells, ensemble_rows, hips_of, pooled_rows, rows_of
from hipjsw.ablation.result import AblationResult, ArmRow
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.ablation.verdicts import verdict

__all__ = ["answer"]

#: Characters of a commit that are told.
_COMMIT = 12


def answer(sweep: Sweep) -> AblationResult:
    """What a sweep found: numbers by arm, differences on the same test hips, and whether the findings hold.

    Where the arms are folds, a row ``pooled`` stands before theirs: each test hip once a seed, over the seeds whose
    folds are all finished. Its runs are those of the folds, which must not be counted twice. Where their ensembles are
    asked for and there are any, a row ``ensembled`` follows: each test hip once, by what the runs of its fold say
    together.

    Args:
        sweep: Its runs, whatever became of them; what is not done has no numbers and is counted.
    """
    design = sweep.design
    arms = [_arm_row(arm.name, _runs(sweep, arm.name), rows_of(sweep, arm.name), design.seeds) for arm in design.arms]
    if design.pooled:
        arms.insert(0, _arm_row(POOLED, sweep.runs, pooled_rows(sweep), design.seeds * len(design.arms)))
    if sweep.ensembles:
        arms.insert(
            1, replace(_arm_row(ENSEMBLED, sweep.ensembles, ensemble_rows(sweep), 0), seeds=(), reasons=_named(sweep))
        )
    found = comparisons(sweep)
    made = {row.arm: row for row in arms}
    done = [run for arm in design.arms for run in sweep.of(arm.name)]
    hips = hips_of([(run,) for run in done])
    return AblationResult(
        design=design,
        record=sweep.record,
        options=sweep.options,
        scale=sweep.scale,
        arms=tuple(arms),
        differences=tuple(comparison.row for comparison in found),
        verdicts=tuple(verdict(finding, design, found, made) for finding in design.findings),
        num_hips=len(hips),
        num_persons=hips.num_persons,
        about=_about(done) | _unshared(sweep),
    )


def _runs(sweep: Sweep, arm: str) -> list[RunResult]:
    return [run for run in sweep.runs if run.arm == arm]


def _arm_row(name: str, runs: Sequence[RunResult], rows: Sequence[Row], wanted: int) -> ArmRow:
    """Numbers are over the rows, counts and costs over the runs."""
    done = [run for run in runs if run.status == "done"]
    return ArmRow(
        arm=name,
        done=len(done),
        failed=sum(run.status == "failed" for run in runs),
        missing=sum(run.status == "missing" for run in runs) if runs else wanted,
        reasons=_reasons([run for run in runs if run.status == "failed"]),
        cells=arm_cells(rows),
        steps=_same(_budget(run, "steps") for run in done),
        batch_size=_same(_budget(run, "batch_size") for run in done),
        train_hips=_same(_whole(run.metrics.get("train/num_hips")) for run in done),
        val_hips=_same(_whole(run.metrics.get("val/num_hips")) for run in done),
        train_s=_mean(run.cost.get("train_s") for run in done),
        judge_s=_mean(run.cost.get("judge_s") for run in done),
        seeds=tuple(sorted({run.seed for run in runs})),
    )


def _reasons(failed: Sequence[RunResult]) -> tuple[str, ...]:
    seeds: dict[str, list[int]] = {}
    for run in failed:
        seeds.setdefault(run.reason, []).append(run.seed)
    return tuple(
        f"seed{'s' if len(some) > 1 else ''} {', '.join(map(str, some))}: {reason}" for reason, some in seeds.items()
    )


def _named(sweep: Sweep) -> tuple[str, ...]:
    return tuple(f"{one.arm}: {one.reason}" for one in sweep.ensembles if one.status == "failed")


def _budget(run: RunResult, key: str) -> int | None:
    """What the run spent, or else what its configuration allowed."""
    budget = run.config.get("budget")
    return _whole(run.cost.get(key, budget.get(key) if isinstance(budget, dict) else None))


def _same(values: Iterable[int | None]) -> int | None:
    """The value that all runs have; None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
    return float(value) if known else None


def _mean(values: Iterable[Any]) -> float | None:
    known = [number for number in map(_number, values) if number is not None]
    return float(np.mean(known)) if known else None


def _about(done: Sequence[RunResult]) -> dict[str, str]:
    """What the runs have in common to be said; several values are parted by commas, unknown ones left out."""
    told: dict[str, list[Any]] = {
        "data": [run.metrics.get("data/phantom") for run in done],
        "device": [run.cost.get("device") for run in done],
        "commit": [str(run.made_by.get("commit") or "")[:_COMMIT] for run in done],
        "version": [run.made_by.get("hipjsw") for run in done],
    }
    said = {name: sorted({str(value) for value in values if value}) for name, values in told.items()}
    return {name: ", ".join(values) for name, values in said.items() if values}


def _unshared(sweep: Sweep) -> dict[str, str]:
    """Says it where arms that are compared were not all tested on the same hips."""
    if sweep.design.pooled:
        return {}
    tested = [set(hips_of(rows_of(sweep, arm.name)).ids) for arm in sweep.design.arms if sweep.of(arm.name)]
    if len(tested) < 2 or all(hips == tested[0] for hips in tested):
        return {}
    shared, every = set.intersection(*tested), set.union(*tested)
    return {"hips": f"all arms share {len(shared)} of {len(every)} test hips; pairs are compared on those both share"}
