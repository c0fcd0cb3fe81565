"""Augmentation of batches: a hip's own, whatever is beside it; exact motions; the grey laws of albumentations."""

import os

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from hipjsw.learning.augment import Augment, CentreCrop, OnBatch
from hipjsw.learning.batch_augment import BatchAugment
from hipjsw.learning.sample import PLANES

SIZE = (32, 40)
MOTION = BatchAugment(shift=0.05, scale=0.1, rotate_deg=12, stretch=0.05)
EVERYTHING = BatchAugment(
    shift=0.05,
    scale=0.1,
    rotate_deg=12,
    stretch=0.05,
    brightness=0.1,
    contrast=0.15,
    gamma=0.2,
    blur_px=0.9,
    noise=0.03,
    cut=0.3,
)
KEYS = [(3, number) for number in range(5)]


def stored(count=5, shape=(64, 72), seed=0):
    """Random images and planes of ``(count, ...)``: coverages that leave a background, weight, nearness."""
    rng = np.random.default_rng(seed)
    coverage = rng.random((count, 4, *shape), dtype=np.float32) ** 3
    coverage /= coverage.sum(1, keepdims=True)
    rest = np.stack([np.ones((count, *shape), np.float32), rng.random((count, *shape), dtype=np.float32)], 1)
    image = rng.random((count, 1, *shape), dtype=np.float32)
    return torch.from_numpy(image), torch.from_numpy(np.concatenate([coverage[:, 1:], rest], 1))


def on_batch(augment, image, planes, size, keys):
    moved = augment.move(torch.cat([image, planes], 1), size, keys)
    return augment.change(moved[:, :1], moved[:, 1:], keys)


def test_both_kinds_can_be_given_a_batch_and_the_one_by_albumentations_not():
    assert isinstance(EVERYTHING, OnBatch)
    assert isinstance(CentreCrop(), OnBatch)
    assert not isinstance(Augment(shift=0.1), OnBatch)


def test_a_hip_comes_out_the_same_whatever_is_beside_it():
    image, planes = stored()
    whole = on_batch(EVERYTHING, image, planes, SIZE, KEYS)
    order = [4, 1, 3]
    some = on_batch(EVERYTHING, image[order], planes[order], SIZE, [KEYS[n] for n in order])
    for one, other in zip(whole, some, strict=True):
        torch.testing.assert_close(one[order], other, rtol=0, atol=1e-6)
    assert (whole[0][0] != whole[0][1]).any()


def test_the_key_decides_and_no_global_state():
    image, planes = stored()
    torch.manual_seed(1)
    first = on_batch(EVERYTHING, image, planes, SIZE, KEYS)
    before = torch.get_rng_state()
    again = on_batch(EVERYTHING, image, planes, SIZE, KEYS)
    other = on_batch(EVERYTHING, image, planes, SIZE, [(4, number) for number in range(5)])
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert torch.equal(before, torch.get_rng_state())


def test_motions_are_those_of_the_other_kind():
    same = Augment(**vars(MOTION))
    assert [MOTION.motion(SIZE, key) for key in KEYS] == [same.motion(SIZE, key) for key in KEYS]


def test_resampling_is_linear_and_exact():
    image, planes = stored()
    found = on_batch(MOTION, image, planes, SIZE, KEYS)
    x, y = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
    for n, key in enumerate(KEYS):
        matrix = MOTION.motion(SIZE, key).to_stored((64, 72), SIZE)
        at = np.einsum("kc,cij->kij", matrix, np.stack([x, y, np.ones_like(x)]))[::-1]
        for moved, plane in zip(torch.cat(found, 1)[n], torch.cat([image, planes], 1)[n], strict=True):
            expected = map_coordinates(plane.numpy().astype(float), at, order=1)
            np.testing.assert_allclose(moved.numpy(), expected, atol=5e-5)


def test_what_comes_from_beyond_is_background_that_is_not_judged():
    far = BatchAugment(shift=0.9)
    image, planes = stored(shape=SIZE)
    moved_image, moved = on_batch(far, image, planes, SIZE, KEYS)
    edge = image.amax((2, 3), keepdim=True)
    assert (moved_image <= edge).all()  # the edge goes on
    for n, key in enumerate(KEYS):
        rows, cols = far.motion(SIZE, key).shift_px
        assert max(abs(rows), abs(cols)) > 1
        inside = np.zeros(SIZE, bool)
        y, x = np.indices(SIZE)
        inside = (y - rows >= 0) & (y - rows <= SIZE[0] - 1) & (x - cols >= 0) & (x - cols <= SIZE[1] - 1)
        assert not inside.all()
        np.testing.assert_allclose(moved[n, 3].numpy(), inside, atol=1e-5)
        assert (moved[n][:, ~torch.from_numpy(inside)] == 0).all()


