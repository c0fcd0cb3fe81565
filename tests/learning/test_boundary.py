"""The boundary loss against scipy's distances, discs worked out by hand, and its laws."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from hipjsw.learning.activation import Sigmoid, Softmax
from hipjsw.learning.boundary import PER_SIDE, BoundaryLoss, signed_distance
from hipjsw.learning.overlap import hard_target

ACTIVATIONS = pytest.mark.parametrize("activation", [Softmax(), Sigmoid()], ids=["softmax", "sigmoid"])
#: Half a pixel is exact for borders along the grid; for others it is too much by up to so many pixels.
OBLIQUE_PX = 0.3


def planes_of(labels):
    """One-hot targets ``(B, 4, H, W)`` of labels ``(B, H, W)`` 0 to 3."""
    return torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).double()


def random_case(seed, batch=2, size=(14, 11)):
    """Blotchy labels, some pixels not judged, weights that differ, and probabilities of the three classes."""
    generator = torch.Generator().manual_seed(seed)
    blotches = torch.nn.functional.avg_pool2d(torch.rand(batch, 4, *size, generator=generator), 3, 1, 1)
    weight = torch.rand(batch, *size, generator=generator, dtype=torch.float64) + 0.1
    weight[torch.rand(batch, *size, generator=generator) < 0.2] = 0
    probs = 0.05 + 0.9 * torch.rand(batch, 3, *size, generator=generator, dtype=torch.float64)
    return planes_of(blotches.argmax(1)), weight, probs


def distances_by_scipy(mask, judged):
    """To the nearest judged pixel of the other side, less half a pixel."""
    if not (mask & judged).any() or not (~mask & judged).any():
        return np.zeros(mask.shape)
    outside = distance_transform_edt(~(mask & judged)) - 0.5
    inside = 0.5 - distance_transform_edt(mask | ~judged)
    return np.where(judged, np.where(mask, inside, outside), 0)


def disc(radius, size, centre=None, channel=1):
    """Labels ``(1, size, size)`` of a disc of one class about a point between pixels."""
    row, col = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    middle = (size - 1) / 2 if centre is None else centre
    return (channel * ((row - middle) ** 2 + (col - middle) ** 2 < radius**2)).long()[None]


def value(probs, target, weight=None, from_perfect=False):
    """The loss of probabilities of the three classes."""
    weight = torch.ones(target[:, 0].shape, dtype=probs.dtype) if weight is None else weight
    return BoundaryLoss(from_perfect)(Sigmoid(), torch.logit(probs), target, weight)


@pytest.mark.parametrize("seed", range(20))
def test_distances_are_scipys(seed):
    target, weight, _ = random_case(seed)
    masks, judged = hard_target(target), weight > 0
    found = signed_distance(masks, judged)
    assert found.dtype == torch.float32
    for image, channel in itertools.product(range(2), range(3)):
        expected = distances_by_scipy(masks[image, channel].numpy(), judged[image].numpy())
        np.testing.assert_allclose(found[image, channel].numpy(), expected, atol=1e-5)


def test_a_straight_border_lies_between_the_pixels():
    masks = torch.zeros(1, 1, 4, 6, dtype=torch.bool)
    masks[..., 2:] = True
    expected = torch.tensor([1.5, 0.5, -0.5, -1.5, -2.5, -3.5]).expand(1, 1, 4, 6)
    torch.testing.assert_close(signed_distance(masks, torch.ones(1, 4, 6, dtype=torch.bool)), expected)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_not_judged_moves_no_border(seed):
    target, weight, _ = random_case(seed)
    masks, judged = hard_target(target), weight > 0
    other = masks ^ ~judged[:, None]
    torch.testing.assert_close(signed_distance(other, judged), signed_distance(masks, judged))


def test_a_class_without_a_border_costs_nothing():
    everywhere, row = torch.ones(1, 8, 8, dtype=torch.float64), torch.arange(8)[None, :, None].expand(1, 8, 8)
    probs = torch.full((1, 3, 8, 8), 0.7, dtype=torch.float64)
    for labels, weight in (
        (torch.zeros(1, 8, 8).long(), everywhere),  # absent
        (torch.ones(1, 8, 8).long(), everywhere),  # everywhere
        ((row < 4).long(), (row < 4).double()),  # nothing judged is outside
        ((row < 4).long(), (row >= 4).double()),  # nothing judged is inside
    ):
        for from_perfect in (True, False):
            logits = torch.logit(probs).requires_grad_()
            loss = BoundaryLoss(from_perfect)(Sigmoid(), logits, planes_of(labels), weight)
            loss.backward()
            assert loss.item() == 0
            assert (logits.grad == 0).all()


@pytest.mark.parametrize("radius", [12.0, 25.0, 40.0])
def test_the_perfect_mask_of_a_disc_has_its_integral(radius):
    """The distance to the rim, integrated over the disc, is pi R^3 / 3."""
    size = 128
    target, unit = planes_of(disc(radius, size)), PER_SIDE / size / (3 * size**2)
    integral = pytest.approx(math.pi * radius**3 / 3 * unit, abs=OBLIQUE_PX * math.pi * radius**2 * unit)
    assert -value(target[:, 1:], target).item() == integral
    assert value(target[:, 1:], target, from_perfect=True).item() == 0
    assert value(0 * target[:, 1:], target, from_perfect=True).item() == integral


@pytest.mark.parametrize("radius", [20.0, 50.0])
def test_a_disc_of_a_wrong_size_costs_the_integral_over_the_ring(radius):
    """Between the radii R of the label and r of the prediction: 2 pi |(r^3 - R^3) / 3 - R (r^2 - R^2) / 2|."""
    size, true = 128, 35.0
    unit = PER_SIDE / size / (3 * size**2)
    predicted = planes_of(disc(radius, size))[:, 1:]
    ring = 2 * math.pi * abs((radius**3 - true**3) / 3 - true * (radius**2 - true**2) / 2)
    found = value(predicted, planes_of(disc(true, size)), from_perfect=True).item()
    area = math.pi * abs(radius**2 - true**2)
    assert found == pytest.approx(ring * unit, abs=OBLIQUE_PX * area * unit)


@pytest.mark.parametrize("from_perfect", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_its_formula(seed, from_perfect):
    target, weight, probs = random_case(seed)
    masks, judged = hard_target(target).numpy(), (weight > 0).numpy()
    total = 0.0
    for image, channel in itertools.product(range(2), range(3)):
        mask = masks[image, channel]
        distance = distances_by_scipy(mask, judged[image]) * 100 / np.sqrt(judged[image].sum())
        given = probs[image, channel].numpy() - (mask if from_perfect else 0)
        total += (weight[image].numpy() * distance * given).sum()
    found = value(probs, target, weight, from_perfect).item()
    assert found == pytest.approx(total / (3 * weight.sum().item()), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_linear_in_the_probabilities(seed):
    target, weight, probs = random_case(seed)
    other = random_case(seed + 100)[2]
    mixed = value(0.3 * probs + 0.6 * other, target, weight)
    torch.testing.assert_close(mixed, 0.3 * value(probs, target, weight) + 0.6 * value(other, target, weight))


@pytest.mark.parametrize("seed", range(5))
def test_it_pushes_up_inside_and_down_outside_by_the_distance(seed):
    target, weight, probs = random_case(seed)
    masks, judged = hard_target(target), (weight > 0)[:, None].expand(2, 3, 14, 11)
    logits = torch.logit(probs).requires_grad_()
    BoundaryLoss()(Sigmoid(), logits, target, weight).backward()
    pull = logits.grad / (probs * (1 - probs))  # of a probability
    has_border = (masks & judged).any((2, 3), keepdim=True) & judged
    assert has_border.any()
    assert (pull[masks & has_border] < 0).all()
    assert (pull[~masks & has_border] > 0).all()
    side = judged[:, 0].sum((1, 2)).double().sqrt()[:, None, None, None]
    expected = weight[:, None] * signed_distance(masks, weight > 0) / side
    torch.testing.assert_close(pull / pull.abs().max(), expected / expected.abs().max(), rtol=1e-6, atol=1e-9)


@ACTIVATIONS
def test_both_ways_of_writing_it_have_one_gradient(activation):
    target, weight, _ = random_case(3)
    logits = torch.randn(2, activation.num_channels, 14, 11, dtype=torch.float64).requires_grad_()
    gradients = [
        torch.autograd.grad(BoundaryLoss(from_perfect)(activation, logits, target, weight), logits)[0]
        for from_perfect in (True, False)
    ]
    torch.testing.assert_close(*gradients)
    assert gradients[0].abs().sum() > 0


@ACTIVATIONS
@pytest.mark.parametrize("axes", [(-1,), (-2,), (-2, -1)], ids=str)
def test_a_mirrored_hip_costs_the_same(activation, axes):
    target, weight, _ = random_case(1)
    logits = torch.randn(2, activation.num_channels, 14, 11, dtype=torch.float64)
    loss = BoundaryLoss()
    mirrored = loss(activation, logits.flip(axes), target.flip(axes), weight.flip(axes))
    torch.testing.assert_close(mirrored, loss(activation, logits, target, weight))
    assert not torch.isclose(loss(activation, logits.flip(axes), target, weight), mirrored)


@pytest.mark.parametrize("from_perfect", [True, False])
def test_a_grid_twice_as_fine_costs_the_same(from_perfect):
    target = planes_of((torch.arange(12)[None, :, None].expand(1, 12, 12) > 4).long())
    probs = 0.05 + 0.9 * torch.rand(1, 3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    finer = [x.repeat_interleave(2, -1).repeat_interleave(2, -2) for x in (probs, target)]
    torch.testing.assert_close(value(*finer, None, from_perfect), value(probs, target, None, from_perfect))
    labels, predicted = disc(18.0, 64), planes_of(disc(23.0, 64, 28.5))[:, 1:]
    finer = [disc(36.0, 128), planes_of(disc(46.0, 128, 57.5))[:, 1:]]
    coarse = value(predicted, planes_of(labels), None, from_perfect).item()
    assert value(finer[1], planes_of(finer[0]), None, from_perfect).item() == pytest.approx(coarse, rel=0.05)


def test_a_speck_costs_more_the_farther_it_lies():
    target = planes_of(disc(15.0, 64))
    costs = []
    for col in (50, 55, 60):
        probs = target[:, 1:].clone()
        probs[0, 0, 31:33, col : col + 2] = 1
        costs.append(value(probs, target, from_perfect=True).item())
    assert 0 < costs[0] < costs[1] < costs[2]
    assert costs[2] - costs[1] == pytest.approx(costs[1] - costs[0], rel=0.01)  # in a straight line


def test_only_the_size_of_weights_against_one_another_matters():
    target, weight, probs = random_case(2)
    torch.testing.assert_close(value(probs, target, 7 * weight), value(probs, target, weight))
    raised = torch.where(torch.arange(11) < 5, 3 * weight, weight)
    assert not torch.isclose(value(probs, target, raised), value(probs, target, weight))
