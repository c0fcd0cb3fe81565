"""A contact sheet of films: to look at a cohort before believing a table of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

__all__ = ["SheetFilm", "draw_film_sheet", "shrunk"]

DPI = 100
_TILE_PX = (360, 448)


@dataclass(frozen=True, eq=False)
class SheetFilm:
    """One film of a sheet.

    Args:
        pixels: ``(rows, cols)``, display sense (bone bright), 0 to 1.
        caption: What stands below it.
    """

    pixels: NDArray[np.float32]
    caption: str


def shrunk(pixels: NDArray[Any], tile: tuple[int, int] = _TILE_PX) -> NDArray[np.float32]:
    """A film brought into a tile, its proportions kept, black round it.

    Args:
        pixels: ``(rows, cols)``, 0 to 1.
        tile: Rows and columns of the tile.
    """
    share = min(tile[0] / pixels.shape[0], tile[1] / pixels.shape[1])
    rows, cols = (max(round(n * share), 1) for n in pixels.shape)
    small = cv2.resize(pixels.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
    out = np.zeros(tile, dtype=np.float32)
    top, left = (tile[0] - rows) // 2, (tile[1] - cols) // 2
    out[top : top + rows, left : left + cols] = np.clip(small, 0.0, 1.0)
    return out


def draw_film_sheet(films: Sequence[SheetFilm], path: Path, title: str, columns: int = 4) -> Path:
    """Draw films side by side.

    Args:
        films: At least one.
        path: PNG to write.
        title: What stands above.
        columns: Films a row.

    Returns:
        The path.

    Raises:
        ValueError: No films.
    """
    if not films:
        raise ValueError("no films to draw")
    rows = -(-len(films) // columns)
    width, height = columns * _TILE_PX[1] / DPI, rows * (_TILE_PX[0] / DPI + 0.28) + 0.4
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="black")
    figure.suptitle(title, color="0.85", fontsize=12)
    axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    for ax, film in zip(axes, films, strict=False):
        ax.imshow(shrunk(film.pixels), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(film.caption, color="0.75", fontsize=9, y=-0.09)
    for ax in axes:
        ax.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, format="png", facecolor="black", metadata={"Software": None})
    return path
