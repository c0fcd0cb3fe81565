"""From log exposure to grey values: what a film processor does, in bands of the spatial frequency.

The slow and the middle band come from a coarse overview of the whole film, so a hip view is processed exactly as the
film it lies on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.exposure import resample
from hipjsw.phantom.look import Look
from hipjsw.phantom.raster import Raster

__all__ = ["Tone", "set_tone"]

Image = NDArray[np.float32]

_SLOW_MM, _MIDDLE_MM, _FINE_MM = 25.0, 5.0, 0.8


@dataclass(frozen=True, eq=False)
class Tone:
    """A film's grey scale, fixed by its overview.

    Args:
        grid: The overview's raster.
        slow: What is subtracted in all, on the overview: part of the slow band, and of the middle one.
        middle: The overview smoothed to 5 mm.
        low: Processed value that becomes the look's bottom.
        high: Processed value that becomes its top.
        look: Gains and grey scale.
    """

    grid: Raster
    slow: Image
    middle: Image
    low: float
    high: float
    look: Look

    def grey(self, log_exposure: Image, raster: Raster) -> Image:
        """Grey values in display sense, 0 to 1 of the film's range, of log exposure on a raster."""
        look = self.look
        bands = self.slow - np.float32(look.local) * self.middle
        value = np.asarray(log_exposure * np.float32(look.local), dtype=np.float32)
        value += resample(bands, self.grid, raster)
        if look.edge > 0 and raster.pixel_mm < 2 * _FINE_MM:
            fine = cv2.GaussianBlur(value, (0, 0), max(_FINE_MM / raster.pixel_mm, 0.3))
            value += np.float32(look.edge) * (value - np.asarray(fine))
        value = (value - np.float32(self.low)) * np.float32(1.0 / (self.high - self.low))
        if look.gamma != 1.0:
            value = np.where(value > 0, np.asarray(cv2.pow(np.maximum(value, 0), look.gamma)), value)
        return np.asarray(np.float32(look.bottom) + np.float32(look.top - look.bottom) * value, dtype=np.float32)


def set_tone(overview: Image, grid: Raster, inside: NDArray[np.bool_], look: Look) -> Tone:
    """Fix a film's grey scale.

    Args:
        overview: Log exposure of the whole film, coarse and without noise.
        grid: Its raster.
        inside: Where the exposed body is, ``grid.shape``.
        look: Gains and grey scale.
    """

    def smoothed(sigma_mm: float) -> Image:
        soft = cv2.GaussianBlur(overview, (0, 0), sigma_mm / grid.pixel_mm, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(soft, dtype=np.float32)

    slow, middle = smoothed(_SLOW_MM), smoothed(_MIDDLE_MM)
    rest = np.float32(1 - look.slow) * slow + np.float32(look.middle) * (middle - slow)
    value = (overview - middle) * np.float32(look.local) + rest
    body = value[inside] if inside.any() else value.ravel()
    low, high = (float(v) for v in np.percentile(body, (4.0, 99.7)))
    return Tone(grid, rest, middle, low, max(high, low + 1e-3), look)
