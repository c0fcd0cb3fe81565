"""Activations against torch, and the laws that bind their duties together."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hipjsw.learning.activation import Sigmoid, Softmax

BOTH = pytest.mark.parametrize("activation", [Softmax(), Sigmoid()], ids=["softmax", "sigmoid"])


def soft_target(batch=2, size=6, dtype=torch.float64):
    return torch.rand(batch, 4, size, size, dtype=dtype).softmax(1)


def test_softmax_is_cross_entropy():
    torch.manual_seed(0)
    logits, target = torch.randn(2, 4, 6, 6, dtype=torch.float64), soft_target()
    nll = Softmax().nll(logits, target)
    torch.testing.assert_close(nll, F.cross_entropy(logits, target, reduction="none"))
    labels = target.argmax(1)
    hard = F.one_hot(labels, 4).movedim(-1, 1).double()
    torch.testing.assert_close(Softmax().nll(logits, hard), F.cross_entropy(logits, labels, reduction="none"))


def test_sigmoid_is_binary_cross_entropy():
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3, 6, 6, dtype=torch.float64), soft_target()
    expected = F.binary_cross_entropy(logits.sigmoid(), target[:, 1:], reduction="none").mean(1)
    torch.testing.assert_close(Sigmoid().nll(logits, target), expected)


@BOTH
def test_shapes_and_channels(activation):
    logits, target = torch.randn(2, activation.num_channels, 5, 7), torch.rand(2, 4, 5, 7)
    probs = activation.probs(logits)
    assert probs.shape == activation.select(target).shape == logits.shape
    assert activation.nll(logits, target).shape == (2, 5, 7)
    masks = activation.decode(probs)
    assert masks.dtype == torch.bool
    assert masks.shape == (2, 3, 5, 7)
    assert torch.equal(activation.select(target)[:, -3:], target[:, 1:])


@BOTH
def test_nll_is_least_at_the_target(activation):
    """The gradient of the likelihood vanishes where the probabilities are the target."""
    target = soft_target()
    selected = activation.select(target)
    logits = (selected.log() if isinstance(activation, Softmax) else selected.logit()).requires_grad_()
    torch.testing.assert_close(activation.probs(logits), selected)
    (gradient,) = torch.autograd.grad(activation.nll(logits, target).sum(), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


@BOTH
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits(activation, size):
    logits = torch.zeros(1, activation.num_channels, 2, 2)
    logits[:, -1] = size
    logits.requires_grad_()
    target = torch.zeros(1, 4, 2, 2)
    target[:, 0] = 1
    nll = activation.nll(logits, target)
    nll.sum().backward()
    assert torch.isfinite(nll).all()
    assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(activation.probs(logits)).all()
    if size > 0:
        torch.testing.assert_close(
            nll[0, 0, 0].item(), 1e4 if isinstance(activation, Softmax) else 1e4 / 3, rtol=1e-3, atol=0
        )


@BOTH
def test_half_precision_is_widened(activation):
    logits = torch.randn(1, activation.num_channels, 2, 2).bfloat16()
    assert activation.probs(logits).dtype == torch.float32
    assert activation.nll(logits, torch.rand(1, 4, 2, 2)).dtype == torch.float32
    assert activation.probs(logits.double()).dtype == torch.float64


def test_softmax_decodes_the_likeliest():
    probs = torch.tensor([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.3, 0.3, 0.2, 0.2]]).T[None, :, :, None]
    masks = Softmax().decode(probs)[0, :, :, 0]
    assert masks.tolist() == [[False, False, False], [False, False, False], [False, True, False]]


def test_sigmoid_decodes_each_by_itself():
    probs = torch.tensor([[0.9, 0.8, 0.1], [0.5, 0.4, 0.1]]).T[None, :, :, None]
    masks = Sigmoid().decode(probs)[0, :, :, 0]
    assert masks.T.tolist() == [[True, True, False], [False, False, False]]


def test_values_compare_and_hash():
    assert Softmax() == Softmax() != Sigmoid()
    assert len({Softmax(), Softmax(), Sigmoid()}) == 2
