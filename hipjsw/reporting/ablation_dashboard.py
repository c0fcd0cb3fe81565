"""An ablation's answers as one W&B run: the numbers of its tables, its tables, and pictures.

As for trainings (`hipjsw.reporting.dashboard`), what is found lies on disk first, failures are logged and not raised,
and what is sent names no person, machine or path.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hipjsw.ablation.measures import MEASURES, hip_values
from hipjsw.ablation.result import AblationResult, ArmRow
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.reporting.dashboard import finish, log_content, start_run
from hipjsw.reporting.plain import plain_value, without_paths

__all__ = ["JOB_TYPE", "TABLES", "ablation_numbers", "ablation_tables", "log_ablation"]

#: W&B's job type of an ablation's run; trainings have none.
JOB_TYPE = "ablation"
#: Names of the tables, as `ablation_tables` gives them.
TABLES = tuple(f"ablation/{what}" for what in ("arms", "differences", "findings", "runs", "hips"))
#: In the folder of a W&B run that holds all that was to be said; what was cut short is said again.
WHOLE = "whole"
#: Longest part of an id that is taken from a record's name; W&B takes 64 characters in all.
ID_LENGTH = 40
#: How long the last upload may take; there are pictures and a table of all test hips to send, and training is over.
FINISH_S = 20.0
#: Numbers of a row of arms besides its cells.
ARM_NUMBERS = ("done", "failed", "missing", "steps", "batch_size", "train_hips", "val_hips", "train_s", "judge_s")
#: Numbers of test hips, each a mean over the arm's runs.
HIP_MEASURES = ("dice", "mjsw_label_mm", "mjsw_truth_mm")

Rows = list[dict[str, Any]]


def log_ablation(
    folder: Path,
    result: AblationResult,
    sweep: Sweep,
    pictures: Mapping[str, Path],
    project: str,
    entity: str | None,
    mode: str,
) -> Path | None:
    """Mirror what an ablation found as one W&B run of job type ``ablation``.

    Its id is made of the record's name and of all that is said, pictures by their names: the same numbers are said
    once, other numbers (as after further seeds) make a further run under the same group.

    Args:
        folder: Where W&B's files are to lie, in ``wandb``; ``<runs_dir>/sweeps/<record>`` is where
            `hipjsw.reporting.offline_runs` looks for them.
        result: What was found.
        sweep: Its runs.
        pictures: PNG files by name.
        project: W&B project.
        entity: W&B team; None for the user's own.
        mode: ``auto``, ``online``, ``offline`` or ``disabled``, as `hipjsw.reporting.dashboard.resolve_mode` reads it.

    Returns:
        The folder of the W&B run, an earlier one if it says the same already; None if the mode is ``disabled`` or W&B
        could not be used (a warning is logged).
    """
    numbers, tables = ablation_numbers(result), ablation_tables(result, sweep)
    config = _config(result)
    run_id = _run_id(result.record, [config, numbers, tables, sorted(pictures)])
    said = sorted(folder.glob(f"wandb/*run-*-{run_id}*/{WHOLE}"))
    if said:
        return said[0].parent
    run = start_run(
        folder=folder,
        project=project,
        entity=entity,
        group=result.record,
        name=f"ablation-{result.record}",
        config=config,
        tags=_tags(result),
        mode=mode,
        run_id=run_id,
        finish_timeout_s=FINISH_S,
        job_type=JOB_TYPE,
    )
    if run is None:
        return None
    kept = Path(run.settings.sync_dir)
    whole = log_content(run, numbers, tables, pictures)
    if finish(run, timeout_s=FINISH_S + 1.0) and whole:
        (kept / WHOLE).touch()
    return kept


def ablation_numbers(result: AblationResult) -> dict[str, Any]:
    """Every number of the result, by the name it has in W&B's summary.

    Args:
        result: What was found.

    Returns:
        ``arm/<arm>/<measure>`` and ``difference/<measure>/<arm>-<than>``, each with ``_ci_low`` and ``_ci_high``, the
        latter also with ``_p`` and ``_p_holm``; ``arm/<arm>/<count or cost>``; ``num_hips``, ``num_persons``,
        ``runs/done`` and the like, ``findings/holds`` and the like. What is undefined is None.
    """
    numbers: dict[str, Any] = {"num_hips": result.num_hips, "num_persons": result.num_persons}
    for row in result.arms:
        start = f"arm/{row.arm}/"
        numbers |= {f"{start}{name}": getattr(row, name) for name in ARM_NUMBERS}
        for name, cell in row.cells.items():
            ends = {"": cell.value, "_ci_low": cell.low, "_ci_high": cell.high}
            numbers |= {f"{start}{name}{end}": value for end, value in ends.items()}
    for item in result.differences:
        start = f"difference/{item.measure}/{item.arm}-{item.than}"
        ends = {"": item.value, "_ci_low": item.low, "_ci_high": item.high, "_p": item.p, "_p_holm": item.p_holm}
        numbers |= {f"{start}{end}": value for end, value in ends.items()}
    for verdict in result.verdicts:
        name = f"findings/{verdict.verdict.replace(' ', '_')}"
        numbers[name] = numbers.get(name, 0) + 1
    wanted = [row for row in result.arms if row.arm in {arm.name for arm in result.design.arms}]
    return numbers | {f"runs/{name}": sum(getattr(row, name) for row in wanted) for name in ARM_NUMBERS[:3]}


def ablation_tables(result: AblationResult, sweep: Sweep) -> dict[str, Rows]:
    """The tables of an ablation.

    Args:
        result: What was found.
        sweep: Its runs.

    Returns:
        Rows by the names in ``TABLES``: arms, differences, findings, runs (``run`` is the name of the run's folder
        and of its own W&B run), and test hips (a row a hip and arm, means over the arm's runs in which the hip is
        defined; ``num_runs`` finished and ``num_measured`` of them with a width). What is undefined is None.
    """
    rows = (
        [_arm_row(result, row) for row in result.arms],
        [_difference_row(vars(row)) for row in result.differences],
        [dict(vars(verdict)) for verdict in result.verdicts],
        [_run_row(run) for run in sweep.runs],
        [row for arm in result.design.arms for row in _hip_rows(arm.name, sweep.of(arm.name))],
    )
    return {
        name: [{key: plain_value(without_paths(value)) for key, value in row.items()} for row in several]
        for name, several in zip(TABLES, rows, strict=True)
    }


def _arm_row(result: AblationResult, row: ArmRow) -> dict[str, Any]:
    arm = next((arm for arm in result.design.arms if arm.name == row.arm), None)  # none for folds put together
    study = {} if arm is None else arm.study
    said = {
        "arm": row.arm,
        "label": row.arm if arm is None else arm.label,
        f"study_{result.design.measure}": study.get(result.design.measure),
        "study_steps": None if arm is None else arm.study_steps,
        "study_hips": None if arm is None else arm.study_hips,
        **{name: getattr(row, name) for name in ARM_NUMBERS},
        "reasons": "; ".join(row.reasons) or None,
    }
    for name, cell in row.cells.items():
        said |= {name: cell.value, f"{name}_ci_low": cell.low, f"{name}_ci_high": cell.high}
        said |= {f"{name}_num": cell.num, f"{name}_num_left_out": cell.num_left_out}
    return said


def _difference_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The result's own fields, in their order; the pair of seeds as two columns."""
    parts = {"low": ("ci_low",), "high": ("ci_high",), "seeds": ("seeds_arm", "seeds_than")}
    said: dict[str, Any] = {}
    for name, value in row.items():
        values = value if isinstance(value, tuple) else (value,)
        said |= dict(zip(parts.get(name, (name,)), values, strict=True))
    return said


