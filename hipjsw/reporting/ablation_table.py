"""What an ablation found as text, Markdown and CSV rows: arms in a table, findings and failures in sentences."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.pooling import ENSEMBLED, POOLED
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow
from hipjsw.ablation.words import NONE, capital, decimals, number_words, p_words
from hipjsw.reporting.ablation_numbers import compared_words, interval_words
from hipjsw.reporting.findings_table import legible
from hipjsw.reporting.table5_table import TABLE5, table5_markdown

__all__ = ["arm_label", "csv_rows", "markdown", "reference_of", "rich_table", "shown_measures"]

#: Measures that every ablation shows beside its own.
STANDARD = ("mjsw_label_mm", "mjsw_truth_mm")
#: Measures that an ablation shows, whether or not a finding names them.
ALSO = {
    "activation": ("unlabelled", "multiple"),
    "dataset_size": ("overfit",),
    "loss": ("instability",),
}
#: Decimals of Dice; others have as many as it takes, three at least.
_DICE_DECIMALS = 4
#: Most characters of a sentence that came from elsewhere.
_LONGEST = 900
#: Characters after which a cell of the terminal's table is broken.
_NARROW = 8

Value = float | int | str | None


@dataclass(frozen=True)
class _Column:
    """One column.

    Args:
        head: Its name.
        cells: What each arm has, in lines: the number, then what belongs to it.
        brief: Whether a narrow table shows the first line alone.
        is_text: Set to the left.
    """

    head: str
    cells: Sequence[Sequence[str]]
    brief: bool = False
    is_text: bool = False

    @property
    def is_empty(self) -> bool:
        return all(lines[0] == NONE for lines in self.cells)


def shown_measures(result: AblationResult) -> list[str]:
    """Measures that have a column: the one looked at first, the standard ones, the findings' and the design's own."""
    design = result.design
    named = [design.measure, *STANDARD, *(finding.measure for finding in design.findings), *ALSO.get(design.name, ())]
    return [name for name in dict.fromkeys(named) if name in MEASURES]


def arm_label(result: AblationResult, arm: str) -> str:
    """What tables call an arm."""
    folds = {POOLED: "all folds", ENSEMBLED: "all folds, ensembles"} if result.design.pooled else {}
    return ({known.name: known.label for known in result.design.arms} | folds).get(arm, arm)


def reference_of(result: AblationResult) -> str | None:
    """The row that the others are compared with; of folds the single runs', if there are ensembles; else none."""
    if result.design.pooled:
        return POOLED if any(row.than == POOLED for row in result.differences) else None
    return result.design.reference


def markdown(result: AblationResult) -> str:
    """A result in Markdown; text of any origin shows as what it is.

    Args:
        result: What was found.

    Returns:
        The table of arms, what it is over, the findings with their verdicts, the runs that failed or are missing.
    """
    columns = _columns(result)
    lines = [[column.head for column in columns], ["---" if column.is_text else "---:" for column in columns]]
    lines += [[_in_brackets(column.cells[n]) for column in columns] for n in range(len(result.arms))]
    table = "\n".join(
        f"| {' | '.join(line if number == 1 else map(_escaped, line))} |" for number, line in enumerate(lines)
    )
    parts = [table, *(_escaped(line) for line in (_caption(result), compared_words(result)) if line)]
    if result.design.name == TABLE5:
        labels = {arm.arm: _escaped(arm_label(result, arm.arm)) for arm in result.arms}
        parts.append(table5_markdown(result, labels))
    if result.verdicts:
        parts.append("\n".join(_verdict_line(result, n) for n in range(len(result.verdicts))))
    unfinished = _unfinished(result)
    if unfinished:
        parts.append(
            "\n".join(["Runs that failed or are not made yet:", "", *(f"- {_escaped(line)}" for line in unfinished)])
        )
    return "\n\n".join(parts) + "\n"


def rich_table(result: AblationResult) -> Table:
    """A result for the terminal, from 120 columns on; its caption holds the findings and the runs that failed."""
    said = [line for line in (_caption(result), compared_words(result)) if line]
    said += [f"{v.verdict.upper()}: {v.claim} {v.words}" for v in result.verdicts]
    said += _unfinished(result)
    caption = Text("\n".join(legible(line, _LONGEST) for line in said), justify="left")
    table = Table(title=Text(legible(result.design.title)), caption=caption, box=box.SIMPLE, padding=0)
    columns = _columns(result)
    for column in columns:
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(_wrapped([column.head]), justify=justify, overflow="fold")
    for n, arm in enumerate(result.arms):
        cells = [column.cells[n][:1] if column.brief else column.cells[n] for column in columns]
        table.add_row(*map(_wrapped, cells), style="red" if arm.failed else None)
    return table


