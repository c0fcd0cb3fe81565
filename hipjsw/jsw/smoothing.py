"""Smoothing of equally spaced values by penalised least squares (Whittaker 1923; Eilers 2003, Anal Chem 75:3631-6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

__all__ = ["smooth"]

Floats = NDArray[np.float64]


def smooth(values: NDArray[Any], weight: NDArray[Any], wave: float) -> Floats:
    """Smooth one or several rows of equally spaced values.

    The sum of weighted squared residuals and of squared second differences is made least. Of an undulation of
    wavelength ``wave`` half the height is left, of longer ones more. Where the weight is 0 the values are carried
    on: straight beyond the ends, bending as little as can be in between.

    Args:
        values: ``(..., n)`` values; what has weight 0 may be NaN.
        weight: ``(n,)`` weights from 0 to 1, at least two above 0.
        wave: Wavelength in steps of the values; 0 smooths nothing (gaps are filled).

    Returns:
        ``(..., n)`` smoothed values.

    Raises:
        ValueError: Fewer than two values that count.
    """
    if (weight > 0).sum() < 2:
        raise ValueError("at least two values with a weight above 0 are needed to smooth")
    count = values.shape[-1]
    penalty = max((2.0 * np.sin(np.pi / wave)) ** -4 if wave > 2 else 0.0, 1e-6)
    bands = np.zeros((3, count))
    bands[2] = weight
    for offset, factor in ((0, 1.0), (1, -2.0), (2, 1.0)):  # second differences: 1, -2, 1
        bands[2, offset : count - 2 + offset] += penalty * factor * factor
    bands[1, 1:-1] += -2.0 * penalty
    bands[1, 2:] += -2.0 * penalty
    bands[0, 2:] += penalty
    known = np.where(weight > 0, values, 0.0) * weight
    solved = solveh_banded(bands, known.reshape(-1, count).T, check_finite=False)
    return np.asarray(solved.T.reshape(values.shape), dtype=np.float64)
