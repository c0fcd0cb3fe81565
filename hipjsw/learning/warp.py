"""Geometry of augmentation: one linear resampling of image and planes together.

It is done here: albumentations' ``Affine`` shifts by whole pixels, returns the stored size and fills every plane with
the same value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.learning.sample import FILL, WEIGHT, Sample, corner, unit_range

__all__ = ["OUTSIDE_PX", "Warp", "leaves", "warp"]

#: How far beyond the stored sample a place counts as within it: rounding.
OUTSIDE_PX = 1e-4


@dataclass(frozen=True)
class Warp:
    """How the content of a crop moves: turned and scaled about the crop's centre, then shifted.

    The crop's centre is ``((h - 1) / 2, (w - 1) / 2)`` in ``(row, col)``: between the middle pixels if h and
    w are even.

    Args:
        shift_px: ``(row, col)`` by which content moves down and to the right, in pixels of the crop.
        scale: Factor by which content grows.
        rotate_deg: Angle by which content turns, counter-clockwise as seen.
        stretch: Factor by which turned content then grows along rows, and shrinks along columns.
    """

    shift_px: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    rotate_deg: float = 0.0
    stretch: float = 1.0

    def to_stored(self, stored: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float64]:
        """Matrix ``(2, 3)`` from OpenCV's ``(x, y, 1)`` in the crop to ``(x, y)`` in the stored sample.

        Args:
            stored: ``(H, W)`` of the stored sample.
            size: ``(h, w)`` of the crop in its middle.
        """
        angle = math.radians(self.rotate_deg)
        cos, sin = math.cos(angle) / self.scale, math.sin(angle) / self.scale
        turn = np.array([[cos, -sin], [sin, cos]]) * (self.stretch, 1.0 / self.stretch)  # columns, then rows
        middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
        corner = np.array([(stored[1] - size[1]) // 2, (stored[0] - size[0]) // 2])
        moved_middle = middle + self.shift_px[::-1]
        return np.column_stack([turn, corner + middle - turn @ moved_middle])


def warp(image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], motion: Warp) -> Sample:
    """Resample the middle of a stored sample, linearly, image and planes alike.

    Beyond the stored sample the image repeats its edge and the planes are background; a pixel that depends on
    anything out there has weight 0. Coverages that sum to 1 still do, for the resampling is linear.

    Arguments, result and errors are those of ``Augmentation``, with a ``motion`` in place of the key.
    """
    corner(image, planes, size)
    matrix = motion.to_stored((image.shape[0], image.shape[1]), size)

    def resample(plane: NDArray[Any], fill: float | None) -> NDArray[np.float32]:
        return np.asarray(
            cv2.warpAffine(
                plane,
                matrix,
                (size[1], size[0]),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT,
                borderValue=(fill or 0.0, 0.0, 0.0, 0.0),
            )
        )

    moved_image = resample(image.astype(np.float32), None)
    stored_planes = unit_range(planes)
    moved = np.stack([resample(plane, fill) for plane, fill in zip(stored_planes, FILL, strict=False)])
    if leaves(matrix, image.shape, size):
        inside = resample(np.ones(image.shape, np.float32), 0.0)
        moved[WEIGHT, inside < 1 - 1e-4] = 0.0
    return np.clip(moved_image, 0.0, 1.0), np.clip(moved, 0.0, 1.0)


def leaves(matrix: NDArray[np.float64], stored: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether a corner of the crop comes from beyond the stored sample, by more than rounding."""
    corners = np.array([(x, y, 1.0) for x in (0, size[1] - 1) for y in (0, size[0] - 1)])
    points = corners @ matrix.T
    return bool((points < -OUTSIDE_PX).any() or (points > np.array([stored[1] - 1, stored[0] - 1]) + OUTSIDE_PX).any())
