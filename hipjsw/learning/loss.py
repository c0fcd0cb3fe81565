"""Losses: callables ``loss(activation, logits, target, weight)`` that give a scalar.

Every loss is defined for every activation, through ``probs``, ``nll`` and ``select``, and knows nothing else
of it. ``weight`` acts after the activation: the value and the gradient do not depend on the logits of a pixel
of weight 0, and the loss equals the plain loss on the labelled pixels. (Zeroing the *logits* of ignored
pixels would not do: after a softmax each of them still counts a quarter for every class.)

A loss may change while training goes on: ``loss.at(progress)`` is what it is once that share of the budget is trained.
It depends on nothing but the share, so a resumed run goes on as it would have. Most losses stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from hipjsw.learning.activation import Activation

__all__ = ["CrossEntropy", "Loss", "Rising", "SoftDice", "WeightedSum"]

NUM_FOREGROUND = 3


@runtime_checkable  # OmegaConf asks whether a term is one
class Loss(Protocol):
    """A scalar to be made small."""

    def __call__(self, activation: Activation, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            activation: What the logits mean.
            logits: ``(B, activation.num_channels, H, W)``, finite.
            target: Area coverage ``(B, 4, H, W)`` in [0, 1] that sums to 1: background, femur, acetabulum,
                joint space.
            weight: ``(B, H, W)``, 0 or more; 0 where a pixel is not to be judged.

        Returns:
            Scalar, float32 or wider. Where nothing is to be judged it is 0 with zero gradient.
        """
        ...

    def at(self, progress: float) -> Loss:  # noqa: ARG002
        """The loss once so much is trained; itself, unless it says otherwise.

        Args:
            progress: Share of the budget's steps already made, 0 to 1.
        """
        return self


@dataclass(frozen=True)
class SoftDice(Loss):
    """One minus soft Dice, ``1 - (2 sum(w p t) + s) / (sum(w p) + sum(w t) + s)``, averaged over classes.

    The sums run over each image, and the mean over images and classes (``over="image"``, as in the study), or
    over the whole batch, and the mean over classes (``over="batch"``). A class that is absent and not
    predicted costs 0. With a hard target a perfect prediction costs 0; with a soft one a little more, for
    ``sum(t t) < sum(t)``.

    Args:
        over: ``"image"`` or ``"batch"``.
        background: Whether the background counts as a class, where the activation models it.
        smooth: The ``s`` of the formula, in pixels, in numerator and denominator; positive.

    Raises:
        ValueError: An unknown ``over`` or a ``smooth`` that is not positive.
    """

    over: str = "image"
    background: bool = True
    smooth: float = 1e-5

    def __post_init__(self) -> None:
        if self.over not in ("image", "batch"):
            raise ValueError(f"soft Dice runs over 'image' or 'batch', not {self.over!r}")
        if not self.smooth > 0:
            raise ValueError(f"smooth must be positive, got {self.smooth}: an absent class would give 0/0")

    def __call__(self, activation: Activation, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``Loss``."""
        probs = activation.probs(logits)
        truth = activation.select(target)
        if not self.background:
            probs, truth = probs[:, -NUM_FOREGROUND:], truth[:, -NUM_FOREGROUND:]
        weighted_probs = weight[:, None] * probs
        axes = (2, 3) if self.over == "image" else (0, 2, 3)
        common = (weighted_probs * truth).sum(axes)
        both = weighted_probs.sum(axes) + (weight[:, None] * truth).sum(axes)
        return 1 - ((2 * common + self.smooth) / (both + self.smooth)).mean()


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """The activation's negative log likelihood, weighted mean over all pixels of the batch.

    With softmax the usual cross entropy, with sigmoid the binary one, mean over the three classes.
    """

    def __call__(self, activation: Activation, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``Loss``."""
        nll = activation.nll(logits, target)
        total = weight.sum()
        return (weight * nll).sum() / torch.where(total > 0, total, torch.ones_like(total))


@dataclass(frozen=True)
class WeightedSum(Loss):
    """Sum of named losses, each times its weight.

    Args:
        terms: The losses by name.
        weights: Their weights, under the same names; 0 or more.

    Raises:
        ValueError: Names that do not match, no term at all, or a negative weight.
        TypeError: A term that is no loss.
    """

    terms: Mapping[str, Loss]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if not self.terms or set(self.terms) != set(self.weights):
            raise ValueError(f"every term needs a weight: terms {sorted(self.terms)}, weights {sorted(self.weights)}")
        for name, term in self.terms.items():
            _refuse_no_loss(name, term)
        if any(value < 0 for value in self.weights.values()):
            raise ValueError(f"weights must not be negative, got {dict(self.weights)}")

    def __call__(self, activation: Activation, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``Loss``."""
        parts = [self.weights[name] * term(activation, logits, target, weight) for name, term in self.terms.items()]
        return torch.stack(parts).sum()

    def at(self, progress: float) -> Loss:
        """The sum of the terms as they are then."""
        return WeightedSum({name: term.at(progress) for name, term in self.terms.items()}, self.weights)


@dataclass(frozen=True)
class Rising(Loss):
    """A loss that counts more and more: its weight rises in a straight line over the training, up to the whole.

    Called as it is, without ``at``, it is the whole loss: what it is when training ends, and in validation.

    Args:
        term: The loss.
        first: What it counts at the first step, as a share of the whole; 0 to 1.

    Raises:
        ValueError: A share that is none.
        TypeError: A term that is no loss.
    """

    term: Loss
    first: float = 0.0

    def __post_init__(self) -> None:
        _refuse_no_loss("term", self.term)
        if not 0 <= self.first <= 1:
            raise ValueError(f"first is a share of the whole weight, 0 to 1, got {self.first}")

    def __call__(self, activation: Activation, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``Loss``."""
        return self.term(activation, logits, target, weight)

    def at(self, progress: float) -> Loss:
        """The loss times its share of then."""
        share = self.first + (1 - self.first) * progress
        return WeightedSum({"term": self.term.at(progress)}, {"term": share})


def _refuse_no_loss(name: str, term: object) -> None:
    if not callable(term):  # Hydra turns a dataclass inside a mapping into a config
        raise TypeError(f"{name} is no loss but a {type(term).__name__}: set `_convert_: all` in the YAML")
