"""Train, validation and test, by person.

Both hips and all visits of one person are on one side. Who goes where depends on the seed, on the person's place in the
sorted cohort, and on its cohort and narrowest joint, never on ids. Nested dataset sizes are beginnings of one order, so
small is within baseline within full, each with its share of every stratum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hipjsw.cohort.split_spec import SplitError, SplitSpec
from hipjsw.cohort.strata import balanced_order, fold_of, mjsw_class

__all__ = ["PARTS", "Split", "SplitError", "SplitSpec", "deal", "person_table", "take_hips"]

PARTS = ("train", "val", "test")

_COLUMNS = ("person", "dataset", "mjsw_mm", "given_part")


@dataclass(frozen=True)
class Split:
    """Persons of each part, in dealing order.

    Args:
        train: For training.
        val: For validation.
        test: For the test.
        left_out: In no part.

    Raises:
        SplitError: A person named twice.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = pd.Series([*self.train, *self.val, *self.test, *self.left_out], dtype=object)
        twice = sorted(set(names[names.duplicated()]))
        if twice:
            raise SplitError(f"{len(twice)} persons are in more than one part of the split, e.g. {twice[0]}")

    @classmethod
    def read(cls, path: Path) -> Split:
        """The split that a run wrote, or any JSON file with lists of persons ``train``, ``val`` and ``test``.

        Raises:
            SplitError: No such file, or a person named twice.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            parts = {part: content[part] for part in PARTS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SplitError(f"{path} is no split: a JSON file with lists of persons train, val and test") from error
        if not all(isinstance(names, list) and all(isinstance(n, str) for n in names) for names in parts.values()):
            raise SplitError(f"{path} is no split: train, val and test are lists of persons")
        return cls(**{part: tuple(names) for part, names in parts.items()})

    def part_of(self) -> dict[str, str]:
        """Person to part."""
        return {person: part for part in PARTS for person in getattr(self, part)}

    def elsewhere(self, persons: Iterable[str]) -> Split:
        """What this split means for another store: whoever was not trained on or validated with can be tested.

        Args:
            persons: The other store's, in its order.
        """
        there = dict.fromkeys(persons)
        seen = {part: tuple(p for p in getattr(self, part) if p in there) for part in ("train", "val")}
        known = {*seen["train"], *seen["val"]}
        return Split(**seen, test=tuple(p for p in there if p not in known))


def deal(hips: pd.DataFrame, spec: SplitSpec) -> Split:
    """Deal persons to parts.

    Args:
        hips: Usable hips in the store's order: ``person``, ``dataset``, ``mjsw_mm`` (NaN if undefined) and
            ``given_part`` (the part that the cohort's split.csv names, or empty).
        spec: How to deal.

    Raises:
        SplitError: Too few persons, a cohort that is not there, a file of other persons, a part left empty.
    """
    persons = person_table(hips)
    if spec.kind == "file":
        return _as_the_file_says(persons, Path(str(spec.file)))
    if len(persons) < 3:
        raise SplitError(f"{len(persons)} persons have a usable hip; train, val and test need one each, so at least 3")
    dealer = _Dealer(persons, spec)
    if spec.kind == "by_cohort":
        return dealer.by_cohort()
    return dealer.random() if spec.fold is None else dealer.cross_validation(spec.fold)


def person_table(hips: pd.DataFrame) -> pd.DataFrame:
    """One row a person, in the order of their first hips.

    Args:
        hips: As for ``deal``.

    Returns:
        ``person``, ``dataset``, ``given``, ``num_hips`` and ``mjsw`` (class of the narrowest hip).

    Raises:
        SplitError: A person of two cohorts, or named for two parts, or for none that there is.
    """
    text = {"dataset": hips["dataset"].astype(str), "given_part": hips["given_part"].astype(object).fillna("")}
    by_person = hips[list(_COLUMNS)].assign(**text).groupby("person", sort=False)
    for column in ("dataset", "given_part"):
        mixed = by_person[column].nunique() > 1
        if mixed.any():
            raise SplitError(f"{mixed.sum()} persons have hips of more than one {column}, e.g. {mixed.idxmax()}")
    table = by_person.agg(
        dataset=("dataset", "first"),
        given=("given_part", "first"),
        num_hips=("person", "size"),
        mjsw_mm=("mjsw_mm", "min"),
    ).reset_index()
    unknown = sorted(set(table["given"]) - {*PARTS, ""})
    if unknown:
        raise SplitError(f"split.csv names the part {unknown[0]!r}; there are {', '.join(PARTS)}")
    table["mjsw"] = [mjsw_class(float(width_mm)) for width_mm in table["mjsw_mm"]]
    return table.drop(columns="mjsw_mm")


def take_hips(persons: Sequence[str], hips: Mapping[str, Sequence[int]], wanted: int | None) -> list[int]:
    """The first ``wanted`` hips in dealing order (all if None or if there are fewer).

    Args:
        persons: Persons of one part, in dealing order.
        hips: Array rows of each person's hips.
        wanted: How many.
    """
    rows = [row for person in persons for row in hips[person]]
    return rows if wanted is None else rows[:wanted]


class _Dealer:
    """Deals places in the table of persons; names come in last."""

    def __init__(self, persons: pd.DataFrame, spec: SplitSpec) -> None:
        self.spec = spec
        self.names = persons["person"].tolist()
        self.datasets = persons["dataset"].tolist()
        self.num_hips = persons["num_hips"].tolist()
        self.given = persons["given"].tolist() if spec.given else [""] * len(persons)
        self.strata = list(zip(self.datasets, persons["mjsw"], strict=True)) if spec.stratify else [()] * len(persons)
        self.order = self._by_name() if spec.by_name else self._by_place()

    def _by_place(self) -> list[int]:
        order: list[int] = np.random.default_rng([self.spec.seed, 0x5711]).permutation(len(self.names)).tolist()
        return order

    def _by_name(self) -> list[int]:
        def rank(place: int) -> bytes:
            return hashlib.blake2b(f"{self.spec.seed} {self.names[place]}".encode()).digest()

        return sorted(range(len(self.names)), key=rank)

    def random(self) -> Split:
        """Whom the cohort names for the test, else persons up to so many hips or such a share."""
        test = self._given("test", self.order)
        return self._split(test or self._first_hips([i for i in self.order if not self.given[i]]), self.order)

    def cross_validation(self, fold: int) -> Split:
        """One fold for the test; whom the cohort names for the test is kept out of all folds."""
        free = [i for i in self.order if not self.given[i]]
        if len(free) < self.spec.folds:
            raise SplitError(f"{len(free)} persons cannot make {self.spec.folds} folds; ask for fewer with split.folds")
        folds = fold_of(free, [self.strata[i] for i in free], self.spec.folds)
        test = [i for i in free if folds[i] == fold]
        return self._split(test, [i for i in self.order if self.given[i] != "test"])

    def by_cohort(self) -> Split:
        """One cohort for the test; of the other, whom the cohort names for the test is left out."""
        there = sorted(set(self.datasets))
        for name in (self.spec.train_on, self.spec.test_on):
            if name not in there:
                raise SplitError(f"split=by_cohort: the store has no hip of {name}; it holds {', '.join(there)}")
        test = [i for i in self.order if self.datasets[i] == self.spec.test_on]
        own = [i for i in self.order if self.datasets[i] == self.spec.train_on and self.given[i] != "test"]
        return self._split(test, [*test, *own])

    def _split(self, test: Sequence[int], among: Sequence[int]) -> Split:
        """Deal what is left of ``among`` without ``test`` to validation and training."""
        out = set(test)
        rest = [i for i in among if i not in out]
        if len(rest) < 2:
            raise SplitError(f"{len(rest)} persons are left for training and validation; they need at least 2")
        val = self._given("val", rest) or self._validating(rest)
        empty = "the test" if not test else "validation" if not val else "training" if len(val) == len(rest) else ""
        if empty:
            raise SplitError(f"split.csv leaves nobody for {empty}; mend it, or deal everybody with split.given=false")
        out.update(val)
        train = self._balanced([i for i in rest if i not in out])
        out.update(train)
        parts = {"train": train, "val": self._balanced(val), "test": test}
        names = {part: tuple(self.names[i] for i in places) for part, places in parts.items()}
        return Split(**names, left_out=tuple(name for i, name in enumerate(self.names) if i not in out))

    def _validating(self, rest: Sequence[int]) -> list[int]:
        wanted = min(max(round(len(rest) * self.spec.val_share), 1), len(rest) - 1)
        return self._balanced([i for i in rest if not self.given[i]])[:wanted]

    def _first_hips(self, places: Sequence[int]) -> list[int]:
        order = self._balanced(places)
        most = max(int(len(order) * self.spec.test_share), 1)
        enough = int(np.searchsorted(np.cumsum([self.num_hips[i] for i in order]), self.spec.test_hips)) + 1
        return order[: min(enough, most)]

    def _given(self, part: str, places: Sequence[int]) -> list[int]:
        return [i for i in places if self.given[i] == part]

    def _balanced(self, places: Sequence[int]) -> list[int]:
        return balanced_order(places, [self.strata[i] for i in places])


def _as_the_file_says(persons: pd.DataFrame, path: Path) -> Split:
    asked = Split.read(path)
    part, there = asked.part_of(), persons["person"].tolist()
    unknown = sorted(set(part) - set(there))
    if unknown:
        raise SplitError(
            f"{path} names {len(unknown)} persons without a usable hip in this store, e.g. {unknown[0]}; "
            "it was made for another cohort or with another id_key"
        )
    empty = [name for name in PARTS if not getattr(asked, name)]
    if empty:
        raise SplitError(f"{path} has nobody in {empty[0]}")
    return Split(asked.train, asked.val, asked.test, tuple(p for p in there if p not in part))
