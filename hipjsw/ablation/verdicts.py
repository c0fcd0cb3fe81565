"""Whether what was claimed holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hipjsw.ablation.comparing import Comparison
from hipjsw.ablation.design import Design, Finding
from hipjsw.ablation.measures import MEASURES, Measure
from hipjsw.ablation.result import ArmRow, DifferenceRow, Verdict
from hipjsw.ablation.words import capital, decimals, difference_words, number_words

__all__ = ["HOLDS", "NOT_RUN", "NOT_SETTLED", "REFUTED", "SIGNIFICANT", "verdict"]

HOLDS, REFUTED, NOT_SETTLED, NOT_RUN = "holds", "refuted", "not settled", "not run"
#: A difference is shown where its p, corrected by Holm, is below.
SIGNIFICANT = 0.05


def verdict(finding: Finding, design: Design, found: Sequence[Comparison], arms: Mapping[str, ArmRow]) -> Verdict:
    """Judge one finding.

    ``better`` holds where the difference is shown (Holm's p below ``SIGNIFICANT``) in the measure's better direction,
    and is refuted where it is shown in the other. ``similar`` holds where the whole 95 % interval lies within the
    margin on either side of 0, and is refuted where all of it lies beyond. With one run a side neither is settled: the
    interval and p are of these very runs, and two runs of one way of training differ as well.

    Args:
        finding: What is claimed.
        design: Of which ablation.
        found: Its comparisons.
        arms: What became of each arm.

    Returns:
        The verdict; ``not run`` where there are no numbers, its words then say why. Runs of either arm that failed
        are said.
    """
    measure = MEASURES.get(finding.measure)
    if measure is None:
        said = f"There is no measure {finding.measure!r}; measures are {', '.join(MEASURES)}."
        return Verdict(finding.claim, finding.of_study, NOT_RUN, said)
    comparison = _comparison(finding, found)
    if comparison is None or comparison.row.value is None:
        said = _why_not(finding, design, measure, comparison, arms)
        return Verdict(finding.claim, finding.of_study, NOT_RUN, said)
    words = difference_words(measure, comparison) + _failed(finding, design, arms)
    if finding.kind == "similar":
        judged, note = _similar(comparison.row, finding.margin or 0.0, measure)
    else:
        judged, note = _better(comparison.row, measure)
    return Verdict(finding.claim, finding.of_study, judged, f"{words}{note}.")


def _comparison(finding: Finding, found: Sequence[Comparison]) -> Comparison | None:
    """The finding's comparison, its arm first."""
    for comparison in found:
        row = comparison.row
        if row.measure == finding.measure and {row.arm, row.than} == {finding.arm, finding.than}:
            return comparison if row.arm == finding.arm else comparison.turned()
    return None


def _better(row: DifferenceRow, measure: Measure) -> tuple[str, str]:
    if measure.higher_is_better is None:
        return NOT_SETTLED, "; of this measure neither direction is better"
    if max(row.seeds) == 1 or row.value is None or row.p_holm is None or row.p_holm >= SIGNIFICANT:
        return NOT_SETTLED, ""
    return (HOLDS if (row.value > 0) == measure.higher_is_better else REFUTED), ""


def _similar(row: DifferenceRow, margin: float, measure: Measure) -> tuple[str, str]:
    within = f"±{number_words(margin, decimals(margin), measure.unit)}"
    if max(row.seeds) == 1 or row.low is None or row.high is None:
        return NOT_SETTLED, f"; the margin is {within}"
    if -margin <= row.low and row.high <= margin:
        return HOLDS, f"; the whole interval lies within {within}"
    if row.low > margin or row.high < -margin:
        return REFUTED, f"; the whole interval lies beyond {within}"
    return NOT_SETTLED, f"; the interval reaches over {within}"


def _failed(finding: Finding, design: Design, arms: Mapping[str, ArmRow]) -> str:
    """Runs that failed: of an arm that fails often, those that went well alone are compared."""
    rows = [arms[name] for name in (finding.arm, finding.than) if name in arms and arms[name].failed]
    said = " and ".join(f"{row.failed} of {design.arm(row.arm).label}" for row in rows)
    return f"; failed and left out: {said}" if said else ""


def _why_not(
    finding: Finding, design: Design, measure: Measure, comparison: Comparison | None, arms: Mapping[str, ArmRow]
) -> str:
    if design.pooled:
        return "Folds of one cross-validation are put together and not compared."
    if finding.arm == finding.than:
        return "An arm is not compared with itself."
    labels = {name: design.arm(name).label for name in (finding.arm, finding.than)}
    without = [label for name, label in labels.items() if name not in arms or not arms[name].done]
    failed = _failed(finding, design, arms)
    if without:
        return f"No finished run of {' and none of '.join(without)}{failed}."
    if comparison is None:
        return f"{capital(measure.label)} is undefined for one of them{failed}."
    if comparison.why:
        return f"Not compared: {comparison.why}{failed}."
    return (
        f"{' and '.join(labels.values())} share {comparison.num_shared} test hips, and those with a value in both are "
        f"of fewer than two persons; {comparison.num_alone} hips that only one of them was tested on are left out"
        f"{failed}."
    )
