"""The ``.pts`` file: a header, and one ``x y`` a line between braces.

::

    version: 1
    n_points: 160
    {
    203.600000 508.600000
    ...
    }

A file is read whole or refused: what, in which line, and what to do. Lines end in LF, CRLF or CR; a byte order mark,
blanks, empty lines and comments (from ``#`` or ``//`` to the line's end) say nothing; the last line may lack its end.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST_BYTES", "MOST_POINTS", "PointsError", "read_points", "write_points"]

#: A larger file is refused before it is read: 160 points take 4 kB.
LARGEST_BYTES = 1_000_000
#: More points are refused before any is parsed.
MOST_POINTS = 10_000
#: No film's point is farther out, in mm or in pixels.
FARTHEST = 1e7

_NUMBER = re.compile(r"[+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,4})?", re.ASCII)
_COUNT = re.compile(r"0*\d{1,9}", re.ASCII)
_AGAIN = "run BoneFinder on the film again, or copy the file again from its source"

#: A line's number, from 1, and what it says.
_Line = tuple[int, str]


class PointsError(ValueError):
    """A points file that cannot be used.

    Args:
        message: What, where and what to do.
        rule: Short name of what is wrong, as in findings.csv.
    """

    def __init__(self, message: str, rule: str = "bad_points") -> None:
        super().__init__(message)
        self.rule = rule


def read_points(path: Path) -> NDArray[np.float64]:
    """Read a ``.pts`` file.

    Args:
        path: The file.

    Returns:
        ``(n, 2)`` points ``(row, col)``, i.e. the file's ``y x``, in the file's unit; n from 1 to `MOST_POINTS`,
        every number finite and within `FARTHEST`.

    Raises:
        PointsError: Not a plain text file, too large, no header, a wrong count, a line that is not two numbers.
    """
    header, body = _parts(path.name, _said(path))
    _check_count(path.name, header, len(body))
    xy = np.array([_point(path.name, line) for line in body], dtype=np.float64)
    return xy[:, ::-1].copy()


def write_points(path: Path, points: NDArray[Any]) -> None:
    """Write ``(n, 2)`` points ``(row, col)`` as a version 1 ``.pts`` file (``x y`` a line, six decimals).

    Raises:
        ValueError: Points that `read_points` would refuse.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not 1 <= len(points) <= MOST_POINTS:
        raise ValueError(f"a points file holds 1 to {MOST_POINTS} (row, col) points, not an array {points.shape}")
    if not (np.abs(points) <= FARTHEST).all():
        raise ValueError(f"a points file holds finite numbers up to {FARTHEST:g}")
    body = "\n".join(f"{col:.6f} {row:.6f}" for row, col in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{body}\n}}\n", encoding="ascii")


def _said(path: Path) -> list[_Line]:
    """The lines that say something."""
    try:
        if not path.is_file():
            raise PointsError(f"{path.name}: no such file, or a folder; name a .pts file")
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, PointsError):
            raise
        raise PointsError(f"{path.name}: cannot be read ({error.__class__.__name__}); check its permissions") from error
    if len(content) > LARGEST_BYTES:
        raise PointsError(f"{path.name}: larger than {LARGEST_BYTES} bytes, so no points file; name the .pts file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PointsError(
            f"{path.name}: not plain text (byte {error.start} is no UTF-8); save it as ASCII or UTF-8, not as UTF-16"
        ) from error
    if "\0" in text:
        raise PointsError(f"{path.name}: not plain text (it has zero bytes); save it as ASCII or UTF-8, not as UTF-16")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    plain = ((number, re.split(r"#|//", line, maxsplit=1)[0].strip()) for number, line in enumerate(lines, start=1))
    return [(number, line) for number, line in plain if line]


def _parts(name: str, lines: list[_Line]) -> tuple[list[_Line], list[_Line]]:
    """Header and points of a file: what is before, and what is between the braces."""
    opened = [nth for nth, (_, line) in enumerate(lines) if line == "{"]
    if not opened:
        raise PointsError(f"{name}: no line '{{' that begins the points, so no .pts file; {_AGAIN}")
    number, last = lines[-1]
    if last != "}":
        raise PointsError(f"{name}: line {number}, the last, is not '}}', so the file is not whole; {_AGAIN}")
    start = opened[0]
    for number, line in lines[start + 1 : -1]:
        if line in ("{", "}"):
            raise PointsError(f"{name}: line {number}: a second brace; {_AGAIN}")
    return lines[:start], lines[start + 1 : -1]


def _check_count(name: str, header: list[_Line], listed: int) -> None:
    counts = [(number, line.partition(":")[2].strip()) for number, line in header if _key(line) == "n_points"]
    if len(counts) != 1:
        how_often = "nothing says n_points" if not counts else f"line {counts[1][0]} says n_points again"
        raise PointsError(f"{name}: {how_often} before the points; {_AGAIN}")
    number, count = counts[0]
    if _COUNT.fullmatch(count) is None or len(count) > 40:
        raise PointsError(f"{name}: line {number}: n_points is not a whole number; {_AGAIN}")
    declared = int(count)
    if not 1 <= declared <= MOST_POINTS or listed > MOST_POINTS:
        most = max(declared, listed)
        raise PointsError(f"{name}: line {number}: {most} points, where 1 to {MOST_POINTS} can be; {_AGAIN}")
    if declared != listed:
        raise PointsError(f"{name}: line {number}: n_points says {declared} but {listed} points are listed; {_AGAIN}")


def _key(line: str) -> str:
    return line.partition(":")[0].strip()


def _point(name: str, line: _Line) -> tuple[float, float]:
    number, text = line
    words = text.split()
    if len(words) != 2 or any(_NUMBER.fullmatch(word) is None for word in words):
        raise PointsError(f"{name}: line {number}: not two plain numbers 'x y' with a decimal point; {_AGAIN}")
    x, y = (float(word) for word in words)
    if not (abs(x) <= FARTHEST and abs(y) <= FARTHEST):
        raise PointsError(f"{name}: line {number}: a number beyond {FARTHEST:g}, where no film is; {_AGAIN}")
    return x, y
