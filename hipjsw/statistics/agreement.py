"""Agreement of two measurements of the same hips.

Bland and Altman 1986 (Lancet 327:307-10) for bias and limits; Shrout and Fleiss 1979 and Lin 1989 for the coefficients
(``reliability``); de Vet et al. 2006 (J Clin Epidemiol 59:1033-9) for the smallest detectable change (``follow_up``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hipjsw.statistics.bootstrap import Estimate, Method, bootstrap_sums, flat_numbers, share_estimate

__all__ = ["Agreement", "Comparison", "agreement", "compare"]

Floats = NDArray[np.float64]

WITHIN_MM = {"within_05": 0.5, "within_10": 1.0, "within_15": 1.5, "within_20": 2.0}
LIMIT = 1.96  # standard deviations from the bias to a limit of agreement
ROUNDING_MM = 1e-9  # a difference of 0.5 mm is within 0.5 mm, whatever its last bit


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


@dataclass(frozen=True)
class Comparison:
    """One measurement compared with another, each number with an interval clustered by person; None where undefined.

    Args:
        num_compared: Pairs compared.
        num_persons: Persons they come from.
        mae_mm: Mean absolute difference.
        bias_mm: Mean difference, measurement less reference.
        sd_mm: Standard deviation of the difference (n - 1).
        low_mm: Lower 95 % limit of agreement, bias - 1.96 SD.
        high_mm: Upper 95 % limit of agreement.
        rmse_mm: Root of the mean squared difference.
        icc2: ICC(2,1), absolute agreement.
        icc3: ICC(3,1), consistency.
        ccc: Lin's concordance correlation coefficient.
        repeatability_mm: Repeatability coefficient: what two measurements of a hip differ by at most, 19 times in 20.
        sdc_mm: Smallest detectable change.
        within_05: Share of differences of at most 0.5 mm, in [0, 1].
        within_10: Likewise 1 mm.
        within_15: Likewise 1.5 mm.
        within_20: Likewise 2 mm.
    """

    num_compared: int
    num_persons: int
    mae_mm: Estimate | None
    bias_mm: Estimate | None
    sd_mm: Estimate | None
    low_mm: Estimate | None
    high_mm: Estimate | None
    rmse_mm: Estimate | None
    icc2: Estimate | None
    icc3: Estimate | None
    ccc: Estimate | None
    repeatability_mm: Estimate | None
    sdc_mm: Estimate | None
    within_05: Estimate | None
    within_10: Estimate | None
    within_15: Estimate | None
    within_20: Estimate | None

    def flat(self) -> dict[str, float | int]:
        """Counts, values and ends of intervals under plain names (``bootstrap.flat_numbers``).

        ``mae_mm`` has the ends ``mae_ci_low_mm`` and ``mae_ci_high_mm``, ``icc2`` has ``icc2_ci_low`` and
        ``icc2_ci_high``; ``low_mm`` and ``high_mm`` are the limits of agreement.
        """
        return flat_numbers(self)


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
    difference = np.subtract(*_pairs(measured_mm, reference_mm))
    if len(difference) == 0:
        return None
    bias = float(difference.mean())
    sd = float(difference.std(ddof=1)) if len(difference) > 1 else None
    return Agreement(
        num=len(difference),
        mae_mm=float(np.abs(difference).mean()),
        bias_mm=bias,
        sd_mm=sd,
        low_mm=None if sd is None else bias - LIMIT * sd,
        high_mm=None if sd is None else bias + LIMIT * sd,
    )


def compare(
    measured_mm: ArrayLike,
    reference_mm: ArrayLike,
    persons: ArrayLike,
    *,
    exact_reference: bool = False,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "bca",
) -> Comparison | None:
    """Compare two measurements pair by pair, with intervals that know whose hip each is.

    Two readings that both err share their difference: each errs by SD / sqrt(2), and repeatability and smallest
    detectable change follow as in ``follow_up``. Against exact truth all of the difference is the measurement's, so
    both are 1.96 sqrt(2) SD: what two measurements of a hip differ by, were their errors independent.

    Args:
        measured_mm: ``(n,)`` in mm.
        reference_mm: ``(n,)`` in mm.
        persons: ``(n,)`` whose hip it is; persons are drawn, and all their hips with them.
        exact_reference: Whether the reference is free of error.
        draws: Resamples of the bootstrap.
        seed: Of the draws.
        level: Of the intervals.
        method: ``percentile`` or ``bca``.

    Returns:
        The comparison; None where there is no pair. A share that is 0 or 1 has the exact interval of as many trials as
        persons (``bootstrap.share_estimate``).

    Raises:
        ValueError: Lengths that differ, a value that is not finite, a hip without a person, or a bad option.
    """
    measured, reference = _pairs(measured_mm, reference_mm)
    if len(measured) == 0:
        return None
    difference, middle = measured - reference, (measured + reference) / 2
    bias, centre = float(difference.mean()), float(middle.mean())
    distance = np.abs(difference)
    columns = {
        "distance": distance,
        "difference": difference - bias,
        "difference2": (difference - bias) ** 2,
        "middle": middle - centre,
        "middle2": (middle - centre) ** 2,
        **{name: (distance <= reach + ROUNDING_MM).astype(np.float64) for name, reach in WITHIN_MM.items()},
    }

    def statistics(sums: Mapping[str, Floats]) -> dict[str, Floats]:
        return _from_sums(sums, bias, exact_reference)

    found = bootstrap_sums(statistics, columns, persons, draws, seed, level, method)
    num_persons = len(np.unique(np.asarray(persons)))
    shares = {name: share_estimate(found[name], num_persons, level) for name in WITHIN_MM}
    return Comparison(num_compared=len(measured), num_persons=num_persons, **(found | shares))


def _from_sums(sums: Mapping[str, Floats], bias: float, exact_reference: bool) -> dict[str, Floats]:
    """All numbers of a comparison from sums over hips (m,) each; ``bias`` was taken off the differences."""
    num = sums["num"]
    shift = bias + sums["difference"] / num
    spread, between = (_about_mean(num, sums[name], sums[f"{name}2"]) for name in ("difference", "middle"))
    sd = np.sqrt(spread / (num - 1))
    rmse = np.sqrt(spread / num + shift**2)
    targets, residual, raters = 2 * between / (num - 1), spread / (num - 1) / 2, num * shift**2 / 2
    apart = np.sqrt(2) * sd if exact_reference else rmse  # SD of two measurements' difference, their mean taken as 0
    detectable = apart if exact_reference else sd
    return {
        "mae_mm": sums["distance"] / num,
        "bias_mm": shift,
        "sd_mm": sd,
        "low_mm": shift - LIMIT * sd,
        "high_mm": shift + LIMIT * sd,
        "rmse_mm": rmse,
        "icc2": (targets - residual) / (targets + residual + 2 * (raters - residual) / num),
        "icc3": (targets - residual) / (targets + residual),
        "ccc": np.where(num > 1, (2 * between - spread / 2) / (2 * between + spread / 2 + num * shift**2), np.nan),
        "repeatability_mm": LIMIT * apart,
        "sdc_mm": LIMIT * detectable,
        **{name: sums[name] / num for name in WITHIN_MM},
    }


def _about_mean(num: Floats, total: Floats, squares: Floats) -> Floats:
    """Sum of squares about the mean from sums (m,); 0 where it is rounding."""
    spread = squares - total**2 / num
    return np.where(spread > num * ROUNDING_MM**2, spread, 0.0)


def _pairs(measured_mm: ArrayLike, reference_mm: ArrayLike) -> tuple[Floats, Floats]:
    measured, reference = np.asarray(measured_mm, dtype=np.float64), np.asarray(reference_mm, dtype=np.float64)
    if measured.shape != reference.shape or measured.ndim != 1:
        raise ValueError(f"pairs expected, got arrays of shape {measured.shape} and {reference.shape}")
    if not np.isfinite(measured - reference).all():
        raise ValueError("agreement is of finite pairs; leave undefined ones out and count them")
    return measured, reference
