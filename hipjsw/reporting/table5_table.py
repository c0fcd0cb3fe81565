"""The study's Table 5 beside what runs give for it, in its own number and in true millimetres (docs/table5.md)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.ablation.words import number_words
from hipjsw.reporting.markup import number, table_head, table_row, text

__all__ = ["STUDY_PRINTED", "table5_markup"]

#: Mean and standard deviation that the study prints, without a unit.
STUDY_PRINTED = (0.0763, 0.0874)
#: Names of the numbers in ``metrics.json``, what they are, and their unit.
_WAYS = (
    ("as_printed_mean", "as_printed_sd", "study's estimator, as printed", "none"),
    ("study_mean_mm", "study_sd_mm", "study's estimator, in true mm", "mm"),
    ("ours_mean_mm", "ours_sd_mm", "sub-pixel contour, in true mm", "mm"),
)
_COLUMNS = ("arm", "how", "mean", "SD", "unit", "test hips", "runs")


def table5_markup(sweep: Sweep, labels: Mapping[str, str]) -> Iterable[str]:
    """Pieces of a page: means over each arm's finished runs; an arm whose runs have no such number has no row.

    Args:
        sweep: The runs.
        labels: Label of every arm, text of any origin.
    """
    yield "<h3>Table 5: difference between the predicted mask's and the label's mJSW</h3>"
    yield (
        '<p class="soft">What the study prints is pixels times the film\'s spacing over the pixel size: no '
        "millimetres. The same estimator in true mm, and the sub-pixel contour, are beside it. All are differences to "
        "the label, not to the exact truth.</p>"
    )
    yield f'<div class="scroll">{table_head(_COLUMNS)}'
    printed = [number_words(value, 4) for value in STUDY_PRINTED]
    yield _row(["the study", "its estimator, as printed", *printed, "none", "–", "–"])
    for arm, label in labels.items():
        for mean, sd, how, unit in _WAYS:
            found = [run for run in sweep.of(arm) if _number(run, mean) is not None]
            if found:
                values = [number_words(_mean(found, key), 4) for key in (mean, sd)]
                hips = sorted({number(round(_number(run, "num_hips") or 0)) for run in found})
                yield _row([text(label), how, *values, unit, " or ".join(hips), str(len(found))])
    yield "</tbody></table></div>"


def _row(cells: Sequence[str]) -> str:
    return table_row(dict(zip(_COLUMNS, cells, strict=True)))


def _mean(runs: Sequence[RunResult], key: str) -> float | None:
    known = [value for run in runs if (value := _number(run, key)) is not None]
    return sum(known) / len(known) if known else None


def _number(run: RunResult, key: str) -> float | None:
    value = run.metrics.get(f"test/table5/{key}")
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
