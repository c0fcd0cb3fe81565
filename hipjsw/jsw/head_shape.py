"""How high and how wide a femoral head is: the ellipse along its margin.

For films without spacing: a head is round, so one that is not says that the picture was squeezed, and by how much.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["head_axes"]

#: The margin is looked at from laterally, above the neck, over the top to medially below the fovea.
FIRST_DEG, LAST_DEG, STEP_DEG = -75.0, 120.0, 2.0
#: Where it is looked for, in radii of the circle that fits the margin under the joint space.
NEAR, FAR, STEP = 0.7, 1.35, 0.005
#: Fewer rays with a margin than this share, and there is no ellipse.
LEAST_RAYS = 0.4
#: What lies further off than so many median residuals is not the head's: osteophytes, the neck.
_OUTLIER, _TIMES = 2.5, 4

Floats = NDArray[np.float64]


def head_axes(femur: NDArray[Any], centre_px: Floats, radius_px: float) -> tuple[float, float] | None:
    """Height and width of the head in a hip view.

    Args:
        femur: ``(rows, cols)`` probability or coverage of the femur; medial towards larger columns.
        centre_px: ``(2,)`` ``(row, col)`` near the head's centre.
        radius_px: About its radius.

    Returns:
        The ellipse's diameters along rows and columns, in pixels; None where too little of a margin is seen.
    """
    angle = np.deg2rad(np.arange(FIRST_DEG, LAST_DEG + STEP_DEG / 2, STEP_DEG))
    rays = np.stack([-np.cos(angle), np.sin(angle)], axis=-1)
    radii = np.arange(NEAR, FAR, STEP)
    at = (centre_px + radii[None, :, None] * radius_px * rays[:, None]).astype(np.float32)
    plane = np.asarray(femur, dtype=np.float32)
    inside = np.asarray(cv2.remap(plane, at[..., 1], at[..., 0], cv2.INTER_LINEAR)) >= 0.5
    left = np.argmax(~inside, axis=1)
    seen = inside[:, 0] & ~inside.all(axis=1)
    if seen.mean() < LEAST_RAYS:
        return None
    margin = (radii[left][:, None] * rays)[seen]
    squares = _fitted(margin)
    if squares is None:
        return None
    height, width = 2.0 * radius_px * squares
    return float(height), float(width)


def _fitted(margin: Floats) -> Floats | None:
    """Half the height and width of the ellipse through points ``(n, 2)``, in their unit, without outliers."""
    terms = np.column_stack([margin**2, margin])
    kept = np.ones(len(margin), dtype=bool)
    solution = np.zeros(4)
    for _ in range(_TIMES):
        solution = np.linalg.lstsq(terms[kept], np.ones(kept.sum()), rcond=None)[0]
        off = np.abs(terms @ solution - 1.0)
        fits = off <= max(_OUTLIER * float(np.median(off[kept])), 1e-3)
        if (fits == kept).all():
            break
        kept = fits
    square, linear = solution[:2], solution[2:]
    if not (square > 1e-6).all():
        return None
    # a r^2 + b c^2 + d r + e c = 1, brought to the centre
    size = 1.0 + float((linear**2 / (4.0 * square)).sum())
    return np.asarray(np.sqrt(size / square))
