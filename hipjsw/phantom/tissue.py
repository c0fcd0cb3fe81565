"""Soft tissue of the pelvis: trunk, thighs, fat and muscle, bowel with its gas, bladder; drawn on a coarse grid."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.field import smoothstep
from hipjsw.phantom.look import Look
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.raster import Raster
from hipjsw.phantom.solid import Element, Patch, Stroke
from hipjsw.phantom.spine import ellipse

__all__ = ["fold_elements", "soft_tissue"]

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


@lru_cache
def _smoothing(count: int) -> NDArray[np.float64]:
    """Matrix ``(60, count)`` that makes a smooth line of so many anchors: interpolated, then averaged along it."""
    place = np.linspace(0, count - 1, 60)
    linear = np.clip(1 - np.abs(place[:, None] - np.arange(count)), 0.0, None)
    wide = np.pad(linear, ((6, 6), (0, 0)), "edge")
    return np.asarray(sum(wide[shift : shift + 60] for shift in range(13)) / 13, dtype=np.float64)


def fold_elements(placement: Placement, size: float, rng: np.random.Generator) -> list[Element]:
    """Skin folds, fat planes, the cleft, calcified vessels: what has sharper edges than the coarse grid."""
    elements: list[Element] = []

    def line(name: str, points: list[tuple[float, float]], width: float, amount: float, soft: float) -> None:
        anchors = np.array(points, dtype=np.float64) + rng.normal(0.0, 2.5, (len(points), 2))
        smooth = _smoothing(len(points)) @ anchors
        elements.append(Stroke(name, placement.pelvis_to_mm(smooth), width, amount, soft))

    for side in (-1.0, 1.0):
        for name, points, width, amount, soft in (
            ("gluteal fold", [(98, 12), (112, 40), (116, 75), (108, 112)], 4.0, -0.11, 1.2),
            ("gluteal fat", [(-70, 150), (-40, 146), (-12, 150), (15, 158)], 5.0, -0.10, 2.0),
            ("gluteus minimus fat", [(-60, 122), (-35, 124), (-18, 132), (-8, 142)], 4.0, -0.04, 2.0),
            ("psoas fat", [(-90, 52), (-40, 56), (5, 74), (40, 98), (62, 112)], 4.0, -0.06, 2.0),
            ("obturator fat", [(-30, 58), (-5, 55), (15, 50)], 2.4, -0.05, 1.2),
            ("thigh fat", [(60, 178), (110, 172), (170, 160), (210, 150)], 5.0, -0.09, 2.5),
            ("inner thigh fat", [(80, 60), (120, 78), (170, 88)], 3.5, -0.05, 2.0),
        ):
            anchors = [(float(r), side * float(c)) for r, c in points]
            line(name, anchors, width, amount * float(rng.uniform(0.3, 1.3)), soft)
        if size > 1.05 or rng.random() < 0.25:
            skin = [(-52.0, 182.0), (-30.0, 150.0), (-12.0, 118.0), (2.0, 84.0)]
            low = float(rng.normal(0.0, 12.0))
            line("skin fold", [(r + low, side * c) for r, c in skin], 6.0, 0.05, 2.0)
            line("skin fold", [(r + low + 4.5, side * c) for r, c in skin], 5.0, -0.05, 1.8)
        if rng.random() < 0.15:
            vessel = [(8.0, 78.0), (40.0, 92.0), (80.0, 100.0), (130.0, 104.0)]
            line("calcified vessel", [(r, side * c) for r, c in vessel], 1.2, 0.09, 0.4)
            line("calcified vessel", [(r, side * c + 6.0) for r, c in vessel], 1.2, 0.09, 0.4)
    for side in (-1.0, 1.0):
        for _ in range(int(rng.integers(10, 18))):
            start = float(rng.uniform(50, 130)), side * float(rng.uniform(35, 165))
            long = float(rng.uniform(25, 90))
            lean = side * float(rng.normal(-0.12, 0.16))
            amount = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.012, 0.035))
            ends = [(start[0] + long * t, start[1] + lean * long * t) for t in (0.0, 0.33, 0.67, 1.0)]
            line("muscle", ends, float(rng.uniform(1.5, 5.0)), amount, float(rng.uniform(0.5, 1.5)))
        for _ in range(int(rng.integers(6, 12))):
            start = float(rng.uniform(-110, 10)), side * float(rng.uniform(110, 175))
            long = float(rng.uniform(30, 80))
            ends = [(start[0] + long * t, start[1] - side * 0.5 * long * t) for t in (0.0, 0.33, 0.67, 1.0)]
            amount = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.012, 0.03))
            line("muscle", ends, float(rng.uniform(1.5, 4.0)), amount, float(rng.uniform(0.5, 1.5)))
    line("cleft", [(20, 0), (50, 0.5), (80, 0), (100, 0)], 2.6, -0.12, 0.9)
    for _ in range(int(rng.integers(0, 4))):
        at = float(rng.uniform(-25, 20)), float(rng.uniform(-55, 55))
        spot = ellipse(*at, *[float(v) for v in rng.uniform(0.8, 2.2, 2)])
        elements.append(Patch("phlebolith", placement.pelvis_to_mm(spot), 0.14, 0.4))
    return elements
