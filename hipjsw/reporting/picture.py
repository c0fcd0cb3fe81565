"""A test hip with everything a picture of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.reporting.style import interval_text

__all__ = ["HipPicture", "contrast_map", "outlines"]

FEMUR, ACETABULUM, JOINT_SPACE = 0, 1, 2
#: Half the side of the window round the joint.
WINDOW_MM = 26.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HipPicture:
    """One hip's view, what was predicted, what the label says and what was measured.

    Args:
        image: ``(rows, cols)`` in [0, 1], bone bright.
        probs: ``(3, rows, cols)`` predicted femur, acetabulum, joint space.
        coverage: ``(3, rows, cols)`` the label's coverage of the same.
        pixel_mm: Size of the view's pixels in mm.
        width: What was measured on ``probs``, points in mm of the view, or why nothing was.
        label_mm: mJSW of the label; NaN if it has none.
        truth_mm: Exact mJSW (phantoms), None if unknown.
        dice_mean: Mean Dice of the three classes.
        caption: Pseudonym of the hip.
    """

    image: NDArray[Any]
    probs: NDArray[Any]
    coverage: NDArray[Any]
    pixel_mm: float
    width: JointSpaceWidth | Unmeasurable
    label_mm: float
    truth_mm: float | None
    dice_mean: float
    caption: str

    @property
    def witness_px(self) -> Floats | None:
        """``(2, 2)`` points of roof and head at the minimum, ``(row, col)`` in view pixels; None if unmeasurable."""
        if isinstance(self.width, Unmeasurable):
            return None
        return np.stack([self.width.roof_witness_mm, self.width.head_witness_mm]) / self.pixel_mm

    @property
    def curves_px(self) -> tuple[Floats, ...]:
        """Sourcil and head margin measured between, ``(n, 2)`` in view pixels; empty if unmeasurable."""
        if isinstance(self.width, Unmeasurable):
            return ()
        return self.width.roof_mm / self.pixel_mm, self.width.head_mm / self.pixel_mm

    @property
    def measured(self) -> str:
        """The predicted width, with its 95 % interval where it has one; why there is none, where there is none."""
        if isinstance(self.width, Unmeasurable):
            return f"not measurable: {self.width.reason}"
        value = f"{self.width.mjsw_mm:.2f} mm"
        return value if self.width.interval_mm is None else f"{value} ({interval_text(self.width.interval_mm)})"

    @property
    def result(self) -> str:
        """What was measured, beside the label and the truth."""
        predicted = "" if isinstance(self.width, Unmeasurable) else "predicted "
        return f"mJSW {predicted}{self.measured}, {self.compared}"

    @property
    def compared(self) -> str:
        """What the measured width is to be compared with."""
        label = f"label {self.label_mm:.2f} mm" if np.isfinite(self.label_mm) else "label without a width"
        known = self.truth_mm is not None and np.isfinite(self.truth_mm)
        return f"{label}, exact {self.truth_mm:.2f} mm" if known else label

    def window_px(self) -> tuple[float, float, float, float]:
        """Square round the joint, cut to the view: top, bottom, left, right edge in view pixels."""
        rows, cols = self.image.shape
        half = min(WINDOW_MM / self.pixel_mm, min(rows, cols) / 2)
        row, col = self._joint_centre()
        row = float(np.clip(row, half - 0.5, rows - 0.5 - half))
        col = float(np.clip(col, half - 0.5, cols - 0.5 - half))
        return row - half, row + half, col - half, col + half

    def _joint_centre(self) -> Floats:
        """Middle of the measured sourcil, else of the label's joint space, else of the view."""
        if not isinstance(self.width, Unmeasurable):
            roof = self.curves_px[0]
            return np.asarray((roof.min(axis=0) + roof.max(axis=0)) / 2)
        points = np.argwhere(self.coverage[JOINT_SPACE] > 0.5)
        if len(points):
            return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2, dtype=np.float64)
        return (np.array(self.image.shape, dtype=np.float64) - 1) / 2


def contrast_map(probs: NDArray[Any], coverage: NDArray[Any]) -> Floats:
    """Predicted less label, bones and joint space apart: together they would cancel where one takes the other's place.

    Args:
        probs: ``(3, rows, cols)`` femur, acetabulum, joint space.
        coverage: ``(3, rows, cols)`` the label's.

    Returns:
        ``(2, rows, cols)`` in [-1, 1]: femur and acetabulum summed, then joint space. Positive (warm) is predicted
        only, negative (cold) label only; probabilities that are not numbers count as 0.
    """
    predicted = np.nan_to_num(np.asarray(probs, dtype=np.float64), nan=0.0, posinf=1.0, neginf=0.0)
    difference = predicted - np.asarray(coverage, dtype=np.float64)
    bones = difference[FEMUR] + difference[ACETABULUM]
    return np.stack([bones, difference[JOINT_SPACE]]).clip(-1.0, 1.0)


def outlines(plane: NDArray[Any]) -> list[Floats]:
    """Contours ``(n, 2)`` of a plane at 0.5, closed at the view's edge; none for an empty plane."""
    padded = np.pad(np.nan_to_num(np.asarray(plane, dtype=np.float64)), 1)
    return [np.asarray(contour - 1.0) for contour in find_contours(padded, 0.5)]  # type: ignore[no-untyped-call]
