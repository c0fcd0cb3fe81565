"""Whether two ways of training differ, where both the persons tested and the seeds trained with are drawn by chance.

The value of a run on a test hip is taken to be a mean, an effect of the run (its seed), one of the person, and a rest.
Persons are drawn by the bootstrap, all their hips and all runs with them (Field and Welsh 2007, JRSS B 69:369-90; the
draws of ``bootstrap``), which sees the person's and the rest's part; seeds vary as the runs' means do. Both variances
are added, and the tails are those of Student's t with the degrees of freedom of Welch (1947, Biometrika 34:28-35) and
Satterthwaite (1946, Biometrics Bulletin 2:110-4). With one run on either side nothing is known of seeds: interval and
p are then the bootstrap's and speak of these very runs, not of the ways they were trained.

The rest (what a seed does to one hip and not to another) is in both variances: it moves the hips' means and, averaged
over all hips, the runs' means. So it counts twice, and intervals are rather too wide than too narrow: where there is
nothing but rest, by a factor of at most 1.41; where whole runs or persons differ, as here, hardly at all. Runs of two
ways with one seed are taken to be independent, which is again on the safe side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t

from hipjsw.statistics.bootstrap import Estimate, Interval, bootstrap_sums, drawn_means

__all__ = ["Difference", "holm", "paired_difference", "run_level_difference", "run_level_mean", "run_mean"]

Floats = NDArray[np.float64]

#: Spread below this share of the values' own size is rounding and no variation.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """How far a first way lies above a second.

    Args:
        value: Mean of the first less mean of the second, in their unit.
        interval: Of the value; None where nothing is known of its variation.
        p: Chance of a value at least as far from 0 if there were no difference, two-sided; None likewise.
        num_units: Hips known in both; 0 where whole runs are compared.
        num_clusters: Their persons; 0 likewise.
        num_runs: Runs with a value, of the first and of the second.
    """

    value: float
    interval: Interval | None
    p: float | None
    num_units: int
    num_clusters: int
    num_runs: tuple[int, int]


@dataclass(frozen=True)
class _Part:
    """A part of the value's variance, and its degrees of freedom."""

    variance: float
    df: int


