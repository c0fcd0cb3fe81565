"""What an ablation found, as plain numbers: everything that tables, pages and records say is read from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hipjsw.ablation.design import Design

__all__ = ["AblationResult", "ArmRow", "Cell", "DifferenceRow", "Verdict"]


@dataclass(frozen=True)
class Cell:
    """One number of an arm.

    Args:
        value: Mean over its runs and test hips; None where undefined.
        low: Lower end of the 95 % interval over seeds and persons (of one run, over persons alone); None where there is
            none.
        high: Upper end.
        num: Test hips it is over (or runs, for a measure of whole runs).
        num_left_out: Those left out because it is undefined there.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    num: int = 0
    num_left_out: int = 0


@dataclass(frozen=True)
class ArmRow:
    """What became of one arm.

    Args:
        arm: Its name in the design.
        done: Finished runs.
        failed: Runs that failed.
        missing: Runs that are wanted and were not made yet.
        reasons: Why runs failed, each reason once, as ``seed 0: loss is nan ...``.
        cells: Numbers by measure.
        steps: Optimiser steps of each run; None if none is done.
        batch_size: Hips a step.
        train_hips: Training hips.
        val_hips: Validation hips.
        train_s: Seconds of training, mean over runs; None where unknown.
        judge_s: Seconds of measuring, likewise.
        seeds: Of all its runs that were asked for, whatever became of them; rising, empty where unknown.
    """

    arm: str
    done: int
    failed: int = 0
    missing: int = 0
    reasons: tuple[str, ...] = ()
    cells: Mapping[str, Cell] = field(default_factory=dict)
    steps: int | None = None
    batch_size: int | None = None
    train_hips: int | None = None
    val_hips: int | None = None
    train_s: float | None = None
    judge_s: float | None = None
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class DifferenceRow:
    """One arm less another, on the same test hips.

    Args:
        measure: Of what.
        arm: The arm.
        than: The arm it is compared with.
        value: Mean difference, arm less than; None where undefined.
        low: Lower end of its 95 % interval over seeds and persons (with one run a side: of these very runs, over
            persons alone); None where there is none.
        high: Upper end.
        p: Of no difference, two-sided; None where there is none.
        p_holm: The same after Holm's correction for the comparisons of this measure in this ablation.
        num_hips: Test hips known in both (0 for a measure of whole runs).
        num_persons: Their persons.
        seeds: Finished runs of either arm that have a value.
    """

    measure: str
    arm: str
    than: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    num_hips: int
    num_persons: int
    seeds: tuple[int, int]


@dataclass(frozen=True)
class Verdict:
    """Whether something claimed holds in these runs.

    Args:
        claim: The finding's words.
        of_study: Whether the study found it.
        verdict: ``holds``, ``refuted`` (the opposite is shown), ``not settled`` or ``not run``. Of two arms of which
            one is to be better, by p after Holm's correction within one measure of one ablation: its other measures,
            and other ablations, add chances of their own. Of two that are to be similar, by the interval, which is not
            corrected. With one run a side it is ``not settled``.
        words: One sentence with the numbers.
    """

    claim: str
    of_study: bool
    verdict: str
    words: str


@dataclass(frozen=True)
class AblationResult:
    """All that an ablation found.

    Args:
        design: What was asked.
        record: Name of the sweep's record; the design's name, and more where options differed.
        options: What the command line said besides, shared by all arms.
        scale: ``demo`` or ``paper``.
        arms: One row an arm, in the design's order.
        differences: Every other arm against the reference and every finding's pair, for every measure that the design
            compares and that has a value in both.
        verdicts: One a finding.
        num_hips: Test hips.
        num_persons: Their persons.
        about: What else is to be said, by name: ``data`` (which phantom), ``device``, ``commit``, ``version``.
    """

    design: Design
    record: str
    options: tuple[str, ...]
    scale: str
    arms: tuple[ArmRow, ...]
    differences: tuple[DifferenceRow, ...]
    verdicts: tuple[Verdict, ...]
    num_hips: int
    num_persons: int
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether every run that is wanted was made."""
        return all(row.failed == 0 and row.missing == 0 for row in self.arms)

    def row(self, arm: str) -> ArmRow:
        """The row of an arm."""
        return next(row for row in self.arms if row.arm == arm)
