"""The store: prepared hips as memory-mapped arrays beside their tables.

A store is whole or absent: it is written under another name and renamed when ``store.json``, its last file, is there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.cohort.split import PARTS, Split, take_hips
from hipjsw.imaging.view import ViewSpec

__all__ = ["STORE_VERSION", "Store", "StoreError"]

#: Raised whenever what the files hold or mean changes.
STORE_VERSION = 1


class StoreError(ValueError):
    """A store that cannot be used; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Store:
    """A whole store, open for reading.

    Args:
        folder: Where it lies.
        meta: What ``store.json`` says.
    """

    folder: Path
    meta: dict[str, Any]

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
            str(meta["fingerprint"]), str(meta["labels"]), str(meta["request"])
        except (ValueError, KeyError, TypeError) as error:
            raise error if isinstance(error, StoreError) else _damaged(path) from error
        return store

    def __reduce__(self) -> tuple[Any, ...]:
        """Loading processes open the store anew; no array travels."""
        return Store, (self.folder, self.meta)

    def _check_sizes(self) -> None:
        rows, cols = self.view.stored_shape
        for name, wanted in (("images.u16", 2), ("planes.u8", 4), ("landmarks.f64", 0)):
            size = self.num_hips * (rows * cols * wanted if wanted else 80 * 2 * 8)
            path = self.folder / name
            if not path.is_file() or path.stat().st_size != size:
                raise StoreError(f"{path} is missing or cut short; remove the store and prepare it again")

    @property
    def num_hips(self) -> int:
        """Usable hips, i.e. rows of the arrays."""
        return int(self.meta["num_hips"])

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
        """``(hips, rows, cols)`` images, 0..65535 for 0..1, memory-mapped."""
        return np.memmap(self.folder / "images.u16", np.uint16, "r", shape=(self.num_hips, *self.view.stored_shape))

    @cached_property
    def planes(self) -> NDArray[np.uint8]:
        """``(hips, 4, rows, cols)`` femur, acetabulum, joint space, weight; 0..255 for 0..1, memory-mapped."""
        return np.memmap(self.folder / "planes.u8", np.uint8, "r", shape=(self.num_hips, 4, *self.view.stored_shape))

    @cached_property
    def landmarks_px(self) -> NDArray[np.float64]:
        """``(hips, 80, 2)`` landmarks ``(row, col)`` in view pixels."""
        return np.fromfile(self.folder / "landmarks.f64", np.float64).reshape(self.num_hips, 80, 2)

    @cached_property
    def hips(self) -> pd.DataFrame:
        """Rows of hips.csv that are usable, in the order of the arrays, with ``mjsw_truth_mm`` (NaN if unknown)."""
        table = _read_csv(self.folder / "hips.csv", ("hip_id", "person", "split", "mjsw_mm", "status"))
        table = table[table["status"] == "ok"].reset_index(drop=True)
        if len(table) != self.num_hips:
            raise StoreError(f"{self.folder / 'hips.csv'} lists {len(table)} usable hips, the arrays {self.num_hips}")
        truth = self.folder / "truth.csv"
        if truth.is_file():
            exact = _read_csv(truth, ("hip_id", "mjsw_truth_mm"))
            if exact["hip_id"].duplicated().any() or table["hip_id"].duplicated().any():
                raise _damaged(truth)
            return table.merge(exact, on="hip_id", how="left")
        return table.assign(mjsw_truth_mm=np.nan)

    @cached_property
    def split(self) -> Split:
        """Persons of each part, in dealing order; a person on two sides is an error."""
        path = self.folder / "split.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            parts = {part: tuple(content[part]) for part in PARTS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path) from error
        return Split(**parts)

    def rows(self, part: str, wanted: int | None = None) -> list[int]:
        """Array rows of the first ``wanted`` hips of a part, in dealing order (all if None or fewer)."""
        by_person: dict[str, list[int]] = {}
        for row, person in enumerate(self.hips["person"]):
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
    try:
        table = pd.read_csv(path, dtype={"hip_id": str, "person": str, "reason": str})
        table[list(columns)]  # all there
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(path) from error
    return table
