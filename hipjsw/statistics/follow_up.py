"""What repeated measurements can tell of change: repeatability, smallest detectable change, response.

Two definitions of the smallest detectable change are in use, both 1.96 sqrt(2) SEM (the standard error of measurement):

- ``consistency``: SEM is the root of the residual mean square, for two readings SD of their difference / sqrt(2); the
  change is then 1.96 SD of the difference, half the width of Bland and Altman's limits.
- ``agreement``: SEM also holds the variance between readers, SD sqrt(1 - ICC(2,1)).

De Vet et al. 2006 (J Clin Epidemiol 59:1033-9) give both. The first is taken where nothing else is asked for: the same
reader or network measures both visits, and what it adds to every hip cancels in a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hipjsw.statistics.bootstrap import Estimate, Method, bootstrap_sums, flat_numbers, share_estimate
from hipjsw.statistics.reliability import mean_squares

__all__ = ["FollowUp", "follow_up", "repeatability_coefficient", "smallest_detectable_change"]

Floats = NDArray[np.float64]

REACH = 1.96 * 2**0.5  # within-hip standard deviations that two measurements differ by at most, 19 times in 20
ROUNDING_MM = 1e-9


@dataclass(frozen=True)
class FollowUp:
    """Change between two visits, later less earlier; each number with an interval clustered by person.

    Args:
        num_changes: Hips with both visits.
        num_persons: Persons they come from.
        mean_mm: Mean change; negative is loss of joint space.
        sd_mm: Standard deviation of the change (n - 1).
        srm: Standardised response mean, mean / SD; None where the change does not vary.
        detected: Share of hips whose change exceeds the smallest detectable one; None where that is not given.
    """

    num_changes: int
    num_persons: int
    mean_mm: Estimate | None
    sd_mm: Estimate | None
    srm: Estimate | None
    detected: Estimate | None

    def flat(self) -> dict[str, float | int]:
        """Counts, values and ends of intervals under plain names (``bootstrap.flat_numbers``)."""
        return flat_numbers(self)


def repeatability_coefficient(readings_mm: ArrayLike) -> float | None:
    """What two measurements of the same hip differ by at most, 19 times in 20: 1.96 sqrt(2) within-hip SD.

    Bland and Altman 1986 and 1999 (Stat Methods Med Res 8:135-60). For two readings it is 1.96 times the root of the
    mean squared difference; 1986 rounds 1.96 to 2. A shift between the readings counts.

    Args:
        readings_mm: ``(n, k)`` finite, a row a hip, k repeated measurements.

    Returns:
        The coefficient in mm; None for no hip.

    Raises:
        ValueError: Not two-dimensional, fewer than two readings, or one that is not finite.
    """
    readings = np.asarray(readings_mm, dtype=np.float64)
    mean_squares(readings)  # refuses what are no readings
    return REACH * float(readings.var(axis=1, ddof=1).mean()) ** 0.5 if len(readings) else None


def smallest_detectable_change(
    readings_mm: ArrayLike, kind: Literal["consistency", "agreement"] = "consistency"
) -> float | None:
    """Change of one hip that measurement error alone exceeds 1 time in 20.

    Args:
        readings_mm: ``(n, k)`` finite, a row a hip, k measurements of the same state of it.
        kind: Whether the standard error of measurement leaves out or holds the variance between readers (the head of
            this module).

    Returns:
        The change in mm; None for fewer than two hips.

    Raises:
        ValueError: Not two-dimensional, fewer than two readings, one that is not finite, or an unknown kind.
    """
    if kind not in ("consistency", "agreement"):
        raise ValueError(f"unknown kind of smallest detectable change {kind!r}; give 'consistency' or 'agreement'")
    squares = mean_squares(readings_mm)
    if squares is None:
        return None
    between = max(squares.raters - squares.residual, 0.0) / squares.num if kind == "agreement" else 0.0
    return REACH * float(np.sqrt(squares.residual + between))


def follow_up(
    change_mm: ArrayLike,
    persons: ArrayLike,
    sdc_mm: float | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "bca",
) -> FollowUp | None:
    """Sum up changes; standardised response mean as in Liang, Fossel and Larson 1990 (Med Care 28:632-42).

    Args:
        change_mm: ``(n,)`` finite, later less earlier width of a hip.
        persons: ``(n,)`` whose hip it is.
        sdc_mm: Smallest detectable change, if hips beyond it are to be counted.
        draws: Resamples of the bootstrap.
        seed: Of the draws.
        level: Of the intervals.
        method: ``percentile`` or ``bca``.

    Returns:
        The summary; None where there is no change.

    Raises:
        ValueError: Not one-dimensional, not finite, a hip without a person, or a bad option.
    """
    change = np.asarray(change_mm, dtype=np.float64)
    if change.ndim != 1 or not np.isfinite(change).all():
        raise ValueError(
            f"finite changes (n,) expected, got shape {change.shape}; leave undefined ones out and count them"
        )
    if len(change) == 0:
        return None
    centre = float(change.mean())
    columns = {"change": change - centre, "change2": (change - centre) ** 2}
    if sdc_mm is not None:
        columns["detected"] = (np.abs(change) > sdc_mm).astype(np.float64)

    def statistics(sums: Mapping[str, Floats]) -> dict[str, Floats]:
        num = sums["num"]
        mean = centre + sums["change"] / num
        sd = np.sqrt(np.maximum(sums["change2"] - sums["change"] ** 2 / num, 0.0) / (num - 1))
        found = {"mean_mm": mean, "sd_mm": sd, "srm": np.where(sd > ROUNDING_MM, mean / sd, np.nan)}
        return found | ({"detected": sums["detected"] / num} if "detected" in sums else {})

    found = bootstrap_sums(statistics, columns, persons, draws, seed, level, method)
    num_persons = len(np.unique(np.asarray(persons)))
    return FollowUp(
        num_changes=len(change),
        num_persons=num_persons,
        mean_mm=found["mean_mm"],
        sd_mm=found["sd_mm"],
        srm=found["srm"],
        detected=share_estimate(found.get("detected"), num_persons, level),
    )
