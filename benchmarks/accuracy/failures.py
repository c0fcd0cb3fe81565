"""Planted failures before a judge: how many of each kind are refused, how many good hips, and why.

The judge is whatever turns a view into a width or a reason: a trained run with its refusal. Views are drawn by
processes and judged in this one, so the judge need not be sent anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from tables import Part, Table, counted, signed, spread

from hipjsw.cohort.order import in_order
from hipjsw.imaging.view import ViewSpec
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.phantom.failures import Failure, FailureView, failure_view, good_view

__all__ = ["GOOD", "Judge", "Refusals", "failures_part", "refusal_table", "wilson"]

#: From a view's image, float32 (rows, cols) with its margin as `hipjsw.phantom.failures.FailureView` has it.
Judge = Callable[[NDArray[np.float32]], JointSpaceWidth | Unmeasurable]

SEED = 77
COUNT, GOOD_COUNT = 50, 1000
GOOD = "good hips"
#: The aim: at least so many of each kind are refused, at most so many good hips.
LEAST_REFUSED, MOST_GOOD_REFUSED = 0.95, 0.02


@dataclass(frozen=True)
class Refusals:
    """What a judge made of the views of one kind.

    Args:
        kind: The failure's name, or ``good hips``.
        num: Views judged.
        refused: How many of them got no width.
        low: Lower end of the share's 95 % interval (`wilson`).
        high: Its upper end.
        reasons: How often each reason was given.
        errors_mm: Of good hips, measured less exact width of those that got one; of failures, nothing.
    """

    kind: str
    num: int
    refused: int
    low: float
    high: float
    reasons: dict[str, int]
    errors_mm: tuple[float, ...] = ()

    @property
    def share(self) -> float:
        return self.refused / self.num

    @property
    def met(self) -> bool:
        return self.share <= MOST_GOOD_REFUSED if self.kind == GOOD else self.share >= LEAST_REFUSED


def wilson(hits: int, num: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927, JASA 22:209-12).

    Raises:
        ValueError: No trial, or more hits than trials.
    """
    if num < 1 or not 0 <= hits <= num:
        raise ValueError(f"a share needs at least one trial and no more hits than trials, got {hits} of {num}")
    z = float(norm.ppf(0.5 + level / 2))
    middle = (hits + z**2 / 2) / (num + z**2)
    half = z / (num + z**2) * (hits * (num - hits) / num + z**2 / 4) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _view(seed: int, spec: ViewSpec, which: tuple[Failure | None, int]) -> FailureView:
    cv2.setNumThreads(1)
    kind, number = which
    return good_view(number, seed, spec) if kind is None else failure_view(kind, number, seed, spec)


def refusal_table(
    judge: Judge, spec: ViewSpec, count: int = COUNT, good: int = GOOD_COUNT, seed: int = SEED, workers: int = 1
) -> list[Refusals]:
    """Judge so many views of each kind of failure, and so many good hips.

    Args:
        judge: What is judged; called in this process, a view at a time, kind by kind.
        spec: What a view shows.
        count: Views of each kind.
        good: Plain hips.
        seed: Seed of the persons; none of them is in a cohort.
        workers: Processes that draw.

    Returns:
        A row a kind, then the good hips.

    Raises:
        ValueError: No views of a kind, or a view that is not one of a hip.
    """
    if count < 1 or good < 1:
        raise ValueError(f"at least one view of each kind is needed, got count {count} and good {good}")
    jobs = [*((kind, number) for kind in Failure for number in range(count)), *((None, n) for n in range(good))]
    found: dict[str, list[tuple[FailureView, JointSpaceWidth | Unmeasurable]]] = {}
    for view in in_order(partial(_view, seed, spec), jobs, workers):
        kind = GOOD if view.kind is None else view.kind.value
        found.setdefault(kind, []).append((view, judge(view.image)))
    return [_row(kind, judged) for kind, judged in found.items()]


def _row(kind: str, judged: list[tuple[FailureView, JointSpaceWidth | Unmeasurable]]) -> Refusals:
    reasons = counted(result.reason for _, result in judged if isinstance(result, Unmeasurable))
    refused = sum(reasons.values())
    errors = tuple(
        result.mjsw_mm - view.mjsw_mm
        for view, result in judged
        if isinstance(result, JointSpaceWidth) and view.mjsw_mm is not None
    )
    return Refusals(kind, len(judged), refused, *wilson(refused, len(judged)), reasons, errors)


def failures_part(rows: list[Refusals], spec: ViewSpec, judge_name: str, seed: int = SEED) -> Part:
    """The rows as a part of the document."""
    header = ["kind", "views", "refused", "share", "95 % interval", "aim met", "reasons"]
    shown = [
        [
            row.kind,
            str(row.num),
            str(row.refused),
            f"{row.share:.3f}",
            f"{row.low:.3f} to {row.high:.3f}",
            "yes" if row.met else "no",
            "; ".join(f"{count} {reason}" for reason, count in row.reasons.items()),
        ]
        for row in rows
    ]
    caption = (
        f"Share of views that got no width. The aim is at least {LEAST_REFUSED:g} of each kind and at most "
        f"{MOST_GOOD_REFUSED:g} of good hips."
    )
    errors = spread(error for row in rows for error in row.errors_mm)
    accepted = (
        f" Good hips that got a width: MAE {errors['mae']:.3f} mm, bias {signed(errors['bias'])}." if errors else ""
    )
    scale = f"{judge_name}, view {spec.name} ({spec.pixel_mm:g} mm/px), views of seed {seed}, one a person.{accepted}"
    numbers: dict[str, Any] = {
        "kinds": {
            row.kind: {"num": row.num, "refused": row.refused, "share": row.share, "low": row.low, "high": row.high}
            | {"reasons": row.reasons}
            for row in rows
        },
        "accepted_good": errors,
    }
    return Part("failures", scale, [Table(caption, header, shown)], numbers)
