"""Probabilities kept on disk, so that hips can be measured again without a network.

A folder of ``probs.f16`` (hips, 3, rows, cols; what stands in the view, averaged over the views that were averaged),
``hips.csv`` and, last, ``probs.json``. It is written beside its place and renamed: whole or absent. Half a float's
precision is 0.0005 near 0.5, where the edges are.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.cohort.durable import beside, sync_file, sync_folder, write_durably
from hipjsw.cohort.store import Store

__all__ = ["SAVED_COLUMNS", "SAVED_VERSION", "ProbsWriter", "SavedError", "SavedProbs"]

#: Raised whenever what the files hold or mean changes.
SAVED_VERSION = 1
_NUMBERS = ("spread_mm", "typicality", *(f"dice_{name}" for name in FOREGROUND))
SAVED_COLUMNS = ("row", "hip_id", *_NUMBERS)

_DATA, _TABLE, _META = "probs.f16", "hips.csv", "probs.json"
_FILES = frozenset({_DATA, _TABLE, _META, _TABLE + ".part", _META + ".part"})
_TYPE = np.dtype("<f2")
_BLOCK = 1 << 22


class SavedError(ValueError):
    """Saved probabilities that cannot be used; the message says what to do."""


@dataclass(frozen=True, eq=False)
class SavedProbs:
    """Saved probabilities, open for reading.

    Args:
        folder: Where they lie.
        shape: ``(rows, cols)`` of a view.
        pixel_mm: Size of the view's pixels in mm.
        part: The part of the split that was judged.
        store_fingerprint: Of the store that the hips are of.
        looks: How often each hip was looked at; the probabilities are the mean.
        hips: ``SAVED_COLUMNS``, a row a hip in the order of the arrays; NaN where undefined or unknown. ``row`` is
            the hip's row in the store.
    """

    folder: Path
    shape: tuple[int, int]
    pixel_mm: float
    part: str
    store_fingerprint: str
    looks: int
    hips: pd.DataFrame

    @classmethod
    def open(cls, folder: Path) -> SavedProbs:
        """Open what ``ProbsWriter`` wrote; reads all of it once to see that it is unchanged.

        Raises:
            SavedError: Nothing there, of another version, cut short or changed.
        """
        path = folder / _META
        if not path.is_file():
            raise SavedError(f"{folder} holds no saved probabilities; make some with evaluate ... save_probs=true")
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
            version = meta["version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path) from error
        if version != SAVED_VERSION:
            raise SavedError(
                f"{folder} was written as version {version}, this program reads version {SAVED_VERSION}; evaluate again"
            )
        try:
            num, rows, cols = (int(meta[name]) for name in ("num", "rows", "cols"))
            size, digests = num * 3 * rows * cols * _TYPE.itemsize, meta["sha256"]
            for name in (_DATA, _TABLE):
                file = folder / name
                if name == _DATA and file.stat().st_size != size:
                    raise _damaged(file, f"{file.stat().st_size} bytes, not {size}")
                if _digest(file) != digests[name]:
                    raise _damaged(file, "its content is not what was written")
            text = pd.read_csv(folder / _TABLE, dtype=str)[list(SAVED_COLUMNS)]
            hips = text.astype({"row": np.int64} | dict.fromkeys(_NUMBERS, np.float64))  # exact, unlike its own reading
            if len(hips) != num:
                raise _damaged(folder / _TABLE, f"{len(hips)} hips, not {num}")
            facts = float(meta["pixel_mm"]), str(meta["part"]), str(meta["store_fingerprint"]), int(meta["looks"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise error if isinstance(error, SavedError) else _damaged(folder, str(error)) from error
        return cls(folder, (rows, cols), *facts, hips)

    def __len__(self) -> int:
        return len(self.hips)

    @cached_property
    def probs(self) -> NDArray[np.float16]:
        """``(hips, 3, rows, cols)`` femur, acetabulum, joint space in [0, 1], memory-mapped."""
        return np.memmap(self.folder / _DATA, _TYPE, "r", shape=(len(self), 3, *self.shape))

    def require_store(self, store: Store) -> None:
        """Check that a store is the one whose hips these are.

        Raises:
            SavedError: Another store.
        """
        if store.fingerprint != self.store_fingerprint:
            raise SavedError(
                f"{self.folder} holds hips of a store with fingerprint {self.store_fingerprint}, {store.folder} has "
                f"{store.fingerprint}; give the store they were made on with store=DIR, or evaluate again"
            )


class ProbsWriter:
    """Takes hips one at a time and holds none of them; a context that leaves a whole folder, or none after an error.

    Saved probabilities that were in the place stay until the new ones are whole.

    Args:
        folder: Where they will lie.
        store: The store that the hips are of.
        part: The part of the split that is judged.
        looks: How often each hip is looked at.

    Raises:
        SavedError: On entering, something else lies in the place.
        ValueError: On leaving, no hip came.
    """

    def __init__(self, folder: Path, store: Store, part: str, looks: int = 1) -> None:
        self.folder = folder
        self._store, self._part, self._looks = store, part, looks
        self._ids = dict(zip(store.hips["row"].tolist(), store.hips["hip_id"].tolist(), strict=True))
        self._shape: tuple[int, int] | None = None
        self._rows: dict[int, tuple[str, ...]] = {}
        self._hash = hashlib.sha256()
        self._partial = beside(folder, "partial")
        self._file: BinaryIO | None = None

    def __enter__(self) -> ProbsWriter:
        for old in (self.folder, self._partial, beside(self.folder, "replaced")):
            _refuse_foreign(old)
        if not self.folder.exists() and beside(self.folder, "replaced").exists():
            beside(self.folder, "replaced").rename(self.folder)  # an earlier replacing was cut short
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._file = (self._partial / _DATA).open("wb")
        return self

    def add(
        self,
        row: int,
        probs: NDArray[Any],
        dice: NDArray[Any] | Sequence[float],
        spread_mm: float | None = None,
        typicality: float | None = None,
    ) -> None:
        """Append one hip.

        Args:
            row: Its row in the store.
            probs: ``(3, rows, cols)`` femur, acetabulum, joint space in [0, 1].
            dice: ``(3,)``, NaN where undefined.
            spread_mm: SD of its minimum over the averaged views.
            typicality: Its distance from the calibration hips.

        Raises:
            ValueError: A hip that is not the store's or came before, another shape, or values outside [0, 1].
        """
        if self._file is None:
            raise ValueError("the writer is closed; use it as a context: with ProbsWriter(...) as writer")
        if row not in self._ids or row in self._rows:
            raise ValueError(f"row {row} {'was added already' if row in self._rows else 'is no hip of the store'}")
        shape = self._shape or (probs.shape[-2], probs.shape[-1])
        if probs.shape != (3, *shape):
            raise ValueError(f"probabilities are (3, rows, cols), those before {shape}; got {probs.shape}")
        if not ((probs >= 0) & (probs <= 1)).all():
            raise ValueError(f"row {row} has probabilities outside [0, 1]; give them after the activation")
        content = np.ascontiguousarray(probs, dtype=_TYPE).tobytes()
        self._file.write(content)
        self._hash.update(content)
        self._shape = shape
        values = (spread_mm, typicality, *dice)
        self._rows[row] = (str(row), self._ids[row], *map(_cell, values))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        try:
            if kind is None:
                self._publish()
        finally:
            shutil.rmtree(self._partial, ignore_errors=True)

    def _publish(self) -> None:
        if self._shape is None:
            raise ValueError(f"no hip came; {self.folder} was not written")
        sync_file(self._partial / _DATA)
        with (self._partial / _TABLE).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([SAVED_COLUMNS, *self._rows.values()])
        sync_file(self._partial / _TABLE)
        meta = {
            "version": SAVED_VERSION,
            "num": len(self._rows),
            "rows": self._shape[0],
            "cols": self._shape[1],
            "pixel_mm": self._store.view.pixel_mm,
            "part": self._part,
            "looks": self._looks,
            "store_fingerprint": self._store.fingerprint,
            "sha256": {_DATA: self._hash.hexdigest(), _TABLE: _digest(self._partial / _TABLE)},
        }
        write_durably(self._partial / _META, [json.dumps(meta, indent=1), "\n"])
        replaced = beside(self.folder, "replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(replaced)
        self._partial.rename(self.folder)
        sync_folder(self.folder.parent)
        shutil.rmtree(replaced, ignore_errors=True)


def _cell(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(float(value))


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _refuse_foreign(folder: Path) -> None:
    """Check that a folder that will be replaced or removed holds saved probabilities alone."""
    if not folder.exists():
        return
    foreign = sorted(p.name for p in folder.iterdir() if p.name not in _FILES) if folder.is_dir() else [folder.name]
    if foreign:
        raise SavedError(f"{folder} holds {foreign[0]}, which saved probabilities do not; move it away and try again")


def _damaged(path: Path, why: str = "") -> SavedError:
    return SavedError(f"{path} is missing or damaged{f' ({why})' if why else ''}; remove the folder and evaluate again")
