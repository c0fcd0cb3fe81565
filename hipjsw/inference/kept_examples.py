"""Test hips that a run keeps to be looked at: its own worst ones, and some that all runs of one test set share."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.inference.examples import ProbsOf, view_and_coverage
from hipjsw.inference.measuring import HipRecord
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.learning.data import HipDataset

__all__ = ["EXAMPLES", "NUM_SHARED", "NUM_WORST", "Examples", "choose_examples", "read_examples", "write_examples"]

#: The file in a run's folder.
EXAMPLES = "examples.npz"
#: So many hips are kept at most, of either kind.
NUM_WORST, NUM_SHARED = 12, 8
#: A view with a longer side is cropped to it.
LARGEST_PX = 256

_JOINT_SPACE = FOREGROUND.index("joint_space")
#: Dtype and number of dimensions of each array; None is text.
_SHAPES: dict[str, tuple[type[np.generic] | None, int]] = {
    "hip_id": (None, 1),
    "kind": (None, 1),
    "image": (np.uint8, 3),
    "probs": (np.uint8, 4),
    "label": (np.uint8, 4),
    "witness_px": (np.float32, 3),
    "pixel_mm": (np.float32, 0),
}

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Examples:
    """Hips as a run saw them, worst first, then the shared ones; a hip may be among both.

    Args:
        hip_id: ``(n,)`` pseudonyms; numbers of each hip are in ``test_hips.csv``.
        kind: ``(n,)`` ``worst`` or ``shared``.
        image: ``(n, h, w)`` the network's image, 0 to 255.
        probs: ``(n, 3, h, w)`` 255 times the probabilities of femur, acetabulum and joint space that were measured on.
        label: ``(n, 3, h, w)`` 255 times the label's coverage.
        witness_px: ``(n, 2, 2)`` point of the roof and of the head at the minimum, ``(row, col)`` in pixels of these
            arrays; NaN where the hip could not be measured.
        pixel_mm: Pixel size.
    """

    hip_id: NDArray[np.str_]
    kind: NDArray[np.str_]
    image: Bytes
    probs: Bytes
    label: Bytes
    witness_px: NDArray[np.float32]
    pixel_mm: float

    def __len__(self) -> int:
        return len(self.hip_id)


def choose_examples(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Which hips are kept.

    Worst are those that could not be measured, then those of the lowest mean Dice; of equals the first in the table.
    Shared are those whose pseudonym has the lowest hash, whatever a run made of them, so every run of one test set
    keeps the same; they come in the order of the hash.

    Args:
        table: Rows of ``hip_rows``.

    Returns:
        Kind and position in the table, ``NUM_WORST`` and ``NUM_SHARED`` at most.
    """
    dice = table[[f"dice_{name}" for name in FOREGROUND]].mean(axis=1).fillna(0.0)
    worst = np.argsort((dice - 2.0 * (table["status"] != "measured")).to_numpy(), kind="stable")
    hashes = [hashlib.sha256(str(hip).encode()).hexdigest() for hip in table["hip_id"]]
    shared = sorted(range(len(table)), key=hashes.__getitem__)
    return [("worst", int(n)) for n in worst[:NUM_WORST]] + [("shared", n) for n in shared[:NUM_SHARED]]


def write_examples(
    path: Path, records: Sequence[HipRecord], table: pd.DataFrame, dataset: HipDataset, probs_of: ProbsOf
) -> None:
    """Keep the chosen hips in one file, whole or not at all; the same hips and probabilities give the same bytes.

    Args:
        path: The file, ``.npz``.
        records: What was measured, in the dataset's order.
        table: Rows of ``hip_rows`` of these records.
        dataset: The hips.
        probs_of: What was measured on.
    """
    pixel_mm = dataset.store.view.pixel_mm
    chosen = choose_examples(table)
    drawn = {position: _drawn(records[position], dataset, position, probs_of) for position in {n for _, n in chosen}}
    size = tuple(min(side, LARGEST_PX) for side in dataset.size)
    arrays: dict[str, NDArray[Any]] = {
        "hip_id": np.array([str(table["hip_id"].iloc[n]) for _, n in chosen], dtype=np.str_),
        "kind": np.array([kind for kind, _ in chosen], dtype=np.str_),
        "image": _stacked((drawn[n][0] for _, n in chosen), size, np.uint8),
        "probs": _stacked((drawn[n][1] for _, n in chosen), (3, *size), np.uint8),
        "label": _stacked((drawn[n][2] for _, n in chosen), (3, *size), np.uint8),
        "witness_px": _stacked((drawn[n][3] for _, n in chosen), (2, 2), np.float32),
        "pixel_mm": np.array(pixel_mm, dtype=np.float32),
    }
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    partial.replace(path)


