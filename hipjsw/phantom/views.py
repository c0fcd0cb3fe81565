"""Hip views drawn straight from a phantom's curves, without the film between.

Person, curves, look and grey scale are the film's: a view is drawn on its own grid, with the blur that taking it from
the film would have given it. ``tests/phantom/test_views.py`` holds the two ways together.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import label_coverage
from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.imaging.view import ANTIALIAS_PX, HipView, ViewSpec
from hipjsw.phantom.film import Film
from hipjsw.phantom.population import stream
from hipjsw.phantom.raster import Raster

__all__ = ["DrawnView", "draw_view", "draw_views", "hip_view"]

Image = NDArray[np.float32]

#: Purpose of this module's random numbers (see ``population.stream``).
_STREAM = 14
#: Largest pixel bones are drawn on: on coarser ones their edges would lie off by tenths of a millimetre.
_FINEST_MM = 0.4


@dataclass(frozen=True, eq=False)
class DrawnView:
    """One hip as a network sees it.

    Args:
        view: Where the view lies on the film.
        landmarks: The hip's 80 landmarks in view pixels.
        image: float32 ``view.shape``, 0 to 1, as `HipView.normalised` gives it.
        inside: Which pixels the film covers, ``view.shape``.
        labels: float32 ``(4, rows, cols)`` area coverage of the classes.
    """

    view: HipView
    landmarks: HipLandmarks
    image: Image
    inside: NDArray[np.bool_]
    labels: Image


def hip_view(film: Film, landmarks: HipLandmarks, spec: ViewSpec) -> HipView:
    """Where the view of one hip lies, as preparing the film would lay it.

    Args:
        film: The film.
        landmarks: The hip's landmarks on the film in mm.
        spec: What the view shows.
    """
    kind = film.placement.format
    return HipView.laid(spec, kind.shape, kind.spacing, landmarks.head_circle()[0], landmarks.side is Side.LEFT)


def draw_views(
    film: Film,
    spec: ViewSpec,
    points_mm: NDArray[np.float64] | None = None,
    labels: str = "study",
    noise: bool = True,
) -> dict[Side, DrawnView]:
    """Draw both hips of a film.

    Args:
        film: What lies where.
        spec: What a view shows.
        points_mm: The film's landmarks ``(160, 2)`` in mm; None for the exact ones.
        labels: Name of the way labels are made.
        noise: Whether to add quantum noise.

    Returns:
        The views of the two hips.

    Raises:
        LabelError: Landmarks from which no labels can be made.
    """
    sides = split_sides(film.points_mm if points_mm is None else points_mm)
    drawn = {}
    for side, on_film in sides.items():
        view = hip_view(film, on_film, spec)
        landmarks = HipLandmarks(view.from_film_mm(on_film.points), side)
        image, inside = draw_view(film, view, spec, noise)
        drawn[side] = DrawnView(view, landmarks, image, inside, label_coverage(landmarks, view.shape, labels))
    return drawn


def draw_view(film: Film, view: HipView, spec: ViewSpec, noise: bool = True) -> tuple[Image, NDArray[np.bool_]]:
    """Draw one view, scaled to [0, 1] as `HipView.normalised` scales it.

    Args:
        film: What lies where.
        view: Where the view lies on it.
        spec: The percentiles, and over what they are taken.
        noise: Whether to add quantum noise; (seed, person, visit, side) decide it.

    Returns:
        The view ``view.shape`` (0 outside the film) and the mask of what the film covers.
    """
    times = int(np.ceil(view.pixel_mm / _FINEST_MM - 1e-6))
    raster = _raster(view, times)
    key = film.seed, film.person.index, _STREAM, film.visit.number, int(view.mirrored)
    values = _stored(film, raster, _blur_px(film, view.pixel_mm, times), stream(*key) if noise else None)
    if times > 1:
        values = np.asarray(cv2.resize(values, view.shape[::-1], interpolation=cv2.INTER_AREA), dtype=np.float32)
    inside = _inside(film, _raster(view))
    if spec.normalise_over == "view":
        reference = values[inside & _film_area(film, _raster(view))]
    else:
        reference = _stored(film, film.overview.grid)[_film_area(film, film.overview.grid)]
    if reference.size == 0:
        return np.zeros_like(values), inside
    low, high = np.percentile(reference, (spec.low_percentile, spec.high_percentile))
    scaled = (values - np.float32(low)) * np.float32(1.0 / max(float(high - low), 1e-6))
    return np.where(inside, np.clip(scaled, 0.0, 1.0), np.float32(0)).astype(np.float32), inside


def _raster(view: HipView, times: int = 1) -> Raster:
    """A view's grid, each pixel cut into ``times`` squared."""
    corner = np.full(2, 0.5 / times - 0.5)
    row_mm, col_mm = view.to_film_mm(corner).tolist()
    rows, cols = view.shape
    return Raster((rows * times, cols * times), view.pixel_mm / times, (row_mm, col_mm), view.mirrored)


def _blur_px(film: Film, pixel_mm: float, times: int) -> float:
    """Blur between a film's curves and a view taken of it, in pixels of a grid ``times`` finer than the view's.

    The view's antialiasing, the film pixel's square (variance 1/12) and the interpolation between pixels (1/6 on
    average) add up; the average over the finer grid's pixels, each a square already, gives its share of it.
    """
    ratio = film.placement.format.pixel_mm / pixel_mm
    antialias = ANTIALIAS_PX if ratio < 1.0 else 0.0
    variance = antialias**2 + ratio**2 * (1 / 12 + 1 / 6)
    return float(np.sqrt(times**2 * max(variance - (times > 1) / 12, 0.0) + (times > 1) / 12))


def _stored(film: Film, raster: Raster, blur_px: float = 0.0, noise: np.random.Generator | None = None) -> Image:
    """What the film stores, in display sense and in shares of its range, at the pixels of a raster."""
    most = np.float32(2**film.placement.format.bits - 1)
    grey = film.finished(film.grey(raster, blur_px, noise), raster)
    stored = np.clip(grey, np.float32(0), np.float32(1))
    stored *= most
    return np.asarray(np.rint(stored) / most, dtype=np.float32)


def _film_area(film: Film, raster: Raster) -> NDArray[np.bool_]:
    """Where there is film and no white frame, as `hipjsw.imaging.frame.film_area` finds it on the film's own pixels."""
    frame = film.collimation
    if frame is None or (frame.grey < 0.5) != film.look.inverted:
        return np.ones(raster.shape, dtype=np.bool_)
    return np.asarray(frame.beyond(raster) < 0.5)


def _inside(film: Film, raster: Raster) -> NDArray[np.bool_]:
    kind = film.placement.format
    rows_mm, cols_mm = raster.places_mm(np.arange(raster.shape[0]), np.arange(raster.shape[1]))
    rows, cols = (
        (place / kind.pixel_mm >= -0.5) & (place / kind.pixel_mm <= size - 0.5)
        for place, size in zip((rows_mm, cols_mm), kind.shape, strict=True)
    )
    return np.asarray(rows[:, None] & cols[None])
