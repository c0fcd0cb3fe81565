"""Hips for a network: samples from the store, in an order that depends on nothing but the seed.

Training reads one endless stream: the hips are shuffled anew each time all have been seen, by the seed and the number
of that pass, and every draw has a running number that decides its augmentation. An epoch is so many steps of that
stream, so budgets are counted in optimiser steps whatever the size of the set, and a resumed run goes on where it was.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import lightning as L  # noqa: N812  (the library's own name for itself)
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from hipjsw.anatomy.weights import BorderWeight
from hipjsw.cohort.split import SplitError
from hipjsw.cohort.store import Store
from hipjsw.learning.augment import Augmentation, CentreCrop, OnBatch
from hipjsw.learning.ranks import Share
from hipjsw.learning.stored_batch import StoredHips, as_it_is, samples_of

__all__ = ["Batch", "Budget", "Draw", "HipData", "HipDataset", "StreamSampler"]

Batch = dict[str, torch.Tensor]
log = logging.getLogger(__name__)

#: The share of a GPU's free memory that the training part may take.
GPU_SHARE = 0.6


class Draw(NamedTuple):
    """One turn of the training stream: which hip, and the number that decides how it is augmented."""

    position: int
    number: int


@dataclass(frozen=True)
class Budget:
    """How long a run trains.

    Args:
        steps: Optimiser steps in all.
        val_every: Steps between validations; one epoch.
        batch_size: Hips a step.

    Raises:
        ValueError: Numbers that make no run.
    """

    steps: int
    val_every: int
    batch_size: int

    def __post_init__(self) -> None:
        if min(self.steps, self.val_every, self.batch_size) < 1 or self.steps % self.val_every:
            raise ValueError(
                f"budget: {self.steps} steps must be a multiple of val_every={self.val_every}, and both and "
                f"batch_size={self.batch_size} at least 1"
            )

    @property
    def epochs(self) -> int:
        """Validations in all."""
        return self.steps // self.val_every


class HipDataset(Dataset[Batch]):
    """Hips of a store as samples.

    A sample is ``image (1, h, w)``, ``target (4, h, w)`` area coverage (or one-hot), ``weight (h, w)``, all float32,
    and ``row``, the hip's row in the store. With a border weight also ``emphasis (h, w)``, the factor by which a pixel
    is raised in the loss; overlap is judged by ``weight`` alone.

    Args:
        store: Where from.
        rows: Array rows of the hips.
        augmentation: What makes the network's sample of the stored one.
        seed: First part of every augmentation's key.
        hard: Whether each pixel's target is its largest class alone, as the study's masks had it.
        border: Raises the pixels between the bones; None raises none.
    """

    def __init__(
        self,
        store: Store,
        rows: Sequence[int],
        augmentation: Augmentation,
        seed: int,
        hard: bool = False,
        border: BorderWeight | None = None,
    ) -> None:
        self.store = store
        self.rows = list(rows)
        self.augmentation = augmentation
        self.seed = seed
        self.hard = hard
        self.border = border
        self.size = (store.view.rows_px, store.view.cols_px)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw | int) -> Batch:
        position, number = draw if isinstance(draw, tuple) else (draw, 0)
        row = self.rows[position]
        image = self.store.images[row].astype(np.float32) / np.float32(65535)
        stored = self.store.planes[row]
        background = 255 - np.minimum(stored[:3].sum(axis=0, dtype=np.int16), 255)
        planes = np.concatenate([background[None].astype(np.uint8), stored])
        if self.border is not None:  # it moves with the picture
            planes = planes.astype(np.float32) / np.float32(255)
            planes = np.concatenate([planes, self.border.nearness(planes[:4])[None]])
        image, changed = self.augmentation(image, planes, self.size, (self.seed, number))
        target = torch.from_numpy(changed[:4])
        if self.hard:
            target = torch.zeros_like(target).scatter_(0, target.argmax(0, keepdim=True), 1.0)
        sample = {
            "image": torch.from_numpy(image)[None],
            "target": target,
            "weight": torch.from_numpy(changed[4]),
            "row": torch.tensor(row),
        }
        if self.border is not None:
            sample["emphasis"] = torch.from_numpy(self.border.emphasis(changed[5]))
        return sample


class StreamSampler(Sampler[Draw]):
    """The training stream, an epoch at a time.

    Args:
        num_hips: Hips in the set.
        per_epoch: Draws in an epoch.
        seed: Fixes every shuffle.
        share: Which part of every batch is drawn; None draws all.
    """

    def __init__(self, num_hips: int, per_epoch: int, seed: int, share: Share | None = None) -> None:
        self.num_hips = num_hips
        self.per_epoch = per_epoch
        self.seed = seed
        self.share = share or Share(0, 1, 1)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Tell which epoch comes next; Lightning does, after a resume too."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.per_epoch // self.share.ranks

    def __iter__(self) -> Iterator[Draw]:
        order = np.empty(0, dtype=np.int64)
        current = -1
        for number in range(self.epoch * self.per_epoch, (self.epoch + 1) * self.per_epoch):
            turn, place = divmod(number, self.num_hips)
            if turn != current:
                order = np.random.default_rng([self.seed, 0x0DE4, turn]).permutation(self.num_hips)
                current = turn
            if self.share.has(number):
                yield Draw(int(order[place]), number)


class HipData(L.LightningDataModule):
    """Loaders over a store.

    Args:
        store: Prepared hips.
        num_train: Training hips wanted; all if the store has fewer.
        num_val: Validation hips wanted; all if the store has fewer.
        budget: Steps, epoch length and batch size.
        augmentation: For training; validation and test see the centre crop.
        seed: Fixes order and augmentation.
        hard: One-hot targets instead of coverage, for training and validation loss.
        num_workers: Loading processes; they change nothing but speed.
        test_part: The part that the test loader reads.
        border: Raises the pixels between the bones in training and validation loss; None raises none.
        resident: Whether the training part is kept on the device that trains (where it fits); it changes nothing else.

    Raises:
        SplitError: A person in two parts.
    """

    def __init__(
        self,
        store: Store,
        num_train: int | None,
        num_val: int | None,
        budget: Budget,
        augmentation: Augmentation,
        seed: int,
        hard: bool = False,
        num_workers: int = 0,
        test_part: str = "test",
        border: BorderWeight | None = None,
        resident: bool = False,
    ) -> None:
        super().__init__()
        self.budget = budget
        self.seed = seed
        self.num_workers = num_workers
        self.resident = resident
        self._on_device: Batch = {}
        self.train = HipDataset(store, store.rows("train", num_train), augmentation, seed, hard, border)
        self.val = HipDataset(store, store.rows("val", num_val), CentreCrop(), seed, hard, border)
        self.test = HipDataset(store, store.rows(test_part), CentreCrop(), seed)
        if test_part == "test":
            _refuse_shared(store.hips["person"], {"train": self.train, "val": self.val, "test": self.test})

    def on_unseen(self, most: int) -> HipData:
        """The same loaders, testing on hips that no weight was trained on and that are not the test set's.

        Validation's persons first, then those of the training part none of whose hips was taken.

        Args:
            most: Hips at most.
        """
        store = self.train.store
        owners = store.hips["person"]
        taken = set(owners.loc[self.train.rows])
        left = [row for row in store.rows("train") if owners.loc[row] not in taken]
        other = copy.copy(self)
        other.test = HipDataset(store, [*store.rows("val"), *left][:most], CentreCrop(), self.seed)
        return other

    @property
    def share(self) -> Share:
        """What this process takes of every batch while the trainer that it is attached to fits."""
        trainer = self.trainer
        rank, ranks = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        return Share(rank, ranks, self.budget.batch_size)

    def train_dataloader(self) -> DataLoader[Any]:
        """This process's share of the training stream's batches; every one is full.

        An augmentation that can be given whole batches gets them after they were sent to the device.
        """
        share, per_epoch = self.share, self.budget.val_every * self.budget.batch_size
        sampler = StreamSampler(len(self.train), per_epoch, self.seed, share)
        if not isinstance(self.train.augmentation, OnBatch):
            return self._loader(self.train, share.size, sampler)
        return self._loader(self._stored(self._fits()), share.size, sampler, as_it_is)

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> Batch:
        """Make the network's samples of a stored batch; others are samples already."""
        del dataloader_idx
        train = self.train
        if "number" not in batch or not isinstance(train.augmentation, OnBatch):
            return batch
        if "image" not in batch:
            at = batch["position"]
            self._on_device = self._on_device or self._stored().on(at.device)
            batch = batch | {name: kept[at] for name, kept in self._on_device.items()}
        made = samples_of(batch, train.augmentation, train.size, self.seed, train.hard, train.border)
        as_wide: Batch = made if self.trainer is None else self.trainer.precision_plugin.convert_input(made)
        return as_wide

    def _stored(self, numbers_only: bool = False) -> StoredHips:
        return StoredHips(self.train.store, self.train.rows, self.train.border, numbers_only)

    def _fits(self) -> bool:
        """Whether the training part is to lie on the device, and does not crowd a GPU."""
        if not self.resident or self.trainer is None:
            return False
        device, needed = self.trainer.strategy.root_device, self._stored().num_bytes
        if device.type != "cuda" or needed < GPU_SHARE * torch.cuda.mem_get_info(device)[0]:
            return True
        log.warning("the training part, %.1f GB, is read from disk: the GPU has no room for it", needed / 1e9)
        return False

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation hips in the order of the split; of several ranks each has some of the batches."""
        return self._loader(self.val, self.budget.batch_size, self.share.whole_batches(len(self.val)))

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test hips in the order of the split."""
        return self._loader(self.test, self.budget.batch_size)

    def _loader(
        self,
        dataset: Dataset[Any],
        batch_size: int,
        sampler: Sampler[Draw] | Sequence[int] | None = None,
        collate: Callable[[Any], Any] | None = None,
    ) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            collate_fn=collate,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            multiprocessing_context="spawn" if self.num_workers else None,
        )


def _refuse_shared(persons: pd.Series, parts: Mapping[str, HipDataset]) -> None:
    """Look at the hips themselves, whatever a split says: no person is in two parts, no hip twice in one."""
    seen: dict[str, str] = {}
    for part, dataset in parts.items():
        here = set(persons.loc[dataset.rows])
        shared = sorted(here & seen.keys())
        if shared or len(set(dataset.rows)) != len(dataset.rows):
            where = f"person {shared[0]} is in {seen[shared[0]]} and {part}" if shared else f"{part} has a hip twice"
            raise SplitError(f"the split is not by person: {where}")
        seen |= dict.fromkeys(here, part)
