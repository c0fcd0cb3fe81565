"""Augmentation: decided by its key, exact in its geometry, honest at its borders."""

from __future__ import annotations

import hashlib
import itertools
import pickle
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hipjsw.learning.augment import Augment, CentreCrop
from hipjsw.learning.sample import PLANES
from hipjsw.learning.warp import Warp, warp

EVERYTHING = Augment(
    shift=0.05, scale=0.1, rotate_deg=12, brightness=0.1, contrast=0.15, gamma=0.2, blur_px=0.8, noise=0.03
)
MOTION = Augment(shift=0.05, scale=0.1, rotate_deg=12)
SIZE = (32, 40)


def disc(shape, centre, radius, soft):
    """A disc whose rim falls from 1 to 0 between ``radius - soft`` and ``radius + soft``."""
    distance = np.hypot(*(np.indices(shape) - np.reshape(centre, (2, 1, 1))))
    return np.clip((radius + soft - distance) / (2 * soft), 0, 1).astype(np.float32)


def sample(stored=(64, 72), seed=0):
    """A smooth random image, coverages that sum to 1, a weight of 1."""
    rng = np.random.default_rng(seed)
    image = rng.random(stored, dtype=np.float32)
    coverage = rng.random((4, *stored), dtype=np.float32) ** 3
    coverage /= coverage.sum(0)
    return image, np.concatenate([coverage, np.ones((1, *stored), np.float32)])


def digest(result):
    return hashlib.sha256(result[0].tobytes() + result[1].tobytes()).hexdigest()


def test_key_decides():
    inputs = sample()
    keys = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0), (0, 0, 0, 0), (2**32, 0, 0), (-1, 0, 0)]
    first = [digest(EVERYTHING(*inputs, SIZE, key)) for key in keys]
    assert len(set(first)) == len(keys)
    backwards = [digest(EVERYTHING(*inputs, SIZE, key)) for key in reversed(keys)]
    assert backwards[::-1] == first
    numpy_key = tuple(np.array([0, 1, 0]))
    assert digest(EVERYTHING(*inputs, SIZE, numpy_key)) == first[2]


def test_global_state_is_neither_read_nor_changed():
    results = set()
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
        results.add(digest(EVERYTHING(*sample(), SIZE, (5, 6))))
        assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002
    assert len(results) == 1


def test_another_process_gives_the_same():
    code = """if True:
        import hashlib, pickle, sys, hipjsw.learning.augment
        print("albumentations" in sys.modules, "torch" in sys.modules)
        augment, inputs, size, keys = pickle.load(sys.stdin.buffer)
        for key in keys:
            image, planes = augment(*inputs, size, key)
            print(hashlib.sha256(image.tobytes() + planes.tobytes()).hexdigest())"""
    inputs, keys = sample(), [(3, 1), (3, 0)]
    given = pickle.dumps((EVERYTHING, inputs, SIZE, keys))
    there = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True)
    here = [digest(EVERYTHING(*inputs, SIZE, key)) for key in keys]
    assert there.stdout.decode().split() == ["False", "False", *here]  # neither is needed until it is used


def test_parts_are_drawn_by_themselves():
    """No part changes when another is switched on, and their amounts are not tied together."""
    stored = np.full((8, 8), 0.5, np.float32), sample((8, 8))[1]

    def amounts(name, **more):
        augment = Augment(**{name: 0.2}, **more)
        return np.array([augment(*stored, (8, 8), (key,))[0].mean() for key in range(150)])

    bright, steep, power = (amounts(name) for name in ("brightness", "contrast", "gamma"))
    shifts = np.array([Augment(shift=0.2).motion((8, 8), (key,)).shift_px[0] for key in range(150)])
    assert abs(np.corrcoef([bright, steep, power, shifts]) - np.eye(4)).max() < 0.25
    quiet, noisy = Augment(shift=0.05, rotate_deg=5), Augment(shift=0.05, rotate_deg=5, noise=0.1)
    assert quiet.motion(SIZE, (4,)) == noisy.motion(SIZE, (4,))
    np.testing.assert_allclose(amounts("gamma", blur_px=0.5), power, atol=1e-6)
    assert 0.3 <= bright.min() < 0.33
    assert 0.67 < bright.max() <= 0.7


