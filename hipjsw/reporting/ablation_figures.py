"""The diagrams of one ablation: measures by arm, learning curves, agreement of widths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.result import AblationResult
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.reporting.ablation_numbers import axis_of, bounds, cell_interval, measure_name, value_words
from hipjsw.reporting.arm_figure import ArmPoints, arm_svg
from hipjsw.reporting.bland_altman_figure import Widths, bland_altman_svgs, limits_words, widths_of
from hipjsw.reporting.learning_curve_figure import curves_of, learning_curve_svgs
from hipjsw.reporting.markup import text
from hipjsw.reporting.themed_svg import SERIES

__all__ = ["agreement_markup", "arms_markup", "curves_markup", "legend_markup"]

#: References of widths, the best first: column and words.
_REFERENCES = (("mjsw_truth_mm", "exact truth"), ("mjsw_label_mm", "label"))


def legend_markup(labels: Mapping[str, str]) -> str:
    """Colours of the arms, in the order of ``labels``."""
    keys = (f'<li class="c{n % SERIES}">{text(label)}</li>' for n, label in enumerate(labels.values()))
    return f'<ul class="legend">{"".join(keys)}</ul>'


def arms_markup(
    sweep: Sweep, result: AblationResult, measures: Sequence[str], labels: Mapping[str, str]
) -> Iterable[str]:
    """One diagram a measure that has a value in any arm."""
    known = [name for name in measures if any(_has(result, arm, name) for arm in labels)]
    if not known:
        yield '<p class="soft">No run is finished.</p>'
        return
    yield '<div class="figures">'
    for name in known:
        shown, factor, digits = axis_of(name)
        points = [_points(sweep, result, arm, label, name).times(factor) for arm, label in labels.items()]
        yield f"<figure>{arm_svg(points, shown, f'{measure_name(name)} by arm', digits)}</figure>"
    yield "</div>"


def _has(result: AblationResult, arm: str, measure: str) -> bool:
    cell = result.row(arm).cells.get(measure)
    return cell is not None and cell.value is not None


def _points(sweep: Sweep, result: AblationResult, arm: str, label: str, measure: str) -> ArmPoints:
    cell = result.row(arm).cells.get(measure)
    runs = ((f"seed {run.seed}", run_value(run, measure)) for run in sweep.of(arm))
    known = tuple((name, value) for name, value in runs if value is not None)
    if cell is None:
        return ArmPoints(label, None, None, None, known, value_words(measure, None), "")
    ends = cell_interval(measure, cell)
    shown = value_words(measure, cell.value)
    hover = f"{label}: {shown}, 95 % interval {ends}" if ends else ""
    return ArmPoints(label, cell.value, *bounds(measure, cell), known, shown, hover)


def run_value(run: RunResult, measure: str) -> float | None:
    """A measure of one finished run: the mean over its hips where defined; None where it is defined nowhere."""
    known = MEASURES.get(measure)
    if known is None:
        return None
    try:
        values = np.atleast_1d(np.asarray(known.of(run.hips if known.kind == "hip" else run.history), dtype=np.float64))
    except LookupError:  # a table without the column
        return None
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def curves_markup(sweep: Sweep, labels: Mapping[str, str]) -> Iterable[str]:
    """Learning curves of all runs that have any."""
    curves = curves_of(sweep.runs, list(labels), list(labels.values()))
    drawn = learning_curve_svgs(curves, "Validation Dice over optimiser steps by arm")
    if not drawn:
        yield '<p class="soft">No run has validated yet.</p>'
        return
    yield f'<div class="figures wide2">{"".join(f"<figure>{svg}</figure>" for svg in drawn)}</div>'
    yield (
        '<p class="soft">Thick: mean over seeds, shaded from the least to the most of them; thin: single seeds; '
        "dashed: runs that did not finish. In the first diagram the axis is spread by what is left to 1.</p>"
    )


def agreement_markup(sweep: Sweep, labels: Mapping[str, str]) -> Iterable[str]:
    """Bland and Altman's diagram of each arm's first finished run, against the best reference that any has."""
    first = {arm: runs[0] for arm in labels if (runs := sorted(sweep.of(arm), key=lambda run: run.seed))}
    by_reference = {
        words: {arm: _widths(run, labels, column) for arm, run in first.items()} for column, words in _REFERENCES
    }
    words = next((words for words, some in by_reference.items() if any(len(w.measured) for w in some.values())), None)
    if words is None:
        yield '<p class="soft">No width was measured.</p>'
        return
    several = by_reference[words]
    yield '<div class="figures small">'
    for (arm, one), svg in zip(several.items(), bland_altman_svgs(list(several.values()), words), strict=True):
        head = f"<strong>{text(labels[arm])}</strong>, seed {first[arm].seed}"
        yield f"<figure><figcaption>{head}<br>{limits_words(one)}</figcaption>{svg}</figure>"
    yield "</div>"
    yield (
        f'<p class="soft">Final widths less the {words}, a point a test hip. Line: bias; dashed: 95 % limits of '
        "agreement. One seed of each arm, so that no hip is drawn twice.</p>"
    )


def _widths(run: RunResult, labels: Mapping[str, str], column: str) -> Widths:
    return widths_of(run.hips, labels[run.arm], column, list(labels).index(run.arm))
