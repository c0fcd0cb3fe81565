"""A phantom's radiograph: attenuation to stored values.

Beer-Lambert with scatter, detector blur, quantum noise, the dynamic-range compression that film processors
apply, then the grey scale of the film's kind. Geometry comes from the curves; see ``shape.py`` for what is
exactly known.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.bones import draw_bones
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.placement import FilmFormat, Placement, draw_placement
from hipjsw.phantom.population import Person, Visit, stream
from hipjsw.phantom.tissue import COARSE, soft_tissue

__all__ = ["Film", "place", "render"]

Image = NDArray[np.float32]

_BLUR_MM = 0.25


@dataclass(frozen=True)
class Film:
    """Where everything lies on one film; nothing is drawn yet.

    Args:
        seed: The cohort's seed.
        person: Whose film it is.
        visit: The visit.
        placement: The pelvis's position and the film's kind.
        halves: The two hips.
    """

    seed: int
    person: Person
    visit: Visit
    placement: Placement
    halves: dict[Side, HalfPelvis]

    @property
    def points_mm(self) -> NDArray[np.float64]:
        """All 160 landmarks ``(160, 2)`` on the film in mm: right hip, left hip."""
        return np.concatenate([self.placement.hip_to_mm(self.halves[s].landmarks, s) for s in Side])

    def head_centre_mm(self, side: Side) -> NDArray[np.float64]:
        """Centre ``(2,)`` of a femoral head on the film in mm."""
        return self.placement.hip_to_mm(np.zeros((1, 2)), side).reshape(2)


def place(seed: int, person: Person, visit: Visit) -> Film:
    """Lay a person down for a film."""
    halves = {side: person.hip(side, visit) for side in Side}
    reach = max(-float(half.landmarks[:, 1].min()) for half in halves.values()) + person.pelvis.half_distance_mm
    rng = stream(seed, person.index, 1, visit.number)
    placement = draw_placement(person.dataset, person.pelvis.half_distance_mm, reach, rng)
    return Film(seed, person, visit, placement, halves)


def _marker(attenuation: Image, film: FilmFormat, rng: np.random.Generator) -> None:
    """A lead letter beside the body: R at the left of the image or L at its right."""
    if rng.random() < 0.35:
        return
    right, size = rng.random() < 0.5, int(rng.uniform(11, 15) / film.pixel_mm)
    patch = np.zeros((2 * size, 2 * size), dtype=np.uint8)
    scale = size / 22.0
    cv2.putText(
        patch, "R" if right else "L", (size // 2, 3 * size // 2), cv2.FONT_HERSHEY_SIMPLEX, scale, 255,
        max(int(2.6 * scale), 2), cv2.LINE_AA,
    )  # fmt: skip
    row = int(rng.uniform(0.08, 0.30) * film.rows)
    col = int(rng.uniform(0.02, 0.05) * film.cols)
    col = col if right else film.cols - col - patch.shape[1]
    attenuation[row : row + patch.shape[0], col : col + patch.shape[1]] += patch.astype(np.float32) / 255 * 2.5


def _collimator(signal: Image, film: FilmFormat, rng: np.random.Generator) -> None:
    """Unexposed borders where the collimator's blades cut the field."""
    if rng.random() < 0.45:
        return
    for axis in (0, 1):
        for end in (0, 1):
            depth = int(max(rng.normal(1.0, 2.5), 0.0) / film.pixel_mm)
            if depth:
                edge = slice(0, depth) if end == 0 else slice(-depth, None)
                signal[edge if axis == 0 else slice(None), edge if axis == 1 else slice(None)] *= 0.02


def _up(coarse: Image, shape: tuple[int, int]) -> Image:
    """Bring a coarse image to full size; pixel (i, j) of it is the middle of a block of `COARSE` squared."""
    full = cv2.resize(coarse, (coarse.shape[1] * COARSE, coarse.shape[0] * COARSE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full[: shape[0], : shape[1]], dtype=np.float32)


def _down(full: Image) -> Image:
    rows, cols = (-(-n // COARSE) for n in full.shape)
    padded = cv2.copyMakeBorder(
        full, 0, rows * COARSE - full.shape[0], 0, cols * COARSE - full.shape[1], cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(padded, (cols, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _expose(attenuation: Image, kind: FilmFormat, rng: np.random.Generator, noise: np.random.Generator | None) -> Image:
    """Log exposure of the plate, bright where little arrives, from attenuation."""
    signal = np.asarray(cv2.exp(-attenuation), dtype=np.float32)
    scatter = cv2.GaussianBlur(np.minimum(_down(signal), 0.12), (0, 0), 28.0 / (COARSE * kind.pixel_mm))
    signal += np.float32(rng.uniform(0.25, 0.5)) * _up(np.asarray(scatter, dtype=np.float32), kind.shape)
    _collimator(signal, kind, rng)
    signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), _BLUR_MM / kind.pixel_mm), dtype=np.float32)
    quanta = np.float32(rng.uniform(3.0e4, 9.0e4) * (kind.pixel_mm / 0.17) ** 2)
    if noise is not None:
        grain = noise.standard_normal(kind.shape, dtype=np.float32)
        grain *= cv2.sqrt(signal / quanta)
        signal += grain
    return np.asarray(-cv2.log(np.maximum(signal, 1e-5)), dtype=np.float32)


def _grey(log_exposure: Image, kind: FilmFormat, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Stored values: compress the slow part, spread over the bits, turn over if low is to be bright."""
    small = _down(log_exposure)
    strength = np.float32(rng.uniform(0.45, 0.62))
    slow = np.asarray(cv2.GaussianBlur(small, (0, 0), 14.0 / (COARSE * kind.pixel_mm)), dtype=np.float32)
    value = log_exposure - _up(strength * slow, kind.shape)
    rows, cols = small.shape
    body = (small - strength * slow)[rows // 10 : -rows // 10, cols // 6 : -cols // 6]
    low, high = (float(v) for v in np.percentile(body, (4.0, 99.8)))
    value = (value - low) / (high - low)
    bottom, top = rng.uniform(0.08, 0.16), rng.uniform(0.80, 0.92)
    most = 2**kind.bits - 1
    stored = np.clip(most * (bottom + (top - bottom) * value) + 0.5, 0, most).astype(np.uint16)
    return np.asarray(most - stored if kind.inverted else stored, dtype=np.uint16)


def render(film: Film, noise: bool = True) -> NDArray[np.uint16]:
    """Draw a film.

    Args:
        film: What lies where.
        noise: Whether to add quantum noise (without it edges can be judged).

    Returns:
        uint16 stored values, ``(rows, cols)`` of the film's format.
    """
    kind = film.placement.format
    rng = stream(film.seed, film.person.index, 2, film.visit.number)
    attenuation = draw_bones(film.halves, film.placement, rng)
    size = float(np.clip(rng.normal(1.0, 0.05), 0.9, 1.1))
    attenuation += _up(soft_tissue(film.placement, size, rng), kind.shape)
    _marker(attenuation, kind, rng)
    grain = stream(film.seed, film.person.index, 3, film.visit.number) if noise else None
    return _grey(_expose(attenuation, kind, rng, grain), kind, rng)
