"""Whether intervals of a width hold what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hipjsw.statistics.bootstrap import Estimate, Method, bootstrap_sums, flat_numbers, share_estimate

__all__ = ["IntervalCoverage", "interval_coverage"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IntervalCoverage:
    """How often intervals hold the reference; each number with an interval clustered by person.

    Args:
        num_intervals: Intervals compared with a reference.
        num_persons: Persons they come from.
        coverage: Share that hold the reference, ends included, in [0, 1].
        reference_below: Share whose reference lies below the interval.
        reference_above: Share whose reference lies above it.
        width_mm: Mean width.
    """

    num_intervals: int
    num_persons: int
    coverage: Estimate | None
    reference_below: Estimate | None
    reference_above: Estimate | None
    width_mm: Estimate | None

    def flat(self) -> dict[str, float | int]:
        """Counts, values and ends of intervals under plain names (``bootstrap.flat_numbers``)."""
        return flat_numbers(self)


def interval_coverage(
    low_mm: ArrayLike,
    high_mm: ArrayLike,
    reference_mm: ArrayLike,
    persons: ArrayLike,
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "bca",
) -> IntervalCoverage | None:
    """Count intervals that hold the reference.

    Args:
        low_mm: ``(n,)`` lower ends, finite.
        high_mm: ``(n,)`` upper ends, finite.
        reference_mm: ``(n,)`` what they should hold, finite.
        persons: ``(n,)`` whose hip it is.
        draws: Resamples of the bootstrap.
        seed: Of the draws.
        level: Of the bootstrap's intervals, not of those that are judged.
        method: ``percentile`` or ``bca``.

    Returns:
        The counts; None where there is no interval. A share that is 0 or 1 has the exact interval of as many trials as
        persons.

    Raises:
        ValueError: Lengths that differ, a value that is not finite, a low end above its high one, a hip without a
            person, or a bad option.
    """
    low, high, reference = (np.asarray(values, dtype=np.float64) for values in (low_mm, high_mm, reference_mm))
    if low.ndim != 1 or not low.shape == high.shape == reference.shape:
        raise ValueError(
            f"three arrays of one length expected, got shapes {low.shape}, {high.shape}, {reference.shape}"
        )
    if not (np.isfinite(low) & np.isfinite(high) & np.isfinite(reference)).all():
        raise ValueError("intervals and references must be finite; leave hips without either out and count them")
    if (low > high).any():
        raise ValueError(f"{int((low > high).sum())} intervals have their low end above the high one; exchange them")
    if len(low) == 0:
        return None
    columns = {
        "coverage": ((low <= reference) & (reference <= high)).astype(np.float64),
        "reference_below": (reference < low).astype(np.float64),
        "reference_above": (reference > high).astype(np.float64),
        "width_mm": high - low,
    }

    def means(sums: Mapping[str, Floats]) -> dict[str, Floats]:
        return {name: sums[name] / sums["num"] for name in columns}

    found = bootstrap_sums(means, columns, persons, draws, seed, level, method)
    num_persons = len(np.unique(np.asarray(persons)))
    return IntervalCoverage(
        num_intervals=len(low),
        num_persons=num_persons,
        coverage=share_estimate(found["coverage"], num_persons, level),
        reference_below=share_estimate(found["reference_below"], num_persons, level),
        reference_above=share_estimate(found["reference_above"], num_persons, level),
        width_mm=found["width_mm"],
    )
