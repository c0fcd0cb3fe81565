"""Bootstrap intervals that draw persons and not hips.

Efron 1987 (JASA 82:171-85) for the intervals, Field and Welsh 2007 (JRSS B 69:369-90) for drawing clusters. Both hips
and all visits of a person come along with every draw of that person, so that hips which err alike do not make an
interval too narrow. A statistic that follows from sums over hips is drawn by matrix products (``bootstrap_sums``), any
other by taking rows (``cluster_bootstrap``); both see the same draws. The tails are those of Student's t for as many
clusters (Hesterberg 2015, Am Stat 69:371-86), without which few clusters make an interval too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t

__all__ = [
    "Columns",
    "Estimate",
    "Interval",
    "Method",
    "bootstrap_sums",
    "cluster_bootstrap",
    "drawn_means",
    "flat_numbers",
    "share_estimate",
]

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]
Method = Literal["percentile", "bca"]

CHUNK = 250  # draws held at a time at most
HELD = 1 << 15  # drawn clusters held at a time, unless one draw has more; their product is too small for threads
TOGETHER = 8  # draws of many clusters that go into one product: enough for its speed, and it sums them as 250 would
LEAST_DRAWS = 100
MOST_UNDEFINED = 0.05  # of the draws; with more, the statistic has no interval


@dataclass(frozen=True)
class Interval:
    """Two ends of an interval, in the unit of what it is the interval of."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A number and its interval; the interval is None where it is undefined (fewer than two persons)."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Cluster of each row (n,), the rows sorted by cluster (n,), and where each cluster starts in them and its size."""

    of_row: NDArray[np.intp]
    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @property
    def num(self) -> int:
        return len(self.sizes)

    def taken(self, picks: NDArray[np.intp]) -> NDArray[np.intp]:
        """Rows of the picked clusters, one after another."""
        sizes = self.sizes[picks]
        jump = np.repeat(self.starts[picks] - (np.cumsum(sizes) - sizes), sizes)
        return self.rows[jump + np.arange(len(jump))]


def cluster_bootstrap(
    statistic: Callable[[Columns], float | None],
    columns: Columns,
    clusters: ArrayLike,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
) -> Interval | None:
    """Bootstrap interval of any statistic of a table's rows, clustered.

    Args:
        statistic: From columns to a number; None (or NaN) where undefined.
        columns: Arrays of ``n`` rows each, a row a hip.
        clusters: ``(n,)`` whose hip each row is; clusters are drawn with replacement, as many as there are.
        draws: Resamples, at least 100.
        seed: Of the draws; the same seed gives the same draws, and the order of rows does not matter to them.
        level: Of the interval, in (0, 1).
        method: ``percentile``, or ``bca``, corrected for bias and acceleration by leaving out one cluster at a time.

    Returns:
        The interval; None with fewer than two clusters, or where the statistic is undefined for the rows themselves
        or for more than one draw in twenty (fewer undefined draws are left out).

    Raises:
        ValueError: Columns or clusters of another length, a cluster without a name, or a bad option.
    """
    groups = _groups(columns, clusters, draws, level, method)
    if groups is None or groups.num < 2:
        return None
    tables = {name: np.asarray(column) for name, column in columns.items()}

    def value_of(rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> float:
        value = statistic({name: table[rows] for name, table in tables.items()})
        return np.nan if value is None else float(value)

    drawn = [value_of(groups.taken(picks)) for block in _picks(groups.num, draws, seed) for picks in block]
    left_out: Floats | None = None
    if method == "bca":
        left_out = np.array([value_of(groups.of_row != cluster) for cluster in range(groups.num)])
    return _interval(np.array(drawn), value_of(slice(None)), left_out, _tails(level, groups.num))


def bootstrap_sums(
    statistics: Callable[[Mapping[str, Floats]], Mapping[str, Floats]],
    columns: Columns,
    clusters: ArrayLike,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
) -> dict[str, Estimate | None]:
    """Estimates and clustered intervals of many statistics that follow from sums over hips, drawn all at once.

    A resample is then a count for each cluster, and all sums of all resamples are one product of counts and the
    clusters' own sums. A few draws of many clusters are held at a time, which changes none of them. Give deviations
    from a middle rather than raw values, so that squares lose no digits.

    Args:
        statistics: From the sums of each column, ``(m,)`` for ``m`` resamples at once, to named ``(m,)`` values; a
            value that is not finite is undefined. ``sums["num"]`` is the number of rows.
        columns: ``(n,)`` finite numbers each, a row a hip.
        clusters: ``(n,)`` whose hip each row is.
        draws: As for ``cluster_bootstrap``.
        seed: Likewise.
        level: Likewise.
        method: Likewise.

    Returns:
        Each statistic's estimate; None where it is undefined for the rows themselves; empty where there is no row.

    Raises:
        ValueError: As for ``cluster_bootstrap``.
    """
    groups = _groups(columns, clusters, draws, level, method)
    if groups is None:
        return {}
    tables = {"num": np.ones(len(groups.of_row))} | {name: np.asarray(c, np.float64) for name, c in columns.items()}
    sums: Floats = np.stack([np.bincount(groups.of_row, table, groups.num) for table in tables.values()], axis=1)

    def values_of(totals: Floats) -> Mapping[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return statistics(dict(zip(tables, totals.T, strict=True)))

    whole = {name: float(value[0]) for name, value in values_of(sums.sum(axis=0, keepdims=True)).items()}
    if groups.num < 2:
        return {name: Estimate(value, None) if np.isfinite(value) else None for name, value in whole.items()}
    tails = _tails(level, groups.num)
    drawn = values_of(_drawn_sums(sums, draws, seed))
    left_out = values_of(sums.sum(axis=0) - sums) if method == "bca" else {}
    return {
        name: Estimate(value, _interval(drawn[name], value, left_out.get(name), tails)) if np.isfinite(value) else None
        for name, value in whole.items()
    }


def drawn_means(values: ArrayLike, clusters: ArrayLike, draws: int = 2000, seed: int = 0) -> Floats | None:
    """The mean ``(draws,)`` of each resample of values ``(n,)``; None with fewer than two clusters.

    The draws are those of ``bootstrap_sums`` with the same clusters and seed; what is refused there is refused here.
    """
    table = np.asarray(values, np.float64)
    groups = _groups({"values": table}, clusters, draws, 0.95, "percentile")
    if groups is None or groups.num < 2:
        return None
    sums: Floats = np.stack([np.bincount(groups.of_row, x, groups.num) for x in (table, np.ones_like(table))], axis=1)
    total, num = _drawn_sums(sums, draws, seed).T
    return np.asarray(total / num, np.float64)


def share_estimate(estimate: Estimate | None, num_clusters: int, level: float = 0.95) -> Estimate | None:
    """Mend the interval of a share that is 0 or 1, of which every resample is the same.

    Args:
        estimate: A share and its bootstrap interval.
        num_clusters: Clusters behind it.
        level: Of the interval.

    Returns:
        The estimate; with a share of exactly 0 or 1, the exact binomial interval (Clopper and Pearson 1934) of as many
        trials as clusters, as though all hips of a person were one: with 300 persons and all within, 0.988 to 1.
    """
    if estimate is None or estimate.interval is None or 0 < estimate.value < 1:
        return estimate
    far = ((1 - level) / 2) ** (1 / num_clusters)
    return Estimate(estimate.value, Interval(far, 1.0) if estimate.value else Interval(0.0, 1 - far))


def flat_numbers(record: Any) -> dict[str, float | int]:
    """A dataclass of counts, numbers and estimates as one level of names.

    Args:
        record: Its fields are numbers, ``Estimate`` or None.

    Returns:
        Values under the fields' names, ends of intervals with ``_ci_low`` and ``_ci_high`` before a unit ``_mm``; what
        is undefined is left out.
    """
    result: dict[str, float | int] = {}
    for field in fields(record):
        found = getattr(record, field.name)
        if isinstance(found, Estimate):
            result[field.name] = found.value
            if found.interval is not None:
                stem, unit = field.name.removesuffix("_mm"), "_mm" if field.name.endswith("_mm") else ""
                result[f"{stem}_ci_low{unit}"] = found.interval.low
                result[f"{stem}_ci_high{unit}"] = found.interval.high
        elif found is not None:
            result[field.name] = found
    return result


def _tails(level: float, num: int) -> Floats:
    """Share of draws below either end: Student's t instead of the normal, and a draw's spread of (num - 1) / num."""
    reach = (num / (num - 1)) ** 0.5 * t.isf((1 - level) / 2, num - 1)
    return np.asarray(norm.cdf([-reach, reach]), dtype=np.float64)


def _interval(drawn: Floats, value: float, left_out: Floats | None, tails: Floats) -> Interval | None:
    """Interval from a statistic's draws (m,), its value and, for BCa, its values with one cluster left out (k,)."""
    defined = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(defined) < (1 - MOST_UNDEFINED) * len(drawn):
        return None
    if left_out is not None:
        tails = _bca_tails(defined, value, left_out, tails)
    low, high = np.quantile(defined, tails)
    return Interval(float(low), float(high))


