"""Small diagrams as SVG within a page: colours are the page's own, so that they follow its theme.

Elements carry classes and no styles of their own, for a page's policy may forbid those; nothing has an id, so that
several may stand on one page. The same calls give the same text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from hipjsw.reporting.findings_table import legible

__all__ = ["SERIES", "Axis", "Drawing", "padded", "tick_words", "ticks"]

#: Colours of series that the page has, as the classes ``c0`` to ``c7``; a ninth series looks like the first.
SERIES = 8
#: Steps between ticks, in a decade.
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """Values to places along one direction of a drawing.

    Args:
        low: Value at ``start``.
        high: Value at ``end``; another than ``low``.
        start: Place of ``low`` in the drawing's units.
        end: Place of ``high``.
        bend: What is done to values before they are spread evenly; growing.
    """

    low: float
    high: float
    start: float
    end: float
    bend: Callable[[float], float] = float

    def at(self, value: float) -> float:
        """Place of a value; one beyond an end is brought to it."""
        low, high = self.bend(self.low), self.bend(self.high)
        share = (self.bend(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.start + share * (self.end - self.start)


def padded(values: Iterable[float], share: float = 0.06, least: float = 1e-6) -> tuple[float, float]:
    """Range of the finite values and a little more on either side; (0, 1) where there are none.

    Args:
        values: Any numbers.
        share: What is added on each side, of the range.
        least: Smallest width of the range before that.
    """
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    short = max(least - (high - low), 0.0) / 2
    low, high = low - short, high + short
    return low - share * (high - low), high + share * (high - low)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values within a range, at equal steps, ``most`` at most; at least one is tried for."""
    rough = (high - low) / max(most, 1)
    if not (math.isfinite(rough) and rough > 0):
        return []
    decade = 10.0 ** math.floor(math.log10(rough))
    for step in (decade * factor for factor in _STEPS):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(n * step, 12) for n in range(first, last + 1)]
    return []


def tick_words(values: Sequence[float]) -> list[str]:
    """Ticks in as few digits as tell them apart, thousands apart, a minus written as one."""
    for digits in range(8):
        if all(math.isclose(round(value, digits), value, rel_tol=1e-9, abs_tol=1e-12) for value in values):
            return [f"{value:,.{digits}f}".replace("-", "−") for value in values]
    return [f"{value:g}".replace("-", "−") for value in values]


class Drawing:
    """A diagram that grows by calls; places are in units of the drawing, from its upper left corner."""

    def __init__(self, width: float, height: float, words: str) -> None:
        """Begin a drawing.

        Args:
            width: Its width in units; a unit is a pixel where the page shows it in full size.
            height: Its height.
            words: What it shows, for who cannot see it; text of any origin.
        """
        size = f"{_n(width)} {_n(height)}"
        self._parts = [f'<svg class="figure" viewBox="0 0 {size}" role="img" aria-label="{_plain(words)}">']

    def line(self, start: Point, end: Point, kind: str) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        self._add(f'<line class="{kind}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>')

    def path(self, points: Sequence[Point], kind: str, closed: bool = False, words: str = "") -> None:
        """Draw a line through points, nothing for fewer than two; ``words`` are shown where one points at it."""
        if len(points) > 1:
            places = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
            self._named(f'path class="{kind}" d="M{places}{"Z" if closed else ""}"', "path", words)

    def dots(self, points: Iterable[Point], kind: str) -> None:
        """Draw many equal dots, whose size is the line width of ``kind``, as one element."""
        places = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in points)
        if places:
            self._add(f'<path class="{kind}" d="{places}"/>')

    def circle(self, at: Point, radius: float, kind: str, words: str = "") -> None:
        """Draw a circle; ``words`` are shown where one points at it."""
        self._named(f'circle class="{kind}" cx="{_n(at[0])}" cy="{_n(at[1])}" r="{_n(radius)}"', "circle", words)

    def box(self, corner: Point, width: float, height: float, kind: str, words: str = "") -> None:
        """Draw a rectangle from its upper left corner; ``words`` are shown where one points at it."""
        place = f'x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(width)}" height="{_n(height)}"'
        self._named(f'rect class="{kind}" {place}', "rect", words)

    def text(self, at: Point, words: str, kind: str = "", anchor: str = "start") -> None:
        """Write text of any origin; ``anchor`` is ``start``, ``middle`` or ``end``."""
        own = f' class="{kind}"' if kind else ""
        turned = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._add(f'<text{own} x="{_n(at[0])}" y="{_n(at[1])}"{turned}>{_plain(words)}</text>')

    def across(self, axis: Axis, top: float, bottom: float, values: Sequence[float], name: str) -> None:
        """Draw ticks, grid and name of a horizontal axis below ``bottom``."""
        for value, words in zip(values, tick_words(values), strict=True):
            x = axis.at(value)
            self.line((x, top), (x, bottom), "grid")
            self.text((x, bottom + 16), words, "tick", "middle")
        self.text(((axis.start + axis.end) / 2, bottom + 34), name, "name", "middle")

    def upwards(self, axis: Axis, left: float, right: float, values: Sequence[float], name: str) -> None:
        """Draw ticks and grid of a vertical axis left of ``left``; its name stands above it, to be read straight."""
        for value, words in zip(values, tick_words(values), strict=True):
            y = axis.at(value)
            self.line((left, y), (right, y), "grid")
            self.text((left - 6, y + 4), words, "tick", "end")
        self.text((4, min(axis.start, axis.end) - 9), name, "name")

    def svg(self) -> str:
        """The drawing as an element of a page."""
        return "".join([*self._parts, "</svg>"])

    def _named(self, element: str, tag: str, words: str) -> None:
        self._add(f"<{element}><title>{_plain(words)}</title></{tag}>" if words else f"<{element}/>")

    def _add(self, element: str) -> None:
        self._parts.append(element)


def _n(value: float) -> str:
    """A place to a tenth of a unit, as short as can be."""
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def _plain(words: str) -> str:
    return escape(legible(words))
