"""One ablation on a page: what was asked, tables, diagrams and hips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hipjsw.ablation.design import Design
from hipjsw.ablation.pooling import POOLED
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow, Verdict
from hipjsw.ablation.sweep import Sweep
from hipjsw.ablation.words import NONE
from hipjsw.reporting.ablation_figures import agreement_markup, arms_markup, curves_markup, legend_markup
from hipjsw.reporting.ablation_numbers import (
    cell_interval,
    compared_words,
    difference_interval,
    duration,
    interval_words,
    measure_name,
    probability,
    short_name,
    value_words,
)
from hipjsw.reporting.ablation_table import arm_label, reference_of, shown_measures
from hipjsw.reporting.example_hips import ShownExamples
from hipjsw.reporting.example_sheet import example_markup
from hipjsw.reporting.markup import counted_words, number, table_head, table_row, text
from hipjsw.reporting.table5_table import TABLE5, table5_markup

__all__ = ["arm_labels", "section_markup", "verdict_chip"]

#: Class of a verdict's chip.
_CHIPS = {"holds": "good", "refuted": "error", "not settled": "warning"}
#: Longest reasons and labels.
_REASON, _LABEL = 600, 60


def verdict_chip(verdict: Verdict) -> str:
    """The verdict in its colour."""
    return f'<span class="chip {_CHIPS.get(verdict.verdict, "none")}">{text(verdict.verdict)}</span>'


def arm_labels(result: AblationResult) -> dict[str, str]:
    """Label of every row by its name, in the order of the result; labels that are alike have the name behind them."""
    labels = {row.arm: arm_label(result, row.arm)[:_LABEL] for row in result.arms}
    all_labels = list(labels.values())
    return {arm: label if all_labels.count(label) == 1 else f"{label} [{arm}]" for arm, label in labels.items()}


def section_markup(sweep: Sweep, result: AblationResult, examples: ShownExamples, name: str) -> Iterable[str]:
    """Pieces of a page, the whole section.

    Args:
        sweep: The runs.
        result: What they found.
        examples: Hips that are shown.
        name: Its id, which its parts' ids begin with.
    """
    design, labels = result.design, arm_labels(result)
    measures = _asked(result)
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{text(design.title)}</h2>'
    yield f'<p class="question">{text(design.question)}</p>'
    if result.verdicts:
        claims = (f"<li>{verdict_chip(one)} {text(one.claim)}</li>" for one in result.verdicts)
        yield f'<ul class="claims">{"".join(claims)}</ul>'
    yield f'<p class="soft">{_over(result)}</p>'
    yield from _main_table(result, measures, labels)
    yield from _unfinished(result, labels)
    if design.name == TABLE5:
        yield from table5_markup(result, labels)
    yield f"<h3>By arm</h3>{legend_markup(labels)}"
    bar = f"bar: its 95 % interval {interval_words(result)}"
    yield f'<p class="soft">Circles: single seeds; line: their mean; {bar}.</p>'
    yield from arms_markup(sweep, result, [name for name in measures if name != "unmeasurable"], labels)
    yield f"<h3>Learning curves</h3>{legend_markup(labels)}"
    yield from curves_markup(sweep, labels)
    yield "<h3>Widths: difference over mean (Bland and Altman)</h3>"
    yield from agreement_markup(sweep, labels)
    yield "<h3>Hips</h3>"
    yield from example_markup(examples, labels, name)
    yield from _every_number(result, labels)
    yield "</section>"


def _asked(result: AblationResult) -> list[str]:
    """Measures of the main table: those of every table of this ablation, Dice, and hips that were not measured."""
    design = result.design
    asked = (design.measure, "dice", *shown_measures(result), "unmeasurable")
    return [
        name
        for name in dict.fromkeys(asked)
        if name == design.measure or any(_value(row.cells.get(name)) is not None for row in result.arms)
    ]


def _over(result: AblationResult) -> str:
    hips, persons = counted_words(result.num_hips, "test hip"), counted_words(result.num_persons, "person")
    said = f"Numbers are means over seeds and {hips} of {persons}, where defined; below them 95 % intervals, "
    said += f"{interval_words(result)}."
    reference = reference_of(result)
    if result.differences and reference is not None:
        label = arm_labels(result).get(reference, reference)
        said += f" Differences are to {text(label)}, on the same hips; p after Holm's correction."
    if any(arm.study for arm in result.design.arms):
        said += " The study's numbers were measured on other data with other budgets: compare orders, not numbers."
    said += f" {text(compared_words(result), _REASON)}" if compared_words(result) else ""
    notes = [text(result.about["hips"], _REASON)] if "hips" in result.about else []
    notes += [f"options <code>{text(' '.join(result.options), _REASON)}</code>"] if result.options else []
    return " ".join([said, *(f"{note[0].upper()}{note[1:]}." for note in notes)])


def _main_table(result: AblationResult, measures: Sequence[str], labels: Mapping[str, str]) -> Iterable[str]:
    rows = [_main_row(result, row, measures, labels[row.arm]) for row in result.arms]
    empty = {name for name in rows[0] if all(row[name] in (NONE, "") for row in rows)} - {"arm"}
    kept = [{name: cell for name, cell in row.items() if name not in empty} for row in rows]
    yield f'<div class="scroll">{table_head(kept[0])}'
    yield from (table_row(row) for row in kept)
    yield "</tbody></table></div>"


def _main_row(result: AblationResult, row: ArmRow, measures: Sequence[str], label: str) -> dict[str, str]:
    design, first, reference = result.design, measures[0], reference_of(result)
    cells = {"arm": f"<strong>{text(label)}</strong>"}
    for name in measures:
        study = next((arm.study.get(name) for arm in design.arms if arm.name == row.arm), None)
        cells[f"study's {short_name(name)}"] = value_words(name, study)
        cell = row.cells.get(name)
        brief = name == "unmeasurable"  # a rare event: its interval says little, and is among all numbers
        cells[short_name(name)] = value_words(name, _value(cell)) if brief else _with_ends(name, cell)
        if name == first and row.arm == reference and result.differences:
            cells["difference"] = "reference"
        elif name == first:
            difference = _difference(result.differences, first, row.arm, reference)
            cells["difference"] = _difference_cell(difference, True)
    return cells | {
        "train hips": _beside(row.train_hips, _of_study(design, row.arm, "study_hips")),
        "steps": _beside(row.steps, _of_study(design, row.arm, "study_steps")),
        "a run takes": duration(None if row.train_s is None else row.train_s + (row.judge_s or 0.0)),
        "runs": _runs(row),
    }


def _of_study(design: Design, name: str, what: str) -> int | None:
    return next((getattr(arm, what) for arm in design.arms if arm.name == name), None)


def _value(cell: Cell | None) -> float | None:
    return None if cell is None else cell.value


def _with_ends(measure: str, cell: Cell | None) -> str:
    return _two_lines(value_words(measure, _value(cell)), cell_interval(measure, cell))


def _difference_cell(row: DifferenceRow | None, with_p: bool = False) -> str:
    if row is None:
        return NONE
    p = text(probability(row.p_holm)) if with_p and row.p_holm is not None else ""
    first = value_words(row.measure, row.value, True) + (f', <span class="p">p {p}</span>' if p else "")
    return _two_lines(first, difference_interval(row))


def _two_lines(first: str, second: str) -> str:
    return f'<span>{first}<span class="ends">{second}</span></span>' if second else first


def _beside(own: int | None, study: int | None) -> str:
    first = NONE if own is None else number(own)
    return first if study is None else _two_lines(first, f"study {number(study)}")


def _runs(row: ArmRow) -> str:
    parts = [f"{row.done} done"]
    parts += [f'<span class="bad">{row.failed}&nbsp;failed</span>'] if row.failed else []
    parts += [f'<span class="bad">{row.missing}&nbsp;missing</span>'] if row.missing else []
    return f"<span>{', '.join(parts)}</span>"


def _difference(rows: Sequence[DifferenceRow], measure: str, arm: str, than: str | None) -> DifferenceRow | None:
    return next((row for row in rows if (row.measure, row.arm, row.than) == (measure, arm, than)), None)


def _unfinished(result: AblationResult, labels: Mapping[str, str]) -> Iterable[str]:
    """Failed and missing runs by name; those of all folds together are the folds' and are not said twice."""
    said = []
    for row in result.arms:
        if not (result.design.pooled and row.arm == POOLED):
            said += [f"<strong>{text(labels[row.arm])}</strong>, {text(reason, _REASON)}" for reason in row.reasons]
            if row.missing:
                said.append(
                    f"<strong>{text(labels[row.arm])}</strong>: {counted_words(row.missing, 'run')} not made yet"
                )
    if said:
        items = "".join(f"<li>{one}</li>" for one in said)
        yield f'<div class="failed"><p>Runs without numbers</p><ul>{items}</ul></div>'


