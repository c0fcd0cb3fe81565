"""A trained model: networks, the view they look at, and what is known of their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.imaging.view import ViewSpec
from hipjsw.inference.measuring import Judgement
from hipjsw.learning.architecture import Architecture
from hipjsw.learning.averaging import Looks
from hipjsw.learning.embedding import Embedding
from hipjsw.learning.ensemble import Ensemble

__all__ = ["Member", "Model", "Seen"]


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a model.

    Args:
        architecture: What it is.
        weights: Its tensors by name.
    """

    architecture: Architecture
    weights: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Seen:
    """What a model says of views.

    Args:
        looks: ``(looks, n, 3, rows, cols)`` probabilities of femur, acetabulum and joint space on the views' grid,
            the unmoved look first; float32.
        embedding: ``(n, f)`` what the networks' deepest levels hold of each; float32.
    """

    looks: NDArray[np.float32]
    embedding: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Model:
    """A model; several networks are averaged.

    Args:
        members: Its networks, one or more.
        view: What they look at.
        looks: How often a hip is looked at.
        region: What the minimum is taken over.
        judgement: What is known of its errors, and of the hips it knows.
        about: What else its file says: ``name``, ``labels``, ``training``, ``metrics``, ``licence``; plain values.
        hash: Of its files, where it was read from any; else empty.
    """

    members: tuple[Member, ...]
    view: ViewSpec
    looks: int
    region: str
    judgement: Judgement
    about: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""

    @cached_property
    def net(self) -> Ensemble:
        """The networks with their weights, on the CPU; from images ``(n, 1, rows, cols)`` to mean probabilities."""
        built = [member.architecture.build() for member in self.members]
        nets: list[nn.Module] = []
        for (net, _), member in zip(built, self.members, strict=True):
            net.load_state_dict({name: value.float() for name, value in member.weights.items()})
            nets.append(net.eval())
        return Ensemble(nets, [activation for _, activation in built]).eval()

    def see(self, images: NDArray[np.float32], looks: int | None = None, glance: Seen | None = None) -> Seen:
        """Look at views.

        Args:
            images: ``(n, rows, cols)`` in [0, 1], of the size of ``view`` without its margin.
            looks: How often; None for as often as the model was told.
            glance: What was seen of the same views at one look, which then is not done again.

        Raises:
            ValueError: Views of another size.
        """
        size = (self.view.rows_px, self.view.cols_px)
        if images.ndim != 3 or images.shape[1:] != size:
            raise ValueError(f"this model looks at (n, {size[0]}, {size[1]}) pixels, got {images.shape}")
        device = next(self.net.parameters()).device
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))[:, None].to(device)
            if glance is None:
                with Embedding(self.net) as embedding:
                    unmoved = self._foreground(batch)
                    features = embedding.rows(len(batch)).float().cpu().numpy()
            else:
                unmoved, features = torch.from_numpy(glance.looks[0]).to(device), glance.embedding
            several = Looks(self.looks if looks is None else looks)(self._foreground, batch, unmoved)
            return Seen(several.float().cpu().numpy(), features)

    def _foreground(self, batch: Tensor) -> Tensor:
        probs: Tensor = self.net(batch)
        return probs[:, -len(FOREGROUND) :]

    def to(self, device: str) -> Model:
        """Move the networks to a device, ``cpu`` or ``cuda``; the model itself."""
        self.net.to(device)
        return self

    @property
    def names(self) -> Sequence[str]:
        """Names of the networks, ``resunet-softmax`` and so on."""
        return [f"{m.architecture.net}-{m.architecture.activation}" for m in self.members]