def csv_rows(result: AblationResult) -> list[dict[str, Value]]:
    """A row an arm for a CSV file: every measure with its interval, numbers unrounded, None where there is none.

    Differences are to the reference; ``_ci_low`` and ``_ci_high`` stand before a unit ``_mm``.
    """
    rows: list[dict[str, Value]] = []
    for arm in result.arms:
        row: dict[str, Value] = {"record": result.record, "arm": arm.arm, "label": arm_label(result, arm.arm)}
        row |= {f"runs_{key}": getattr(arm, key) for key in ("done", "failed", "missing")}
        row["reasons"] = "; ".join(arm.reasons)
        for key in ("train_hips", "val_hips", "steps", "batch_size", "train_s", "judge_s"):
            row[key] = getattr(arm, key)
        row |= {"study_hips": _study(result, arm, "study_hips"), "study_steps": _study(result, arm, "study_steps")}
        for name in MEASURES:
            row |= _cell_values(result, arm, name)
        rows.append(row)
    return rows


def _cell_values(result: AblationResult, arm: ArmRow, measure: str) -> dict[str, Value]:
    stem, unit = measure.removesuffix("_mm"), "_mm" if measure.endswith("_mm") else ""
    cell, away = arm.cells.get(measure, Cell(None)), _to_reference(result, arm, measure)
    ends = ("low", "high")
    values: dict[str, Value] = {f"study_{measure}": _study_value(result, arm, measure), measure: cell.value}
    values |= {f"{stem}_ci_{end}{unit}": getattr(cell, end) for end in ends}
    values |= {f"{measure}_num": cell.num, f"{measure}_num_left_out": cell.num_left_out}
    values[f"difference_{measure}"] = None if away is None else away.value
    values |= {f"difference_{stem}_ci_{end}{unit}": None if away is None else getattr(away, end) for end in ends}
    return values | {f"difference_{measure}_{p}": None if away is None else getattr(away, p) for p in ("p", "p_holm")}


def _columns(result: AblationResult) -> list[_Column]:
    """All columns that hold something."""
    arms, main = result.arms, result.design.measure
    columns = [_Column("arm", [(arm_label(result, arm.arm),) for arm in arms], is_text=True)]
    for name in shown_measures(result):
        columns += _measure_columns(result, name, brief=name != main)
    columns += [
        _Column("hips not measured", [(_not_measured(arm),) for arm in arms]),
        _Column("train hips (study's)", [(_beside(result, arm, "train_hips", "study_hips"),) for arm in arms]),
        _Column("steps (study's)", [(_beside(result, arm, "steps", "study_steps"),) for arm in arms]),
        _Column("minutes a run", [(_minutes(arm),) for arm in arms]),
        _Column("runs", [(_runs(arm),) for arm in arms], is_text=True),
    ]
    needed = ("arm", _head(main), "runs")
    return [column for column in columns if column.head in needed or not column.is_empty]


def _measure_columns(result: AblationResult, name: str, brief: bool) -> list[_Column]:
    """The study's values, ours, and for the measure that is looked at first also the difference to the reference."""
    cells = [arm.cells.get(name, Cell(None)) for arm in result.arms]
    least = _DICE_DECIMALS if name.startswith("dice") else 0
    digits = max(least, decimals(*(size for cell in cells for size in (cell.value, _half_width(cell)))))
    study = [_study_value(result, arm, name) for arm in result.arms]
    columns = [
        _Column(f"study's {_head(name)}", [(number_words(value, digits),) for value in study]),
        _Column(_head(name), [_with_interval(cell, digits) for cell in cells], brief),
    ]
    reference = reference_of(result)
    if not brief and reference is not None:
        rows = [_to_reference(result, arm, name) for arm in result.arms]
        digits = max(least, decimals(*(size for row in rows if row for size in (row.value, _half_width(row)))))
        head = f"difference to {arm_label(result, reference)}"
        columns.append(_Column(head, [_difference(row, digits) for row in rows]))
    return columns


def _head(name: str) -> str:
    measure = MEASURES.get(name)
    if measure is None:
        return name
    return capital(measure.label) + (f" ({measure.unit})" if measure.unit else "")


def _with_interval(cell: Cell, digits: int) -> tuple[str, ...]:
    if cell.low is None or cell.high is None:
        return (number_words(cell.value, digits),)
    return number_words(cell.value, digits), f"{number_words(cell.low, digits)} to {number_words(cell.high, digits)}"


