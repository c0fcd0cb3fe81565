"""Train, validation and test, by person.

Both hips and all visits of one person are on one side. The order in which persons are dealt depends on the seed and
on their place in the sorted cohort, never on ids. Nested dataset sizes are beginnings of that order, so small is
within baseline within full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Split", "SplitError", "SplitSpec", "make_split", "take_hips"]

PARTS = ("train", "val", "test")


class SplitError(ValueError):
    """A split that cannot be made or must not be used."""


@dataclass(frozen=True)
class SplitSpec:
    """How persons are dealt.

    Args:
        seed: Fixes the order of persons.
        test_hips: Persons go to the test set until it has this many hips ...
        test_share: ... or this share of all persons, whichever comes first.
        val_share: Share of the remaining persons that validate (the study's 2944 of 26,488 hips is a ninth).
    """

    seed: int = 0
    test_hips: int = 100
    test_share: float = 0.35
    val_share: float = 1.0 / 9.0

    def __post_init__(self) -> None:
        if self.seed < 0 or self.test_hips < 1 or not 0 < self.test_share < 1 or not 0 < self.val_share < 1:
            raise SplitError(f"split: seed from 0, test_hips from 1, shares between 0 and 1, got {self}")


@dataclass(frozen=True)
class Split:
    """Persons of each part, in dealing order."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        names = (*self.train, *self.val, *self.test)
        if len(set(names)) != len(names):
            twice = sorted({n for n in names if names.count(n) > 1})
            raise SplitError(f"{len(twice)} persons are in more than one part of the split, e.g. {twice[0]}")

    def part_of(self) -> dict[str, str]:
        """Person to part."""
        return {person: part for part in PARTS for person in getattr(self, part)}


def make_split(hips: Mapping[str, int], spec: SplitSpec, fixed_test: Sequence[str] = ()) -> Split:
    """Deal persons to parts.

    Args:
        hips: Usable hips of each person, in the cohort's order.
        spec: How to deal.
        fixed_test: Persons that are the test set, if the cohort names them (``split.csv``).

    Returns:
        The split.

    Raises:
        SplitError: Fewer than three persons with a usable hip, or a part left empty.
    """
    persons = [p for p, count in hips.items() if count > 0]
    if len(persons) < 3:
        raise SplitError(f"{len(persons)} persons have a usable hip; train, val and test need one each, so at least 3")
    order = [persons[i] for i in np.random.default_rng([spec.seed, 0x5711]).permutation(len(persons))]
    test = [p for p in order if p in set(fixed_test)] or _deal_test(order, hips, spec)
    rest = [p for p in order if p not in set(test)]
    if len(rest) < 2:
        raise SplitError(f"{len(rest)} persons are left for training and validation; they need at least 2")
    num_val = min(max(round(len(rest) * spec.val_share), 1), len(rest) - 1)
    return Split(train=tuple(rest[num_val:]), val=tuple(rest[:num_val]), test=tuple(test))


def _deal_test(order: Sequence[str], hips: Mapping[str, int], spec: SplitSpec) -> list[str]:
    most = max(int(len(order) * spec.test_share), 1)
    running = np.cumsum([hips[p] for p in order])
    enough = int(np.searchsorted(running, spec.test_hips)) + 1
    return list(order[: min(enough, most)])


def take_hips(persons: Sequence[str], hips: Mapping[str, Sequence[int]], wanted: int | None) -> list[int]:
    """The first ``wanted`` hips in dealing order (all if None or if there are fewer).

    Args:
        persons: Persons of one part, in dealing order.
        hips: Array rows of each person's hips.
        wanted: How many.
    """
    rows = [row for person in persons for row in hips[person]]
    return rows if wanted is None else rows[:wanted]