def _bca_tails(drawn: Floats, value: float, left_out: Floats, tails: Floats) -> Floats:
    """Tails corrected for bias and acceleration (Efron 1987); the plain tails where the correction is undefined."""
    left_out = left_out[np.isfinite(left_out)]
    below = float((drawn < value).mean() + (drawn == value).mean() / 2)
    if not 0 < below < 1 or len(left_out) < 2:
        return tails
    away = left_out.mean() - left_out
    spread = float((away**2).sum() ** 1.5)
    acceleration = float((away**3).sum()) / (6 * spread) if spread > 0 else 0.0
    bias = float(norm.ppf(below))
    normal = norm.ppf(tails)
    if not np.isfinite(normal).all():  # so few clusters that their tails end at 0 and 1
        return tails
    shifted = bias + normal
    return np.asarray(norm.cdf(bias + shifted / (1 - acceleration * shifted)), dtype=np.float64)


def _groups(columns: Columns, clusters: ArrayLike, draws: int, level: float, method: str) -> _Clusters | None:
    """Check what was given and sort its rows by cluster; None where there is no row."""
    if draws < LEAST_DRAWS or not 0 < level < 1 or method not in ("percentile", "bca"):
        raise ValueError(
            f"bootstrap of {draws} draws, level {level}, method {method!r}; give at least {LEAST_DRAWS} draws, "
            "a level between 0 and 1 and 'percentile' or 'bca'"
        )
    names = np.asarray(clusters)
    lengths = {name: len(column) for name, column in columns.items()}
    if names.ndim != 1 or set(lengths.values()) != {len(names)}:
        raise ValueError(f"one cluster a row expected, got clusters of shape {names.shape} and columns of {lengths}")
    if any(name is None or name != name for name in names.tolist()):
        raise ValueError("a row without a cluster; name the person of every hip")
    if len(names) == 0:
        return None
    _, of_row, sizes = np.unique(names, return_inverse=True, return_counts=True)
    return _Clusters(of_row, np.argsort(of_row, kind="stable"), np.cumsum(sizes) - sizes, sizes)