def _every_number(result: AblationResult, labels: Mapping[str, str]) -> Iterable[str]:
    """All cells and all differences, folded away."""
    measures = list(dict.fromkeys(name for row in result.arms for name in row.cells))
    if not measures:
        return
    yield "<details><summary>Every number of this ablation</summary>"
    yield '<div class="scroll">' + table_head(("measure", *labels.values()))
    for name in measures:
        cells = [_counted(name, row.cells.get(name)) for row in result.arms]
        yield table_row({"measure": text(measure_name(name))} | dict(zip(labels.values(), cells, strict=True)))
    yield "</tbody></table></div>"
    if result.differences:
        yield '<div class="scroll">' + table_head(("measure", "arm", "less", "difference", "p", "p (Holm)", "over"))
        yield from (table_row(_difference_row(row, labels)) for row in result.differences)
        yield "</tbody></table></div>"
    yield "</details>"


def _counted(name: str, cell: Cell | None) -> str:
    if cell is None:
        return NONE
    over = f"n = {number(cell.num)}" + (f", {number(cell.num_left_out)} left out" if cell.num_left_out else "")
    ends = cell_interval(name, cell)
    return _two_lines(value_words(name, cell.value), f"{ends}; {over}" if ends else over)


def _difference_row(row: DifferenceRow, labels: Mapping[str, str]) -> dict[str, str]:
    over = f"{row.seeds[0]} and {row.seeds[1]} runs"
    over += (
        f", {counted_words(row.num_hips, 'hip')} of {counted_words(row.num_persons, 'person')}" if row.num_hips else ""
    )
    return {
        "measure": text(measure_name(row.measure)),
        "arm": text(labels.get(row.arm, row.arm)),
        "less": text(labels.get(row.than, row.than)),
        "difference": _difference_cell(row),
        "p": text(probability(row.p)),
        "p (Holm)": text(probability(row.p_holm)),
        "over": over,
    }
