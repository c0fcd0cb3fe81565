"""Tables of one run and of a sweep, as text, Markdown and CSV rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["PHANTOM", "JobRow", "print_table", "run_table", "sweep_csv_rows", "sweep_markdown", "sweep_table"]

#: Width where the output is no terminal.
WIDTH = 120
#: Key of the words that say which phantom was judged.
PHANTOM = "data/phantom"
#: What stands for a number that is not there.
NONE = "–"

Value = float | int | str | None
Metrics = Mapping[str, Value]

DICE = (("femur", "femur"), ("acetabulum", "acetabulum"), ("joint_space", "joint space"), ("mean", "mean of the three"))
COMPARISONS = (
    ("mjsw", "mJSW, prediction against label"),
    ("mjsw_truth", "mJSW, prediction against exact truth"),
    ("label_truth", "mJSW, label against exact truth"),
    ("study_truth", "study's estimator, prediction against exact truth"),
)


@dataclass(frozen=True)
class JobRow:
    """One job of a sweep.

    Args:
        number: Its number in the sweep.
        overrides: What varied, as it was written on the command line.
        status: ``reused`` is a finished run that was not run again.
        run: Name of the run's folder.
        metrics: The run's results by name.
        reason: Why it failed.
    """

    number: int
    overrides: str
    status: Literal["done", "failed", "reused"]
    run: str
    metrics: Metrics = field(default_factory=dict)
    reason: str = ""


def run_table(metrics: Metrics, title: str, split: str = "test") -> Table:
    """Table of what was measured on how many hips.

    Args:
        metrics: Results by name (docs/conventions.md); a comparison that is missing has no row.
        title: The table's title.
        split: First part of the names.

    Returns:
        Rows of Dice and of mJSW, each with the hips it is over and those left out.
    """
    num_hips, num_persons = (_count(metrics.get(f"{split}/num_{what}")) for what in ("hips", "persons"))
    said = [f"{num_hips} {split} hips of {num_persons} persons", *_phantoms([metrics])]
    caption = Text("\n".join(["; ".join(said), *_interval_lines(metrics, split)]))
    table = Table(title=Text(title), caption=caption, box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("compared", min_width=19)
    for head in ("value", "bias\n(mm)", "SD\n(mm)", "95 % limits\n(mm)", "hips", "left\nout"):
        table.add_column(head, justify="right", no_wrap=head in ("value", "hips"))
    for key, name in DICE:
        value = metrics.get(f"{split}/dice/{key}")
        left_out = metrics.get(f"{split}/dice/num_undefined_{key}")
        counts = ("", "") if key == "mean" else _dice_counts(metrics.get(f"{split}/num_hips"), left_out)
        table.add_row(f"Dice, {name}", _number(value, 4), "", "", "", *counts, end_section=key == "mean")
    for group, name in (*COMPARISONS, *_readers(metrics, split)):
        prefix = f"{split}/{group}"
        if group != "mjsw" and f"{prefix}/num_compared" not in metrics:
            continue
        mae, bias, sd, low, high = (metrics.get(f"{prefix}/{key}_mm") for key in ("mae", "bias", "sd", "low", "high"))
        counts = (_count(metrics.get(f"{prefix}/num_compared")), _count(metrics.get(f"{prefix}/num_left_out")))
        limits = NONE if _number(low) == NONE else f"{_signed(low)} to {_signed(high)}"
        table.add_row(name, f"MAE {_mm(mae)}", _signed(bias), _number(sd), limits, *counts)
    return table


def _readers(metrics: Metrics, split: str) -> list[tuple[str, str]]:
    """The comparisons with readers there are, as in ``COMPARISONS``."""
    start = f"{split}/mjsw_reader/"
    names = sorted({key.removeprefix(start).split("/")[0] for key in metrics if key.startswith(start)})
    return [(f"mjsw_reader/{name}", f"mJSW, prediction against reader {name}") for name in names]


def _interval_lines(metrics: Metrics, split: str) -> list[str]:
    """How wide the 95 % intervals are and how often they hold what is known; nothing where there are none."""
    width = metrics.get(f"{split}/interval/mean_width_mm")
    if _number(width) == NONE:
        return []
    held = []
    for group, name in (("mjsw", "label"), ("mjsw_truth", "exact truth")):
        prefix = f"{split}/{group}/interval/coverage"
        share, low, high = (metrics.get(prefix + end) for end in ("", "_ci_low", "_ci_high"))
        if _number(share) != NONE:
            ends = "" if NONE in (_number(low), _number(high)) else f" ({_number(low)} to {_number(high)})"
            held.append(f"the {name} in {_number(share)}{ends}")
    return [f"95 % intervals are {_number(width)} mm wide and hold " + ", ".join(held)] if held else []


def sweep_table(jobs: Sequence[JobRow], title: str = "sweep") -> Table:
    """Table of a sweep, one row a job.

    Args:
        jobs: The jobs in their order.
        title: The table's title.

    Returns:
        The table; a failed job's row ends with the reason in place of the run's folder.
    """
    counts = {status: sum(job.status == status for job in jobs) for status in ("done", "reused", "failed")}
    said = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    said = "; ".join([said or "no jobs", *_phantoms([job.metrics for job in jobs])])
    table = Table(title=Text(title), caption=Text(said), show_lines=False)
    header, rows = _sweep_cells(jobs)
    for name in header:
        text = name in ("what varied", "run or reason")
        head = name if text else name.replace(" ", "\n", 1)
        table.add_column(head, justify="left" if text else "right", overflow="fold", no_wrap=not text)
    for job, row in zip(jobs, rows, strict=True):
        table.add_row(*(Text(cell) for cell in row), style="red" if job.status == "failed" else None)
    return table


def sweep_markdown(jobs: Sequence[JobRow]) -> str:
    """The same as a Markdown table; arguments as in ``sweep_table``."""
    header, rows = _sweep_cells(jobs)
    lines = [header, ["---" if name in ("what varied", "run or reason") else "---:" for name in header], *rows]
    table = "".join(f"| {' | '.join(_one_line(cell) for cell in line)} |\n" for line in lines)
    phantoms = _phantoms([job.metrics for job in jobs])
    return table + (f"\n{'; '.join(phantoms)}\n" if phantoms else "")


def sweep_csv_rows(jobs: Sequence[JobRow]) -> list[dict[str, float | int | str | None]]:
    """The same as rows for a CSV file, numbers unrounded, None where there is none; as in ``sweep_table``."""
    return [
        {
            "job": job.number,
            "overrides": job.overrides,
            "status": job.status,
            "num_train": _int(job.metrics.get("train/num_hips")),
            "test_dice": _float(job.metrics.get("test/dice/mean")),
            "mjsw_mae_mm": _float(job.metrics.get("test/mjsw/mae_mm")),
            "mjsw_truth_mae_mm": _float(job.metrics.get("test/mjsw_truth/mae_mm")),
            "num_measured": _int(job.metrics.get("test/mjsw/num_measured")),
            "num_unmeasurable": _int(job.metrics.get("test/mjsw/num_unmeasurable")),
            "run": job.run,
            "reason": job.reason,
        }
        for job in jobs
    ]


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table, 120 columns wide and without colours where the output is no terminal."""
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDTH, no_color=True)
    console.print(table)


