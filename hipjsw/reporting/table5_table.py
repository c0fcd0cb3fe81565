"""The study's Table 5 beside what runs give for it, in its own number and in true millimetres (docs/table5.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hipjsw.ablation.result import AblationResult, ArmRow
from hipjsw.ablation.words import number_words
from hipjsw.reporting.markup import table_head, table_row, text

__all__ = ["STUDY_PRINTED", "TABLE5", "table5_markdown", "table5_markup"]

#: The ablation that Table 5 belongs to.
TABLE5 = "final"
#: Mean and standard deviation that the study prints, without a unit.
STUDY_PRINTED = (0.0763, 0.0874)
#: Names of the measures of mean and SD, what they are of, and their unit.
_WAYS = (
    ("table5_printed", "table5_printed_sd", "study's estimator, as printed", "none"),
    ("table5_study_mm", "table5_study_sd_mm", "study's estimator, in true mm", "mm"),
    ("table5_ours_mm", "table5_ours_sd_mm", "sub-pixel contour, calibrated, in true mm", "mm"),
)
_COLUMNS = ("arm", "how", "mean", "SD", "unit", "test hips", "runs")
_HEAD = "Table 5: absolute difference between the predicted mask's and the label's mJSW"
_WORDS = (
    "Mean and standard deviation, over test hips, of the absolute difference; means over an arm's runs. What the study "
    "prints is pixels times the film's spacing over the pixel size: it has no unit and is not millimetres. Both lines "
    "of the study's estimator compare the hard mask of the prediction with the hard mask of the label, neither of them "
    "calibrated. The sub-pixel contour is the width as it is reported, calibrated on hips that are not tested (where "
    "there are enough), against the mJSW of the label's curves. Nothing here is compared with the exact truth."
)

_Row = dict[str, str]


def table5_markup(result: AblationResult, labels: Mapping[str, str]) -> Iterable[str]:
    """Pieces of a page: means over each arm's finished runs; an arm whose runs have no such number has no row.

    Args:
        result: What was found.
        labels: Label of every arm, text of any origin.
    """
    yield f'<h3>{text(_HEAD)}</h3><p class="soft">{text(_WORDS, len(_WORDS))}</p>'
    yield f'<div class="scroll">{table_head(_COLUMNS)}'
    yield from (table_row(row) for row in _rows(result, {arm: text(label) for arm, label in labels.items()}))
    yield "</tbody></table></div>"


def table5_markdown(result: AblationResult, labels: Mapping[str, str]) -> str:
    """The same table in Markdown, its words below it.

    Args:
        result: What was found.
        labels: Label of every arm, in which nothing is markup any more.
    """
    marks = ["---" if name in ("arm", "how") else "---:" for name in _COLUMNS]
    lines = [_COLUMNS, marks, *(row.values() for row in _rows(result, labels))]
    return "\n".join([f"{_HEAD}.", "", *(f"| {' | '.join(line)} |" for line in lines), "", _WORDS])


def _rows(result: AblationResult, labels: Mapping[str, str]) -> Iterable[_Row]:
    printed = [number_words(value, 4) for value in STUDY_PRINTED]
    yield _row("the study", "its estimator, as printed", *printed, "none", "–", "–")
    for arm, label in labels.items():
        row = result.row(arm)
        for mean, sd, how, unit in _WAYS:
            if _value(row, mean) is not None:
                values = [number_words(_value(row, name), 4) for name in (mean, sd)]
                yield _row(label, how, *values, unit, _hips(row), str(row.cells[mean].num))


def _row(*cells: str) -> _Row:
    return dict(zip(_COLUMNS, cells, strict=True))


def _value(row: ArmRow, measure: str) -> float | None:
    cell = row.cells.get(measure)
    return None if cell is None else cell.value


def _hips(row: ArmRow) -> str:
    """Hips of a run that have all three numbers; their mean where runs differ."""
    hips = _value(row, "table5_hips")
    return "–" if hips is None else f"{hips:,.1f}".removesuffix(".0")
