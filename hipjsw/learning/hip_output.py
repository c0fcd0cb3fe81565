"""What a network says of one hip, ready to be measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HipOutput"]


@dataclass(frozen=True, eq=False)
class HipOutput:
    """What a network made of one test hip.

    Args:
        row: Its row in the store.
        dice: ``(3,)`` Dice of femur, acetabulum and joint space; NaN where undefined.
        looks: ``(looks, 3, rows, cols)`` probabilities on the hip's own grid, the unmoved look first.
        masks: ``(3, rows, cols)`` the unmoved look's masks.
        target: ``(3, rows, cols)`` the label's coverage.
        embedding: ``(f,)`` what the network's deepest level holds of it; empty where it has no such level.
    """

    row: int
    dice: NDArray[np.float64]
    looks: NDArray[np.float32]
    masks: NDArray[np.bool_]
    target: NDArray[np.float32]
    embedding: NDArray[np.float32]
