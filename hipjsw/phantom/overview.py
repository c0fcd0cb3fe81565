"""A whole film on a coarse grid: what its parts have in common, whatever raster they are drawn on.

Scatter spreads over centimetres, the processor's slow bands and grey scale are set by the whole film, and soft tissue
has no edges: all are computed once, at 2 mm, and sampled where a part of the film is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.artefact import Collimation
from hipjsw.phantom.exposure import expose, scattered
from hipjsw.phantom.look import Look
from hipjsw.phantom.processing import Tone, set_tone
from hipjsw.phantom.raster import Raster

__all__ = ["Overview", "draw_overview", "overview_grid"]

Image = NDArray[np.float32]

_PIXEL_MM = 2.0
#: Attenuation that no bone has, only metal and lead.
_METAL = 1.3
#: How slowly the wide look's shading varies.
_SHADE_MM = 55.0


@dataclass(frozen=True, eq=False)
class Overview:
    """What the parts of a film have in common.

    Args:
        grid: The grid.
        tissue: Attenuation of the soft tissue.
        scatter: Scattered radiation.
        tone: The grey scale.
        shade: What is added to grey at last, None for nothing.
    """

    grid: Raster
    tissue: Image
    scatter: Image
    tone: Tone
    shade: Image | None


def overview_grid(shape: tuple[int, int], pixel_mm: float) -> Raster:
    """The grid of a film of ``shape`` pixels of ``pixel_mm``."""
    rows, cols = (int(np.ceil(n * pixel_mm / _PIXEL_MM)) for n in shape)
    return Raster((rows, cols), _PIXEL_MM, (0.5 * _PIXEL_MM, 0.5 * _PIXEL_MM))


def draw_overview(
    grid: Raster,
    bones: Image,
    tissue: Image,
    collimation: Collimation | None,
    look: Look,
    rng: np.random.Generator,
) -> Overview:
    """Scatter and grey scale of a film.

    Args:
        grid: The overview's grid.
        bones: Attenuation of bones and artefacts on it.
        tissue: Attenuation of the soft tissue on it.
        collimation: The exposed field, None for the whole film.
        look: The film's look.
        rng: Random numbers of the shading.
    """
    attenuation = bones + tissue
    scatter = scattered(attenuation, grid, look)
    exposed = expose(attenuation, scatter, grid, look)
    metal = (bones > _METAL * look.bone).astype(np.uint8)  # and lead: no film's grey scale is set by them
    inside = (tissue > 0.9) & (cv2.dilate(metal, np.ones((9, 9), dtype=np.uint8)) == 0)
    if collimation is not None:
        inside &= collimation.beyond(grid) < 0.5
    tone = set_tone(exposed, grid, np.asarray(inside), look)
    return Overview(grid, tissue, scatter, tone, _shade(grid, look, rng) if look.shading > 0 else None)


def _shade(grid: Raster, look: Look, rng: np.random.Generator) -> Image:
    raw = rng.standard_normal(grid.shape, dtype=np.float32)
    slow = cv2.GaussianBlur(raw, (0, 0), _SHADE_MM / grid.pixel_mm, borderType=cv2.BORDER_REFLECT)
    slow = (slow - slow.mean()) / max(float(slow.std()), 1e-9)
    return np.asarray(np.float32(0.5 * look.shading) * slow, dtype=np.float32)
