"""Several looks at one hip: it is moved a little, predicted, moved back, and the probabilities are averaged.

What a network says of an edge changes with where the grid lies; the mean of several looks errs less than one, and how
far they differ says how far the mean may err (test-time augmentation: Wang et al. 2019, Neurocomputing 338:34-45).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

__all__ = ["Looks"]

_SEED = 0x100C


@dataclass(frozen=True)
class Looks:
    """How a hip is looked at; the first look is always the hip as it is.

    Args:
        number: Looks, 1 or more.
        rotate_deg: Largest turn to either side.
        scale: Largest change of size, e.g. 0.07 for 0.93 to 1.07.
        shift: Largest shift as a share of the view's height and width.

    Raises:
        ValueError: Fewer than one look.
    """

    number: int = 8
    rotate_deg: float = 10.0
    scale: float = 0.07
    shift: float = 0.015

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"a hip is looked at once or more often, not {self.number} times")

    def __call__(self, predict: Callable[[Tensor], Tensor], image: Tensor, unmoved: Tensor | None = None) -> Tensor:
        """Predict each look and move it back.

        Args:
            predict: ``(B, 1, H, W)`` to probabilities ``(B, C, H, W)``.
            image: ``(B, 1, H, W)`` in [0, 1].
            unmoved: ``(B, C, H, W)`` what is predicted of the image as it is, where that is known already.

        Returns:
            ``(number, B, C, H, W)`` probabilities on the image's own grid, the unmoved look first.
        """
        looks = [predict(image) if unmoved is None else unmoved]
        for motion in self._motions(*image.shape[-2:])[1:]:
            there, back = (torch.tensor(m, dtype=torch.float32, device=image.device) for m in motion)
            moved = _moved(image, there, "bicubic").clamp(0.0, 1.0)
            looks.append(_moved(predict(moved), back, "bilinear"))
        return torch.stack(looks)

    def _motions(self, rows: int, cols: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Matrices ``(2, 3)`` in the view's coordinates from -1 to 1, there and back; the same for every hip."""
        draws = np.random.default_rng(_SEED).uniform(-1.0, 1.0, (self.number, 4))
        stretch = np.diag([cols / rows, 1.0, 1.0])  # (x, y) in halves of the height
        motions = []
        for turn, size, x, y in draws:
            angle, scale = np.deg2rad(self.rotate_deg * turn), 1.0 + self.scale * size
            cos, sin = scale * np.cos(angle), scale * np.sin(angle)
            right, down = 2 * self.shift * x * cols / rows, 2 * self.shift * y
            matrix = np.array([[cos, -sin, right], [sin, cos, down], [0.0, 0.0, 1.0]])
            matrix = np.linalg.inv(stretch) @ matrix @ stretch
            motions.append((matrix[:2], np.linalg.inv(matrix)[:2]))
        return motions


def _moved(planes: Tensor, matrix: Tensor, mode: str) -> Tensor:
    grid = F.affine_grid(matrix.expand(len(planes), 2, 3), list(planes.shape), align_corners=False)
    return F.grid_sample(planes, grid.to(planes.dtype), mode=mode, padding_mode="border", align_corners=False)
