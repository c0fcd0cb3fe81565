"""One measure of every arm of an ablation: its runs as points, its mean and its interval as a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hipjsw.reporting.themed_svg import SERIES, Axis, Drawing, padded, ticks

__all__ = ["ArmPoints", "arm_svg"]

#: Size in units of the drawing.
_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _FOOT = 400.0, 10.0, 14.0, 8.0, 42.0, 42.0
#: Letters of an arm's label that fit beside its number.
_LETTERS = 40


@dataclass(frozen=True)
class ArmPoints:
    """What is drawn of one arm.

    Args:
        label: Its label; text of any origin.
        value: Mean over its runs; None where undefined.
        low: Lower end of the interval; None where there is none.
        high: Upper end.
        runs: Name and value of each run, e.g. ``("seed 0", 0.977)``; those that are undefined left out.
        shown: The value as words, e.g. ``0.9770``.
        hover: Words shown where one points at the interval.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    runs: tuple[tuple[str, float], ...]
    shown: str
    hover: str

    def times(self, factor: float) -> ArmPoints:
        """The same in another unit."""
        value, low, high = (None if n is None else factor * n for n in (self.value, self.low, self.high))
        runs = tuple((name, factor * run) for name, run in self.runs)
        return replace(self, value=value, low=low, high=high, runs=runs)


def arm_svg(arms: Sequence[ArmPoints], name: str, words: str, digits: int = 4) -> str:
    """Draw one measure by arm, a row each, in the arms' colours.

    Args:
        arms: At least one, in the order of the rows; the n-th has the n-th colour of the page.
        name: The measure with its unit, below the axis.
        words: What the figure shows, for who cannot see it.
        digits: Digits of a run's value where one points at it.

    Returns:
        An ``svg`` element. An arm without a value has its row, and no mark.
    """
    bottom = _TOP + _ROW * len(arms)
    drawing = Drawing(_WIDTH, bottom + _FOOT, words)
    known = [v for arm in arms for v in (arm.value, arm.low, arm.high, *(r for _, r in arm.runs)) if v is not None]
    low, high = padded(known, 0.08)
    axis = Axis(low, high, _LEFT, _WIDTH - _RIGHT)
    drawing.across(axis, _TOP, bottom, ticks(low, high, 5), name)
    for n, arm in enumerate(arms):
        top = _TOP + _ROW * n
        if n:
            drawing.line((_LEFT, top), (_WIDTH - _RIGHT, top), "rule")
        _row(drawing, axis, arm, top, f"c{n % SERIES}", digits)
    return drawing.svg()


def _row(drawing: Drawing, axis: Axis, arm: ArmPoints, top: float, colour: str, digits: int) -> None:
    label = arm.label if len(arm.label) <= _LETTERS else arm.label[: _LETTERS - 1] + "…"
    y = top + 0.69 * _ROW
    drawing.text((axis.start, top + 15), label, "label halo")
    drawing.text((axis.end, top + 15), arm.shown, "value halo", "end")
    if arm.low is not None and arm.high is not None:
        left, right = axis.at(arm.low), axis.at(arm.high)
        drawing.box((left, y - 3.5), max(right - left, 1.0), 7.0, f"{colour} bar", arm.hover)
    if arm.value is not None:
        x = axis.at(arm.value)
        drawing.line((x, y - 8), (x, y + 8), f"{colour} mean")
    for run, value in arm.runs:
        shown = f"{value:.{digits}f}".replace("-", "−")
        drawing.circle((axis.at(value), y), 4.0, f"{colour} run", f"{arm.label}, {run}: {shown}")