def _drawn_sums(sums: Floats, draws: int, seed: int) -> Floats:
    """Sums ``(draws, k)`` of resamples from the clusters' own sums ``(num, k)``."""
    num = len(sums)
    counts, drawn = np.empty((max(_at_once(num), TOGETHER), num)), np.empty((draws, sums.shape[1]))
    held = done = 0
    for block in _picks(num, draws, seed):
        counts[held : held + len(block)] = _counts(block)
        held += len(block)
        if held + len(block) > len(counts) or done + held == draws:
            drawn[done : done + held] = counts[:held] @ sums
            held, done = 0, done + held
    return drawn


def _at_once(num: int) -> int:
    """Draws of so many clusters that are made at once."""
    few = HELD // num // TOGETHER * TOGETHER
    return min(CHUNK, few) or 1


def _picks(num: int, draws: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Blocks ``(m, num)`` of drawn cluster numbers, ``draws`` rows in all; the same in blocks of any size."""
    rng = np.random.default_rng(seed)
    step = _at_once(num)
    for start in range(0, draws, step):
        yield rng.integers(num, size=(min(step, draws - start), num), dtype=np.intp)


def _counts(picks: NDArray[np.intp]) -> NDArray[np.intp]:
    """How often each draw holds each cluster, ``(m, num)``."""
    m, num = picks.shape
    flat = (picks + num * np.arange(m)[:, None]).ravel()
    return np.bincount(flat, minlength=m * num).reshape(m, num)
