"""Several looks at one hip: what they average to, and that each is moved back to where it came from."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hipjsw.learning.averaging import Looks, _moved

SHAPES = [(64, 64), (96, 64), (64, 112)]


def smooth_images(rows, cols, number=2):
    """Smooth pictures ``(number, 1, rows, cols)`` in [0, 1] without a symmetry."""
    row, col = np.mgrid[:rows, :cols].astype(np.float32)
    pictures = [
        0.5 + 0.25 * np.sin(0.11 * row + n) * np.cos(0.07 * col) + 0.2 * np.sin(0.05 * (row - 2 * col)) * (row / rows)
        for n in range(number)
    ]
    return torch.from_numpy(np.stack(pictures)[:, None].astype(np.float32))


def as_classes(image):
    """Three planes made of an image pixel by pixel: wherever it is moved, they move along."""
    return torch.cat([image, 1 - image, image**2], dim=1)


def blurred(image):
    """Three planes by a blur that is the same in all directions and everywhere."""
    line = torch.tensor([1.0, 6.0, 15.0, 20.0, 15.0, 6.0, 1.0])
    kernel = (line[:, None] * line)[None, None] / line.sum() ** 2
    return as_classes(F.conv2d(F.pad(image, (3, 3, 3, 3), mode="replicate"), kernel))


def middle(planes):
    """What no motion moves past the border."""
    rows, cols = planes.shape[-2:]
    return planes[..., rows // 4 : -rows // 4, cols // 4 : -cols // 4]


@pytest.mark.parametrize("number", [0, -3])
def test_a_hip_is_looked_at_at_least_once(number):
    with pytest.raises(ValueError, match=f"once or more often, not {number} times"):
        Looks(number)


def test_one_look_is_the_plain_prediction():
    image = smooth_images(40, 56)
    looks = Looks(1)(blurred, image)
    assert torch.equal(looks, blurred(image)[None])


def test_the_unmoved_look_is_first_and_is_not_predicted_again():
    image, seen = smooth_images(32, 48), []

    def predict(given):
        seen.append(given)
        return as_classes(given)

    known = torch.rand(2, 3, 32, 48)
    looks = Looks(3)(predict, image, known)
    assert looks.shape == (3, 2, 3, 32, 48)
    assert torch.equal(looks[0], known)
    assert len(seen) == 2
    assert not any(torch.equal(given, image) for given in seen)
    assert torch.equal(Looks(3)(as_classes, image)[0], as_classes(image))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("predict", [as_classes, blurred])
def test_where_the_network_moves_along_every_look_says_the_same(predict, shape):
    image = smooth_images(*shape)
    looks = Looks(8)(predict, image)
    assert (middle(looks) - middle(looks[0])).abs().max() < 0.02
    assert (middle(looks.mean(dim=0)) - middle(predict(image))).abs().max() < 0.01
    unlike = (looks[1:] - looks[:1]).abs().amax(dim=(1, 2, 3, 4))
    assert (unlike > 0).all()  # each look was moved


def test_looks_that_were_not_moved_back_would_differ():
    image = smooth_images(64, 64)
    seen = []
    Looks(8)(lambda given: seen.append(given) or as_classes(given), image)
    assert (middle(torch.stack(seen[1:])) - middle(image)).abs().max() > 0.1


@pytest.mark.parametrize("shape", SHAPES)
def test_motions_there_and_back_undo_each_other(shape):
    motions = Looks(8)._motions(*shape)
    assert len(motions) == 8
    for there, back in motions:
        whole = [np.vstack([matrix, [0.0, 0.0, 1.0]]) for matrix in (there, back)]
        np.testing.assert_allclose(whole[0] @ whole[1], np.eye(3), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_motion_is_a_turn_a_size_and_a_shift_in_pixels_whatever_the_shape(shape):
    rows, cols = shape
    for there, _ in Looks(40, rotate_deg=10.0, scale=0.07, shift=0.015)._motions(rows, cols):
        halves = np.diag([cols / 2, rows / 2])
        turn = halves @ there[:, :2] @ np.linalg.inv(halves)  # the same on pixels, (x, y)
        size = np.sqrt(np.linalg.det(turn))
        np.testing.assert_allclose(turn @ turn.T, size**2 * np.eye(2), atol=1e-9)  # no shear
        assert 0.93 <= size <= 1.07
        assert abs(np.rad2deg(np.arctan2(turn[1, 0], turn[0, 0]))) <= 10.0
        assert (np.abs(halves @ there[:, 2]) <= 0.015 * np.array([cols, rows]) + 1e-9).all()


def test_motions_turn_both_ways_and_use_their_whole_range():
    turns = [np.rad2deg(np.arctan2(there[1, 0], there[0, 0])) for there, _ in Looks(200)._motions(64, 64)]
    assert min(turns) < -9
    assert max(turns) > 9


def test_looks_are_the_same_each_time_and_more_begin_with_the_fewer():
    image = smooth_images(48, 64)
    few, again, many = Looks(3)(blurred, image), Looks(3)(blurred, image), Looks(6)(blurred, image)
    assert torch.equal(few, again)
    assert torch.equal(many[:3], few)


def test_a_hip_is_looked_at_alike_alone_and_among_others():
    image = smooth_images(48, 64, number=3)
    together = Looks(4)(blurred, image)
    for n in range(3):
        torch.testing.assert_close(Looks(4)(blurred, image[n : n + 1])[:, 0], together[:, n])


def test_a_moved_picture_stays_within_its_range():
    image = (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.5).float()  # bicubic overshoots
    seen = []
    looks = Looks(5)(lambda given: seen.append(given) or as_classes(given), image)
    for values in (torch.stack(seen), looks):
        assert values.min() >= 0
        assert values.max() <= 1


def test_moving_by_a_quarter_turn_is_the_quarter_turn_itself():
    """``torch.rot90`` as oracle: the matrices are read as (x, y), pixel centres and all."""
    image = torch.rand(1, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    matrix = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(_moved(image, matrix, "bilinear"), torch.rot90(image, 1, (2, 3)), atol=1e-5, rtol=0)
