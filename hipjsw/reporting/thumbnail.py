"""Small pictures of films, the landmark curves drawn over, for pages that show many."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from hipjsw.anatomy.curve import Curve
from hipjsw.anatomy.landmarks import Region
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.reporting.style import COLOURS

__all__ = ["film_thumbnail", "placeholder"]

#: Share of the pixels, in percent, that is shown as black or as white.
_DARK_PERCENT, _BRIGHT_PERCENT = 1.0, 99.5
#: Widest picture, as a multiple of its height.
_WIDEST = 2.0
#: Grey levels shown are multiples of this: finer ones are noise that swells the file.
_GREY_STEP = 4
#: Binary digits of a pixel at which curves are placed.
_SHIFT = 4
#: The roof has a corner at the sourcil's lateral edge, so it is two curves.
_CURVES = (
    (Region.FEMUR, "femur"),
    (slice(Region.ROOF.start, Region.SOURCIL.start + 1), "acetabulum"),
    (Region.SOURCIL, "acetabulum"),
)
#: Points farther from the film's corner than this are brought to it before a curve is laid through.
_FARTHEST_PX = 1e6
_PAPER, _INK = 38, 205


def film_thumbnail(film: Radiograph, hips_px: Sequence[NDArray[Any]], height_px: int = 240) -> bytes:
    """Draw a film small, stretched between its dark and bright percentiles, femur and roof over it.

    Args:
        film: The film; rows and columns that are not equally far apart are shown in true proportion.
        hips_px: ``(80, 2)`` landmarks ``(row, col)`` in film pixels of the hips to draw; none for the film alone.
            Points that are no hip (far off, not finite, on one spot) are drawn as far as they can be.
        height_px: Rows of the picture; fewer for a film that would be more than twice as wide.

    Returns:
        A PNG, the same for the same film.
    """
    rows, cols = film.shape
    spacing = film.spacing
    share = (cols * spacing.col_mm) / (rows * spacing.row_mm) if spacing else cols / rows
    exact = min(height_px, _WIDEST * height_px / share)
    height, width = max(round(exact), 1), max(round(exact * share), 1)
    grey = _stretched(_shrunk(film.pixels, height, width))
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    scale = np.array([height / rows, width / cols])
    for points in hips_px:
        for region, name in _CURVES:
            _draw(picture, (_outline(points[region]) + 0.5) * scale - 0.5, name)
    return _png(picture)


def placeholder(message: str, height_px: int = 240) -> bytes:
    """A grey picture that says why there is no film to see.

    Args:
        message: Few words; letters beyond ASCII are shown as ``?``.
        height_px: Rows of the picture.

    Returns:
        A PNG.
    """
    picture = np.full((height_px, round(1.2 * height_px), 3), _PAPER, dtype=np.uint8)
    scale = height_px / 240 * 0.42
    plain = " ".join(message.encode("ascii", "replace").decode("ascii").split())
    lines = textwrap.wrap(plain, width=34, max_lines=9, placeholder=" ...") or ["no picture"]
    step = round(height_px / 12)
    top = (height_px - step * (len(lines) - 1)) // 2
    for number, line in enumerate(lines):
        (width, height), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        at = ((picture.shape[1] - width) // 2, top + number * step + height // 2)
        cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (_INK,) * 3, 1, cv2.LINE_AA)
    return _png(picture)


def _shrunk(pixels: NDArray[Any], height: int, width: int) -> NDArray[np.float32]:
    """The film in ``(height, width)``; every pixel counts alike, and what is no number as 0."""
    values = pixels if pixels.dtype in (np.uint8, np.uint16) else np.nan_to_num(pixels.astype(np.float32), posinf=0.0)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _stretched(small: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Grey levels from the dark to the bright percentile of what is not the darkest or brightest value."""
    inner = small[(small > small.min()) & (small < small.max())]
    low, high = np.percentile(inner if inner.size else small, (_DARK_PERCENT, _BRIGHT_PERCENT))
    if not high > low:
        return np.full(small.shape, 128, dtype=np.uint8)
    levels = np.clip((small - low) / (high - low), 0.0, 1.0) * (255 // _GREY_STEP)
    return np.asarray(np.round(levels) * _GREY_STEP, dtype=np.uint8)


def _outline(points: NDArray[Any]) -> NDArray[np.float64]:
    """Spline through points, or the finite points themselves where no spline goes through."""
    finite = np.asarray(points, dtype=np.float64)
    finite = np.clip(finite[np.isfinite(finite).all(axis=1)], -_FARTHEST_PX, _FARTHEST_PX)
    try:
        length = float(np.linalg.norm(np.diff(finite, axis=0), axis=1).sum())
        return Curve(finite).sample(max(length / 200, 1e-6), 0, len(finite) - 1)
    except (ValueError, IndexError, OverflowError):
        return finite


def _draw(picture: NDArray[np.uint8], outline: NDArray[np.float64], name: str) -> None:
    """Draw ``(n, 2)`` points ``(row, col)`` of the picture as a line; far-off ones are drawn at its rim."""
    if len(outline) < 2:
        return
    rim = 2.0 * max(picture.shape)
    places = np.round(np.clip(outline[:, ::-1], -rim, rim) * 2**_SHIFT).astype(np.int32)
    colour = tuple(round(255 * part) for part in reversed(to_rgb(COLOURS[name])))
    cv2.polylines(picture, [places.reshape(-1, 1, 2)], False, colour, 1, cv2.LINE_AA, _SHIFT)


def _png(picture: NDArray[np.uint8]) -> bytes:
    _, encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return encoded.tobytes()
