"""Metal in and about a femoral head: prostheses, screws, nails.

Metal lets nothing through, so on a film it is brighter than any bone, even in itself, and its edge is a steep step
all round. Dense or clipped bone may be as bright, but fades into its surroundings along most of its border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.radiograph import Radiograph

__all__ = ["METAL_SHARE", "PROSTHESIS_SHARE", "MetalShare", "metal_share"]

#: From this share of the head's disc on it is a prosthesis: phantoms' have 0.46 and more, three screws at most 0.29.
PROSTHESIS_SHARE = 0.37
#: From this share of the surroundings on there is metal near the joint; a single screw of 6 mm has 0.04.
METAL_SHARE = 0.01

#: Radii of the surroundings and of what is looked at, in radii of the head; pixels that the head's radius gets.
_NEAR, _REACH, _RADIUS_PX = 1.6, 1.85, 40
#: Metal's grey: this share of the brightest nearby and of the film's range, whichever is higher.
_OF_NEARBY, _OF_RANGE = 0.90, 0.70
#: A piece's least area in head discs, and the step down at three quarters of its border in shares of the film's range.
#: Large pieces may be the ones in films of little contrast: no bone of that size is as bright and as plainly bounded.
_LEAST_AREA, _LEAST_STEP = 0.01, 0.55
_LARGE_AREA, _LARGE_STEP = 0.1, 0.22
#: Over how many pixels the step may run, and a piece's unevenness (SD).
_STEP_PX, _UNEVEN = 5, 0.04
#: The film's range is judged on about so many rows; a line of a white frame is white in this share.
_COARSE_ROWS, _FRAME_SHARE = 120, 0.6

_SQUARE = np.ones((3, 3), np.uint8)
_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _STEP_PX + 1, 2 * _STEP_PX + 1))

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MetalShare:
    """How much of a hip is metal.

    Args:
        head: Share of the femoral head's disc, 0 to 1.
        near: Share of a disc of 1.6 times its radius, 0 to 1.
    """

    head: float
    near: float


@dataclass(frozen=True, eq=False)
class _Window:
    """What is looked at, coarser than the film.

    Args:
        grey: ``(rows, cols)`` in shares of the film's range, which metal may exceed.
        distance: ``(rows, cols)`` from the head's centre in radii.
        frame: ``(rows, cols)`` where the film is unexposed collimation.
    """

    grey: Image
    distance: Image
    frame: Mask


def metal_share(film: Radiograph, centre_px: NDArray[np.float64], radius_px: float) -> MetalShare:
    """The shares of a femoral head and of its surroundings that are metal.

    Args:
        film: The film, in display sense.
        centre_px: The head's centre ``(row, col)`` in pixels.
        radius_px: Its radius in pixels.

    Returns:
        The shares; both 0 where the head lies off the film.
    """
    window = _window(film.pixels, np.asarray(centre_px, dtype=np.float64), radius_px)
    if window is None:
        return MetalShare(0.0, 0.0)
    metal = _metal(window)
    head, near = window.distance < 1, window.distance < _NEAR
    return MetalShare(_share(metal, head), _share(metal, near))


def _share(metal: Mask, where: Mask) -> float:
    return int(np.count_nonzero(metal & where)) / max(int(np.count_nonzero(where)), 1)


def _window(pixels: NDArray[Any], centre: NDArray[np.float64], radius: float) -> _Window | None:
    """The surroundings of a head with the head's radius about `_RADIUS_PX`; None where they are not on the film."""
    if not (np.isfinite(centre).all() and radius >= 4):
        return None
    low = np.maximum(np.floor(centre - _REACH * radius), 0).astype(int)
    high = np.minimum(np.ceil(centre + _REACH * radius) + 1, pixels.shape).astype(int)
    if (high - low < radius).any():
        return None
    step = max(round(radius / _RADIUS_PX), 1)
    rows, cols = (int(n) for n in (high - low) // step)
    part = pixels[low[0] : low[0] + rows * step, low[1] : low[1] + cols * step]
    grey = cv2.resize(part.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
    nth = max(min(pixels.shape) // _COARSE_ROWS, 1)
    coarse = pixels[::nth, ::nth].astype(np.float32)
    frame = _white_frame(coarse)
    exposed = coarse[~frame]
    if not exposed.size:
        return None
    dark, bright = (float(v) for v in np.percentile(exposed, (2.0, 99.9)))
    row, col = (low[k] + (np.arange(n) + 0.5) * step - 0.5 for k, n in enumerate((rows, cols)))
    beyond = frame[np.ix_((row // nth).astype(int), (col // nth).astype(int))]
    distance = np.hypot(row[:, None] - centre[0], col[None] - centre[1]) / radius
    shares = (grey - np.float32(dark)) / np.float32(max(bright - dark, 1e-6))
    return _Window(np.asarray(shares, np.float32), np.asarray(distance, np.float32), beyond)


def _white_frame(coarse: Image) -> Mask:
    """Where a coarse film is unexposed: outside the rectangle whose borders are white along most of a side."""
    white = coarse >= 0.97 * coarse.max()
    frame = np.ones(coarse.shape, dtype=bool)
    spans = [_exposed(white.mean(axis=axis) > _FRAME_SHARE) for axis in (1, 0)]
    frame[spans[0], spans[1]] = False
    return frame


def _exposed(white: Mask) -> slice:
    """The lines between the white ones at either end, less two for blades that stand askew; all where none is."""
    dark = np.flatnonzero(~white)
    if not len(dark):
        return slice(0, 0)
    first, last = int(dark[0]), int(dark[-1]) + 1
    return slice(first + 2 * (first > 0), last - 2 * (last < len(white)))


def _metal(window: _Window) -> Mask:
    """Mask of the pieces that are metal: bright, even, with a step all round."""
    grey, metal = window.grey, np.zeros(window.grey.shape, dtype=bool)
    seen = grey[~window.frame]
    if not seen.size:
        return metal
    level = max(_OF_RANGE, _OF_NEARBY * float(np.percentile(seen, 99.8)))
    bright = ((grey >= level) & ~window.frame).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    head = max(int(np.count_nonzero(window.distance < 1)), 1)
    pieces = [piece for piece in range(1, count) if stats[piece, cv2.CC_STAT_AREA] >= _LEAST_AREA * head]
    if not pieces:
        return metal
    step = grey - cv2.erode(grey, _DISC)
    border = (bright > 0) & (cv2.erode(bright, _SQUARE) == 0)
    for piece in pieces:
        own = labels == piece
        least = _LARGE_STEP if stats[piece, cv2.CC_STAT_AREA] >= _LARGE_AREA * head else _LEAST_STEP
        if np.percentile(step[own & border], 25) >= least and grey[own].std() <= _UNEVEN:
            metal |= own
    return metal
