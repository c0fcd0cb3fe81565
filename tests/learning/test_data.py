"""The training stream and the samples."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.anatomy.weights import BorderWeight, border_weight
from hipjsw.cohort.split import SplitError
from hipjsw.learning.augment import Augment, CentreCrop
from hipjsw.learning.data import Budget, Draw, HipData, HipDataset, StreamSampler
from hipjsw.learning.warp import warp


def stream(num_hips, per_epoch, seed, epochs):
    sampler = StreamSampler(num_hips, per_epoch, seed)
    draws = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        draws.append(list(sampler))
    return draws


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 2**31))
def test_each_pass_shows_every_hip_once_wherever_epochs_are_cut(num_hips, per_epoch, seed):
    draws = list(itertools.chain(*stream(num_hips, per_epoch, seed, 6)))
    assert [d.number for d in draws] == list(range(6 * per_epoch))
    for start in range(0, len(draws) - num_hips + 1, num_hips):
        assert sorted(d.position for d in draws[start : start + num_hips]) == list(range(num_hips))


def test_the_stream_does_not_depend_on_how_it_is_cut_into_epochs():
    assert list(itertools.chain(*stream(7, 6, 3, 4))) == list(itertools.chain(*stream(7, 12, 3, 2)))


def test_an_epoch_can_be_read_without_those_before():
    sampler = StreamSampler(5, 8, 1)
    sampler.set_epoch(3)
    assert list(sampler) == stream(5, 8, 1, 4)[3]


def test_another_seed_is_another_order():
    assert stream(20, 20, 0, 1) != stream(20, 20, 1, 1)


@pytest.mark.parametrize("values", [(0, 1, 1), (10, 3, 1), (4, 2, 0), (4, 0, 2)])
def test_a_budget_that_makes_no_run_is_refused(values):
    with pytest.raises(ValueError, match="budget"):
        Budget(*values)


class FakeStore:
    """Two hips of 8x8 pixels with a margin of 2."""

    class view:
        rows_px = cols_px = 4

    images = np.arange(2 * 64, dtype=np.uint16).reshape(2, 8, 8)
    planes = np.zeros((2, 4, 8, 8), np.uint8)
    planes[:, 0, :3] = 255
    planes[:, 1, 3] = 100
    planes[:, 2, 3] = 155
    planes[:, 3] = 255


def test_a_sample_is_the_stored_hip_with_background_filled_in():
    sample = HipDataset(FakeStore, [1], CentreCrop(), seed=0)[0]
    np.testing.assert_allclose(sample["image"][0].numpy() * 65535, FakeStore.images[1, 2:6, 2:6], rtol=1e-6)
    torch.testing.assert_close(sample["target"].sum(0), torch.ones(4, 4))
    torch.testing.assert_close(sample["target"][0, 2:], torch.ones(2, 4))
    torch.testing.assert_close(sample["target"][2, 1], torch.full((4,), 100 / 255))
    assert (sample["weight"] == 1).all()
    assert sample["row"] == 1


def test_a_hard_target_is_the_largest_class_alone():
    sample = HipDataset(FakeStore, [0], CentreCrop(), seed=0, hard=True)[0]
    assert set(sample["target"].unique().tolist()) == {0.0, 1.0}
    assert (sample["target"].sum(0) == 1).all()
    assert (sample["target"][3, 1] == 1).all()


def test_the_draws_number_reaches_the_augmentation():
    keys = []

    class Spy(CentreCrop):
        def __call__(self, image, planes, size, key=()):
            keys.append(key)
            return super().__call__(image, planes, size, key)

    dataset = HipDataset(FakeStore, [0, 1], Spy(), seed=9)
    dataset[Draw(1, 42)]
    dataset[0]
    assert keys == [(9, 42), (9, 0)]


class DealtStore(FakeStore):
    """Six hips of persons a, a, b, b, c, c in the array rows 0, 2, 3, 5, 6, 9."""

    hips = pd.DataFrame({"person": list("aabbcc")}, index=[0, 2, 3, 5, 6, 9])

    def __init__(self, **parts):
        self.parts = parts

    def rows(self, part, wanted=None):
        return self.parts[part][:wanted]


def loaded(test_part="test", **parts):
    return HipData(DealtStore(**parts), None, None, Budget(1, 1, 1), CentreCrop(), 0, test_part=test_part)


def test_the_parts_are_those_of_the_store():
    data = loaded(train=[0, 2], val=[3], test=[6, 9])
    assert (data.train.rows, data.val.rows, data.test.rows) == ([0, 2], [3], [6, 9])


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"train": [0, 2], "val": [3], "test": [5, 6]}, "person b is in val and test"),
        ({"train": [0], "val": [2], "test": [6]}, "person a is in train and val"),
        ({"train": [0, 3], "val": [6], "test": [2]}, "person a is in train and test"),
        ({"train": [0, 0], "val": [3], "test": [6]}, "train has a hip twice"),
    ],
)
def test_a_person_on_two_sides_is_refused_when_loaded(parts, said):
    with pytest.raises(SplitError, match=said):
        loaded(**parts)


def test_a_part_that_was_trained_on_may_be_judged():
    assert loaded("train", train=[0, 2], val=[3], test=[6]).test.rows == [0, 2]


class LargeStore(DealtStore):
    """Twenty persons with two hips each, in the array rows 0 to 39."""

    hips = pd.DataFrame({"person": [f"p{row // 2}" for row in range(40)]}, index=range(40))


@st.composite
def taken_hips(draw):
    """A split of twenty persons, and how many hips are wanted of each of its parts."""
    order = draw(st.permutations(range(20)))
    first, second = sorted(draw(st.tuples(st.integers(1, 18), st.integers(1, 18))))
    parts = {"train": order[:first], "val": order[first : second + 1], "test": order[second + 1 :]}
    rows = {name: [2 * p + side for p in persons for side in (0, 1)] for name, persons in parts.items()}
    return rows, draw(st.integers(1, 40)), draw(st.integers(1, 40)), draw(st.integers(0, 50))


@given(taken_hips())
def test_unseen_hips_are_of_persons_neither_trained_on_nor_tested(drawn):
    rows, num_train, num_val, most = drawn
    store = LargeStore(**rows)
    data = HipData(store, num_train, num_val, Budget(1, 1, 1), CentreCrop(), 0)
    unseen = data.on_unseen(most).test.rows
    owners = store.hips["person"]
    persons = set(owners.loc[unseen])
    assert not persons & set(owners.loc[data.train.rows])  # not even the other hip of a person trained on
    assert not persons & set(owners.loc[rows["test"]])
    free = [row for row in rows["train"] if owners.loc[row] not in set(owners.loc[data.train.rows])]
    assert unseen == [*rows["val"], *free][:most]  # validation first; no more than asked for, all where there are fewer
    assert len(set(unseen)) == len(unseen)
    assert data.on_unseen(most).test.rows == unseen


def test_unseen_hips_are_seen_as_test_hips_are_and_change_nothing():
    data = HipData(DealtStore(train=[0, 2, 5], val=[3], test=[6, 9]), 1, None, Budget(1, 1, 1), Augment(), 7, hard=True)
    before = data.train.rows, data.val.rows, data.test.rows
    unseen = data.on_unseen(10)
    assert (data.train.rows, data.val.rows, data.test.rows) == before
    assert unseen.train is data.train
    assert isinstance(unseen.test.augmentation, CentreCrop)
    assert (unseen.test.hard, unseen.test.border) == (False, None)


def test_unseen_hips_do_not_depend_on_the_part_that_is_judged():
    parts = {"train": [0, 2], "val": [3], "test": [6]}
    assert loaded("train", **parts).on_unseen(9).test.rows == loaded(**parts).on_unseen(9).test.rows == [3]


class BorderStore(FakeStore):
    """Femur below a roof, two pixels of joint space between; half of it is not judged."""

    planes = np.zeros((1, 4, 8, 8), np.uint8)
    planes[:, 0, 5:] = 255
    planes[:, 1, :3] = 255
    planes[:, 2, 3:5] = 255
    planes[:, 3, :, 4:] = 255


def test_a_border_weight_raises_pixels_beside_the_weight_and_changes_nothing_else():
    plain = HipDataset(BorderStore, [0], CentreCrop(), seed=0)[0]
    raised = HipDataset(BorderStore, [0], CentreCrop(), seed=0, border=BorderWeight(10.0, 2.0))[0]
    assert "emphasis" not in plain
    assert all(torch.equal(plain[key], raised[key]) for key in plain)
    whole = np.concatenate([255 - BorderStore.planes[0, :3].sum(0)[None], BorderStore.planes[0, :3]]) / 255
    np.testing.assert_allclose(raised["emphasis"], border_weight(whole, 10.0, 2.0)[2:6, 2:6], rtol=1e-6)
    assert raised["emphasis"].max() > 4  # neither clipped to 1 nor to what 255 steps can hold


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_what_is_raised_moves_with_the_picture(shift):
    augment = Augment(shift=shift, rotate_deg=100 * shift)
    dataset = HipDataset(BorderStore, [0], augment, seed=4, border=BorderWeight(3.0, 1.5))
    sample = dataset[Draw(0, 7)]
    motion = augment.motion((4, 4), (4, 7))
    whole = np.concatenate([np.zeros((1, 8, 8)), BorderStore.planes[0, :3] / 255])
    nearness = np.repeat(dataset.border.nearness(whole)[None], 5, axis=0)
    moved = warp(np.zeros((8, 8), np.float32), nearness, (4, 4), motion)[1][0]
    far = warp(np.zeros((8, 8), np.float32), np.ones((5, 8, 8), np.float32), (4, 4), motion)[1][1] > 1 - 1e-4
    np.testing.assert_allclose(sample["emphasis"].numpy()[far], 1 + 3 * moved[far], rtol=1e-5)
    assert sample["emphasis"].min() >= 1
