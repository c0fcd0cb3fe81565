"""Batches as they are stored, which become the network's samples on the device that trains.

What is read and sent to the device is 16 bits of image and 8 bits a plane; widening, resampling and grey values are the
device's work. Where the whole training part lies on the device, only the numbers of the hips are sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from hipjsw.anatomy.weights import BorderWeight
from hipjsw.cohort.store import Store
from hipjsw.learning.augment import OnBatch

__all__ = ["StoredHips", "as_it_is", "samples_of"]

#: What stands for 1 in a stored image and plane.
FULL_IMAGE, FULL_PLANE = 65535, 255
#: Hips read at a time where the whole part is put on the device.
AT_A_TIME = 256


def as_it_is(batch: dict[str, Any]) -> dict[str, Any]:
    """What a loader does with a batch that its data set has put together."""
    return batch


@dataclass(frozen=True)
class StoredHips(Dataset[dict[str, Any]]):
    """Hips of a store, a batch at a time.

    A batch is ``image (B, H, W)`` of 16 bits, in int16, ``planes (B, K, H, W)``, ``row (B)``, ``position (B)`` among
    the hips, and ``number``, a list of the draws' numbers. Planes are femur, acetabulum, joint space and weight, in
    255ths, uint8; with a border weight also the nearness, and all are float32.

    Args:
        store: Where from.
        rows: Array rows of the hips.
        border: Raises the pixels between the bones; None raises none.
        numbers_only: Whether images and planes are left out.
    """

    store: Store
    rows: Sequence[int]
    border: BorderWeight | None = None
    numbers_only: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, draws: Sequence[tuple[int, int]]) -> dict[str, Any]:
        """The batch of these draws: position and number."""
        positions = [position for position, _ in draws]
        rows = [self.rows[position] for position in positions]
        batch = {"row": torch.tensor(rows), "position": torch.tensor(positions), "number": [n for _, n in draws]}
        return batch if self.numbers_only else self.read(rows) | batch

    def read(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """Images and planes of array rows."""
        images: NDArray[Any] = np.asarray(self.store.images[list(rows)]).view(np.int16)
        planes: NDArray[Any] = np.asarray(self.store.planes[list(rows)])
        if self.border is not None:
            planes = np.stack([_with_nearness(stored, self.border) for stored in planes])
        return {"image": torch.from_numpy(images), "planes": torch.from_numpy(planes)}

    @property
    def num_bytes(self) -> int:
        """Bytes of all images and planes."""
        per_row = sum(value.nbytes for value in self.read(self.rows[:1]).values())
        return per_row * len(self.rows)

    def on(self, device: torch.device) -> dict[str, Tensor]:
        """Images and planes of all hips, on a device, by position."""
        parts = {"image": [], "planes": []}  # type: dict[str, list[Tensor]]
        for begin in range(0, len(self.rows), AT_A_TIME):
            for name, value in self.read(self.rows[begin : begin + AT_A_TIME]).items():
                parts[name].append(value.to(device))
        return {name: torch.cat(values) for name, values in parts.items()}


def _with_nearness(stored: NDArray[np.uint8], border: BorderWeight) -> NDArray[np.float32]:
    planes = stored.astype(np.float32)
    coverage = np.concatenate([FULL_PLANE - planes[:3].sum(0, keepdims=True), planes[:3]]) / np.float32(FULL_PLANE)
    return np.concatenate([planes, FULL_PLANE * border.nearness(coverage)[None]])


def samples_of(
    stored: dict[str, Any],
    augmentation: OnBatch,
    size: tuple[int, int],
    seed: int,
    hard: bool = False,
    border: BorderWeight | None = None,
) -> dict[str, Tensor]:
    """The network's batch of a stored one, on its device: as ``HipDataset`` says, ``(B, ...)``.

    Args:
        stored: What ``StoredHips`` gives.
        augmentation: What makes the samples of the stored ones.
        size: ``(h, w)`` of a sample.
        seed: First part of every augmentation's key.
        hard: Whether each pixel's target is its largest class alone.
        border: Raises the pixels between the bones; None raises none.
    """
    keys = [(seed, number) for number in stored["number"]]
    image, planes = stored["image"].view(torch.uint16), stored["planes"]
    held = torch.empty(len(image), 1 + planes.shape[1], *image.shape[1:], device=image.device)
    held[:, 0].copy_(image)
    held[:, 1:].copy_(planes)
    moved = augmentation.move(held, size, keys)
    image, planes = augmentation.change(moved[:, :1] / FULL_IMAGE, moved[:, 1:], keys)
    background = (FULL_PLANE - planes[:, :3].sum(1, keepdim=True)).clamp_(min=0.0)
    target = torch.cat([background, planes[:, :3]], 1).div_(FULL_PLANE)
    if hard:
        target = torch.zeros_like(target).scatter_(1, target.argmax(1, keepdim=True), 1.0)
    batch = {"image": image, "target": target, "weight": planes[:, 3] / FULL_PLANE, "row": stored["row"]}
    if border is not None:
        batch["emphasis"] = 1 + border.w0 / FULL_PLANE * planes[:, 4]
    return batch
