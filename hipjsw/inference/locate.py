"""Find the hips of a film: a network that knows the heads of right-looking hips sees the film, and its mirror image.

A hip is told right from left by its anatomy: what looks like a right hip on the film as it is, is one, and what looks
like a right hip in the mirror is a left one. So each side is found by itself, on films of one hip too. Where the film
has no spacing, it is looked at as if it were a pelvis film, then larger and smaller, and the size is kept at which the
heads are heads; where they are clearly ellipses, the picture was squeezed, and is looked at as if it were not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PLAUSIBLE_MM, PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView
from hipjsw.inference.model import Model

__all__ = ["FoundHip", "find_hips", "guess_by"]

Floats = NDArray[np.float64]

#: Film without spacing: its longer side is taken for a pelvis film's, then for so many times as much.
PELVIS_FILM_MM, TIMES = 420.0, (1.0, 0.7, 1.35)
#: Diameters of adult femoral heads, generously (they lie between 40 and 60 mm, enlarged by up to a fifth on film).
HEAD_MM = (32.0, 75.0)
#: The diameter that most heads have on film; of several sizes the one whose heads are nearest to it is kept.
USUAL_MM = 53.0
#: Heads of a film without spacing are round, but for less than so much; else its pixels are taken not to be square.
NOT_ROUND = 1.1
#: How often such a film is looked at again with what its heads said.
_AGAIN = 2
#: A head is a head from this mean probability within its disc on.
LEAST_CONFIDENCE = 0.4
#: A pixel belongs to a head from this probability on.
_SURE = 0.5
#: Of a head's area so much at least is sure, or it is none.
_LEAST_SURE = 0.3
#: Heads that look right and left of one person: at least so far apart, and no further from one height.
APART_MM, LEVEL_MM = 90.0, 70.0


@dataclass(frozen=True)
class FoundHip:
    """A hip on a film.

    Args:
        side: The patient's side, by its anatomy.
        centre_px: Film place ``(row, col)`` of the head's centre.
        size_px: The head's height and width in film pixels.
        confidence: Mean probability within the head's disc, 0 to 1.
    """

    side: Side
    centre_px: tuple[float, float]
    size_px: tuple[float, float]
    confidence: float

    @property
    def diameter_px(self) -> float:
        """The head's diameter in film pixels, the mean of its height and width."""
        return float(np.mean(self.size_px))


def find_hips(locator: Model, film: Radiograph) -> tuple[list[FoundHip], PixelSpacing]:
    """Find a film's hips.

    Args:
        locator: Its view shows a whole film, and its first class is the femoral head.
        film: The film.

    Returns:
        At most one hip a side, right first; and the spacing it was looked at with, which is the film's own, or a guess
        at which heads are of usual size: a guess is good for laying views, and for no width.
    """
    if film.spacing is not None:
        return _agreeing(_at(locator, film, film.spacing), film.spacing), film.spacing
    best: tuple[float, list[FoundHip], PixelSpacing] | None = None
    for times in TIMES:
        size_mm = times * PELVIS_FILM_MM / max(film.shape)
        spacing = _guess(size_mm, size_mm)
        found = _agreeing(_at(locator, film, spacing), spacing)
        for _ in range(_AGAIN if found else 0):
            spacing = guess_by([hip.size_px for hip in found])
            found = _agreeing(_at(locator, film, spacing), spacing) or found
        sure = sum(hip.confidence for hip in found)
        if best is None or sure > best[0]:
            best = (sure, found, spacing)
    assert best is not None
    return best[1], best[2]


def _guess(row_mm: float, col_mm: float) -> PixelSpacing:
    row, col = (float(np.clip(size, *PLAUSIBLE_MM)) for size in (row_mm, col_mm))
    return PixelSpacing(row, col, SpacingSource.NONE)


def guess_by(heads_px: Sequence[tuple[float, float]]) -> PixelSpacing:
    """The spacing at which heads are round and of usual size.

    Args:
        heads_px: Height and width of each in film pixels, one or more.
    """
    height, width = np.mean(heads_px, axis=0)
    if max(height / width, width / height) < NOT_ROUND:
        height = width = (height + width) / 2
    return _guess(USUAL_MM / height, USUAL_MM / width)


