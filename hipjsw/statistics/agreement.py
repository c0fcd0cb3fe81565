"""Agreement of two measurements of the same hips (Bland and Altman 1986, Lancet 327:307-10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True)
class Agreement:
    """How far one measurement lies from another, in mm.

    Args:
        num: Pairs compared.
        mae_mm: Mean absolute difference.
        bias_mm: Mean difference, measurement less reference.
        sd_mm: Standard deviation of the difference (n - 1); None for fewer than two pairs.
        low_mm: Lower 95 % limit of agreement, bias - 1.96 SD; None likewise.
        high_mm: Upper 95 % limit of agreement; None likewise.
    """

    num: int
    mae_mm: float
    bias_mm: float
    sd_mm: float | None
    low_mm: float | None
    high_mm: float | None


def agreement(measured_mm: NDArray[Any], reference_mm: NDArray[Any]) -> Agreement | None:
    """Compare two measurements pair by pair.

    Args:
        measured_mm: ``(n,)`` in mm.
        reference_mm: ``(n,)`` in mm.

    Returns:
        The agreement; None where there is no pair.

    Raises:
        ValueError: Lengths that differ, or a value that is not finite (count undefined pairs and leave them out).
    """
    measured, reference = np.asarray(measured_mm, dtype=np.float64), np.asarray(reference_mm, dtype=np.float64)
    if measured.shape != reference.shape or measured.ndim != 1:
        raise ValueError(f"pairs expected, got arrays of shape {measured.shape} and {reference.shape}")
    difference = measured - reference
    if not np.isfinite(difference).all():
        raise ValueError("agreement is of finite pairs; leave undefined ones out and count them")
    if len(difference) == 0:
        return None
    bias = float(difference.mean())
    sd = float(difference.std(ddof=1)) if len(difference) > 1 else None
    return Agreement(
        num=len(difference),
        mae_mm=float(np.abs(difference).mean()),
        bias_mm=bias,
        sd_mm=sd,
        low_mm=None if sd is None else bias - 1.96 * sd,
        high_mm=None if sd is None else bias + 1.96 * sd,
    )
