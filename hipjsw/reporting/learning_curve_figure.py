"""Learning curves of an ablation: validation Dice over steps, all of them and the last half enlarged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hipjsw.ablation.sweep import RunResult
from hipjsw.reporting.themed_svg import SERIES, Axis, Drawing, Point, padded, ticks

__all__ = ["Curve", "curves_of", "learning_curve_svgs"]

#: Size in units of the drawing.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _FOOT = 480.0, 300.0, 56.0, 14.0, 26.0, 42.0
#: Dice at which the bent axis has its ticks.
_DICE = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
#: Ticks stand at least so far apart.
_APART = 17.0
#: What is left to a Dice of 1 is not taken as less, so that its logarithm is finite.
_LEAST = 1e-4
#: Above this ratio of the longest to the shortest run, steps are drawn by their logarithm.
_FAR = 3.0


@dataclass(frozen=True)
class Curve:
    """One run's validation Dice.

    Args:
        arm: Place of its arm, which gives the colour.
        words: What it is called where one points at it.
        points: Steps and Dice, by step.
        done: Whether the run finished; others are dashed and count in no mean.
    """

    arm: int
    words: str
    points: tuple[Point, ...]
    done: bool = True


def curves_of(runs: Sequence[RunResult], arms: Sequence[str], labels: Sequence[str]) -> list[Curve]:
    """The curves of runs that have any; undefined validations are left out of them.

    Args:
        runs: In any order.
        arms: Names of the arms in the order of their colours.
        labels: Their labels, text of any origin.
    """
    curves = []
    for run in runs:
        history = run.history
        if run.arm not in arms or "step" not in history or "val/dice/mean" not in history:
            continue
        pairs = [(float(step), float(dice)) for step, dice in history[["step", "val/dice/mean"]].to_numpy(dtype=float)]
        known = sorted(pair for pair in pairs if all(map(math.isfinite, pair)))
        if known:
            place = arms.index(run.arm)
            ended = "" if run.status == "done" else f", {run.status}"
            words = f"{labels[place]}, seed {run.seed}{ended}: {known[-1][1]:.4f} at step {known[-1][0]:,.0f}"
            curves.append(Curve(place, words, tuple(known), run.status == "done"))
    return curves


def learning_curve_svgs(curves: Sequence[Curve], words: str) -> list[str]:
    """Draw the whole training, what is left to a Dice of 1 by its logarithm, and the last half as it is.

    Args:
        curves: Of all arms; the mean and the spread (least to most) of an arm's finished runs are drawn where it has
            several, at the steps that they share.
        words: What the figures show, for who cannot see them.

    Returns:
        Two ``svg`` elements, none without curves.
    """
    if not curves:
        return []
    ends = [curve.points[-1][0] for curve in curves if curve.done] or [curve.points[-1][0] for curve in curves]
    last = max(curve.points[-1][0] for curve in curves)
    first = min(curve.points[0][0] for curve in curves)
    far = max(ends) > _FAR * max(min(ends), 1.0) and first > 0
    return [_whole(curves, words, first, last, far), _late(curves, words, last, far)]


def _whole(curves: Sequence[Curve], words: str, first: float, last: float, far: bool) -> str:
    drawing = Drawing(_WIDTH, _HEIGHT, f"{words}: the whole training")
    dice = [dice for curve in curves for _, dice in curve.points]
    low, high = min(dice), max(dice)
    room = 0.04 * (_rest(high) - _rest(low)) + 0.01
    y = Axis(1 - 10 ** -(_rest(low) - room), 1 - 10 ** -(_rest(high) + room), _HEIGHT - _FOOT, _TOP, _rest)
    drawing.upwards(y, _LEFT, _WIDTH - _RIGHT, _apart(y), "validation Dice")
    _draw(drawing, curves, _steps(drawing, first if far else 0.0, last, far), y)
    return drawing.svg()


def _late(curves: Sequence[Curve], words: str, last: float, far: bool) -> str:
    """The last half of the training; with steps by their logarithm every finished run has its own half."""
    halves = [_half(curve, curve.points[-1][0] / 2 if far and curve.done else last / 2) for curve in curves]
    shown = [curve for curve in halves if curve.points]
    drawing = Drawing(_WIDTH, _HEIGHT, f"{words}: the last half")
    low, high = padded((dice for curve in shown for _, dice in curve.points), 0.06, 1e-4)
    y = Axis(low, high, _HEIGHT - _FOOT, _TOP)
    drawing.upwards(y, _LEFT, _WIDTH - _RIGHT, ticks(low, high, 6), "validation Dice, last half")
    first = min((curve.points[0][0] for curve in shown), default=last / 2)
    _draw(drawing, shown, _steps(drawing, first, last, far), y)
    return drawing.svg()


def _half(curve: Curve, start: float) -> Curve:
    return Curve(curve.arm, curve.words, tuple(point for point in curve.points if point[0] >= start), curve.done)


def _steps(drawing: Drawing, first: float, last: float, far: bool) -> Axis:
    axis = Axis(first, max(last, first + 1), _LEFT, _WIDTH - _RIGHT, _log if far else float)
    values = ticks(axis.low, axis.high, 5)
    if far:
        decades = range(math.floor(_log(axis.low)), math.ceil(_log(axis.high)) + 1)
        values = [n * 10.0**decade for decade in decades for n in (1, 3) if axis.low <= n * 10.0**decade <= axis.high]
    drawing.across(axis, _TOP, _HEIGHT - _FOOT, values, "optimiser steps")
    return axis


def _draw(drawing: Drawing, curves: Sequence[Curve], x: Axis, y: Axis) -> None:
    """Spreads first, then single runs, then means, so that none hides what is finer."""
    arms = sorted({curve.arm for curve in curves})
    means = {arm: _shared([curve for curve in curves if curve.arm == arm and curve.done]) for arm in arms}
    for arm, rows in means.items():
        above = [(x.at(step), y.at(max(dice))) for step, dice in rows]
        below = [(x.at(step), y.at(min(dice))) for step, dice in rows]
        drawing.path([*above, *below[::-1]], f"c{arm % SERIES} spread", closed=True)
    for curve in curves:
        alone = curve.done and not means[curve.arm]
        kind = "thick" if alone else "thin" if curve.done else "thin dashed"
        places = [(x.at(step), y.at(dice)) for step, dice in curve.points]
        drawing.path(places, f"c{curve.arm % SERIES} {kind}", words=curve.words)
    for arm, rows in means.items():
        drawing.path([(x.at(step), y.at(sum(dice) / len(dice))) for step, dice in rows], f"c{arm % SERIES} thick")


def _shared(curves: Sequence[Curve]) -> list[tuple[float, list[float]]]:
    """Dice of all curves at the steps that all have; nothing for a single one."""
    if len(curves) < 2:
        return []
    found = [dict(curve.points) for curve in curves]
    steps = set.intersection(*(set(one) for one in found))
    return [(step, [one[step] for one in found]) for step in sorted(steps)]


def _rest(dice: float) -> float:
    """What is left to 1, as the negative of its logarithm."""
    return -math.log10(max(1.0 - dice, _LEAST))


def _log(step: float) -> float:
    return math.log10(max(step, 1.0))


def _apart(axis: Axis) -> list[float]:
    """Ticks of the bent axis, from above, as many as do not touch."""
    chosen: list[float] = []
    for dice in reversed(_DICE):
        free = not chosen or axis.at(dice) - axis.at(chosen[-1]) >= _APART
        if axis.low <= dice <= axis.high and free:
            chosen.append(dice)
    return chosen[::-1]
