"""A measured hip drawn on its film, quickly: head and sourcil, the space coloured by width, the narrowest place.

By OpenCV and not by matplotlib: a batch draws two a film, and a film shall not take longer to draw than to measure.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.inference.measure import MeasuredHip
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.reporting.width_colours import WIDTH_MAP, WIDTH_RANGE_MM

__all__ = ["contact_sheet", "draw_overlay", "png_bytes"]

Picture = NDArray[np.uint8]

#: Side of a drawn view in pixels.
SIDE_PX = 512
_HEAD, _ROOF, _MINIMUM, _INK = (90, 190, 255), (120, 240, 120), (60, 230, 255), (255, 255, 255)
_FONT, _SHIFT = cv2.FONT_HERSHEY_SIMPLEX, 4
_SHADOW = ((-1, -1), (-1, 1), (1, -1), (1, 1))
_RIBBON_OPACITY = 0.55
_SHEET_PX, _GAP_PX = 256, 4


def draw_overlay(hip: MeasuredHip, words: Sequence[str] = (), bare: bool = False) -> Picture:
    """One hip as the network saw it, enlarged.

    Args:
        hip: The hip.
        words: Lines at the top.
        bare: Whether the film alone is drawn.

    Returns:
        ``(rows, cols, 3)`` uint8, blue first as OpenCV has it; the longer side is ``SIDE_PX``.
    """
    rows, cols = hip.image.shape
    times = SIDE_PX / max(rows, cols)
    grey = cv2.resize(hip.image, (round(cols * times), round(rows * times)), interpolation=cv2.INTER_CUBIC)
    picture = np.repeat(np.clip(np.rint(np.asarray(grey) * 255), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if not bare:
        if isinstance(hip.width, JointSpaceWidth):
            picture = _ribbon(picture, hip.width, hip.view.pixel_mm, times)
        if hip.contours is not None:
            _line(picture, hip.contours.head_px, times, _HEAD)
            _line(picture, hip.contours.sourcil_px, times, _ROOF)
        if isinstance(hip.width, JointSpaceWidth):
            ends = np.stack([hip.width.roof_witness_mm, hip.width.head_witness_mm]) / hip.view.pixel_mm
            _line(picture, ends, times, _MINIMUM, 2)
    for number, line in enumerate(words):
        for off, colour in (*((off, (0, 0, 0)) for off in _SHADOW), ((0, 0), _INK)):  # thicker letters would be wider
            place = (8 + off[0], 20 + 20 * number + off[1])
            cv2.putText(picture, _drawable(line), place, _FONT, 0.5, colour, 1, cv2.LINE_AA)
    return picture


def contact_sheet(pictures: Sequence[Picture], columns: int = 6) -> Picture:
    """Small pictures in rows, in their order; at least one.

    Args:
        pictures: As ``draw_overlay`` gives them.
        columns: Pictures in a row.
    """
    side = _SHEET_PX + _GAP_PX
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * side, min(columns, len(pictures)) * side, 3), 32, np.uint8)
    for number, picture in enumerate(pictures):
        row, col = divmod(number, columns)
        times = _SHEET_PX / max(picture.shape[:2])
        size = (max(round(picture.shape[1] * times), 1), max(round(picture.shape[0] * times), 1))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        sheet[row * side : row * side + size[1], col * side : col * side + size[0]] = small
    return sheet


def png_bytes(picture: Picture) -> bytes:
    """A picture as a PNG file's content."""
    done, content = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert done
    return bytes(content)


def _ribbon(picture: Picture, width: JointSpaceWidth, pixel_mm: float, times: float) -> Picture:
    """The space between roof and head in the colours of the report's figures."""
    roof, foot = (_places(points / pixel_mm, times) for points in (width.roof_mm, width.foot_mm))
    middle = (width.profile_mm[1:] + width.profile_mm[:-1]) / 2
    low, high = WIDTH_RANGE_MM
    colours = _colour_table()[np.clip((middle - low) / (high - low) * 255, 0, 255).astype(int)]
    painted = picture.copy()
    for n, colour in enumerate(colours):
        corners = np.stack([roof[n], roof[n + 1], foot[n + 1], foot[n]])
        cv2.fillConvexPoly(painted, corners, [int(c) for c in colour], cv2.LINE_8, _SHIFT)
    return np.asarray(cv2.addWeighted(painted, _RIBBON_OPACITY, picture, 1 - _RIBBON_OPACITY, 0), dtype=np.uint8)


def _colour_table() -> NDArray[np.uint8]:
    """``(256, 3)`` colours of ``WIDTH_MAP``, blue first."""
    assert WIDTH_MAP == "viridis_r"
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0]
    return np.asarray(table[::-1], dtype=np.uint8)


def _places(points_px: NDArray[np.float64], times: float) -> NDArray[np.int32]:
    """View places ``(row, col)`` as OpenCV's ``(x, y)`` of the enlarged picture, in sixteenths of a pixel."""
    enlarged = (points_px[:, ::-1] + 0.5) * times - 0.5
    return np.rint(enlarged * (1 << _SHIFT)).astype(np.int32)


def _line(
    picture: Picture, points_px: NDArray[np.float64], times: float, colour: tuple[int, int, int], thick: int = 1
) -> None:
    places = _places(points_px, times)[:, None]
    cv2.polylines(picture, [places], False, (0, 0, 0), thick + 2, cv2.LINE_AA, _SHIFT)
    cv2.polylines(picture, [places], False, colour, thick, cv2.LINE_AA, _SHIFT)


def _drawable(line: str) -> str:
    """OpenCV's letters are ASCII."""
    return line.encode("ascii", "replace").decode()
