"""Soft tissue of the pelvis: trunk, thighs, fat and muscle, bowel with its gas, bladder; drawn on a coarse grid."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.field import smoothstep
from hipjsw.phantom.look import Look
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.raster import Raster

__all__ = ["soft_tissue"]

Image = NDArray[np.float32]

#: Attenuation per mm of soft tissue (water near 65 keV), and share of it that fat takes away.
_PER_MM, _FAT = 0.0187, 0.09


def _noise(shape: tuple[int, int], size: tuple[float, float], rng: np.random.Generator) -> Image:
    """Smooth noise of mean 0 and SD 1, with standard deviations ``size`` in pixels along rows and columns."""
    raw = rng.standard_normal(shape, dtype=np.float32)
    soft = cv2.GaussianBlur(raw, (0, 0), sigmaX=size[1], sigmaY=size[0], borderType=cv2.BORDER_REFLECT)
    return np.asarray((soft - soft.mean()) / max(float(soft.std()), 1e-6), dtype=np.float32)


def _hill(row: Image, col: Image, centre: tuple[float, float], size: tuple[float, float]) -> Image:
    squared = ((row - centre[0]) / size[0]) ** 2 + ((col - centre[1]) / size[1]) ** 2
    return np.asarray(np.exp(-0.5 * squared), dtype=np.float32)


def _gas(row: Image, col: Image, pitch_mm: float, amount: float, rng: np.random.Generator) -> Image:
    """Share of gas along a ray: loops of bowel, bubbles in stool, the rectum's pocket."""
    shape = (row.shape[0], col.shape[1])
    region = np.zeros(shape, dtype=np.float32)
    for _ in range(int(rng.integers(2, 7) * amount**0.5)):
        centre = float(rng.uniform(-170, -25)), float(np.clip(rng.normal(0.0, 55.0), -105.0, 105.0))
        if centre[0] > -70:
            centre = centre[0], centre[1] * 0.45
        region = np.maximum(region, _hill(row, col, centre, (float(rng.uniform(10, 32)), float(rng.uniform(12, 38)))))
    coarse = _noise(shape, (7.0 / pitch_mm, 8.5 / pitch_mm), rng)
    fine = _noise(shape, (2.6 / pitch_mm, 3.0 / pitch_mm), rng)
    rough = coarse + 0.35 * fine
    loops = smoothstep((rough - (2.0 - 1.35 * region)) / np.float32(0.6))
    bubbles = smoothstep((fine - (2.3 - 2.3 * region)) / np.float32(0.9)) * np.float32(0.8)
    within = smoothstep((np.float32(128.0) - np.abs(col)) / np.float32(20.0))
    return np.asarray(np.maximum(loops * region**0.5, bubbles * region) * within, dtype=np.float32)


def _outline(row: Image, col: Image, size: float, female: bool) -> tuple[Image, Image, Image]:
    """Thickness in mm of trunk and of thighs, and the share of fat, before any unevenness."""
    wide = 172.0 + 95.0 * (size - 0.85) + (6.0 if female else 0.0)
    side = np.abs(col)
    hip = np.exp(-(((row - 35.0) / 95.0) ** 2)).astype(np.float32)
    half = wide * (0.90 + 0.10 * hip - 0.07 * smoothstep((-row - 60.0) / 110.0))
    deep = 205.0 * size**0.9
    trunk = deep * np.sqrt(np.clip(1 - np.abs(side / half) ** 3.4, 0.0, 1.0))
    gap = np.maximum(0.0, (row - 70.0) * 0.16) * (1.25 - 0.9 * smoothstep(np.float32((size - 0.9) / 0.35)))
    middle, reach = 0.5 * (gap + half), 0.5 * (half - gap)
    thigh = 0.88 * deep * np.sqrt(np.clip(1 - np.abs((side - middle) / reach) ** 2.8, 0.0, 1.0))
    fat = smoothstep((side - (half - 16.0 - 60.0 * max(size - 0.85, 0.05))) / np.float32(14.0))
    return trunk.astype(np.float32), thigh.astype(np.float32), fat


def soft_tissue(
    raster: Raster, placement: Placement, size: float, female: bool, look: Look, rng: np.random.Generator
) -> Image:
    """Attenuation of the soft tissue on a raster of one or two millimetres.

    Args:
        raster: The grid.
        placement: Where the pelvis lies.
        size: Body size, 1 for the average.
        female: Whether a woman's.
        look: Amount of gas and unevenness.
        rng: Random numbers.
    """
    row, col = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
    row, col = row[:, None] - np.float32(placement.centre_mm[0]), col[None] - np.float32(placement.centre_mm[1])
    pitch, shape = raster.pixel_mm, raster.shape
    trunk, thigh, fat = _outline(row, col, size, female)
    share = smoothstep((row + 0.20 * np.abs(col) - 42.0) / np.float32(62.0))
    body = trunk * (1 - share) + thigh * share
    muscle = _noise(shape, (26.0 / pitch, 2.6 / pitch), rng) * 0.6
    muscle += _noise(shape, (14.0 / pitch, 1.4 / pitch), rng) * 0.4
    mottled = 0.022 * _noise(shape, (26 / pitch, 26 / pitch), rng) + 0.008 * _noise(shape, (7 / pitch, 7 / pitch), rng)
    mottled += 0.006 * _noise(shape, (2.2 / pitch, 2.2 / pitch), rng) + 0.012 * muscle * (0.4 + 0.6 * share)
    body = body * (1 + look.mottle * mottled) * (1 - _FAT * fat)
    bladder = _hill(row, col, (float(rng.normal(-8, 8)), float(rng.normal(0, 4))), (20.0, 26.0))
    body += 26.0 * float(rng.uniform(0.0, 1.0)) * smoothstep(bladder * 1.6 - np.float32(0.3))
    body -= 34.0 * _gas(row, col, pitch, look.gas, rng) * smoothstep((body - 60.0) / np.float32(60.0))
    body -= 22.0 * _hill(row, col, (-15.0, 0.0), (38.0, 42.0)) + 8.0 * _hill(row, col, (62.0, 0.0), (30.0, 12.0))
    if not female:
        hang = float(rng.normal(0.0, 4.0))
        sac = _hill(row, col, (88.0, hang), (22.0, 26.0)) + 0.5 * _hill(row, col, (112.0, 2.0 * hang), (16.0, 12.0))
        sac = sac + 0.10 * _noise(shape, (9.0 / pitch, 9.0 / pitch), rng)
        sac = float(rng.uniform(0.35, 1.0)) * smoothstep((sac - np.float32(0.12)) / np.float32(1.0))
        body = np.maximum(body, 105.0 * sac) + 22.0 * sac
    soft = cv2.GaussianBlur(np.clip(body, 0.0, None).astype(np.float32), (0, 0), 0.8)
    return np.asarray(soft * np.float32(_PER_MM), dtype=np.float32)
