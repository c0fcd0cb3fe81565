"""Several trained networks as one, whose probabilities are the mean of theirs.

Networks that began with other weights and saw hips in another order err apart, and their mean errs less than one does
(Lakshminarayanan, Pritzel and Blundell 2017, NeurIPS 30).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from hipjsw.learning.activation import Activation

__all__ = ["Averaged", "Ensemble"]


@dataclass(frozen=True)
class Averaged:
    """The activation of what is a probability already; an ``Activation`` that judges and does not train.

    Args:
        inner: How probabilities become masks, and which channels they are.
    """

    inner: Activation

    @property
    def num_channels(self) -> int:
        """As many as the members have."""
        return self.inner.num_channels

    def probs(self, logits: Tensor) -> Tensor:
        """What the ensemble says, as it is."""
        return logits

    def nll(self, logits: Tensor, target: Tensor) -> NoReturn:
        """There is none: members are trained one by one."""
        raise NotImplementedError("an ensemble is judged and not trained")

    def decode(self, probs: Tensor) -> Tensor:
        """Foreground masks as the first member's activation makes them."""
        return self.inner.decode(probs)

    def select(self, target: Tensor) -> Tensor:
        """The channels of a target that the members model."""
        return self.inner.select(target)


class Ensemble(nn.Module):
    """From an image ``(B, 1, H, W)`` to the members' mean probabilities ``(B, num_channels, H, W)``.

    Where all members have a deepest level, ``bottom`` hands on what these hold of the image, one after another, so
    that ``Embedding`` describes a hip by what every member sees in it.

    Args:
        nets: The members.
        activations: What the logits of each mean.

    Raises:
        ValueError: No member, or members whose probabilities have other channels.
    """

    def __init__(self, nets: Sequence[nn.Module], activations: Sequence[Activation]) -> None:
        super().__init__()
        channels = {activation.num_channels for activation in activations}
        if len(channels) != 1:
            raise ValueError(
                f"probabilities of {' and '.join(map(str, sorted(channels)))} channels have no mean; an ensemble is of "
                "runs with one kind of activation"
            )
        self.nets = nn.ModuleList(nets)
        self.activations = tuple(activations)
        self._deep: list[Tensor] = []
        levels = [level for net in nets if isinstance(level := getattr(net, "bottom", None), nn.Module)]
        if len(levels) == len(nets):
            self.bottom = nn.Identity()
            for level in levels:
                level.register_forward_hook(self._listen)

    def _listen(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del module, inputs
        self._deep.append(output)

    def forward(self, image: Tensor) -> Tensor:
        """Mean probabilities of images ``(B, 1, H, W)``."""
        self._deep.clear()
        each = [act.probs(net(image)) for net, act in zip(self.nets, self.activations, strict=True)]
        if self._deep:
            size = max(level.shape[-2:] for level in self._deep)
            self.bottom(torch.cat([F.interpolate(level, size) for level in self._deep], dim=1))
        self._deep.clear()
        return torch.stack(each).mean(dim=0)
