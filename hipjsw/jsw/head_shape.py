"""Where a femoral head lies, how high and how wide it is: the ellipse along its margin.

The margin is followed much further than the joint space goes, so the centre is surer than that of a circle under the
joint space. On films without spacing a head that is not round says that the picture was squeezed, and by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["HeadEllipse", "head_ellipse"]

#: The margin is looked at from laterally, above the neck, over the top to medially below the fovea.
FIRST_DEG, LAST_DEG, STEP_DEG = -75.0, 120.0, 2.0
#: Where it is looked for, in radii of the circle that fits the margin under the joint space.
NEAR, FAR, STEP = 0.7, 1.35, 0.005
#: Fewer rays with a margin than this share, or none as far medially, and there is no ellipse: of a short arc a small
#: error of the margin makes a large one of the centre.
LEAST_RAYS, REACH_DEG = 0.6, 80.0
#: Nor is one whose centre lies further from where the head was, in radii, or whose height or width is another size; a
#: circle under the joint space of a head squeezed by a quarter is off by so much.
FARTHEST, SIZES = 0.8, (0.55, 1.8)
#: What lies further off than so many median residuals is not the head's: osteophytes, the neck.
_OUTLIER, _TIMES = 2.5, 4

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeadEllipse:
    """The ellipse along a head's margin, in view pixels.

    Args:
        centre_px: ``(2,)`` its centre ``(row, col)``.
        size_px: ``(2,)`` its height and width.
    """

    centre_px: Floats
    size_px: Floats

    @property
    def diameter_px(self) -> float:
        """Mean of height and width."""
        return float(self.size_px.mean())


def head_ellipse(femur: NDArray[Any], centre_px: Floats, radius_px: float) -> HeadEllipse | None:
    """Fit an ellipse, upright, to the head's margin in a hip view.

    Args:
        femur: ``(rows, cols)`` probability or coverage of the femur; medial towards larger columns.
        centre_px: ``(2,)`` ``(row, col)`` near the head's centre.
        radius_px: About its radius.

    Returns:
        The ellipse; None where too little of a margin is seen, or what fits it is no head.
    """
    angle = np.deg2rad(np.arange(FIRST_DEG, LAST_DEG + STEP_DEG / 2, STEP_DEG))
    rays = np.stack([-np.cos(angle), np.sin(angle)], axis=-1)
    radii = np.arange(NEAR, FAR, STEP)
    at = (centre_px + radii[None, :, None] * radius_px * rays[:, None]).astype(np.float32)
    plane = np.asarray(femur, dtype=np.float32)
    inside = np.asarray(cv2.remap(plane, at[..., 1], at[..., 0], cv2.INTER_LINEAR)) >= 0.5
    left = np.argmax(~inside, axis=1)
    seen = inside[:, 0] & ~inside.all(axis=1)
    if seen.mean() < LEAST_RAYS or angle[seen][-1] < np.deg2rad(REACH_DEG):
        return None
    fitted = _fitted((radii[left][:, None] * rays)[seen])
    if fitted is None:
        return None
    centre, half = fitted
    if np.hypot(*centre) > FARTHEST or half.min() < SIZES[0] or half.max() > SIZES[1]:
        return None
    return HeadEllipse(centre_px + radius_px * centre, 2.0 * radius_px * half)


def _fitted(margin: Floats) -> tuple[Floats, Floats] | None:
    """Centre, and half the height and width, of the ellipse through points ``(n, 2)`` without outliers."""
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
    centre = -linear / (2.0 * square)
    return np.asarray(centre), np.asarray(np.sqrt((1.0 + float((square * centre**2).sum())) / square))