def run_mean(
    values: ArrayLike, clusters: ArrayLike, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Estimate | None:
    """Mean over hips of the means over runs, with an interval over persons and, from two runs on, over seeds.

    Args:
        values: ``(runs, n)``, a column a test hip; NaN where undefined.
        clusters: ``(n,)`` whose hip each is.
        level: Of the interval, in (0, 1).
        draws: Of the bootstrap.
        seed: Of the draws.

    Returns:
        The mean, over hips defined in at least one run; its interval is None with fewer than two persons. None where
        no hip is defined.

    Raises:
        ValueError: Other shapes, a value that is infinite, a hip without a person, or a bad option.
    """
    table, persons = _checked(values, clusters)
    known = np.isfinite(table).any(axis=0)
    if not known.any():
        return None
    table = _with_values(table[:, known])
    spread = _run_variance(table)
    seeds = [] if spread is None else [_Part(spread / len(table), len(table) - 1)]
    value, interval, _ = _judged(_hip_means(table), persons[known], seeds, _size(table), level, draws, seed)
    return Estimate(value, interval)


def paired_difference(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Difference | None:
    """Difference of two ways of training on the same test hips.

    With one run on one side and more on the other, the one is taken to vary with its seed as the others do. Few others
    say that badly: in simulations the 95 % interval holds the truth in 0.92 of cases with three, in 0.87 with two.

    Args:
        first: ``(r1, n)``, a row a run and a column a test hip; NaN where undefined.
        second: ``(r2, n)``, likewise.
        clusters: ``(n,)`` whose hip each is.
        level: Of the interval, in (0, 1).
        draws: Of the bootstrap.
        seed: Of the draws; with the same hips, the same draws for every pair.

    Returns:
        The difference, over hips defined in at least one run of either; None where there are none of two persons.
        Where nothing varies at all, interval and p are the bootstrap's, so that no p is smaller than persons and draws
        allow; two ways that are the same have a difference of 0 and a p of 1.

    Raises:
        ValueError: As for ``run_mean``.
    """
    (one, persons), (two, _) = _checked(first, clusters), _checked(second, clusters)
    shared = np.isfinite(one).any(axis=0) & np.isfinite(two).any(axis=0)
    owners = persons[shared]
    num_clusters = len(np.unique(owners))
    if num_clusters < 2:
        return None
    one, two = _with_values(one[:, shared]), _with_values(two[:, shared])
    num_runs = (len(one), len(two))
    seeds = _seed_parts(_run_variance(one), _run_variance(two), num_runs)
    apart = _hip_means(one) - _hip_means(two)
    value, interval, p = _judged(apart, owners, seeds, max(_size(one), _size(two)), level, draws, seed)
    return Difference(value, interval, p, len(owners), num_clusters, num_runs)


def run_level_mean(values: ArrayLike, level: float = 0.95) -> Estimate | None:
    """Mean of a number that a whole run has, with Student's interval over runs.

    Args:
        values: ``(r,)``; NaN where undefined.
        level: Of the interval.

    Returns:
        The mean of those defined; its interval is None for fewer than two, or where nothing varies. None where none is
        defined.

    Raises:
        ValueError: Not one number a run, or an infinite one.
    """
    known = _numbers(values)
    if not len(known):
        return None
    value, spread = float(known.mean()), _run_variance(known[:, None])
    parts = [] if spread is None else [_Part(spread / len(known), len(known) - 1)]
    return Estimate(value, _student(value, parts, level)[0] if _varies(parts, _size(known)) else None)


def run_level_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Difference | None:
    """Difference of a number that whole runs have, by Welch's test.

    With one run on one side and more on the other, the one is taken to vary as the others do.

    Args:
        first: ``(r1,)``; NaN where undefined.
        second: ``(r2,)``, likewise.
        level: Of the interval.

    Returns:
        The difference; interval and p are None where both sides have one run or nothing varies (but p is 1 where then
        the difference is 0). None where one side has nothing.

    Raises:
        ValueError: As for ``run_level_mean``.
    """
    one, two = _numbers(first), _numbers(second)
    if not len(one) or not len(two):
        return None
    value = float(one.mean() - two.mean())
    num_runs = (len(one), len(two))
    parts = _seed_parts(_run_variance(one[:, None]), _run_variance(two[:, None]), num_runs)
    if not _varies(parts, max(_size(one), _size(two))):
        return Difference(value, None, 1.0 if parts and value == 0 else None, 0, 0, num_runs)
    return Difference(value, *_student(value, parts, level), 0, 0, num_runs)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979, Scand J Stat 6:65-70) correction for several comparisons.

    Args:
        p: One a comparison; None where there is none, which does not count as a comparison.

    Returns:
        Corrected, in the same order: the chance of one or more findings by chance among all comparisons stays below
        the level at which these are judged.

    Raises:
        ValueError: A p outside [0, 1].
    """
    known = [(chance, place) for place, chance in enumerate(p) if chance is not None]
    corrected: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (chance, place) in enumerate(sorted(known)):
        if not 0 <= chance <= 1:
            raise ValueError(f"comparison {place} has p={chance}; a p lies in [0, 1], and is None where there is none")
        largest = max(largest, min(chance * (len(known) - rank), 1.0))
        corrected[place] = largest
    return corrected


def _judged(
    per_hip: Floats, clusters: NDArray[np.generic], seeds: list[_Part], size: float, level: float, draws: int, seed: int
) -> tuple[float, Interval | None, float | None]:
    """Mean of the hips, its interval and the p of 0; both None with fewer than two persons."""
    drawn = drawn_means(per_hip, clusters, draws, seed)
    value = float(per_hip.mean())
    if drawn is None:
        return value, None, None
    num = len(np.unique(clusters))
    # Drawing from those there are, not from all there could be, makes the draws' variance too small by (num - 1) / num.
    parts = [_Part(float(drawn.var(ddof=1)) * num / (num - 1), num - 1), *seeds]
    if seeds and _varies(parts, size):
        return value, *_student(value, parts, level)
    found = bootstrap_sums(lambda s: {"mean": s["x"] / s["num"]}, {"x": per_hip}, clusters, draws, seed, level)["mean"]
    return value, None if found is None else found.interval, _bootstrap_p(drawn, num)


def _bootstrap_p(drawn: Floats, num: int) -> float:
    """The p at which an end of the bootstrap's interval is 0, its tails being Student's t as in ``bootstrap``.

    One is added to the draws on either side, so that no p is smaller than the number of draws can show.
    """
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    share = min((beyond + 1) / (len(drawn) + 1), 0.5)
    reach = float(norm.isf(share)) * ((num - 1) / num) ** 0.5
    return min(2 * float(t.sf(reach, num - 1)), 1.0)


def _seed_parts(first: float | None, second: float | None, num_runs: tuple[int, int]) -> list[_Part]:
    """The seeds' part of a difference's variance from the variances between runs, None for a side with one run."""
    r1, r2 = num_runs
    if first is not None and second is not None:
        return [_Part(first / r1, r1 - 1), _Part(second / r2, r2 - 1)]
    known, df = (first, r1 - 1) if first is not None else (second, r2 - 1)
    return [] if known is None else [_Part(known * (1 / r1 + 1 / r2), df)]


def _run_variance(table: Floats) -> float | None:
    """Variance between runs ``(r, n)``; None for one run.

    The runs' effects are those of least squares with an effect a hip beside them: the runs' means where every hip is
    defined in every run; where not, hips that are easy or hard say nothing of the runs that happen to have them.
    """
    runs = len(table)
    if runs < 2:
        return None
    defined = np.isfinite(table)
    away = np.where(defined, table - _hip_means(table), 0.0)
    crossed = np.diag(defined.sum(axis=1)) - (defined / defined.sum(axis=0)) @ defined.T
    effects = np.linalg.pinv(crossed, rcond=1e-9, hermitian=True) @ away.sum(axis=1)
    return float(effects.var(ddof=1))


def _hip_means(table: Floats) -> Floats:
    """Mean ``(n,)`` over the runs ``(r, n)`` that have the hip; every hip is in one."""
    defined = np.isfinite(table)
    return np.asarray(np.where(defined, table, 0.0).sum(axis=0) / defined.sum(axis=0), np.float64)


def _with_values(table: Floats) -> Floats:
    """Only the runs that have any hip."""
    return table[np.isfinite(table).any(axis=1)]


def _varies(parts: Sequence[_Part], size: float) -> bool:
    return sum(part.variance for part in parts) > (ROUNDING * size) ** 2


def _student(value: float, parts: Sequence[_Part], level: float) -> tuple[Interval, float]:
    """Interval of a value whose variance is a sum of independent parts, and the p of 0."""
    total = sum(part.variance for part in parts)
    df = total**2 / sum(part.variance**2 / part.df for part in parts)
    reach = float(t.isf((1 - level) / 2, df)) * total**0.5
    return Interval(value - reach, value + reach), 2 * float(t.sf(abs(value) / total**0.5, df))


def _size(table: Floats) -> float:
    return float(np.nanmax(np.abs(table)))


def _checked(values: ArrayLike, clusters: ArrayLike) -> tuple[Floats, NDArray[np.generic]]:
    table, persons = np.asarray(values, np.float64), np.asarray(clusters)
    if table.ndim != 2 or persons.shape != table.shape[1:]:
        raise ValueError(f"values (runs, hips) and a person a hip expected, got {table.shape} and {persons.shape}")
    if np.isinf(table).any():
        raise ValueError("an infinite value; what is undefined is NaN")
    return table, persons


def _numbers(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or np.isinf(numbers).any():
        raise ValueError(f"one finite number a run expected (NaN if undefined), got shape {numbers.shape}")
    return numbers[~np.isnan(numbers)]