def _phantoms(several: Sequence[Metrics]) -> list[str]:
    """Which phantoms the results are of, each said once."""
    return sorted({str(metrics[PHANTOM]) for metrics in several if metrics.get(PHANTOM)})


def _sweep_cells(jobs: Sequence[JobRow]) -> tuple[list[str], list[list[str]]]:
    """Header and cells; the column of the exact truth is there only if a job has it."""
    columns: dict[str, list[str]] = {
        "job": [str(job.number) for job in jobs],
        "what varied": [job.overrides or "nothing" for job in jobs],
        "train hips": [_count(job.metrics.get("train/num_hips")) for job in jobs],
        "test Dice": [_number(job.metrics.get("test/dice/mean"), 4) for job in jobs],
        "MAE to label (mm)": [_number(job.metrics.get("test/mjsw/mae_mm")) for job in jobs],
        "MAE to truth (mm)": [_number(job.metrics.get("test/mjsw_truth/mae_mm")) for job in jobs],
        "measured / not": [_measured(job) for job in jobs],
        "run or reason": [_run_or_reason(job) for job in jobs],
    }
    if all(cell == NONE for cell in columns["MAE to truth (mm)"]):
        del columns["MAE to truth (mm)"]
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _measured(job: JobRow) -> str:
    measured, not_measured = (job.metrics.get(f"test/mjsw/num_{what}") for what in ("measured", "unmeasurable"))
    return NONE if measured is None else f"{_count(measured)} / {_count(not_measured)}"


def _run_or_reason(job: JobRow) -> str:
    if job.status == "failed":
        return f"failed: {job.reason or 'no reason given'}"
    return f"{job.run} (reused)" if job.status == "reused" else job.run


def _dice_counts(num_hips: Value, left_out: Value) -> tuple[str, str]:
    hips, out = _int(num_hips), _int(left_out)
    return _count(None if hips is None else hips - (out or 0)), _count(out)


def _float(value: Value) -> float | None:
    """A finite number, else None."""
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _int(value: Value) -> int | None:
    number = _float(value)
    return None if number is None else round(number)


def _number(value: Value, digits: int = 3) -> str:
    number = _float(value)
    return NONE if number is None else f"{number:.{digits}f}"


def _signed(value: Value) -> str:
    number = _float(value)
    return NONE if number is None else f"{number:+.3f}".replace("-", "−")


def _mm(value: Value) -> str:
    text = _number(value)
    return text if text == NONE else f"{text} mm"


def _count(value: Value) -> str:
    number = _int(value)
    return NONE if number is None else str(number)


def _one_line(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")
