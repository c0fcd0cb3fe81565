"""Where a film's image is film, and where it is the frame round it: padding, unexposed white, a black mask.

A frame is one value, the brightest or darkest there is, along most of a border, and it ends at a straight edge: blades
of a collimator and masks of a console are straight to a fraction of a millimetre over the length of a film, skin is
not. So black air beside the patient and a saturated patient stay film. What is not plainly a frame is film.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.radiograph import Radiograph

__all__ = ["film_area"]

#: The border of a white frame lies this share of the film's range or less below its bright end, ...
_WHITE_SHARE = 0.03
#: ... and the frame reaches to where it has lost this share: scatter fades it, the blade's edge is steep.
_WHITE_FADE = 0.25
#: A black frame lies within this share of the dark end: a mask is drawn, and so is exactly one value.
_BLACK_SHARE = 0.002
#: Rows that must end on one straight line, as a share of all that end: by scatter a white frame frays, a mask does not.
_WHITE_STRAIGHT, _BLACK_STRAIGHT = 0.5, 0.7
#: How far an end may lie off the line, in pixels of the mask, and the steepest line (about six degrees).
_OFF_PX, _STEEPEST = 1.0, 0.105
#: Fewer ends than this share of a side show no edge; a frame narrower than this many pixels of the mask is none.
_SEEN_SHARE, _NARROWEST_PX = 0.25, 2
#: What the edge's blur covers beyond the last frame pixel.
_BLUR_PX = 2


#: What was found of films that are still in use, by step: each view of a film asks again.
_FOUND: WeakKeyDictionary[Radiograph, dict[int, NDArray[np.bool_] | None]] = WeakKeyDictionary()


def film_area(film: Radiograph, step: int) -> NDArray[np.bool_] | None:
    """Find the film in its frame.

    Args:
        film: The film, bone bright.
        step: Every how many pixels to look, along rows and columns.

    Returns:
        Bool, the shape of ``film.pixels[::step, ::step]``, True where there is film; None where all of it is.
    """
    found = _FOUND.setdefault(film, {})
    if step not in found:
        found[step] = _film_area(film, step)
    return found[step]


def _film_area(film: Radiograph, step: int) -> NDArray[np.bool_] | None:
    coarse = np.ascontiguousarray(film.pixels[::step, ::step])
    low, high = (float(value) for value in np.percentile(coarse[::2, ::2], (0.5, 99.5)))
    padded = _padded(film, coarse)
    if min(coarse.shape) < 16 or (high <= low and padded is None):
        return None
    frame = np.zeros(coarse.shape, dtype=np.bool_) if padded is None else padded.copy()
    turned = coarse.T
    for image, part in (
        (coarse, frame),
        (coarse[:, ::-1], frame[:, ::-1]),
        (turned, frame.T),
        (turned[:, ::-1], frame.T[:, ::-1]),
    ):
        width = _frame_width(image, low, high)
        if width is not None:
            part |= np.arange(image.shape[1]) < width[:, None]
    if not frame.any() or frame.mean() > 0.95:
        return None
    return np.logical_not(frame)


def _padded(film: Radiograph, coarse: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Declared padding, where whole rows or columns at a border are of it; None if there is none.

    A value declared as padding may occur in the film as well, so padding is what reaches a border unbroken.
    """
    if film.padding is None:
        return None
    low, high = film.padding
    value = (coarse >= low) & (coarse <= high)
    found = np.zeros_like(value)
    for axis in (0, 1):
        found |= np.logical_and.accumulate(value, axis=axis)
        found |= np.flip(np.logical_and.accumulate(np.flip(value, axis), axis=axis), axis)
    return found if found.any() else None


def _frame_width(image: NDArray[Any], low: float, high: float) -> NDArray[np.intp] | None:
    """How many pixels of each row, from the left, are frame; None where the left border is none.

    Args:
        image: Decimated pixels, turned so that the border looked at is the left one.
        low: The film's dark end.
        high: Its bright end.
    """
    border, span = float(np.median(image[:, 0])), high - low
    white, black = border >= high - _WHITE_SHARE * span, border <= low + _BLACK_SHARE * span
    if not (white or black):
        return None
    alike = image >= border - _WHITE_FADE * span if white else image <= border + _BLACK_SHARE * span
    run = np.where(alike.all(axis=1), image.shape[1], np.argmin(alike, axis=1))
    edge = _straight_edge(run, image.shape[1], _WHITE_STRAIGHT if white else _BLACK_STRAIGHT)
    if edge is None:
        return None
    return np.where(run >= edge - _OFF_PX, np.ceil(edge).astype(np.intp) + _BLUR_PX, run)


def _straight_edge(run: NDArray[np.intp], width: int, share: float) -> NDArray[np.float64] | None:
    """The line ``(rows,)`` on which enough of the runs that end before the far border do end; None if on none."""
    rows = np.flatnonzero(run < width)
    if len(rows) < max(_SEEN_SHARE * len(run), 8):
        return None
    slopes = np.linspace(-_STEEPEST, _STEEPEST, 2 * int(_STEEPEST * len(run) / 2) + 1)
    middle = len(run) / 2
    offsets = run[rows] - slopes[:, None] * (rows - middle)
    best, place, slope = 0, 0.0, 0.0
    for tried, offset in zip(slopes, offsets, strict=True):
        shifted = np.rint(offset).astype(np.intp) + len(run)
        counts = np.bincount(np.maximum(shifted, 0))
        near = np.convolve(counts, np.ones(3, dtype=np.intp), "same")
        at = int(np.argmax(near))
        if near[at] > best:
            best, place, slope = int(near[at]), float(at - len(run)), float(tried)
    if best < share * len(rows) or place < _NARROWEST_PX:
        return None
    return np.asarray(np.maximum(place + slope * (np.arange(len(run)) - middle), 0.0))