def _run_row(run: RunResult) -> dict[str, Any]:
    return {
        "run": None if run.folder is None else run.folder.name,
        "arm": run.arm,
        "seed": run.seed,
        "status": run.status,
        "test_dice": run.metrics.get("test/dice/mean"),
        "mjsw_label_mae_mm": run.metrics.get("test/mjsw/mae_mm"),
        "mjsw_truth_mae_mm": run.metrics.get("test/mjsw_truth/mae_mm"),
        "num_measured": run.metrics.get("test/mjsw/num_measured"),
        "num_unmeasurable": run.metrics.get("test/mjsw/num_unmeasurable"),
        "train_s": run.cost.get("train_s"),
        "reason": run.reason or None,
    }


def _hip_rows(arm: str, runs: list[RunResult]) -> Rows:
    """A row a test hip of an arm, in the order in which the first run has them."""
    hip_ids = list(dict.fromkeys(str(hip) for run in runs for hip in run.hips.get("hip_id", ())))
    if not hip_ids:
        return []
    columns: dict[str, list[Any]] = {"hip": hip_ids, "arm": [arm] * len(hip_ids)}
    for name in HIP_MEASURES:
        values = np.stack([hip_values(MEASURES[name], run.hips, hip_ids) for run in runs])
        num = np.isfinite(values).sum(axis=0)
        total = np.where(np.isfinite(values), values, 0.0).sum(axis=0)
        columns[name] = [float(t) / int(n) if n else None for t, n in zip(total, num, strict=True)]
    measured = np.stack([hip_values(MEASURES["unmeasurable"], run.hips, hip_ids) == 0 for run in runs])
    known = [set(run.hips["hip_id"].astype(str)) for run in runs]
    columns["num_runs"] = [sum(hip in ids for ids in known) for hip in hip_ids]
    columns["num_measured"] = [int(n) for n in measured.sum(axis=0)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _config(result: AblationResult) -> dict[str, Any]:
    said = {"ablation": result.design.plain(), "record": result.record, "scale": result.scale}
    config: dict[str, Any] = without_paths(said | {"options": list(result.options), "about": dict(result.about)})
    return config


def _tags(result: AblationResult) -> list[str]:
    return list(dict.fromkeys((result.scale, JOB_TYPE, result.design.name, result.record)))


def _run_id(record: str, content: object) -> str:
    """An id that W&B takes: the record's name without what ids must not hold, and a hash of all that is said."""
    text = json.dumps(content, sort_keys=True, default=str, allow_nan=True)
    digest = hashlib.blake2b(f"{record} {text}".encode(), digest_size=6).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', record)[:ID_LENGTH]}-{digest}"
