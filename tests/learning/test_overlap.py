"""Dice against MONAI, the empty cases, and the mean over images."""

from __future__ import annotations

import math

import pytest
import torch

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.learning.overlap import ImageDice, dice_scores, hard_target


def random_masks(batch=5, size=12, seed=0):
    """Masks with some empty pairs and some empty on one side."""
    generator = torch.Generator().manual_seed(seed)
    pred, target = (torch.rand(batch, 3, size, size, generator=generator) > 0.6 for _ in range(2))
    pred[0, 0] = target[0, 0] = False
    pred[1, 1] = False
    target[2, 2] = False
    return pred, target


def test_equals_monai():
    from monai.metrics import compute_dice

    pred, target = random_masks()
    ours = dice_scores(pred, target)
    theirs = compute_dice(pred.float(), target.float(), include_background=True, ignore_empty=False)
    defined = ~torch.isnan(ours)
    torch.testing.assert_close(ours[defined].float(), theirs[defined])
    assert (~defined).nonzero().tolist() == [[0, 0]]
    # where the reference is not empty MONAI's own rule for empties agrees too
    strict = compute_dice(pred.float(), target.float(), include_background=True, ignore_empty=True)
    full = target.any(-1).any(-1)
    torch.testing.assert_close(ours[full].float(), strict[full])


def test_mean_equals_monai_metric():
    from monai.metrics import DiceMetric

    pred, target = random_masks()
    target[2, 2, 0, 0] = True  # MONAI leaves out every empty reference; keep only pairs that are empty in both
    theirs = DiceMetric(include_background=True, reduction="mean_batch", ignore_empty=True)
    theirs(pred.float(), target.float())
    metric = ImageDice()
    metric.update(pred, target)
    result = metric.compute()
    ours = torch.stack([result[name] for name in FOREGROUND])
    torch.testing.assert_close(ours.float(), theirs.aggregate())
    torch.testing.assert_close(result["mean"], ours.mean())


def test_hand_counted():
    pred = torch.zeros(1, 3, 2, 4, dtype=torch.bool)
    target = pred.clone()
    pred[0, 0, 0, :3] = True
    target[0, 0, 0, 1:] = True
    target[0, 1, 0, 0] = True
    scores = dice_scores(pred, target)
    assert scores.dtype == torch.float64
    assert scores[0, 0] == pytest.approx(4 / 6)
    assert scores[0, 1] == 0
    assert torch.isnan(scores[0, 2])


def test_weight_zero_is_left_out():
    pred, target = random_masks(size=12)
    weight = torch.full((5, 12, 12), 0.3)
    weight[:, 8:] = 0
    cropped = dice_scores(pred[:, :, :8], target[:, :, :8])
    torch.testing.assert_close(dice_scores(pred, target, weight), cropped, equal_nan=True)
    torch.testing.assert_close(
        dice_scores(~pred, target, torch.zeros(5, 12, 12)),
        torch.full((5, 3), math.nan).double(),
        equal_nan=True,
    )


def test_symmetric_and_one_for_itself():
    pred, target = random_masks()
    torch.testing.assert_close(dice_scores(pred, target), dice_scores(target, pred), equal_nan=True)
    scores = dice_scores(pred, pred)
    assert (scores[~torch.isnan(scores)] == 1).all()


def test_hard_target():
    coverage = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.4, 0.4, 0.1, 0.1], [0.1, 0.45, 0.45, 0.0]]).T[None, :, :, None]
    masks = hard_target(coverage)[0, :, :, 0].T
    assert masks.tolist() == [[False, False, True], [False, False, False], [True, False, False]]


def test_any_batching_and_merging_gives_the_same():
    pred, target = random_masks(batch=7)
    weight = (torch.rand(7, 12, 12) > 0.2).float()
    whole, first, second = ImageDice(), ImageDice(), ImageDice()
    whole.update(pred, target, weight)
    for k in range(4):
        first.update(pred[k : k + 1], target[k : k + 1], weight[k : k + 1])
    second.update(pred[4:], target[4:], weight[4:])
    first.merge_state(second)
    ours, expected = first.compute(), whole.compute()
    assert set(ours) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-14, atol=0)


def test_counts():
    pred, target = random_masks()
    pred[3, 2] = target[3, 2] = False
    metric = ImageDice()
    metric.update(pred, target)
    result = {name: value.item() for name, value in metric.compute().items()}
    assert result["num"] == 5
    assert result["num_undefined"] == 2
    assert [result[f"num_undefined_{name}"] for name in FOREGROUND] == [1, 0, 1]
    scores = dice_scores(pred, target)
    assert result["joint_space"] == pytest.approx(scores[[0, 1, 2, 4], 2].mean().item())


def test_class_that_is_never_defined():
    metric = ImageDice()
    pred, target = random_masks()
    pred[:, 1] = target[:, 1] = False
    metric.update(pred, target)
    result = metric.compute()
    assert torch.isnan(result["acetabulum"])
    torch.testing.assert_close(result["mean"], (result["femur"] + result["joint_space"]) / 2)
    empty = ImageDice()
    empty.update(torch.zeros_like(pred), torch.zeros_like(pred))
    assert torch.isnan(empty.compute()["mean"])
    assert empty.compute()["num_undefined"] == 15


def test_reset_forgets():
    metric = ImageDice()
    metric.update(*random_masks())
    metric.reset()
    metric.update(*(masks[3:] for masks in random_masks()))
    assert metric.compute()["num"] == 2


def test_wrong_arguments():
    masks = torch.zeros(2, 3, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match="bool masks"):
        dice_scores(masks.float(), masks)
    with pytest.raises(ValueError, match=r"\(B, C, H, W\)"):
        dice_scores(masks, masks[:1])
    with pytest.raises(ValueError, match="weight must be"):
        dice_scores(masks, masks, torch.ones(2, 3, 4))
    with pytest.raises(ValueError, match="channels"):
        ImageDice().update(masks[:, :2], masks[:, :2])
