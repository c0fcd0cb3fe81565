"""The store: prepared hips as memory-mapped arrays beside their tables.

A store is whole or absent: it is written under another name and renamed when ``store.json``, its last file, is there.
It holds no split; that is dealt when it is opened for training.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.geometry import COLUMNS
from hipjsw.cohort.split import Split, SplitSpec, deal, take_hips
from hipjsw.imaging.view import ViewSpec

__all__ = ["STORE_VERSION", "Store", "StoreError", "row_bytes"]

#: Raised whenever what the files hold or mean changes.
STORE_VERSION = 2

_NEEDED = ("hip_id", "person", "dataset", "side", "row", "mjsw_mm", "given_part", "status")


class StoreError(ValueError):
    """A store that cannot be used; the message says what to do."""


def row_bytes(shape: tuple[int, int]) -> dict[str, int]:
    """Bytes of one hip in each array's file.

    Args:
        shape: ``(rows, cols)`` of an image as stored.
    """
    pixels = shape[0] * shape[1]
    return {
        "images.u16": 2 * pixels,
        "planes.u8": 4 * pixels,
        "landmarks.f64": 80 * 2 * 8,
        "geometry.f64": len(COLUMNS) * 8,
    }


@dataclass(frozen=True, eq=False)
class Store:
    """A whole store, open for reading.

    Args:
        folder: Where it lies.
        meta: What ``store.json`` says.
        parts: The split, once dealt.
    """

    folder: Path
    meta: dict[str, Any]
    parts: Split | None = None

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open a store.

        Raises:
            StoreError: No store there, a half-written one, or one of another version.
        """
        path = folder / "store.json"
        if not path.is_file():
            raise StoreError(f"{folder} is no store; make one with: python -m hipjsw.prepare cohort=DIR store={folder}")
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
            version = meta["store_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path) from error
        if version != STORE_VERSION:
            raise StoreError(
                f"{folder} is a store of version {version}, this program reads version {STORE_VERSION}; "
                "prepare it again into another folder"
            )
        store = cls(folder, meta)
        try:
            store._check_sizes()
            _ = store.num_hips, str(meta["fingerprint"]), str(meta["labels"]), str(meta["companions"])
        except (ValueError, KeyError, TypeError) as error:
            raise error if isinstance(error, StoreError) else _damaged(path) from error
        return store

    def __reduce__(self) -> tuple[Any, ...]:
        """Loading processes open the store anew; no array travels."""
        return Store, (self.folder, self.meta, self.parts)

    def _check_sizes(self) -> None:
        for name, size in row_bytes(self.view.stored_shape).items():
            path = self.folder / name
            if not path.is_file() or path.stat().st_size != self.num_rows * size:
                raise StoreError(f"{path} is missing or cut short; remove the store and prepare it again")

    @property
    def num_hips(self) -> int:
        """Usable hips."""
        return int(self.meta["num_hips"])

    @property
    def num_rows(self) -> int:
        """Rows of the arrays: the usable hips, and those that were left out for another film's sake."""
        return int(self.meta["num_rows"])

    @property
    def fingerprint(self) -> str:
        """Hash of what was prepared and how; equal fingerprints hold equal arrays."""
        return str(self.meta["fingerprint"])

    @cached_property
    def view(self) -> ViewSpec:
        """The view the arrays show."""
        return ViewSpec(**self.meta["view"])

    @cached_property
    def images(self) -> NDArray[np.uint16]:
        """``(rows of the arrays, rows, cols)`` images, 0..65535 for 0..1, memory-mapped."""
        return np.memmap(self.folder / "images.u16", np.uint16, "r", shape=(self.num_rows, *self.view.stored_shape))

    @cached_property
    def planes(self) -> NDArray[np.uint8]:
        """``(rows of the arrays, 4, rows, cols)`` femur, acetabulum, joint space, weight; 0..255 for 0..1, mapped."""
        return np.memmap(self.folder / "planes.u8", np.uint8, "r", shape=(self.num_rows, 4, *self.view.stored_shape))

    @cached_property
    def landmarks_px(self) -> NDArray[np.float64]:
        """``(rows of the arrays, 80, 2)`` landmarks ``(row, col)`` in view pixels."""
        return np.fromfile(self.folder / "landmarks.f64", np.float64).reshape(self.num_rows, 80, 2)

    @cached_property
    def geometry(self) -> NDArray[np.float64]:
        """``(rows of the arrays, 8)`` where each view lies on its film: `hipjsw.cohort.geometry`."""
        return np.fromfile(self.folder / "geometry.f64", np.float64).reshape(self.num_rows, len(COLUMNS))

    @cached_property
    def records(self) -> list[FilmRecord]:
        """All films, in the cohort's order; they name films."""
        path = self.folder / "records.jsonl"
        try:
            with path.open(encoding="utf-8") as file:
                return [FilmRecord.from_json(json.loads(line)) for line in file]
        except (OSError, ValueError) as error:
            raise _damaged(path) from error

    @cached_property
    def hips(self) -> pd.DataFrame:
        """Usable hips of hips.csv in the order of the arrays, with ``mjsw_truth_mm`` (NaN if unknown).

        The index is the hip's row in the arrays, as is the column ``row``.
        """
        table = _read_csv(self.folder / "hips.csv", _NEEDED)
        table = table[table["status"] == "ok"]
        if len(table) != self.num_hips or not table["row"].is_monotonic_increasing or table["row"].duplicated().any():
            raise StoreError(
                f"{self.folder / 'hips.csv'} lists {len(table)} usable hips, the arrays {self.num_hips}; "
                "remove the store and prepare it again"
            )
        if len(table) and not (table["row"].iloc[0] >= 0 and table["row"].iloc[-1] < self.num_rows):
            raise _damaged(self.folder / "hips.csv")
        table = table.set_index("row", drop=False).rename_axis(index=None)
        truth = self.folder / "truth.csv"
        if not truth.is_file():
            return table.assign(mjsw_truth_mm=np.nan)
        exact = _read_csv(truth, ("hip_id", "mjsw_truth_mm"))
        if exact["hip_id"].duplicated().any() or table["hip_id"].duplicated().any():
            raise _damaged(truth)
        return table.assign(mjsw_truth_mm=table["hip_id"].map(exact.set_index("hip_id")["mjsw_truth_mm"]))

    def dealt(self, spec: SplitSpec) -> Store:
        """The same store with its persons dealt to training, validation and test.

        Raises:
            SplitError: Too few persons, or a person on two sides.
        """
        return replace(self, parts=deal(self.hips, spec))

    @property
    def split(self) -> Split:
        """Persons of each part, in dealing order.

        Raises:
            StoreError: Nothing was dealt yet.
        """
        if self.parts is None:
            raise StoreError(f"{self.folder} was opened without a split; deal its persons first")
        return self.parts

    def rows(self, part: str, wanted: int | None = None) -> list[int]:
        """Array rows of the first ``wanted`` hips of a part, in dealing order (all if None or fewer)."""
        by_person: dict[str, list[int]] = {}
        for row, person in zip(self.hips["row"].tolist(), self.hips["person"], strict=True):
            by_person.setdefault(person, []).append(row)
        persons = [p for p in getattr(self.split, part) if p in by_person]
        return take_hips(persons, by_person, wanted)

    def require_view(self, view: ViewSpec) -> None:
        """Check that the arrays show what a run wants to train on.

        Raises:
            StoreError: Another view.
        """
        if view != self.view:
            other = {k: v for k, v in asdict(self.view).items() if getattr(view, k) != v}
            raise StoreError(
                f"{self.folder} was prepared with view={self.view.name} ({other}); train with view={self.view.name}, "
                f"or prepare another store with view={view.name}"
            )


def _damaged(path: Path) -> StoreError:
    return StoreError(f"{path} is missing or damaged; remove the store and prepare it again")


def _read_csv(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    text = dict.fromkeys(("hip_id", "person", "dataset", "side", "spacing_source", "given_part", "reason"), str)
    try:
        table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])  # a cohort may be named NA
        table = table.fillna(dict.fromkeys(("given_part", "reason"), ""))
        table[list(columns)]  # all there
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    return table
