"""Losses against MONAI and torch, and the laws of the weight."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from hipjsw.learning.activation import Sigmoid, Softmax
from hipjsw.learning.boundary import BoundaryLoss
from hipjsw.learning.loss import CrossEntropy, Rising, SoftDice, WeightedSum

LOSSES = {
    "dice": SoftDice(),
    "dice_foreground": SoftDice(background=False),
    "dice_batch": SoftDice(over="batch"),
    "ce": CrossEntropy(),
    "dicece": WeightedSum({"dice": SoftDice(), "ce": CrossEntropy()}, {"dice": 1.0, "ce": 1.0}),
    "boundary": BoundaryLoss(from_perfect=True),
    "dice_boundary": WeightedSum(
        {"dice": SoftDice(), "boundary": Rising(BoundaryLoss(from_perfect=True))}, {"dice": 1.0, "boundary": 1.0}
    ),
}
ACTIVATIONS = {"softmax": Softmax(), "sigmoid": Sigmoid()}
EVERY_PAIR = pytest.mark.parametrize(
    ("loss", "activation"),
    [pytest.param(LOSSES[a], ACTIVATIONS[b], id=f"{a}-{b}") for a, b in itertools.product(LOSSES, ACTIVATIONS)],
)


def example(activation, *, batch=3, size=8, hard=False, seed=0, dtype=torch.float64):
    """Random logits, target and weight 1."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, activation.num_channels, size, size, generator=generator, dtype=dtype)
    target = (3 * torch.randn(batch, 4, size, size, generator=generator, dtype=dtype)).softmax(1)
    if hard:
        target = F.one_hot(target.argmax(1), 4).movedim(-1, 1).to(dtype)
    return logits, target, torch.ones(batch, size, size, dtype=dtype)


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("over", ["image", "batch"])
@pytest.mark.parametrize("hard", [True, False])
def test_softmax_dice_equals_monai(over, background, hard):
    from monai.losses import DiceLoss

    logits, target, weight = example(Softmax(), hard=hard)
    theirs = DiceLoss(
        include_background=background, softmax=True, batch=over == "batch", smooth_nr=1e-5, smooth_dr=1e-5
    )
    ours = SoftDice(over=over, background=background)(Softmax(), logits, target, weight)
    torch.testing.assert_close(ours, theirs(logits, target))


@pytest.mark.parametrize("background", [True, False])
def test_sigmoid_dice_equals_monai(background):
    from monai.losses import DiceLoss

    logits, target, weight = example(Sigmoid(), hard=True)
    theirs = DiceLoss(sigmoid=True, smooth_nr=1e-5, smooth_dr=1e-5)(logits, target[:, 1:])
    ours = SoftDice(background=background)(Sigmoid(), logits, target, weight)
    torch.testing.assert_close(ours, theirs)


def test_dice_plus_ce_equals_monai():
    from monai.losses import DiceCELoss

    logits, target, weight = example(Softmax(), hard=True)
    theirs = DiceCELoss(softmax=True, smooth_nr=1e-5, smooth_dr=1e-5, lambda_dice=0.5, lambda_ce=2.0)
    ours = WeightedSum({"dice": SoftDice(), "ce": CrossEntropy()}, {"dice": 0.5, "ce": 2.0})
    torch.testing.assert_close(ours(Softmax(), logits, target, weight), theirs(logits, target))


def test_ce_equals_torch():
    logits, target, weight = example(Softmax())
    torch.testing.assert_close(CrossEntropy()(Softmax(), logits, target, weight), F.cross_entropy(logits, target))
    logits, target, weight = example(Sigmoid())
    expected = F.binary_cross_entropy_with_logits(logits, target[:, 1:])
    torch.testing.assert_close(CrossEntropy()(Sigmoid(), logits, target, weight), expected)


def test_ce_equals_torch_with_ignored_pixels():
    logits, target, weight = example(Softmax(), hard=True)
    weight[:, :3] = 0
    labels = target.argmax(1).masked_fill(weight == 0, -100)
    ours = CrossEntropy()(Softmax(), logits, target, weight)
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels, ignore_index=-100))


@EVERY_PAIR
def test_ignored_logits_do_not_matter(loss, activation):
    logits, target, weight = example(activation)
    weight[torch.rand(weight.shape, generator=torch.Generator().manual_seed(1)) < 0.4] = 0
    other = torch.where(weight[:, None] > 0, logits, 50 * torch.randn_like(logits))
    torch.testing.assert_close(loss(activation, logits, target, weight), loss(activation, other, target, weight))
    other_target = torch.where(weight[:, None] > 0, target, target.flip(1))
    torch.testing.assert_close(loss(activation, logits, target, weight), loss(activation, logits, other_target, weight))
    logits.requires_grad_()
    loss(activation, logits, target, weight).backward()
    ignored = (weight == 0)[:, None].expand_as(logits)
    assert (logits.grad[ignored] == 0).all()
    assert (logits.grad[~ignored] != 0).all()


@EVERY_PAIR
def test_equals_the_loss_of_what_is_labelled(loss, activation):
    logits, target, weight = example(activation)
    weight[:, 5:] = 0
    cropped = loss(activation, logits[:, :, :5], target[:, :, :5], weight[:, :5])
    torch.testing.assert_close(loss(activation, logits, target, weight), cropped)


@EVERY_PAIR
def test_order_of_the_batch_does_not_matter(loss, activation):
    sample = example(activation)
    permuted = [x[torch.tensor([2, 0, 1])] for x in sample]
    torch.testing.assert_close(loss(activation, *sample), loss(activation, *permuted))


