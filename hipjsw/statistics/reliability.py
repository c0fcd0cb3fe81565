"""Reliability of ratings: intraclass correlation and concordance.

Shrout and Fleiss 1979 (Psychol Bull 86:420-8) for the intraclass correlations and their intervals; Lin 1989 (Biometrics
45:255-68), with the variance corrected in 2000 (Biometrics 56:324-5), for the concordance correlation. These intervals
take targets as independent; where several are one person's, use ``agreement.compare``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as f_distribution
from scipy.stats import norm

from hipjsw.statistics.bootstrap import Estimate, Interval

__all__ = ["MeanSquares", "concordance", "icc1", "icc2", "icc3", "mean_squares"]

ROUNDING = 1e-13  # of the largest number


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance of ``num`` targets by ``raters_num`` raters, one rating a cell, in squared units.

    Args:
        num: Targets, n.
        raters_num: Raters, k.
        targets: Between targets (BMS), n - 1 degrees of freedom.
        within: Within targets (WMS), n (k - 1).
        raters: Between raters (JMS), k - 1.
        residual: What is left (EMS), (n - 1) (k - 1).
    """

    num: int
    raters_num: int
    targets: float
    within: float
    raters: float
    residual: float


def mean_squares(ratings: ArrayLike) -> MeanSquares | None:
    """Mean squares of ratings.

    Args:
        ratings: ``(n, k)`` finite, a row a target and a column a rater (or a repeat).

    Returns:
        The mean squares; None for fewer than two targets.

    Raises:
        ValueError: Not two-dimensional, fewer than two raters, or a rating that is not finite.
    """
    table = _table(ratings)
    n, k = table.shape
    if n < 2:
        return None
    size = float(np.abs(table).max())
    table = table - table.mean()
    by_target, by_rater = _settled(table.mean(axis=1), size), _settled(table.mean(axis=0), size)
    left = _settled(table - by_target[:, None] - by_rater, size)
    return MeanSquares(
        num=n,
        raters_num=k,
        targets=float(k * (by_target**2).sum() / (n - 1)),
        within=float((_settled(table - by_target[:, None], size) ** 2).sum() / (n * (k - 1))),
        raters=float(n * (by_rater**2).sum() / (k - 1)),
        residual=float((left**2).sum() / ((n - 1) * (k - 1))),
    )


def icc1(ratings: ArrayLike, level: float = 0.95) -> Estimate | None:
    """ICC(1,1): every target has raters of its own (one-way).

    Args:
        ratings: ``(n, k)`` finite, a row a target.
        level: Of the interval.

    Returns:
        The coefficient and its F interval; None for fewer than two targets or where nothing varies.

    Raises:
        ValueError: As for ``mean_squares``.
    """
    squares = mean_squares(ratings)
    if squares is None:
        return None
    return _by_ratio(squares, squares.within, squares.num * (squares.raters_num - 1), level)


def icc3(ratings: ArrayLike, level: float = 0.95) -> Estimate | None:
    """ICC(3,1): the same raters, no others in mind; consistency, blind to a rater's constant shift.

    Args:
        ratings: ``(n, k)`` finite, a row a target and a column a rater.
        level: Of the interval.

    Returns:
        The coefficient and its F interval; None for fewer than two targets or where nothing varies.

    Raises:
        ValueError: As for ``mean_squares``.
    """
    squares = mean_squares(ratings)
    if squares is None:
        return None
    return _by_ratio(squares, squares.residual, (squares.num - 1) * (squares.raters_num - 1), level)


def icc2(ratings: ArrayLike, level: float = 0.95) -> Estimate | None:
    """ICC(2,1): the same raters, drawn from many; absolute agreement, a rater's shift counts against it.

    Args:
        ratings: ``(n, k)`` finite, a row a target and a column a rater.
        level: Of the interval.

    Returns:
        The coefficient and its interval (F with Satterthwaite's degrees of freedom); None for fewer than two targets
        or where nothing varies.

    Raises:
        ValueError: As for ``mean_squares``.
    """
    squares = mean_squares(ratings)
    if squares is None:
        return None
    n, k, residual = squares.num, squares.raters_num, squares.residual
    other = k * squares.raters + (k * n - k - n) * residual
    scale = n * squares.targets + other
    if scale <= 0:
        return None
    value = n * (squares.targets - residual) / scale
    df = _satterthwaite(squares, value)
    upper = float(f_distribution.isf((1 - level) / 2, n - 1, df))
    lower = float(f_distribution.isf((1 - level) / 2, df, n - 1))
    low = n * (squares.targets - upper * residual) / (upper * other + n * squares.targets)
    high = n * (lower * squares.targets - residual) / (other + n * lower * squares.targets)
    return Estimate(value, Interval(low, high))


