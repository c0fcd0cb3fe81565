"""Sacrum, coccyx and lowest lumbar vertebrae, which fill the middle of a pelvic film.

Outlines in mm, ``(row, col)``, in the frame of the pelvis: origin midway between the femoral heads' centres, columns
towards the patient's left (right in the image). No truth depends on them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.outline import ring
from hipjsw.phantom.placement import Placement
from hipjsw.phantom.solid import Element, Patch, Solid, Stroke

__all__ = ["ellipse", "spine_elements"]

Points = NDArray[np.float64]


def ellipse(row: float, col: float, height: float, width: float, tilt_deg: float = 0.0) -> Points:
    """An ellipse ``(64, 2)`` with half axes ``height`` and ``width``, turned by ``tilt_deg``."""
    angle, tilt = np.linspace(0.0, 2 * np.pi, 64, endpoint=False), np.deg2rad(tilt_deg)
    plain = np.column_stack([height * np.sin(angle), width * np.cos(angle)])
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    return np.asarray(plain @ turn.T + (row, col), dtype=np.float64)


def _mirrored(rows: list[tuple[float, float]]) -> Points:
    """A closed outline from its right half, listed from the top of the midline downwards."""
    half = np.array(rows, dtype=np.float64)
    return ring(np.concatenate([half * (1.0, -1.0), half[::-1]]))


class _Axis:
    """The spine's own frame: bent a little, shifted by the pelvis's twist, shorter with its tilt."""

    def __init__(self, placement: Placement, scale: float, tilt: float, twist: float, rng: np.random.Generator) -> None:
        self.placement, self.scale, self.tilt, self.twist = placement, scale, tilt, twist
        self.bend = float(rng.normal(0.0, 5.0))

    def to_mm(self, points: Points) -> Points:
        """Points of the average spine as film places in mm."""
        p = points * self.scale
        up = np.clip(-p[:, 0] / 110.0, 0.0, None)
        sacral = np.clip((p[:, 0] + 110.0) / 110.0, 0.0, 1.0)
        p[:, 0] += (9.0 * self.tilt) * sacral - 3.0 * self.tilt
        p[:, 1] += self.bend * np.clip(up - 0.6, 0.0, None) ** 2 - 7.0 * self.twist * np.clip(up, 0.0, 1.0)
        return self.placement.pelvis_to_mm(p)

    def solid(self, name: str, outline: Points, round_mm: float, cortex: float, plate: float, factor: float) -> Solid:
        """A solid in this frame."""
        return Solid(
            name, (self.to_mm(outline),), round_mm, cortex_mm=cortex, plate_mm=plate, factor=factor, spongy=0.9,
            grain=0.16,
        )  # fmt: skip


def _sacrum(axis: _Axis) -> list[Element]:
    body = [(-108, 6), (-109, 22), (-107, 33), (-110, 46), (-104, 57), (-90, 57), (-76, 51)]
    body += [(-62, 43), (-52, 33), (-42, 24), (-34, 17), (-29, 11), (-27, 3)]
    tail = [(-25, 2), (-24, 7), (-17, 6), (-9, 4.5), (-3, 2.5), (-2, 0.7)]
    elements: list[Element] = [
        axis.solid("sacrum", _mirrored([(float(r), float(c)) for r, c in body]), 10.0, 0.2, 2.8, 0.46),
        axis.solid("coccyx", _mirrored([(float(r), float(c)) for r, c in tail]), 5.0, 0.8, 0.6, 0.35),
    ]
    for row, col, height, width in ((-84, 21, 4.5, 6), (-68, 18.5, 4, 5.5), (-54, 15.5, 3.5, 4.6), (-42, 12, 3, 3.6)):
        for side in (-1, 1):
            hole = ellipse(row, side * col, height, width, 18.0 * side)
            elements.append(Patch("foramen", axis.to_mm(hole), -0.06, 1.1))
            elements.append(Stroke("arcuate line", axis.to_mm(hole[34:62]), 1.8, 0.10, 0.7))
    for row in (-92, -77, -62, -50):
        elements.append(axis.solid("sacral crest", ellipse(row, 0.0, 5.5, 2.6), 3.0, 0.6, 0.4, 0.38))
    top = np.array([(-107.0, c) for c in np.linspace(-27, 27, 20)])
    top[:, 0] -= 3.0 * np.cos(top[:, 1] / 27 * np.pi / 2)
    elements.append(Stroke("promontory", axis.to_mm(top), 2.2, 0.10, 0.8))
    return elements


def _vertebra(axis: _Axis, top: float, bottom: float, width: float, rng: np.random.Generator) -> list[Element]:
    middle = (top + bottom) / 2
    body = [(top + 1.2, 3.0), (top + 0.4, width * 0.55), (top - 0.8, width - 3), (top + 2.0, width)]
    body += [(middle, width - 4.0), (bottom - 2.0, width), (bottom + 0.8, width - 3), (bottom - 0.4, width * 0.55)]
    outline = _mirrored([*body, (bottom - 1.2, 3.0)])
    elements: list[Element] = [axis.solid("vertebra", outline, 15.0, 0.5, 2.4, 0.95)]
    for edge, sign in ((top, 1.0), (bottom, -1.0)):
        plate = np.array([(edge + sign * 1.2, c) for c in np.linspace(-width + 3, width - 3, 24)])
        elements.append(Stroke("end plate", axis.to_mm(plate), 1.8, 0.26, 0.5))
    for side in (-1, 1):
        drop = float(rng.normal(0.0, 2.0))
        wing = np.array([(-6, 14), (-6, 34), (-3.5, 47), (1, 49), (3.5, 42), (4, 30), (4, 14)]) * (1.0, side)
        wing += (middle - 5.0 + drop * 0.2, 0.0)
        elements.append(axis.solid("transverse process", ring(wing), 3.5, 0.5, 0.8, 0.7))
        elements.append(axis.solid("pedicle", ellipse(middle - 5.0, side * 18.5, 6.5, 4.2), 5.0, 1.0, 0.3, 0.7))
        facet = np.array([(9, 10), (11, 17), (19, 20), (25, 17), (22, 10), (14, 7)]) * (1.0, side) + (middle, 0.0)
        elements.append(axis.solid("facet", ring(facet), 4.0, 1.0, 0.6, 0.8))
    spinous = np.array([(-2, 2.4), (6, 3.0), (14, 4.4), (17, 2.0), (17, -2.0), (14, -4.4), (6, -3.0), (-2, -2.4)])
    spinous += (middle + 2.0, float(rng.normal(0, 1)))
    elements.append(axis.solid("spinous process", ring(spinous), 4.0, 0.9, 0.8, 0.7))
    lamina = np.array([(middle + 2.0, c) for c in np.linspace(-15, 15, 12)])
    lamina[:, 0] += 6.0 - np.abs(lamina[:, 1]) * 0.5
    elements.append(Stroke("lamina", axis.to_mm(lamina), 5.0, 0.16, 1.2))
    return elements


def spine_elements(
    placement: Placement, scale: float, tilt: float, twist: float, rng: np.random.Generator
) -> list[Element]:
    """What draws sacrum, coccyx and the vertebrae L5 to L2.

    Args:
        placement: Where the pelvis lies on the film.
        scale: Size, 1 for the average.
        tilt: The pelvis's tilt, as in ``PelvisForm``.
        twist: Its twist.
        rng: Random numbers.
    """
    axis = _Axis(placement, scale, tilt, twist, rng)
    elements = _sacrum(axis)
    for top, bottom, width in ((-140, -113, 29), (-177, -148, 28), (-214, -185, 27), (-250, -222, 26)):
        elements += _vertebra(axis, top, bottom, width, rng)
    return elements
