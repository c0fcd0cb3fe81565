"""How persons shall be dealt to train, validation and test, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KINDS", "SplitError", "SplitSpec"]

KINDS = ("random", "by_cohort", "file")


class SplitError(ValueError):
    """A split that cannot be made or must not be used."""


@dataclass(frozen=True)
class SplitSpec:
    """How persons are dealt.

    Args:
        kind: ``random``; ``by_cohort``: train on one cohort, test on another; ``file``: as a file says.
        seed: Fixes the order of persons.
        test_hips: random: persons go to the test set until it has this many hips ...
        test_share: ... or this share of all persons, whichever comes first.
        val_share: Share of the remaining persons that validate (the study's 2944 of 26,488 hips is a ninth).
        stratify: Whether each part gets its share of every cohort and class of joint space width.
        by_name: Whether the order of persons hangs on their pseudonyms and not on how many there are: two stores that
            share persons and the key of their pseudonyms then deal them alike, but for those that one of them lacks.
        given: Whether persons whom the cohort's ``split.csv`` names go where it says.
        folds: random: number of folds of a cross-validation.
        fold: random: the fold that is the test set, from 0; None for no cross-validation.
        train_on: by_cohort: name of the cohort for training and validation.
        test_on: by_cohort: name of the cohort for the test.
        file: file: a ``split.json`` as a run writes it.

    Raises:
        SplitError: Values that make no split, or that the kind does not know.
    """

    kind: str = "random"
    seed: int = 0
    test_hips: int = 100
    test_share: float = 0.35
    val_share: float = 1.0 / 9.0
    stratify: bool = True
    by_name: bool = False
    given: bool = True
    folds: int = 5
    fold: int | None = None
    train_on: str | None = None
    test_on: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SplitError(f"split is one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.seed < 0 or self.test_hips < 1 or not 0 < self.test_share < 1 or not 0 < self.val_share < 1:
            raise SplitError(
                f"split: seed is 0 or more, test_hips 1 or more, test_share and val_share lie between 0 and 1; got "
                f"seed={self.seed}, test_hips={self.test_hips}, test_share={self.test_share}, "
                f"val_share={self.val_share}"
            )
        if self.by_name and self.stratify:
            raise SplitError("split.by_name=true needs split.stratify=false: strata hang on who else is there")
        self._refuse_fold()
        self._refuse_names()

    def _refuse_fold(self) -> None:
        if self.folds < 2:
            raise SplitError(f"split.folds is 2 or more, not {self.folds}")
        if self.fold is None:
            return
        if self.kind != "random":
            raise SplitError(f"fold={self.fold} is for split=random; with split={self.kind} leave it out")
        if not 0 <= self.fold < self.folds:
            raise SplitError(f"fold={self.fold} is none of the {self.folds} folds 0 to {self.folds - 1} (split.folds)")

    def _refuse_names(self) -> None:
        if self.kind == "by_cohort":
            if not self.train_on or not self.test_on:
                raise SplitError("split=by_cohort needs split.train_on=COHORT and split.test_on=COHORT")
            if self.train_on == self.test_on:
                raise SplitError(f"split=by_cohort: train_on and test_on are both {self.train_on}; name two cohorts")
        if self.kind == "file" and not self.file:
            raise SplitError("split=file needs split.file=FILE, a split.json as a run writes it")
        idle = {"train_on": "by_cohort", "test_on": "by_cohort", "file": "file"}
        for name, kind in idle.items():
            if getattr(self, name) is not None and self.kind != kind:
                raise SplitError(f"split.{name} is for split={kind}; with split={self.kind} leave it out")
