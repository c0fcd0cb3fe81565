"""From attenuation to log exposure: Beer-Lambert, scatter, focal and detector blur, quantum noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.look import Look
from hipjsw.phantom.raster import Raster

__all__ = ["expose", "resample", "scattered"]

Image = NDArray[np.float32]

#: Standard deviation of the scattered radiation's spread, and of a pixel's own square.
_SCATTER_MM, _SQUARE = 28.0, 1.0 / np.sqrt(12.0)
#: Standard deviation in pixels below which a blur is made of three taps.
_NARROW = 0.65
#: Rows that are resampled in one go: so few that no linear algebra library starts threads for them.
_BLOCK_ROWS = 12


def resample(image: Image, grid: Raster, target: Raster) -> Image:
    """A smooth image on one raster, as values at the pixels of another (cubic, edges repeated)."""
    row, col = target.places_mm(np.arange(target.shape[0]), np.arange(target.shape[1]))
    ends = np.array([[row[0], col[0]], [row[-1], col[-1]]], dtype=np.float64)
    first, last = grid.to_px(ends)
    start, weights = _cubic(np.linspace(first[1], last[1], target.shape[1]), grid.shape[1])
    places = np.linspace(first[0], last[0], target.shape[0])
    low, high = int(max(np.floor(places.min()) - 1, 0)), int(min(np.floor(places.max()) + 3, grid.shape[0]))
    low, high = min(low, grid.shape[0] - 1), max(high, 1)
    wide = np.zeros((high - low, target.shape[1]), dtype=np.float32)
    for tap, weight in zip(start, weights, strict=True):
        wide += image[low:high, tap] * weight
    out = np.empty(target.shape, dtype=np.float32)
    start, weights = _cubic(places, grid.shape[0])
    for top in range(0, target.shape[0], _BLOCK_ROWS):  # a few rows of the image make a block
        block = slice(top, top + _BLOCK_ROWS)
        taps = start[:, block] - low
        begin, end = int(taps.min()), int(taps.max()) + 1
        share = np.zeros((taps.shape[1], end - begin), dtype=np.float32)
        for tap, weight in zip(taps, weights[:, block], strict=True):
            share[np.arange(len(tap)), tap - begin] += weight
        np.matmul(share, wide[begin:end], out=out[block])
    return out


def _cubic(places: NDArray[np.float64], size: int) -> tuple[NDArray[np.intp], Image]:
    """Pixels ``(4, n)`` round each place along one axis, and their weights in Keys' cubic convolution: planes stay."""
    whole = np.floor(places)
    near = np.abs((places - whole) - np.arange(-1.0, 3.0)[:, None])
    inner = (1.5 * near - 2.5) * near * near + 1
    outer = ((-0.5 * near + 2.5) * near - 4.0) * near + 2.0
    taps = whole.astype(np.intp) + np.arange(-1, 3)[:, None]
    return np.clip(taps, 0, size - 1), np.where(near <= 1, inner, outer).astype(np.float32)


def scattered(attenuation: Image, grid: Raster, look: Look) -> Image:
    """Scattered radiation on a coarse raster: a broad share of what reaches the plate directly."""
    signal = np.minimum(np.asarray(cv2.exp(-attenuation)), np.float32(0.05))
    soft = cv2.GaussianBlur(signal, (0, 0), _SCATTER_MM / grid.pixel_mm, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft * np.float32(look.scatter), dtype=np.float32)


def expose(
    attenuation: Image,
    scatter: Image,
    raster: Raster,
    look: Look,
    blur_px: float = 0.0,
    noise: np.random.Generator | None = None,
) -> Image:
    """Log exposure of the plate, bright where little arrives.

    Args:
        attenuation: On the raster.
        scatter: On the raster.
        raster: The grid.
        look: Blur and quanta.
        blur_px: For a view, the blur by which it is taken from its film, and the film pixel's square with it: standard
            deviation in pixels. The view's pixels are squares already, so signal gets that much less.
        noise: Random numbers of the quantum noise; None for none.
    """
    signal = np.asarray(cv2.exp(-attenuation), dtype=np.float32)
    signal += scatter
    variance = (look.blur_mm / raster.pixel_mm) ** 2 + max(blur_px**2 - _SQUARE**2, 0.0)
    if noise is not None:
        per_pixel = look.quanta * (raster.pixel_mm / 0.17) ** 2
        grain = noise.standard_normal(raster.shape, dtype=np.float32)
        if blur_px > 0:  # a view: noise of the film's pixels, averaged by blur and pixel alike
            grain = _correlated(grain, blur_px)
        grain *= cv2.sqrt(signal * np.float32(1.0 / per_pixel))
    else:
        grain = None
    if blur_px > 0 and variance < _NARROW**2:
        signal = _three_taps(signal, 0.5 * variance)
    elif variance > 0.25**2:
        sigma = float(np.sqrt(variance))
        signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)
    if grain is not None:
        signal += grain
    return np.asarray(-cv2.log(np.maximum(signal, np.float32(2e-4))), dtype=np.float32)


def _three_taps(image: Image, beside: float) -> Image:
    """Blur along both axes by three taps with ``beside`` outside: a sampled Gaussian this narrow blurs too little."""
    kernel = np.array([beside, 1 - 2 * beside, beside], dtype=np.float32)
    return np.asarray(cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def _correlated(grain: Image, blur_px: float) -> Image:
    """White noise as it looks after a view's antialiasing: less of it, and neighbours alike."""
    left = 1.0 / (2.0 * np.sqrt(np.pi) * blur_px)  # of its variance, along each axis
    if left >= 1:
        return grain
    if blur_px < _NARROW:
        return _three_taps(grain, (4.0 - float(np.sqrt(24.0 * left - 8.0))) / 12.0)  # 1 - 4 a + 6 a^2 = left
    return np.asarray(cv2.GaussianBlur(grain, (0, 0), blur_px), dtype=np.float32)
