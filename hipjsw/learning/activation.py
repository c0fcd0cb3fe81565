"""Output activations: what the logits of a network mean.

An activation models the labels. It turns logits into probabilities, says how unlikely a target is under them
and decides for masks; losses and metrics ask it and know nothing more. Channels: a target has four,
background, femur, acetabulum, joint space, as area coverage that sums to 1; the foreground probabilities are
always the last three channels of ``probs``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor

__all__ = ["Activation", "Sigmoid", "Softmax"]


class Activation(Protocol):
    """From logits ``(B, num_channels, H, W)`` to probabilities, likelihoods and masks."""

    @property
    def num_channels(self) -> int:
        """Channels of the logits."""
        ...

    def probs(self, logits: Tensor) -> Tensor:
        """Probabilities ``(B, num_channels, H, W)``, float32 or wider; the last three are the foreground."""
        ...

    def nll(self, logits: Tensor, target: Tensor) -> Tensor:
        """Negative log likelihood ``(B, H, W)`` of a soft target ``(B, 4, H, W)``, float32 or wider."""
        ...

    def decode(self, probs: Tensor) -> Tensor:
        """Foreground masks, bool ``(B, 3, H, W)``, from probabilities."""
        ...

    def select(self, target: Tensor) -> Tensor:
        """The channels of a target ``(B, 4, H, W)`` that ``probs`` models, ``(B, num_channels, H, W)``."""
        ...


@dataclass(frozen=True)
class Softmax:
    """One class a pixel: four channels that sum to 1; the likeliest wins, the first of equals."""

    @property
    def num_channels(self) -> int:
        """Four: background and the three classes."""
        return 4

    def probs(self, logits: Tensor) -> Tensor:
        """Softmax over the channels, ``(B, 4, H, W)``."""
        return torch.softmax(_wide(logits), dim=1)

    def nll(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy with the soft target, ``(B, H, W)``."""
        return -(target * torch.log_softmax(_wide(logits), dim=1)).sum(dim=1)

    def decode(self, probs: Tensor) -> Tensor:
        """Masks of the likeliest class, bool ``(B, 3, H, W)``: they never overlap."""
        winner = probs.argmax(dim=1, keepdim=True)
        classes = torch.arange(1, 4, device=probs.device).view(1, 3, 1, 1)
        return winner == classes

    def select(self, target: Tensor) -> Tensor:
        """All four channels."""
        return target


@dataclass(frozen=True)
class Sigmoid:
    """Each foreground class by itself: three channels; a pixel may have no label or several."""

    @property
    def num_channels(self) -> int:
        """Three: the classes without background."""
        return 3

    def probs(self, logits: Tensor) -> Tensor:
        """Sigmoid of each channel, ``(B, 3, H, W)``."""
        return torch.sigmoid(_wide(logits))

    def nll(self, logits: Tensor, target: Tensor) -> Tensor:
        """Binary cross entropy, mean of the three foreground channels, ``(B, H, W)``."""
        wide = _wide(logits)
        each = F.binary_cross_entropy_with_logits(wide, self.select(target).to(wide.dtype), reduction="none")
        return each.mean(dim=1)

    def decode(self, probs: Tensor) -> Tensor:
        """Masks where a probability exceeds 0.5, bool ``(B, 3, H, W)``: they may overlap."""
        return probs > 0.5

    def select(self, target: Tensor) -> Tensor:
        """The three foreground channels."""
        return target[:, 1:]


def _wide(logits: Tensor) -> Tensor:
    """Float32 at least: sums over an image of half-precision values lose their small terms."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