def _difference(row: DifferenceRow | None, digits: int) -> tuple[str, ...]:
    if row is None or row.value is None:
        return (NONE,)
    said = [number_words(row.value, digits, signed=True)]
    if row.low is not None and row.high is not None:
        said.append(" to ".join(number_words(end, digits, signed=True) for end in (row.low, row.high)))
    return (*said, p_words(row.p_holm)) if row.p_holm is not None else tuple(said)


def _half_width(known: Cell | DifferenceRow) -> float | None:
    return None if known.low is None or known.high is None else (known.high - known.low) / 2


def _to_reference(result: AblationResult, arm: ArmRow, measure: str) -> DifferenceRow | None:
    pair = (measure, arm.arm, reference_of(result))
    return next((row for row in result.differences if (row.measure, row.arm, row.than) == pair), None)


def _study_value(result: AblationResult, arm: ArmRow, measure: str) -> float | None:
    return next((known.study.get(measure) for known in result.design.arms if known.name == arm.arm), None)


def _study(result: AblationResult, arm: ArmRow, key: str) -> int | None:
    return next((getattr(known, key) for known in result.design.arms if known.name == arm.arm), None)


def _beside(result: AblationResult, arm: ArmRow, ours: str, study: str) -> str:
    number, printed = getattr(arm, ours), _study(result, arm, study)
    return (NONE if number is None else str(number)) + (f" ({printed})" if printed is not None else "")


def _not_measured(arm: ArmRow) -> str:
    """Hips that a run did not measure, the mean over the runs."""
    cell = arm.cells.get("unmeasurable", Cell(None))
    if cell.value is None:
        return NONE
    hips = cell.value * cell.num
    return f"{number_words(hips, 0 if abs(hips - round(hips)) < 0.05 else 1)} of {cell.num}"


def _minutes(arm: ArmRow) -> str:
    return NONE if arm.train_s is None else number_words((arm.train_s + (arm.judge_s or 0.0)) / 60, 1)


def _runs(arm: ArmRow) -> str:
    others = [f"{getattr(arm, key)} {key}" for key in ("failed", "missing") if getattr(arm, key)]
    return ", ".join([f"{arm.done} done", *others])


def _caption(result: AblationResult) -> str:
    """What the table is over."""
    said = [f"{result.num_hips} test hips of {result.num_persons} persons", f"scale {result.scale}"]
    said += [f"options {' '.join(result.options)}"] if result.options else []
    words = {"version": "hipjsw {}", "commit": "commit {}"}
    said += [words.get(name, "{}").format(text) for name, text in result.about.items()]
    notes = [f"Beside a number its 95 % interval, {interval_words(result)}"]
    if not result.design.pooled:
        notes.append("p after Holm's correction; differences on the hips that both arms were tested on")
    return f"{'; '.join(said)}. {'; '.join(notes)}."


def _verdict_line(result: AblationResult, number: int) -> str:
    verdict = result.verdicts[number]
    whose = "the study's" if verdict.of_study else "our own"
    return f"- **{_escaped(verdict.verdict)}** ({whose}): {_escaped(verdict.claim)} {_escaped(verdict.words)}"


def _unfinished(result: AblationResult) -> list[str]:
    """Runs that failed, by name and reason, and how many were not made yet; folds are named once."""
    rows = [arm for arm in result.arms if not (result.design.pooled and arm.arm == POOLED)]
    said = [f"{arm_label(result, arm.arm)}, {reason}" for arm in rows for reason in arm.reasons]
    return said + [f"{arm_label(result, arm.arm)}: {arm.missing} not made yet" for arm in rows if arm.missing]


def _wrapped(lines: Sequence[str]) -> Text:
    """Lines broken between words at ``_NARROW``, but no word and no p in two."""
    broken: list[str] = []
    for line in lines:
        kept = re.sub(r"(?<=^p) ([=<]) ", "\u00a0\\1\u00a0", legible(line))
        broken += textwrap.wrap(kept, _NARROW, break_long_words=False, break_on_hyphens=False)
    return Text("\n".join(broken).replace("\u00a0", " "))


def _in_brackets(lines: Sequence[str]) -> str:
    return f"{lines[0]} ({'; '.join(lines[1:])})" if len(lines) > 1 else lines[0]


def _escaped(text: str) -> str:
    """One line in which nothing is markup: neither Markdown's nor HTML's."""
    line = " ".join(legible(text, _LONGEST).split())
    line = re.sub(r"([\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", line)
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", re.sub(r"&(?=[A-Za-z#])", "&amp;", line))