def read_examples(path: Path) -> Examples:
    """Read what ``write_examples`` kept.

    Raises:
        ValueError: The file is missing, damaged or holds something else.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in _SHAPES}
    except (OSError, ValueError, LookupError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is missing or damaged; remove the run's folder and train again") from error
    wrong = [name for name, (kind, ndim) in _SHAPES.items() if not _fits(arrays[name], kind, ndim)]
    num, size = len(np.atleast_1d(arrays["hip_id"])), arrays["image"].shape[1:]
    wanted = {"kind": (num,), "image": (num, *size), "witness_px": (num, 2, 2)}
    wanted |= dict.fromkeys(("probs", "label"), (num, 3, *size))
    wrong += [name for name, shape in wanted.items() if arrays[name].shape != shape]
    if wrong:
        raise ValueError(f"{path} holds no examples: {wrong[0]} has another shape or type; train the run again")
    pixel_mm = float(arrays.pop("pixel_mm"))
    return Examples(**arrays, pixel_mm=pixel_mm)


def _fits(array: NDArray[Any], kind: type[np.generic] | None, ndim: int) -> bool:
    return array.ndim == ndim and (array.dtype.kind == "U" if kind is None else array.dtype == kind)


def _stacked(each: Iterable[NDArray[Any]], shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """One array of all, also where there are none."""
    return np.array(list(each), dtype=dtype).reshape(-1, *shape)


def _drawn(
    record: HipRecord, dataset: HipDataset, position: int, probs_of: ProbsOf
) -> tuple[Bytes, Bytes, Bytes, NDArray[np.float32]]:
    """Image, probabilities, label and witness points of one hip, cropped."""
    image, coverage = view_and_coverage(dataset, position)
    witness_px = np.full((2, 2), np.nan)
    if isinstance(record.width, JointSpaceWidth):
        points_mm = np.stack([record.width.roof_witness_mm, record.width.head_witness_mm])
        witness_px = points_mm / dataset.store.view.pixel_mm
    window = _window(coverage)
    witness_px = witness_px - [side.start for side in window]
    image_px, probs, label = (_bytes(plane[..., *window]) for plane in (image, probs_of(position), coverage))
    return image_px, probs, label, witness_px.astype(np.float32)


def _window(coverage: NDArray[np.float32]) -> tuple[slice, slice]:
    """What is kept of a view: about the label's foreground, with the whole of its joint space where that fits."""
    foreground, joint = coverage.max(axis=0) >= 0.5, coverage[_JOINT_SPACE] >= 0.5
    rows, cols = (
        _span(foreground.shape[axis], *(mask.any(axis=1 - axis).nonzero()[0] for mask in (foreground, joint)))
        for axis in (0, 1)
    )
    return rows, cols


def _span(size: int, foreground: NDArray[np.intp], joint: NDArray[np.intp]) -> slice:
    """The same along one side of it, from the places where the label has something."""
    length = min(size, LARGEST_PX)
    start = (size - length) // 2
    if len(foreground):
        start = int(foreground[0] + foreground[-1] + 1 - length) // 2
    if len(joint):
        start = min(max(start, int(joint[-1]) + 1 - length), int(joint[0]))
    start = min(max(start, 0), size - length)
    return slice(start, start + length)


def _bytes(share: NDArray[np.float32]) -> Bytes:
    """Shares from 0 to 1 as bytes."""
    return np.round(np.clip(share, 0.0, 1.0) * np.float32(255)).astype(np.uint8)