@pytest.mark.parametrize("stored", [(64, 72), (63, 71), SIZE, (33, 40)])
def test_nothing_switched_on_is_the_centre_crop(stored):
    inputs = sample(stored)
    expected = CentreCrop()(*inputs, SIZE, (1,))
    top, left = (stored[0] - SIZE[0]) // 2, (stored[1] - SIZE[1]) // 2
    np.testing.assert_array_equal(expected[0], inputs[0][top : top + SIZE[0], left : left + SIZE[1]])
    for ours, theirs in zip(Augment()(*inputs, SIZE, (1,)), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.float32
        assert ours.flags.c_contiguous
        assert ours.flags.writeable
        assert not np.shares_memory(ours, inputs[0])


@pytest.mark.parametrize(("stored", "size"), [((64, 64), (32, 32)), ((63, 63), (31, 31)), ((24, 24), (24, 24))])
def test_quarter_turn_is_exact(stored, size):
    """The centre of rotation is the crop's centre, and turns go counter-clockwise as seen."""
    image, planes = sample(stored)
    plain = CentreCrop()(image, planes, size, ())
    turned = warp(image, planes, size, Warp(rotate_deg=90))
    np.testing.assert_allclose(turned[0], np.rot90(plain[0]), atol=1e-4)
    np.testing.assert_allclose(turned[1], np.rot90(plain[1], axes=(1, 2)), atol=1e-4)
    back = warp(image, planes, size, Warp(rotate_deg=180))
    np.testing.assert_allclose(back[0], plain[0][::-1, ::-1], atol=1e-4)


@pytest.mark.parametrize("shift_px", [(3, -5), (-4, 0)])
def test_whole_pixel_shift_is_exact(shift_px):
    image, planes = sample()
    moved, _ = warp(image, planes, SIZE, Warp(shift_px=shift_px))
    top, left = 16 - shift_px[0], 16 - shift_px[1]
    np.testing.assert_allclose(moved, image[top : top + 32, left : left + 40], atol=1e-6)


@pytest.mark.parametrize("stored", [(192, 192), (191, 200)])
@pytest.mark.parametrize("shift_px", [(0, 0), (4.3, -6.1)])
@pytest.mark.parametrize("scale", [0.93, 1.0, 1.1])
@pytest.mark.parametrize("rotate_deg", [0, 7.7, -12])
def test_disc_moves_as_told(stored, shift_px, scale, rotate_deg):
    motion = Warp(shift_px, scale, rotate_deg)
    size, offset, radius, soft = (128, 128), np.array([14.3, 20.6]), 21.0, 5.0
    corner = [(n - m) // 2 for n, m in zip(stored, size, strict=True)]
    centre = np.array([c + (m - 1) / 2 for c, m in zip(corner, size, strict=True)])
    inside = disc(stored, centre + offset, radius, soft)
    none = np.zeros_like(inside)
    planes = np.stack([1 - inside, inside, none, none, none + 1])
    image, moved = warp(inside, planes, size, motion)
    area = moved[1].sum(dtype=np.float64)
    assert area == pytest.approx(np.pi * (radius**2 + soft**2 / 3) * scale**2, rel=1e-3)
    angle = np.deg2rad(rotate_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = 63.5 + np.array(shift_px) + scale * turn @ offset
    found = (np.indices(size) * moved[1]).sum((1, 2)) / area
    np.testing.assert_allclose(found, expected, atol=0.01)
    np.testing.assert_allclose(image, moved[1], atol=1e-6)
    np.testing.assert_allclose(moved[:4].sum(0), 1, atol=1e-6)
    assert (moved[4] == 1).all()


@pytest.mark.parametrize("stretch", [0.8, 1.25])
def test_a_stretched_disc_is_an_ellipse_of_the_same_area(stretch):
    size, radius, soft = (128, 128), 21.0, 5.0
    inside = disc((192, 192), np.array([95.5, 95.5]), radius, soft)
    none = np.zeros_like(inside)
    _, moved = warp(inside, np.stack([1 - inside, inside, none, none, none + 1]), size, Warp(stretch=stretch))
    area = moved[1].sum(dtype=np.float64)
    assert area == pytest.approx(np.pi * (radius**2 + soft**2 / 3), rel=1e-3)
    rows, cols = ((np.indices(size)[axis] - 63.5) ** 2 for axis in (0, 1))
    # The variance along an axis goes with the square of its length.
    ratio = np.sqrt((rows * moved[1]).sum() / (cols * moved[1]).sum())
    assert ratio == pytest.approx(stretch**2, rel=2e-3)


def test_motion_is_what_is_done():
    image, planes = sample()
    planes[1] = image
    for key in range(5):
        moved = MOTION(image, planes, SIZE, (key,))
        assert digest(moved) == digest(warp(image, planes, SIZE, MOTION.motion(SIZE, (key,))))
        np.testing.assert_allclose(moved[0], moved[1][1], atol=1e-6)
    motions = [replace(MOTION, stretch=0.2).motion((100, 200), (key,)) for key in range(300)]
    assert [replace(m, stretch=1.0) for m in motions] == [MOTION.motion((100, 200), (key,)) for key in range(300)]
    for values, bound in [
        ([m.shift_px[0] for m in motions], 5),
        ([m.shift_px[1] for m in motions], 10),
        ([10 * (m.scale - 1) for m in motions], 1),
        ([m.rotate_deg for m in motions], 12),
        ([5 * (m.stretch - 1) for m in motions], 1),
    ]:
        assert 0.9 * bound < max(values) <= bound
        assert -bound <= min(values) < -0.9 * bound


@pytest.mark.parametrize("size", [(128, 128), (32, 80), (31, 48)])
@pytest.mark.parametrize("augment", [MOTION, Augment(rotate_deg=80), Augment(scale=0.2, shift=0.1), Augment()])
def test_reach_is_just_enough(augment, size):
    stored = augment.reach(size)

    def extremes(stored):
        image, planes = np.zeros(stored, np.float32), np.zeros((5, *stored), np.float32)
        planes[4] = 1
        turns = np.linspace(-augment.rotate_deg, augment.rotate_deg, 41)
        for row, col, turn in itertools.product((-1, 1), (-1, 1), turns):
            shift = row * augment.shift * size[0], col * augment.shift * size[1]
            yield warp(image, planes, size, Warp(shift, 1 - augment.scale, turn))[1][4].min()

    assert min(extremes(stored)) > 1 - 1e-5
    for axis in (0, 1):
        less = tuple(n - 2 * (k == axis) for k, n in enumerate(stored))
        assert less[axis] < size[axis] or min(extremes(less)) == 0


def test_beyond_the_stored_sample():
    """Without a margin, what comes from beyond is background of weight 0 and touches nothing that counts."""
    assert PLANES == ("background", "femur", "acetabulum", "joint_space", "weight")
    image, planes = np.full(SIZE, 0.3, np.float32), np.zeros((5, *SIZE), np.float32)
    planes[1], planes[4] = 1, 1
    moved, moved_planes = warp(image, planes, SIZE, Warp(shift_px=(4.5, 0), rotate_deg=12))
    np.testing.assert_allclose(moved, 0.3, atol=1e-6)
    np.testing.assert_allclose(moved_planes[:4].sum(0), 1, atol=1e-6)
    judged = moved_planes[4] > 0
    np.testing.assert_allclose(moved_planes[4, judged], 1, atol=1e-3)
    np.testing.assert_allclose(moved_planes[1, judged], 1, atol=1e-3)
    assert (moved_planes[:, 0, 20] == [1, 0, 0, 0, 0]).all()
    assert 0.6 < judged.mean() < 0.9


def test_grey_values_leave_the_planes_alone():
    inputs = sample()
    plain = CentreCrop()(*inputs, SIZE, ())
    for name in ("brightness", "contrast", "gamma", "blur_px", "noise"):
        results = [Augment(**{name: 0.9})(*inputs, SIZE, (key,)) for key in range(5)]
        assert max(abs(image - plain[0]).max() for image, _ in results) > 0.1, name
        for _, planes in results:
            np.testing.assert_array_equal(planes, plain[1])


def test_results_stay_in_range():
    inputs = sample()
    for key in range(50):
        image, planes = EVERYTHING(*inputs, SIZE, (key,))
        assert image.shape == SIZE
        assert planes.shape == (5, *SIZE)
        for array in (image, planes):
            assert array.dtype == np.float32
            assert 0 <= array.min() <= array.max() <= 1


def test_noise_and_blur_have_the_size_told():
    size, planes = (33, 33), sample((33, 33))[1]
    flat, point = np.full(size, 0.5, np.float32), np.zeros(size, np.float32)
    noise = [Augment(noise=0.05)(flat, planes, size, (key,))[0].std() for key in range(100)]
    assert max(noise) < 0.053
    assert np.mean(noise) == pytest.approx(0.025, abs=0.006)
    point[16, 16] = 1
    spots = np.stack([Augment(blur_px=1.5)(point, planes, size, (key,))[0] for key in range(60)])
    spread = np.sqrt((spots.sum(1) * (np.arange(33) - 16) ** 2).sum(1))
    assert 1.3 < max(spread) <= 1.5
    assert min(spread) < 0.3


@pytest.mark.parametrize("augment", [CentreCrop(), EVERYTHING])
def test_uint8_planes_are_255ths(augment):
    image, planes = sample()
    coded = np.round(255 * planes).astype(np.uint8)
    image.flags.writeable = coded.flags.writeable = False  # as from a memory map
    ours = augment(image, coded, SIZE, (1,))
    theirs = augment(image, coded.astype(np.float32) / np.float32(255), SIZE, (1,))
    assert digest(ours) == digest(theirs)
    assert ours[1].flags.writeable


@pytest.mark.parametrize("augment", [CentreCrop(), EVERYTHING])
def test_wrong_samples(augment):
    image, planes = sample()
    with pytest.raises(ValueError, match="does not fit into"):
        augment(image, planes, (65, 32), (0,))
    with pytest.raises(ValueError, match="planes"):
        augment(image, planes[:4], SIZE, (0,))
    with pytest.raises(ValueError, match="planes"):
        augment(image[None], planes, SIZE, (0,))
    with pytest.raises(ValueError, match="must be float"):
        augment(np.zeros(image.shape, np.uint16), planes, SIZE, (0,))
    with pytest.raises(ValueError, match="or uint8"):
        augment(image, planes.astype(np.int64), SIZE, (0,))


@pytest.mark.parametrize(
    "wrong", [{"shift": -0.1}, {"scale": 1.0}, {"gamma": 1.5}, {"rotate_deg": 200}, {"noise": float("nan")}]
)
def test_wrong_amounts(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Augment(**wrong)


def test_a_film_that_ends_early_shows_nothing_there_and_is_background():
    augment, size = Augment(cut=0.4), (64, 72)
    image, planes = sample(size)
    whole, sides = CentreCrop()(image + 0.5, planes, size), []
    for number in range(200):
        cut_image, cut_planes = augment(image + 0.5, planes, size, (number,))
        gone = cut_image == 0
        kept = np.argwhere(~gone)
        low, high = kept.min(0), kept.max(0)
        sides.append([*low, *(np.array(size) - 1 - high)])
        inner = slice(low[0], high[0] + 1), slice(low[1], high[1] + 1)
        assert not gone[inner].any()  # what is left is a rectangle
        assert np.array_equal(cut_image[inner], np.clip(whole[0], 0, 1)[inner])
        assert np.array_equal(cut_planes[:, *inner], whole[1][:, *inner])
        assert (cut_planes[0][gone] == 1).all()
        assert (cut_planes[1:4][:, gone] == 0).all()
        assert np.array_equal(cut_planes[4], whole[1][4])  # judged all the same: there is no bone to be found
    shares = np.array(sides) / [64, 72, 64, 72]
    assert shares.max() <= 0.4 + 1 / 64
    assert 0.4 < (shares > 0).mean() < 0.6
    assert np.array_equal(*(augment(image, planes, size, (3,))[0] for _ in range(2)))