def test_without_amounts_it_is_the_centre_crop_exactly():
    image, planes = stored()
    found, expected = (on_batch(kind, image, planes, SIZE, KEYS) for kind in (BatchAugment(), CentreCrop()))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def by_albumentations(*transforms):
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as albu

    return lambda image: albu.Compose([getattr(albu, name)(p=1.0, **amounts) for name, amounts in transforms])(
        image=image
    )["image"]


@pytest.mark.parametrize("key", KEYS)
def test_grey_values_change_as_albumentations_changes_them(key):
    augment = BatchAugment(brightness=0.3, contrast=0.4, gamma=0.5, blur_px=1.5)
    image, planes = stored(1)
    greys = augment.greys(key)
    gamma = 100 * greys.gamma
    expected = by_albumentations(
        (
            "RandomBrightnessContrast",
            {"brightness_limit": (greys.offset,) * 2, "contrast_limit": (greys.gain - 1,) * 2},
        ),
        ("RandomGamma", {"gamma_limit": (gamma, gamma)}),
        ("GaussianBlur", {"blur_limit": 0, "sigma_limit": (greys.blur_px,) * 2}),
    )(on_batch(CentreCrop(), image, planes, SIZE, [key])[0][0, 0].numpy())
    found = on_batch(augment, image, planes, SIZE, [key])[0][0, 0].numpy()
    assert np.abs(found - image.numpy()[0, 0, 16:48, 16:56]).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_amounts_are_drawn_evenly_between_their_bounds():
    augment = BatchAugment(brightness=0.1, contrast=0.2, gamma=0.3, blur_px=0.8, noise=0.05)
    drawn = np.array([augment.greys((0, n))[:5] for n in range(2000)])
    low, high = np.array([0.8, -0.1, 0.7, 0.0, 0.0]), np.array([1.2, 0.1, 1.3, 0.8, 0.05])
    share = (drawn - low) / (high - low)
    assert ((share >= 0) & (share <= 1)).all()
    np.testing.assert_allclose(share.mean(0), 0.5, atol=0.03)
    np.testing.assert_allclose(share.std(0), 12**-0.5, atol=0.01)
    assert np.abs(np.corrcoef(share.T) - np.eye(5)).max() < 0.08


def test_noise_has_the_drawn_standard_deviation_and_no_pattern():
    augment, size = BatchAugment(noise=0.1), (128, 128)
    image, planes = torch.full((3, 1, 128, 128), 0.5), torch.zeros(3, 4, 128, 128)
    keys = [(0, n) for n in range(3)]
    noise = on_batch(augment, image, planes, size, keys)[0][:, 0] - 0.5
    for n, key in enumerate(keys):
        sd = augment.greys(key).noise
        assert noise[n].std().item() == pytest.approx(sd, rel=0.03)
        assert abs(noise[n].mean().item()) < 4 * sd / 128
        assert abs((noise[n, 1:] * noise[n, :-1]).mean().item()) < 4 * sd**2 / 128
    assert abs(torch.corrcoef(noise.flatten(1))[0, 1].item()) < 0.04


def test_the_film_ends_where_the_other_kind_ends_it():
    image, planes = stored(shape=SIZE)
    augment = BatchAugment(cut=0.4)
    found_image, found = on_batch(augment, image, planes, SIZE, KEYS)
    for n, key in enumerate(KEYS):
        kept = torch.from_numpy(augment.kept(SIZE, key))
        assert torch.equal(found_image[n, 0], image[n, 0] * kept)
        assert torch.equal(found[n, 3], planes[n, 3])
        assert torch.equal(found[n, :3], planes[n, :3] * kept)
    given = np.concatenate([1 - planes[0, :3].sum(0, keepdim=True).numpy(), planes[0].numpy()])[: len(PLANES)]
    other = Augment(cut=0.4)(image[0, 0].numpy(), given, SIZE, KEYS[0])
    np.testing.assert_array_equal(other[0], found_image[0, 0].numpy())
    np.testing.assert_array_equal(other[1][1:], found[0, :4].numpy())


def test_one_hip_alone_is_a_batch_of_one():
    image, planes = stored(1)
    given = np.concatenate([1 - planes[0, :3].sum(0, keepdim=True).numpy(), planes[0].numpy()])
    alone = EVERYTHING(image[0, 0].numpy(), given, SIZE, KEYS[2])
    batch = on_batch(EVERYTHING, image, planes, SIZE, KEYS[2:3])
    np.testing.assert_array_equal(alone[0], batch[0][0, 0].numpy())
    np.testing.assert_array_equal(alone[1][1:], batch[1][0].numpy())
    np.testing.assert_allclose(alone[1][:4].sum(0), 1.0, atol=1e-6)
