"""Other labels for a store's hips, drawn from the landmarks and views that it keeps, without films."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import LABELS, LabelError, label_planes
from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.cohort.durable import beside, clear, publish, repair, sync_file, write_durably
from hipjsw.cohort.geometry import covered, unpacked
from hipjsw.cohort.order import Progress, in_order
from hipjsw.cohort.privacy import load_key, write_key
from hipjsw.cohort.store import Store, StoreError
from hipjsw.cohort.store_tables import fingerprint
from hipjsw.imaging.view import ViewSpec

__all__ = ["relabel"]

_Hip = tuple[NDArray[np.float64], NDArray[np.float64]]

#: Copied as they are; the planes are drawn, store.json is written last.
_COPIED = (
    *("images.u16", "landmarks.f64", "geometry.f64", "hips.csv", "identities.csv", "findings.csv", "truth.csv"),
    *("records.jsonl", "sources.json"),
)


def relabel(store: Store, folder: Path, labels: str, progress: Progress | None = None, workers: int = 1) -> Store:
    """Write a store with other labels; byte for byte the one that preparing the films with them would give.

    Args:
        store: What is there.
        folder: Where the new store shall lie; one that holds just this already is opened.
        labels: A name of ``hipjsw.anatomy.labels.LABELS``.
        progress: Called with hips done and hips in all.
        workers: Processes.

    Raises:
        ValueError: Labels of no such name.
        StoreError: Something else lies there, or a hip's landmarks give no such labels.
    """
    if labels not in LABELS:
        raise ValueError(f"labels is one of {', '.join(LABELS)}, not {labels!r}")
    _ = store.hips, store.records  # a damaged table is named where it lies, and not copied
    repair(folder)
    meta = {**store.meta, "labels": labels}
    meta["fingerprint"] = fingerprint(meta)
    if folder.exists() and any(folder.iterdir()):
        there = Store.open(folder)
        if there.meta != meta:
            raise StoreError(f"{folder} holds another store; name another folder with store=DIR, or remove it")
        return there
    unfinished = beside(folder, "partial")
    clear(unfinished)
    unfinished.mkdir(parents=True)
    for name in _COPIED:
        if (store.folder / name).is_file():
            shutil.copyfile(store.folder / name, unfinished / name)
    if (store.folder / "id.key").is_file():
        write_key(unfinished / "id.key", load_key(store.folder / "id.key"))
    _write_planes(unfinished / "planes.u8", store, labels, progress, workers)
    for path in unfinished.iterdir():
        sync_file(path)
    write_durably(unfinished / "store.json", [json.dumps(meta, indent=2)])
    if folder.exists():
        folder.rmdir()
    publish(folder)
    return Store.open(folder)


def _write_planes(path: Path, store: Store, labels: str, progress: Progress | None, workers: int) -> None:
    hips = list(zip(store.landmarks_px, store.geometry, strict=True))
    with path.open("wb") as file:
        for planes in in_order(partial(_planes, store.view, labels), hips, workers, progress):
            file.write(planes.data)


def _planes(spec: ViewSpec, labels: str, hip: _Hip) -> NDArray[np.uint8]:
    """``(4, rows, cols)`` femur, acetabulum, joint space and weight of one hip, 0..255 for 0..1."""
    landmarks_px, numbers = hip
    view, film_shape = unpacked(numbers, spec.stored_shape)
    side = Side.LEFT if view.mirrored else Side.RIGHT
    try:
        coverage, judged = label_planes(HipLandmarks(landmarks_px, side), spec.stored_shape, labels)
    except LabelError as error:
        raise StoreError(f"a hip has no labels={labels} ({error}); prepare the films with labels={labels}") from error
    weight = judged if spec.judge_padding else judged * covered(view, film_shape)
    return np.round(np.concatenate([coverage[1:], weight[None]]) * 255).astype(np.uint8)
