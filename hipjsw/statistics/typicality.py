"""How far a sample lies from those a model is known to work on.

Samples are described by many correlated numbers. Their principal axes span how good samples differ among themselves;
what of a new sample lies beyond those axes is how it differs from all of them (Jackson and Mudholkar 1979,
Technometrics 21:341-9: the residual Q of a principal component model).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_SAMPLES", "Typicality", "fit_typicality"]

#: With fewer samples nothing can be said.
LEAST_SAMPLES = 20
#: Most axes, and samples there have to be for each.
MOST_AXES, SAMPLES_PER_AXIS = 60, 8
#: Groups of persons that are left out in turn to see how far off good samples lie when they are new.
FOLDS = 5
#: The limit is the distance that one good sample in a hundred exceeds, times this.
QUANTILE, MARGIN = 0.99, 1.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Typicality:
    """A model of good samples.

    Args:
        mean: ``(f,)`` mean of each number.
        scale: ``(f,)`` its standard deviation.
        axes: ``(q, f)`` orthonormal principal axes of the standardised numbers.
        limit: Root mean square beyond the axes at which a sample is no longer typical.
    """

    mean: Floats
    scale: Floats
    axes: Floats
    limit: float

    def distance(self, features: NDArray[Any]) -> Floats:
        """Distance of samples ``(n, f)`` from the good ones, ``(n,)``; beyond 1 a sample is not typical.

        That of a sample with a number that is not finite is infinite.
        """
        standardised = (np.asarray(features, dtype=np.float64) - self.mean) / self.scale
        finite = np.isfinite(standardised.sum(axis=1))
        distance = np.full(len(standardised), np.inf)
        distance[finite] = _beyond(standardised[finite], self.axes) / self.limit
        return distance


def fit_typicality(features: NDArray[Any], persons: NDArray[Any]) -> Typicality | None:
    """Learn what good samples look like.

    Args:
        features: ``(n, f)`` numbers that describe each good sample, finite.
        persons: ``(n,)`` whose sample it is; the limit is found on persons that were left out.

    Returns:
        The model; None for fewer than 20 samples or fewer than 5 persons.

    Raises:
        ValueError: Numbers that are not finite, or another number of persons than of samples.
    """
    values, owners = np.asarray(features, dtype=np.float64), np.asarray(persons)
    if values.ndim != 2 or owners.shape != values.shape[:1] or not np.isfinite(values).all():
        raise ValueError(f"finite features (n, f) and n persons expected, got {values.shape} and {owners.shape}")
    names, number = np.unique(owners, return_inverse=True)
    if len(values) < LEAST_SAMPLES or len(names) < FOLDS:
        return None
    kept = len(values) * (FOLDS - 1) // FOLDS  # samples behind each limit, so that all models have as many axes
    count = min(int(np.clip(kept // SAMPLES_PER_AXIS, 1, MOST_AXES)), values.shape[1] - 1)  # something lies beyond
    new = np.zeros(len(values))
    for fold in range(FOLDS):
        out = number % FOLDS == fold
        mean, scale, axes = _axes(values[~out], count)
        new[out] = _beyond((values[out] - mean) / scale, axes)
    limit = MARGIN * float(np.quantile(new, QUANTILE))
    return Typicality(*_axes(values, count), max(limit, 1e-9))


def _axes(values: Floats, count: int) -> tuple[Floats, Floats, Floats]:
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    axes = np.linalg.svd((values - mean) / scale, full_matrices=False)[2][:count]
    return mean, scale, axes


def _beyond(standardised: Floats, axes: Floats) -> Floats:
    rest = standardised - (standardised @ axes.T) @ axes
    return np.asarray(np.sqrt((rest**2).mean(axis=1)))
