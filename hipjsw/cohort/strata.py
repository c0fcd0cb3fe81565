"""Persons alike in what must not differ between the parts of a split, and orders that mix them evenly."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

__all__ = ["MJSW_LIMITS_MM", "balanced_order", "fold_of", "mjsw_class"]

#: Upper limits of the classes of minimum joint space width: osteoarthritis by definition, at risk of it, below normal.
MJSW_LIMITS_MM = (2.0, 2.5, 4.0)


def mjsw_class(mjsw_mm: float) -> str:
    """Class of a joint space width: ``<=2.0``, ``<=2.5``, ``<=4.0``, ``>4.0``, or ``undefined`` for NaN."""
    if math.isnan(mjsw_mm):
        return "undefined"
    for limit_mm in MJSW_LIMITS_MM:
        if mjsw_mm <= limit_mm:
            return f"<={limit_mm}"
    return f">{MJSW_LIMITS_MM[-1]}"


def balanced_order(items: Sequence[int], strata: Sequence[Hashable]) -> list[int]:
    """Mix items so that every beginning has its share of each stratum, to less than one item.

    Items of one stratum keep their order. This is Tijdeman's answer to the chairman assignment problem (Discrete
    Mathematics 32, 1980): of the strata that are behind their share, the one that would first be a whole item behind
    goes next.

    Args:
        items: What is ordered, each once.
        strata: Stratum of each item.
    """
    queues: dict[Hashable, list[int]] = {}
    for item, stratum in zip(items, strata, strict=True):
        queues.setdefault(stratum, []).append(item)
    if len(queues) < 2:
        return list(items)
    lines = [queues[stratum] for stratum in sorted(queues, key=repr)]
    sizes, total, step = [len(line) for line in lines], len(items), 2 * len(lines) - 2
    taken, order = [0] * len(lines), []
    for place in range(1, total + 1):
        behind = (s for s, n in enumerate(sizes) if (n * place - taken[s] * total) * step >= total)
        chosen = min(behind, key=lambda s: (step - 1 + taken[s] * step) / sizes[s])
        order.append(lines[chosen][taken[chosen]])
        taken[chosen] += 1
    return order


def fold_of(items: Sequence[int], strata: Sequence[Hashable], folds: int) -> dict[int, int]:
    """Deal items to folds like cards, stratum after stratum.

    Two folds differ by one item at most, in all and in each stratum.

    Args:
        items: What is dealt, each once.
        strata: Stratum of each item.
        folds: Number of folds.

    Returns:
        Fold of each item, from 0.
    """
    places = sorted(range(len(items)), key=lambda place: repr(strata[place]))  # stable: the order within stays
    return {items[place]: card % folds for card, place in enumerate(places)}