@pytest.mark.parametrize("name", ["dice", "dice_foreground", "dicece"])
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_over_image_is_the_mean_of_single_samples(name, activation):
    sample = example(activation)
    alone = [LOSSES[name](activation, *(x[k : k + 1] for x in sample)) for k in range(3)]
    torch.testing.assert_close(LOSSES[name](activation, *sample), torch.stack(alone).mean())


@EVERY_PAIR
def test_gradient(loss, activation):
    logits, target, weight = example(activation, batch=2, size=3)
    weight[:, 0] = 0.25
    weight[:, 1, 0] = 0
    assert torch.autograd.gradcheck(lambda x: loss(activation, x, target, weight), logits.requires_grad_())


@EVERY_PAIR
def test_perfect_prediction(loss, activation):
    _, target, weight = example(activation, hard=True)
    logits = 200 * activation.select(target) - 100
    assert loss(activation, logits, target, weight).item() == pytest.approx(0, abs=1e-9)
    assert loss(activation, -logits, target, weight).item() > 0.9


@EVERY_PAIR
@pytest.mark.parametrize("size", [1e4, -1e4, 0.0])
@pytest.mark.parametrize("present", [0, 3])
def test_finite_with_empty_classes_and_extreme_logits(loss, activation, size, present):
    logits = torch.zeros(2, activation.num_channels, 4, 4)
    logits[:, 1] = size
    logits.requires_grad_()
    target = torch.zeros(2, 4, 4, 4)
    target[:, present] = 1
    value = loss(activation, logits, target, torch.ones(2, 4, 4))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


@EVERY_PAIR
def test_nothing_to_judge(loss, activation):
    logits, target, weight = example(activation)
    logits.requires_grad_()
    value = loss(activation, logits, target, torch.zeros_like(weight))
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-15)
    assert (logits.grad == 0).all()


@EVERY_PAIR
def test_descent_finds_the_target(loss, activation):
    """A few steps of descent on the logits themselves bring the loss down."""
    logits, target, weight = example(activation, hard=True)
    logits.requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=0.3)
    first = loss(activation, logits, target, weight).item()
    for _ in range(60):
        optimiser.zero_grad()
        loss(activation, logits, target, weight).backward()
        optimiser.step()
    assert loss(activation, logits, target, weight).item() < 0.2 * first
    assert torch.equal(activation.decode(activation.probs(logits)), target[:, 1:] > 0.5)


@EVERY_PAIR
def test_a_fully_trained_loss_is_the_loss_itself(loss, activation):
    sample = example(activation)
    torch.testing.assert_close(loss.at(1.0)(activation, *sample), loss(activation, *sample), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["dice", "dice_foreground", "dice_batch", "ce", "dicece", "boundary"])
def test_most_losses_stay_as_they_are(name):
    assert LOSSES[name].at(0.3) == LOSSES[name]


@pytest.mark.parametrize("first", [0.0, 0.25, 1.0])
def test_a_rising_loss_rises_in_a_straight_line(first):
    sample = example(Softmax())
    whole = CrossEntropy()(Softmax(), *sample)
    for progress in (0.0, 0.1, 0.5, 1.0):
        found = Rising(CrossEntropy(), first).at(progress)(Softmax(), *sample)
        torch.testing.assert_close(found, (first + (1 - first) * progress) * whole)
    torch.testing.assert_close(Rising(CrossEntropy(), first)(Softmax(), *sample), whole)


def test_what_rises_inside_a_sum_and_inside_what_rises_is_told():
    sample = example(Sigmoid())
    dice, ce = (loss(Sigmoid(), *sample) for loss in (SoftDice(), CrossEntropy()))
    summed = WeightedSum({"dice": SoftDice(), "ce": Rising(Rising(CrossEntropy()))}, {"dice": 2.0, "ce": 3.0})
    torch.testing.assert_close(summed.at(0.5)(Sigmoid(), *sample), 2 * dice + 3 * 0.25 * ce)
    torch.testing.assert_close(summed(Sigmoid(), *sample), 2 * dice + 3 * ce)


def test_half_precision_logits_give_a_float32_loss():
    for loss, activation in itertools.product(LOSSES.values(), ACTIVATIONS.values()):
        logits, target, weight = example(activation, dtype=torch.float32)
        wide = loss(activation, logits.bfloat16().float(), target, weight)
        narrow = loss(activation, logits.bfloat16(), target, weight)
        assert narrow.dtype == torch.float32
        torch.testing.assert_close(narrow, wide)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'image' or 'batch'"):
        SoftDice(over="class")
    with pytest.raises(ValueError, match="positive"):
        SoftDice(smooth=0)
    with pytest.raises(ValueError, match="every term needs a weight"):
        WeightedSum({"dice": SoftDice()}, {"ce": 1.0})
    with pytest.raises(ValueError, match="every term needs a weight"):
        WeightedSum({}, {})
    with pytest.raises(TypeError, match="_convert_: all"):
        WeightedSum({"dice": {"over": "image"}}, {"dice": 1.0})
    with pytest.raises(ValueError, match="negative"):
        WeightedSum({"dice": SoftDice()}, {"dice": -1.0})
    with pytest.raises(ValueError, match="share of the whole weight"):
        Rising(SoftDice(), 1.5)
    with pytest.raises(TypeError, match="_convert_: all"):
        Rising({"over": "image"})
