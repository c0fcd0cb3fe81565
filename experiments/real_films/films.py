"""Real and phantom films in one form: 640x640, bone bright, grey from 0 to 1, with where their hips lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from marks import FILM_PX, MarkedHip, read_hips
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.film import Film, place, render
from hipjsw.phantom.population import draw_person

__all__ = ["SHARP_EVERY", "Picture", "enhanced", "phantom_pictures", "real_pictures", "rectified"]

#: Eight of the ten real films were 454x373 or 373x454 pixels before they were stretched (their resampling shows it);
#: the other two were larger than 640. The phantoms get the same: every fifth stays sharp.
SMALL_PX = (373, 454)
SHARP_EVERY = 5

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Picture:
    """One film.

    Args:
        name: File name, or number of the phantom.
        real: Whether it is a real film.
        pixels: ``(640, 640)`` grey from 0 to 1, as drawn.
        hips: Its hips; of a phantom the roof is the exact curve.
    """

    name: str
    real: bool
    pixels: Image
    hips: tuple[MarkedHip, ...]


def real_pictures(folder: Path) -> Iterator[Picture]:
    """The ten marked films from their folder."""
    for name, hips in groupby(read_hips(), key=lambda hip: hip.image):
        pixels = cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise FileNotFoundError(f"no readable film {name} in {folder}")
        yield Picture(name, True, pixels.astype(np.float32) / 255, tuple(hips))


def phantom_pictures(count: int, seed: int) -> Iterator[Picture]:
    """First films of the first ``count`` persons of a phantom population."""
    for index in range(count):
        person = draw_person(seed, index)
        film = place(seed, person, person.visits[0])
        yield _phantom_picture(f"phantom {index}", film, sharp=index % SHARP_EVERY == SHARP_EVERY - 1)


def _phantom_picture(name: str, film: Film, sharp: bool) -> Picture:
    kind = film.placement.format
    most = 2**kind.bits - 1
    stored = render(film).astype(np.float32) / most
    pixels = 1 - stored if kind.inverted else stored
    rows, cols = pixels.shape
    wide = min(cols, round(rows * SMALL_PX[1] / SMALL_PX[0]))
    middle = film.placement.format.spacing.to_px(np.array(film.placement.centre_mm))[1]
    left = int(np.clip(middle - wide / 2, 0, cols - wide))
    pixels = pixels[:, left : left + wide]
    if not sharp:
        pixels = cv2.resize(pixels, SMALL_PX[::-1], interpolation=cv2.INTER_AREA)
    pixels = cv2.resize(pixels, (FILM_PX, FILM_PX), interpolation=cv2.INTER_AREA if sharp else cv2.INTER_LINEAR)
    scale = np.array([FILM_PX / rows, FILM_PX / wide])
    hips = tuple(_phantom_hip(name, film, side, np.array([0.0, left]), scale) for side in Side)
    return Picture(name, False, np.asarray(pixels, dtype=np.float32), hips)


def _phantom_hip(name: str, film: Film, side: Side, origin: Floats, scale: Floats) -> MarkedHip:
    def to_px(points_mm: NDArray[Any]) -> Floats:
        return np.asarray((film.placement.hip_to_px(points_mm, side) - origin + 0.5) * scale - 0.5, dtype=np.float64)

    hip = film.halves[side].hip
    radius = hip.form.head_radius_mm / film.placement.format.pixel_mm * scale
    return MarkedHip(name, side.value, to_px(np.zeros((1, 2)))[0], radius, to_px(hip.sourcil.sample(0.5)))


def enhanced(pixels: Image) -> Image:
    """The same contrast for every film: percentiles 1 to 99 stretched, then CLAHE with clip 2 on 8x8 tiles."""
    low, high = np.percentile(pixels, (1, 99))
    stretched = np.clip((pixels - low) / max(float(high - low), 1e-6), 0, 1)
    equal = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply((stretched * 255).astype(np.uint8))
    return np.asarray(equal, dtype=np.float32) / 255


def rectified(pixels: Image, hip: MarkedHip, window: tuple[float, float, float, float], per_radius: int) -> Image:
    """Cut a window round a hip, the stretch undone: every head a circle of the same size, medial to the right.

    Args:
        pixels: The film.
        hip: The hip on it.
        window: Top, bottom, left and right in head radii from the head's centre.
        per_radius: Pixels per head radius.

    Returns:
        The window; NaN outside the film.
    """
    top, bottom, left, right = window
    rows = top + (np.arange(round((bottom - top) * per_radius)) + 0.5) / per_radius
    cols = left + (np.arange(round((right - left) * per_radius)) + 0.5) / per_radius
    place_px = hip.to_px(np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1)).astype(np.float32)
    cut = cv2.remap(
        pixels, place_px[..., 1], place_px[..., 0], cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    inside = ((place_px >= 0) & (place_px <= FILM_PX - 1)).all(axis=-1)
    return np.where(inside, cut, np.nan).astype(np.float32)
