"""What a network's deepest level holds of an image, as one row of numbers."""

from __future__ import annotations

from types import TracebackType

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

__all__ = ["Embedding"]


class Embedding:
    """Listens to a network's deepest level while it predicts; a context manager.

    Args:
        net: The network; one without a level named ``bottom`` gives rows of no numbers.
    """

    def __init__(self, net: nn.Module) -> None:
        self._bottom = getattr(net, "bottom", None)
        self._seen: Tensor | None = None

    def __enter__(self) -> Embedding:
        if isinstance(self._bottom, nn.Module):
            self._hook = self._bottom.register_forward_hook(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._bottom, nn.Module):
            self._hook.remove()

    def _listen(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del module, inputs
        self._seen = output.detach()

    def rows(self, num_images: int) -> Tensor:
        """Numbers of the image just predicted, ``(num_images, 6 C)`` for C channels.

        Mean and standard deviation of each channel over the whole image, then its mean over each quarter: above left,
        above right, below left, below right.
        """
        if self._seen is None:
            return torch.zeros(num_images, 0)
        wide = self._seen.float()
        quarters = F.adaptive_avg_pool2d(wide, 2).flatten(start_dim=1)
        return torch.cat([wide.mean(dim=(2, 3)), wide.std(dim=(2, 3), correction=0), quarters], dim=1)
