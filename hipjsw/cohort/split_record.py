"""What a run keeps of its split: who is where, how many hips, how evenly; and a hash that knows no ids."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pandas as pd

from hipjsw.cohort.split import PARTS, Split, person_table
from hipjsw.cohort.split_spec import SplitSpec

__all__ = ["part_counts", "split_digest", "split_record"]

_ALL = (*PARTS, "left_out")


def split_digest(split: Split, hips: pd.DataFrame) -> str:
    """Sixteen hexadecimal digits for who is where, by place in the store; other ids give the same.

    Args:
        split: Persons of each part.
        hips: The store's usable hips, with ``person``.
    """
    place = {person: n for n, person in enumerate(dict.fromkeys(hips["person"]))}
    places = [[place[person] for person in getattr(split, part)] for part in PARTS]
    return hashlib.sha256(json.dumps(places).encode()).hexdigest()[:16]


def part_counts(split: Split, hips: pd.DataFrame) -> dict[str, dict[str, int]]:
    """``persons`` and ``hips`` of ``train``, ``val``, ``test`` and ``left_out``.

    Args:
        split: Persons of each part.
        hips: As for ``split_digest``.
    """
    num = hips["person"].value_counts()
    persons = {part: list(getattr(split, part)) for part in _ALL}
    return {part: {"persons": len(names), "hips": int(num[names].sum())} for part, names in persons.items()}


def split_record(split: Split, hips: pd.DataFrame, spec: SplitSpec) -> dict[str, Any]:
    """What ``split.json`` says; ``Split.read`` reads it back.

    Args:
        split: As ``deal`` made it.
        hips: What it was made of.
        spec: How.
    """
    table = person_table(hips)
    table["part"] = table["person"].map(split.part_of()).fillna("left_out")
    strata: dict[tuple[str, str], dict[str, int]] = {}
    for dataset, mjsw, part in zip(table["dataset"], table["mjsw"], table["part"], strict=True):
        strata.setdefault((dataset, mjsw), dict.fromkeys(_ALL, 0))[part] += 1
    rows = [{"dataset": name[0], "mjsw_mm": name[1], **counts} for name, counts in sorted(strata.items())]
    return {
        "kind": spec.kind,
        "seed": spec.seed,
        "fold": spec.fold,
        "folds": spec.folds if spec.fold is not None else None,
        "digest": split_digest(split, hips),
        "counts": part_counts(split, hips),
        "persons_by_stratum": rows,
        **{part: list(getattr(split, part)) for part in _ALL},
    }
