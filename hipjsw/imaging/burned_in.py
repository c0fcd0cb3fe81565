"""Text burned into a film: rows of small, thin, sharp marks of one height.

Letters of lead (R, L) and rulers lie on most films and name nobody: fewer than six marks in a row, or marks that are
all alike, are no text. Only upright text is looked for, lighter or darker than what is around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.radiograph import Radiograph

__all__ = ["burned_in_text"]

#: Marks in a row that are text.
_LEAST_MARKS = 6
#: Longer side of the picture that is looked at in pixels; strokes are thinner than the square there.
_SIDE_PX, _STROKE_PX = 1200, 15
#: Contrasts of a stroke against its surroundings in shares of the film's range: where letters run together at a low
#: one, they may not at a high one.
_CONTRASTS = (0.3, 0.6)
#: More strokes than this share of the film are noise.
_MOST_STROKES = 0.03
#: Heights of marks in pixels, their width in heights, and how much of their box is ink.
_LOWEST, _HIGHEST, _NARROWEST, _WIDEST, _INK = 5, 60, 0.2, 1.5, (0.12, 0.95)
#: In a row: difference of heights, of middles, and gaps, in heights; marks that differ less in ink are ticks.
_UNLIKE, _ASKEW, _GAP, _VARIED = 0.25, 0.25, 1.3, 0.08

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class _Marks:
    """Marks by their boxes, in order of columns; each array is ``(n,)``, in pixels."""

    middle: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    height: NDArray[np.float64]
    ink: NDArray[np.float64]


def burned_in_text(film: Radiograph) -> bool:
    """Whether a line of six characters or more seems to be burned into a film.

    Args:
        film: The film, in display sense.
    """
    small = _small(film.pixels)
    square = np.ones((_STROKE_PX, _STROKE_PX), np.uint8)
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        contrast = cv2.morphologyEx(small, kind, square)
        for least in _CONTRASTS:
            strokes = np.asarray(cv2.threshold(contrast, 255 * least, 1, cv2.THRESH_BINARY)[1], dtype=np.uint8)
            if cv2.countNonZero(strokes) < _MOST_STROKES * strokes.size and _has_row(_marks(strokes)):
                return True
    return False


def _small(pixels: NDArray[Any]) -> Grey:
    """The film in 8 bits over its range, made smaller by a whole number so that strokes stay."""
    step = max(round(max(pixels.shape) / _SIDE_PX), 1)
    rows, cols = (size // step for size in pixels.shape)
    small = pixels[: rows * step, : cols * step]
    if step > 1:
        small = cv2.resize(small, (cols, rows), interpolation=cv2.INTER_AREA)
    low, high = (float(value) for value in np.percentile(small[::8, ::8], (0.5, 99.5)))
    above = cv2.subtract(small, np.full(1, low)) if small.dtype.kind == "u" else np.clip(small - low, 0.0, None)
    return np.asarray(cv2.convertScaleAbs(above, alpha=255.0 / max(high - low, 1e-6)), dtype=np.uint8)


def _marks(strokes: Grey) -> _Marks:
    outlines, _ = cv2.findContours(strokes, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [cv2.boundingRect(outline) for outline in outlines]
    boxes = sorted((int(b[0]), int(b[1]), int(b[2]), int(b[3])) for b in found if _is_character(b))
    filled = [strokes[top : top + height, left : left + width] for left, top, width, height in boxes]
    ink = np.array([np.count_nonzero(part) / part.size for part in filled])
    left, top, width, height = np.array(boxes, dtype=np.float64).reshape(-1, 4)[(ink >= _INK[0]) & (ink <= _INK[1])].T
    area = (ink[(ink >= _INK[0]) & (ink <= _INK[1])]) * width * height
    return _Marks(top + height / 2, left, left + width, height, area)


def _is_character(box: Sequence[int]) -> bool:
    """Whether a box ``(left, top, width, height)`` may be a character's by its shape."""
    _, _, width, height = box
    return _LOWEST <= height <= _HIGHEST and _NARROWEST * height <= width <= _WIDEST * height


def _has_row(marks: _Marks) -> bool:
    """Whether enough marks follow each other, none far from the one before, none quite like all the others."""
    count = len(marks.left)
    before = np.full(count, -1)
    length = np.ones(count, dtype=int)
    for nth in range(count):
        tall = marks.height[nth]
        gap = (marks.left[nth] - marks.right[:nth]) / tall
        near = (gap > -0.3) & (gap < _GAP) & (np.abs(marks.middle[:nth] - marks.middle[nth]) < _ASKEW * tall)
        near &= np.abs(marks.height[:nth] - tall) <= np.maximum(_UNLIKE * tall, 1.0)
        found = np.flatnonzero(near)
        if len(found):
            before[nth] = found[np.argmax(length[found])]
            length[nth] = length[before[nth]] + 1
        if length[nth] >= _LEAST_MARKS and _varied(marks, before, nth):
            return True
    return False


def _varied(marks: _Marks, before: NDArray[Any], last: int) -> bool:
    row = [last]
    while before[row[-1]] >= 0:
        row.append(int(before[row[-1]]))
    ink = marks.ink[row]
    return bool(ink.std() > _VARIED * ink.mean())