def concordance(measured: ArrayLike, reference: ArrayLike, level: float = 0.95) -> Estimate | None:
    """Lin's concordance correlation coefficient: how near pairs lie to the line of identity.

    Args:
        measured: ``(n,)`` finite.
        reference: ``(n,)`` finite.
        level: Of the interval.

    Returns:
        The coefficient (moments over n, as in 1989) and its interval by Fisher's z; the interval is None for fewer
        than three pairs or without any correlation; None altogether where nothing varies.

    Raises:
        ValueError: Not pairs, or not finite.
    """
    a, b = np.asarray(measured, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"pairs expected, got arrays of shape {a.shape} and {b.shape}")
    table = _table(np.stack([a, b], axis=1))
    if len(table) < 2:
        return None
    size = float(np.abs(table).max())
    shift = float(a.mean() - b.mean())
    off_a, off_b = _settled(a - a.mean(), size), _settled(b - b.mean(), size)
    var_a, var_b, covariance = (float((x * y).mean()) for x, y in ((off_a, off_a), (off_b, off_b), (off_a, off_b)))
    scale = var_a + var_b + shift**2
    if scale <= 0:
        return None
    value = 2 * covariance / scale
    return Estimate(value, _fisher(value, covariance, (var_a * var_b) ** 0.5, shift, len(a), level))


def _fisher(value: float, covariance: float, spread: float, shift: float, num: int, level: float) -> Interval | None:
    """Interval of a concordance by Fisher's z; ``spread`` is the product of the two standard deviations."""
    if num < 3 or covariance == 0 or spread == 0:
        return None
    if abs(value) >= 1:
        return Interval(value, value)
    correlation, u2 = covariance / spread, shift**2 / spread
    rest = 1 - value**2
    variance = (
        (1 - correlation**2) * value**2 / (rest * correlation**2)
        + 2 * value**3 * (1 - value) * u2 / (correlation * rest**2)
        - value**4 * u2**2 / (2 * correlation**2 * rest**2)
    ) / (num - 2)
    reach = float(norm.isf((1 - level) / 2)) * max(variance, 0.0) ** 0.5
    z = np.arctanh(value)
    return Interval(float(np.tanh(z - reach)), float(np.tanh(z + reach)))


def _by_ratio(squares: MeanSquares, error: float, error_df: int, level: float) -> Estimate | None:
    """Coefficient from the ratio of targets' to error mean square, with its F interval."""
    k, num_df, between = squares.raters_num, squares.num - 1, squares.targets
    if between + error <= 0:
        return None
    down = float(f_distribution.isf((1 - level) / 2, num_df, error_df))
    up = float(f_distribution.isf((1 - level) / 2, error_df, num_df))

    def coefficient(numerator: float, denominator: float) -> float:
        return (numerator - denominator) / (numerator + (k - 1) * denominator)

    ends = Interval(coefficient(between, error * down), coefficient(between * up, error))
    return Estimate(coefficient(between, error), ends)


def _satterthwaite(squares: MeanSquares, value: float) -> float:
    """Degrees of freedom of ICC(2,1)'s interval, multiplied out by the residual so that none may be 0."""
    n, k = squares.num, squares.raters_num
    raters = k * value * squares.raters
    residual = (n * (1 + (k - 1) * value) - k * value) * squares.residual
    below = (n - 1) * raters**2 + residual**2
    return (k - 1) * (n - 1) * (raters + residual) ** 2 / below if below > 0 else float((k - 1) * (n - 1))


def _settled(deviations: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Deviations with those that are rounding of numbers of that size set to 0, so that no variance is made of it."""
    return np.where(np.abs(deviations) > ROUNDING * size, deviations, 0.0)


def _table(ratings: ArrayLike) -> NDArray[np.float64]:
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"ratings of shape {table.shape}; give (targets, raters) with two raters or more")
    if not np.isfinite(table).all():
        raise ValueError("ratings must be finite; leave undefined targets out and count them")
    return table
