"""Sacrum, coccyx and lowest lumbar vertebrae, which fill the middle of a pelvic film.

Outlines in mm, ``(row, col)``, in the frame of the pelvis: origin midway between the femoral heads' centres,
columns towards the patient's left (right in the image). No truth depends on them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.pelvis import ring

__all__ = ["ellipse", "foramina", "lumbar", "pedicles", "sacrum", "spinous"]

Points = NDArray[np.float64]


def _mirrored(rows: list[tuple[float, float]]) -> Points:
    """A closed outline from its right half, listed from the top of the midline downwards."""
    half = np.array(rows, dtype=np.float64)
    return ring(np.concatenate([half * (1.0, -1.0), half[::-1]]))


def ellipse(row: float, col: float, height: float, width: float, tilt_deg: float = 0.0) -> Points:
    """An ellipse ``(64, 2)`` with half axes ``height`` and ``width``, turned by ``tilt_deg``."""
    angle, tilt = np.linspace(0.0, 2 * np.pi, 64, endpoint=False), np.deg2rad(tilt_deg)
    plain = np.column_stack([height * np.sin(angle), width * np.cos(angle)])
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    return np.asarray(plain @ turn.T + (row, col), dtype=np.float64)


def sacrum() -> list[Points]:
    """Closed outlines of the sacrum and of the coccyx."""
    body = [
        (-104, 6),
        (-106, 26),
        (-102, 44),
        (-90, 54),
        (-76, 48),
        (-64, 38),
        (-50, 27),
        (-36, 18),
        (-29, 11),
        (-27, 3),
    ]
    tail = [(-25, 2), (-24, 7), (-17, 6), (-9, 5), (-3, 2.5), (-2, 0.7)]
    return [
        _mirrored([(float(r), float(c)) for r, c in body]),
        _mirrored([(float(r), float(c)) for r, c in tail]),
    ]


def foramina() -> list[Points]:
    """Closed outlines of the sacral foramina."""
    rows = (
        (-83.0, 21.0, 4.5, 5.5),
        (-67.0, 18.0, 4.0, 5.0),
        (-53.0, 15.0, 3.4, 4.4),
        (-41.0, 12.0, 2.8, 3.6),
    )
    return [ellipse(row, side * col, h, w, 20.0 * side) for row, col, h, w in rows for side in (-1, 1)]


def lumbar() -> list[Points]:
    """Closed outlines of the bodies of L5, L4 and L3 with their transverse processes."""
    outlines = []
    for top, bottom, width in ((-138.0, -110.0, 29.0), (-176.0, -146.0, 28.0), (-213.0, -184.0, 27.0)):
        middle = (top + bottom) / 2
        body = [(top, 3.0), (top - 0.5, width - 6), (top + 1.5, width), (middle, width - 4.0)]
        outlines.append(_mirrored([*body, (bottom - 1.5, width), (bottom + 0.5, width - 6), (bottom, 3.0)]))
        outlines += [ellipse(middle - 4.0, side * (width + 11.0), 4.5, 17.0, 8.0 * side) for side in (-1, 1)]
    return outlines


def pedicles() -> list[Points]:
    """Closed outlines of the pedicles, seen end on."""
    return [ellipse(row, side * 19.0, 6.5, 4.5) for row in (-129.0, -167.0, -204.0) for side in (-1, 1)]


def spinous() -> list[Points]:
    """Closed outlines of the spinous processes and the sacral crest."""
    rows = ((-117.0, 9.0), (-154.0, 10.0), (-191.0, 10.0), (-92.0, 7.0), (-76.0, 6.0), (-60.0, 5.0))
    return [ellipse(row, 0.0, height, 3.6) for row, height in rows]
