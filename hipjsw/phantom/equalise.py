"""Local equalisation of a film's histogram (CLAHE), fixed by its overview, so that a view shows what its film shows.

In each of 8x8 tiles of the film, grey becomes its own share of the tile's histogram, cut off at a limit and the rest
spread evenly; between the tiles' centres the four nearest are mixed. Limit and histogram are those of a 16-bit film.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.raster import Raster

__all__ = ["Equaliser"]

Image = NDArray[np.float32]

_TILES, _LEVELS, _SMOOTH = 8, 2048, 12.0
_BINS_16_BIT = 65536


@dataclass(frozen=True, eq=False)
class Equaliser:
    """What becomes of grey values in each tile.

    Args:
        tile_mm: Height and width of a tile.
        tables: ``(8, 8, levels)`` new grey, 0 to 1, of grey 0 to 1.
    """

    tile_mm: tuple[float, float]
    tables: Image

    @classmethod
    def of(cls, grey: Image, grid: Raster, film: Raster, limit: float) -> Equaliser:
        """Fix a film's equalisation.

        Args:
            grey: The film's overview, 0 to 1, before equalisation.
            grid: Its raster.
            film: The film's own raster.
            limit: Clip limit: pixels a grey value may have, as a multiple of the mean.
        """
        sides_px = [-(-size // _TILES) for size in film.shape]
        height, width = (side * film.pixel_mm for side in sides_px)
        pixels = float(np.prod(sides_px))
        most = max(int(limit * pixels / _BINS_16_BIT), 1)
        places = grid.places_mm(np.arange(grid.shape[0]), np.arange(grid.shape[1]))
        row, col = ((place // side).clip(0, _TILES - 1) for place, side in zip(places, (height, width), strict=True))
        tile = (row[:, None] * _TILES + col[None]).astype(np.intp)
        level = np.clip(grey * np.float32(_LEVELS), 0, _LEVELS - 1).astype(np.intp)
        within = (grey > 0) & (grey < 1)  # all beyond share one value, of which next to none count
        counts = np.bincount((tile * _LEVELS + level)[within], minlength=_TILES**2 * _LEVELS).reshape(-1, _LEVELS)
        everything = np.bincount(tile.ravel(), minlength=_TILES**2)[:, None].astype(np.float32)
        smooth = cv2.GaussianBlur(counts.astype(np.float32), (0, 0), sigmaX=_SMOOTH, sigmaY=1e-3)
        a_value = pixels * _LEVELS / _BINS_16_BIT  # pixels of one 16-bit value where a level has the share of 1
        mean = np.asarray(smooth / np.maximum(everything, 1) * a_value, dtype=np.float32)
        kept = _expected(mean, most) / np.float32(a_value)
        kept += np.maximum(1 - kept.sum(axis=1, keepdims=True), 0) / _LEVELS
        tables = np.cumsum(kept, axis=1).reshape(_TILES, _TILES, _LEVELS)
        return cls((height, width), np.asarray(np.minimum(tables, 1), dtype=np.float32))

    def apply(self, grey: Image, raster: Raster) -> Image:
        """Equalised grey of a raster on the film."""
        rows, cols = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
        level = np.clip(grey * np.float32(_LEVELS), 0, _LEVELS - 1).astype(np.intp)
        out = np.zeros(raster.shape, dtype=np.float32)
        for row, row_share in _neighbours(rows / np.float32(self.tile_mm[0])):
            for col, col_share in _neighbours(cols / np.float32(self.tile_mm[1])):
                tile = (row[:, None] * _TILES + col[None]) * _LEVELS
                out += self.tables.ravel().take(tile + level) * (row_share[:, None] * col_share[None])
        return out


def _neighbours(place: Image) -> list[tuple[NDArray[np.intp], Image]]:
    """The tiles before and after places ``(n,)`` in tiles, and the share each has."""
    from_centre = place - np.float32(0.5)
    before = np.floor(from_centre)
    share = from_centre - before
    tiles = ((before + step).clip(0, _TILES - 1).astype(np.intp) for step in (0, 1))
    return list(zip(tiles, (1 - share, share), strict=True))


def _expected(mean: Image, most: int) -> Image:
    """Mean of a Poisson number cut off at ``most``: how many pixels of one 16-bit grey value count."""
    chance = np.exp(-mean)
    beyond, expected = 1 - chance, np.zeros_like(mean)
    for number in range(1, most + 1):
        expected += beyond
        chance = chance * mean / np.float32(number)
        beyond = beyond - chance
    return expected
