"""Error among the hips kept, as those of the lowest quality are left out.

El-Yaniv and Wiener 2010 (JMLR 11:1605-41) for risk and coverage; Geifman and El-Yaniv 2017 (NeurIPS 30) for choosing by
a score; Geifman, Uziel and El-Yaniv 2019 (ICLR) for the area under the curve.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["RiskCoverage", "risk_coverage"]

Floats = NDArray[np.float64]

ROUNDING_MM = 1e-9


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Risk over coverage, a place for each quality that occurs, from the best hips to all of them.

    Args:
        coverage: ``(k,)`` share of hips kept, rising to 1.
        quality: ``(k,)`` lowest quality kept there.
        mae_mm: ``(k,)`` mean absolute error of the hips kept.
        p95_mm: ``(k,)`` 95th percentile of their absolute error.
        within: ``(k,)`` share of them within ``within_mm``.
        within_mm: Reach of ``within``.
        area_mm: Area under ``mae_mm``, each hip adding the risk at the coverage where it comes in; smaller is better.
        best_area_mm: The area, were hips ranked by their errors.
        num: Hips.
    """

    coverage: Floats
    quality: Floats
    mae_mm: Floats
    p95_mm: Floats
    within: Floats
    within_mm: float
    area_mm: float
    best_area_mm: float
    num: int

    @property
    def excess_area_mm(self) -> float:
        """What the area has above the best possible one; 0 for a quality that ranks hips by their errors."""
        return self.area_mm - self.best_area_mm

    def mae_at_mm(self, coverage: float) -> float:
        """Mean absolute error where at least this share of hips is kept.

        Args:
            coverage: In (0, 1].

        Returns:
            The error in mm at the smallest coverage of the curve that reaches it.

        Raises:
            ValueError: A coverage outside (0, 1].
        """
        if not 0 < coverage <= 1:
            raise ValueError(f"a coverage of {coverage}; give a share above 0 and up to 1")
        return float(self.mae_mm[int(np.searchsorted(self.coverage, coverage - 1e-12))])


def risk_coverage(error_mm: ArrayLike, quality: ArrayLike, within_mm: float = 0.5) -> RiskCoverage | None:
    """Keep hips from the best quality downwards; hips of one quality come in together.

    Args:
        error_mm: ``(n,)`` finite errors, with or without sign.
        quality: ``(n,)`` finite, higher is better.
        within_mm: Reach of the share of small errors.

    Returns:
        The curve; None for no hip.

    Raises:
        ValueError: Lengths that differ or values that are not finite.
    """
    error, score = np.abs(np.asarray(error_mm, dtype=np.float64)), np.asarray(quality, dtype=np.float64)
    if error.ndim != 1 or error.shape != score.shape:
        raise ValueError(f"an error and a quality a hip expected, got shapes {error.shape} and {score.shape}")
    if not (np.isfinite(error) & np.isfinite(score)).all():
        raise ValueError("errors and qualities must be finite; leave unmeasurable hips out and count them")
    if len(error) == 0:
        return None
    order = np.argsort(-score, kind="stable")
    error, score = error[order], score[order]
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # last hip of each quality
    kept = np.arange(1, len(error) + 1)
    mae = (np.cumsum(error) / kept)[last]
    return RiskCoverage(
        coverage=kept[last] / len(error),
        quality=score[last],
        mae_mm=mae,
        p95_mm=_running_percentile(error, 0.95)[last],
        within=(np.cumsum(error <= within_mm + ROUNDING_MM) / kept)[last],
        within_mm=within_mm,
        area_mm=float((mae * np.diff(kept[last], prepend=0)).sum() / len(error)),
        best_area_mm=float((np.cumsum(np.sort(error)) / kept).mean()),
        num=len(error),
    )


def _running_percentile(values: Floats, share: float) -> Floats:
    """Percentile (linear between ranks) of the first 1, 2, ... values, ``(n,)``."""
    ranked: list[float] = []
    found = np.empty(len(values))
    for i, value in enumerate(values.tolist()):
        insort(ranked, value)
        below = int(share * i)
        above = min(below + 1, i)
        found[i] = ranked[below] + (share * i - below) * (ranked[above] - ranked[below])
    return found
