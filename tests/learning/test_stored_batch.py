"""Batches as they are stored become the samples that hips one by one become."""

from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch

from hipjsw.anatomy.weights import BorderWeight
from hipjsw.learning.augment import Augment, CentreCrop
from hipjsw.learning.batch_augment import BatchAugment
from hipjsw.learning.data import Budget, HipData
from hipjsw.learning.stored_batch import StoredHips

AUGMENT = BatchAugment(shift=0.1, scale=0.1, rotate_deg=10, brightness=0.1, gamma=0.2, blur_px=0.8, noise=0.02, cut=0.2)
RNG = np.random.default_rng(0)


class Hips:
    """Six hips of four persons, 32x40 of 24x28 pixels."""

    class view:
        rows_px, cols_px = 24, 28

    hips = pd.DataFrame({"person": list("aabbcd")}, index=[0, 2, 3, 5, 6, 9])
    images = RNG.integers(0, 65536, (10, 32, 40), dtype=np.uint16)
    planes = RNG.integers(0, 86, (10, 4, 32, 40), dtype=np.uint8)
    planes[:, 0, :, :8] = 220
    planes[:, 1, :, 12:16] = 220
    planes[:, 3] = 255

    def rows(self, part, wanted=None):
        return {"train": [0, 2, 3, 5], "val": [6], "test": [9]}[part][:wanted]


def data(augmentation, **options):
    return HipData(Hips(), None, None, Budget(3, 3, 4), augmentation, 7, **options)


def batches(made):
    return [made.on_after_batch_transfer(batch, 0) for batch in islice(made.train_dataloader(), 3)]


def one_by_one(made):
    """The same batches, a hip at a time."""
    draws = list(made.train_dataloader().batch_sampler)
    return [torch.utils.data.default_collate([made.train[draw] for draw in batch]) for batch in draws]


@pytest.mark.parametrize("options", [{}, {"hard": True}, {"border": BorderWeight(10.0, 5.0)}], ids=str)
@pytest.mark.parametrize("augmentation", [CentreCrop(), AUGMENT], ids=["crop", "augment"])
def test_a_batch_is_its_hips_one_by_one(augmentation, options):
    made = data(augmentation, **options)
    for found, expected in zip(batches(made), one_by_one(made), strict=True):
        assert found.keys() == expected.keys()
        assert ("emphasis" in found) == ("border" in options)
        for name, value in expected.items():
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
            torch.testing.assert_close(found[name], value, rtol=1e-5, atol=2e-6, msg=name)


def test_what_cannot_be_given_a_batch_gets_hips_one_by_one():
    made = data(Augment(shift=0.1))
    assert next(iter(made.train_dataloader()))["image"].dtype == torch.float32
    for found, expected in zip(batches(made), one_by_one(made), strict=True):
        assert torch.equal(found["image"], expected["image"])


def test_hips_that_lie_on_the_device_make_the_same_batches():
    made = data(AUGMENT, border=BorderWeight(10.0, 5.0))
    stored = StoredHips(made.train.store, made.train.rows, made.train.border, numbers_only=True)
    made._on_device = stored.on(torch.device("cpu"))
    assert sum(value.nbytes for value in made._on_device.values()) == stored.num_bytes
    for whole, expected in zip(made.train_dataloader().batch_sampler, batches(made), strict=True):
        sent = stored.__getitems__(whole)
        assert "image" not in sent
        for name, value in made.on_after_batch_transfer(sent, 0).items():
            assert torch.equal(value, expected[name])


def test_many_hips_are_put_on_the_device_in_their_order(monkeypatch):
    monkeypatch.setattr("hipjsw.learning.stored_batch.AT_A_TIME", 3)
    kept = StoredHips(Hips(), [9, 0, 5, 2]).on(torch.device("cpu"))
    np.testing.assert_array_equal(kept["image"].numpy().view(np.uint16), Hips.images[[9, 0, 5, 2]])
    np.testing.assert_array_equal(kept["planes"].numpy(), Hips.planes[[9, 0, 5, 2]])
