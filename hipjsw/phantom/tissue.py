"""Soft tissue of the pelvis: body, thighs, fat, bowel gas; smooth, so drawn on a coarse grid."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.placement import Placement

__all__ = ["COARSE", "soft_tissue"]

#: Pixels of the film per pixel of the coarse grid.
COARSE = 8

Image = NDArray[np.float32]


def _smooth(value: NDArray[np.float32], low: float, high: float) -> Image:
    part = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float32)


def _gas(row: Image, col: Image, rng: np.random.Generator) -> Image:
    """Share of gas in the bowel: chains of soft blobs in the abdomen and the true pelvis."""
    gas = np.zeros_like(row)
    for _ in range(int(rng.integers(5, 14))):
        at_row, at_col = rng.uniform(-150, -35), rng.normal(0.0, 55.0)
        if at_row > -75:
            at_col *= 0.55
        for _ in range(int(rng.integers(1, 5))):
            size, long = rng.uniform(4, 11), rng.uniform(1.0, 1.8)
            distance = np.hypot(row - at_row, (col - at_col) / long) / size
            gas = np.maximum(gas, rng.uniform(0.3, 1.0) * (1 - _smooth(distance, 0.6, 1.25)))
            at_row, at_col = at_row + rng.normal(0, 10), at_col + rng.normal(0, 14)
    return gas


def soft_tissue(placement: Placement, size: float, rng: np.random.Generator) -> Image:
    """Attenuation of the soft tissue.

    Args:
        placement: Where the pelvis lies.
        size: Body size, 1 for the average.
        rng: Random numbers.

    Returns:
        float32, one pixel per `COARSE` x `COARSE` pixels of the film (rounded up).
    """
    kind = placement.format
    rows, cols = (-(-n // COARSE) for n in kind.shape)
    pitch = COARSE * kind.pixel_mm
    row, col = np.meshgrid(
        (np.arange(rows, dtype=np.float32) + 0.5) * pitch - placement.centre_mm[0],
        (np.arange(cols, dtype=np.float32) + 0.5) * pitch - placement.centre_mm[1],
        indexing="ij",
    )
    waist = 1 - 0.10 * _smooth(-row, 60.0, 170.0) + 0.05 * np.exp(-(((row - 20) / 60) ** 2))
    half = 182.0 * size * waist
    trunk = 3.7 * size * np.sqrt(np.clip(1 - (col / half) ** 2, 0.0, 1.0)) ** 1.1
    away = (np.abs(col) - (92.0 * size + 0.04 * row)) / (93.0 * size)
    thigh = 3.0 * size * np.sqrt(np.clip(1 - away**2, 0.0, 1.0))
    share = _smooth(row + 0.25 * np.abs(col), 25.0, 90.0)
    body = trunk * (1 - share) + thigh * share
    skin = np.clip((half - np.abs(col)) / 30.0, 0.0, 1.0)
    body *= 0.80 + 0.20 * _smooth(skin, 0.25, 1.0)
    fold = 0.10 * _smooth(30 - np.abs(row - 55 - 0.06 * np.abs(col) - rng.normal(0, 6)), 20.0, 30.0)
    noise = rng.standard_normal((rows, cols)).astype(np.float32)
    mottled = sum(a * s * cv2.GaussianBlur(noise, (0, 0), s) for a, s in ((0.05, 2.5), (0.06, 8.0), (0.10, 24.0)))
    body = body * (1 + mottled) + fold * share
    body -= 0.55 * _gas(row, col, rng) * _smooth(body, 1.0, 2.0)
    soft = cv2.GaussianBlur(np.clip(body, 0.0, None).astype(np.float32), (0, 0), 1.2)
    return np.asarray(soft, dtype=np.float32)
