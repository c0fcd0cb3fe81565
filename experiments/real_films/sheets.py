"""Contact sheets: whole films and hips, real and phantom side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from films import Picture, enhanced, rectified
from matplotlib.figure import Figure
from numpy.typing import NDArray

__all__ = ["REAL_CAPTION", "films_sheet", "hips_sheet", "tile_sheet"]

REAL_CAPTION = "real (FracAtlas, CC BY 4.0)"
SOURCE = "Real films: FracAtlas, Abedeen et al. 2023, Sci Data 10:521, CC BY 4.0"
GAP = 0.015

Image = NDArray[np.floating]


def tile_sheet(rows: Sequence[tuple[str, Sequence[Image]]], path: Path, note: str = SOURCE, inch: float = 2.6) -> Path:
    """Rows of images, a caption before each row, thin gaps, no axes; grey 0 to 1 or ``(r, c, 3)`` colours."""
    cols = max(len(images) for _, images in rows)
    tall = rows[0][1][0].shape[0] / rows[0][1][0].shape[1]
    caption, foot = 0.24, 0.28
    width, height = cols * inch, len(rows) * (inch * tall + caption) + foot
    figure = Figure(figsize=(width, height), facecolor="black")
    for number, (text, images) in enumerate(rows):
        bottom = (height - (number + 1) * (inch * tall + caption)) / height
        figure.text(0.004, bottom + (inch * tall + 0.05) / height, text, color="0.85", fontsize=11, va="bottom")
        for place, image in enumerate(images):
            axes = figure.add_axes((place / cols, bottom, 1 / cols - GAP / width, inch * tall / height))
            axes.imshow(np.nan_to_num(image), cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="antialiased")
            axes.set_axis_off()
    figure.text(0.004, 0.06 / height, note, color="0.6", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="black", metadata={"Software": None})
    return path


def films_sheet(real: Sequence[Picture], phantom: Sequence[Picture], path: Path, cols: int = 5) -> Path:
    """Rows of real and phantom films in turn, first as drawn, then with the same enhancement."""
    rows = []
    for form, change in (("as drawn", lambda pixels: pixels), ("same enhancement", enhanced)):
        for first in range(0, min(len(real), len(phantom)), cols):
            for name, films in ((REAL_CAPTION, real), ("phantom", phantom)):
                part = [_small(change(film.pixels)) for film in films[first : first + cols]]
                rows.append((f"{name}, {form}", part))
    return tile_sheet(rows, path)


def hips_sheet(real: Sequence[Picture], phantom: Sequence[Picture], path: Path, count: int = 10) -> Path:
    """Right and left hips in turn at equal size of the head, medial to the right; real above, phantom below."""
    rows = []
    for first in range(0, count, 5):
        for name, films in ((REAL_CAPTION, real), ("phantom", phantom)):
            part = [_hip(film, number % 2) for number, film in enumerate(films[first : first + 5])]
            rows.append((f"{name}, heads brought to one size", part))
    return tile_sheet(rows, path)


def _small(pixels: Image) -> Image:
    return np.asarray(cv2.resize(pixels.astype(np.float32), (420, 420), interpolation=cv2.INTER_AREA))


def _hip(film: Picture, which: int) -> Image:
    cut = rectified(film.pixels, film.hips[which], (-2.0, 2.0, -2.0, 2.0), 90)
    low, high = np.nanpercentile(cut, (1, 99.5))
    return np.clip((cut - low) / max(float(high - low), 1e-6), 0, 1)