def _at(locator: Model, film: Radiograph, spacing: PixelSpacing) -> list[FoundHip]:
    """What is found at a spacing, each side by itself."""
    shown = film if spacing is film.spacing else replace(film, spacing=spacing)
    views = [
        HipView.laid(locator.view, film.shape, spacing, np.zeros(2), mirrored)  # about the film's middle
        for mirrored in (False, True)
    ]
    margin = locator.view.margin_px
    inner = slice(margin, margin + locator.view.rows_px), slice(margin, margin + locator.view.cols_px)
    image = views[0].normalised(shown, locator.view)[0][inner]
    images = np.stack([image, image[:, ::-1]])  # the mirrored view lies on the same places
    heads = locator.see(images, looks=1).looks[0, :, 0]
    hips = []
    for side, view, probs in zip((Side.RIGHT, Side.LEFT), views, heads, strict=True):
        disc = _disc(probs, locator.view.pixel_mm)
        if disc is not None:
            centre, size, confidence = disc
            row, col = spacing.to_px(view.to_film_mm(centre + margin))
            height, width = size * locator.view.pixel_mm / (spacing.row_mm, spacing.col_mm)
            hips.append(FoundHip(side, (float(row), float(col)), (float(height), float(width)), confidence))
    return hips


def _disc(probs: NDArray[np.float32], pixel_mm: float) -> tuple[Floats, Floats, float] | None:
    """The likeliest head of a view: centre ``(row, col)``, height and width, confidence; None where there is none.

    Centre, area and shape are those of the probabilities in and next to the piece that is sure: what a pixel is not
    sure of counts by its share, so that all are finer than the grid.
    """
    _, pieces, stats, _ = cv2.connectedComponentsWithStats((probs > _SURE).astype(np.uint8), connectivity=8)
    least_px = _LEAST_SURE * np.pi / 4 * (HEAD_MM[0] / pixel_mm) ** 2
    best: tuple[Floats, Floats, float] | None = None
    for piece in np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= least_px) + 1:
        near = cv2.dilate((pieces == piece).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2) > 0
        centre, size, confidence = _moments(probs, near)
        sound = HEAD_MM[0] <= float(size.prod()) ** 0.5 * pixel_mm <= HEAD_MM[1] and confidence >= LEAST_CONFIDENCE
        if sound and (best is None or confidence > best[2]):
            best = (centre, size, confidence)
    return best


def _moments(probs: NDArray[np.float32], near: NDArray[np.bool_]) -> tuple[Floats, Floats, float]:
    """Centre, height and width of the ellipse that the probabilities there are like, and their mean in it."""
    share = np.where(near, probs, 0.0).astype(np.float64)
    mass = share.sum()
    place = np.indices(probs.shape, dtype=np.float64)
    centre = (share * place).sum(axis=(1, 2)) / mass
    place -= centre[:, None, None]
    spread = np.sqrt((share * place**2).sum(axis=(1, 2)) / mass + 1 / 12)  # a pixel's own
    size = 2.0 * np.sqrt(mass / np.pi) * np.sqrt([spread[0] / spread[1], spread[1] / spread[0]])
    within = np.hypot(*(place / size[:, None, None])) <= 0.5
    return centre, size, float(probs[within].mean()) if within.any() else 0.0


def _agreeing(hips: Sequence[FoundHip], spacing: PixelSpacing) -> list[FoundHip]:
    """Both hips where they can be of one person, else the one that is surer."""
    if len(hips) < 2:
        return list(hips)
    (right_row, right_col), (left_row, left_col) = (spacing.to_mm(np.array(hip.centre_px)) for hip in hips)
    if left_col - right_col >= APART_MM and abs(left_row - right_row) <= LEVEL_MM:
        return list(hips)
    return [max(hips, key=lambda hip: hip.confidence)]
