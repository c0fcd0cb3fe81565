"""What may lie beside a cohort's films: who is kept for testing, the exact truth, what made a phantom."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hipjsw.cohort.layout import CohortError

__all__ = ["Companions", "read_companions"]

NAMES = ("split.csv", "truth.csv", "phantom.json")


@dataclass(frozen=True)
class Companions:
    """Content of ``split.csv``, ``truth.csv`` and ``phantom.json``, empty where a file is absent.

    Args:
        test_persons: (dataset, subject) of the persons whom split.csv puts into the test set.
        truth_mm: Exact mJSW by (dataset, subject, visit, side); hips without a true width are not in it.
        phantom: Version, seed and size of a phantom cohort; None for a real one.
        stamp: Hash of the three files.
    """

    test_persons: frozenset[tuple[str, str]]
    truth_mm: dict[tuple[str, str, str, str], float]
    phantom: dict[str, Any] | None
    stamp: str


def read_companions(cohort: Path) -> Companions:
    """Read what lies beside the films.

    Raises:
        CohortError: A file that is there and cannot be used, by name.
    """
    split = _table(cohort / "split.csv", ("dataset", "subject", "split"))
    truth = _table(cohort / "truth.csv", ("dataset", "subject", "visit", "side", "mjsw_mm"))
    stamp = hashlib.sha256()
    for name in NAMES:
        stamp.update((cohort / name).read_bytes() if (cohort / name).is_file() else b"-")
    return Companions(
        test_persons=frozenset((row[0], row[1]) for row in split if row[2] == "test"),
        truth_mm={
            (row[0], row[1], row[2], row[3]): _width(cohort / "truth.csv", row[4]) for row in truth if row[4].strip()
        },
        phantom=_phantom(cohort / "phantom.json"),
        stamp=stamp.hexdigest(),
    )


def _table(path: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not path.is_file():
        return []
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)[list(columns)]
    except (ValueError, KeyError) as error:  # pandas' errors of parsing are ValueErrors
        raise CohortError(f"{path.name} has not the columns {', '.join(columns)}; mend or remove it") from error
    return [tuple(row) for row in frame.itertuples(index=False)]


def _width(path: Path, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise CohortError(f"{path.name}: mjsw_mm {text!r} is no width; mend or remove the file")
    return value


def _phantom(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content | {"phantom_version": str(content["phantom_version"]), "seed": int(content["seed"])}
    except (ValueError, KeyError, TypeError) as error:
        raise CohortError(f"{path.name} is damaged; write the phantom cohort again, or remove the file") from error
