"""What was measured on each hip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.jsw.study import StudyWidth
from hipjsw.jsw.surface import SurfaceAgreement

__all__ = ["HipRecord"]


@dataclass(frozen=True, eq=False)
class HipRecord:
    """What was measured on one hip.

    Args:
        row: Its row in the store.
        dice: ``(3,)`` Dice of femur, acetabulum and joint space; NaN where undefined.
        width: The final width, calibrated, or why there is none.
        raw_mm: The minimum before calibration, in mm.
        spread_mm: Standard deviation of the minimum over the averaged views.
        typicality: Distance from the calibration hips; 1 is the limit.
        surface: Agreement of borders by structure: femur, acetabulum, joint_space, head_bearing, roof_bearing.
        study: The 2024 study's estimator on the same hip.
    """

    row: int
    dice: NDArray[np.float64]
    width: JointSpaceWidth | Unmeasurable
    raw_mm: float | None = None
    spread_mm: float | None = None
    typicality: float | None = None
    surface: Mapping[str, SurfaceAgreement] = field(default_factory=dict)
    study: StudyWidth | Unmeasurable | None = None
