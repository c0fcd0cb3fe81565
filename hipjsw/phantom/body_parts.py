"""Other parts of the body, which a hip's measurement may be given by mistake: their bones and their flesh.

Frame: mm, ``(row, col)``, origin in the part's middle, the patient's right side, medial towards larger columns. Sizes
are an adult's; nothing here carries a truth. `hipjsw.phantom.part_film` makes films of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.outline import ring
from hipjsw.phantom.solid import Element, Solid, Stroke, ribbon
from hipjsw.phantom.spine import ellipse

__all__ = ["PARTS", "BodyPart", "Flesh", "draw_part"]

Points = NDArray[np.float64]
Anchors = list[tuple[float, float]]

#: Lengths in mm of metacarpal and phalanges, thumb first.
_FINGERS_MM = ((44, 31, 25), (62, 40, 24, 18), (60, 44, 28, 19), (54, 41, 26, 18), (50, 33, 20, 17))


class Flesh(NamedTuple):
    """A capsule of soft tissue, or of air in it.

    Args:
        start: One end of its axis.
        end: The other.
        radius: Half its width.
        thick_mm: Its greatest thickness along the ray.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    radius: float
    thick_mm: float


@dataclass(frozen=True, eq=False)
class BodyPart:
    """A part of the body.

    Args:
        name: What it is.
        bones: Its bones, in its own frame.
        flesh: Soft tissue; where capsules lie over each other the thickest counts.
        air: What lungs take away from it.
        region_mm: ``(top, left, bottom, right)`` where a view of it has its centre.
    """

    name: str
    bones: tuple[Element, ...]
    flesh: tuple[Flesh, ...]
    region_mm: tuple[float, float, float, float]
    air: tuple[Flesh, ...] = ()


def _bone(name: str, outline: Points, round_mm: float, cortex: float = 1.4, factor: float = 1.0) -> Solid:
    return Solid(name, (outline,), round_mm, cortex_mm=cortex, plate_mm=0.4, spongy=0.7, factor=factor, grain=0.15)


def _both(half: Anchors) -> Points:
    """A closed outline from its half with positive columns, listed from top to bottom."""
    points = np.array(half, dtype=np.float64)
    return ring(np.concatenate([points, points[::-1] * (1.0, -1.0)]))


def _waisted(start: Points, end: Points, width: float) -> Points:
    """A small tubular bone: ends ``width`` wide, narrower between."""
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    share = np.array([0.0, 0.06, 0.18, 0.4, 0.62, 0.84, 0.95, 1.0])[:, None]
    half = 0.5 * width * np.array([0.62, 0.96, 0.86, 0.62, 0.60, 0.80, 0.86, 0.52])[:, None]
    line = start + share * (end - start)
    return ring(np.concatenate([line + half * across, (line - half * across)[::-1]]))


def _tube(line: Anchors, width: float) -> Points:
    """A bone of even width along a bent line, its ends blunt."""
    anchors = np.array(line, dtype=np.float64)
    place = np.linspace(0, len(anchors) - 1, 40)
    fine = np.column_stack([np.interp(place, np.arange(len(anchors)), anchors[:, k]) for k in (0, 1)])
    smooth = cv2.GaussianBlur(fine, (1, 0), sigmaX=1e-3, sigmaY=3.0, borderType=cv2.BORDER_REPLICATE)
    return ribbon(np.asarray(smooth, dtype=np.float64), width, taper=0.02)


def _knee(rng: np.random.Generator) -> BodyPart:
    gap = float(rng.uniform(3.0, 6.5))
    notch: Anchors = [(-7, 0.5), (-6, 5), (1, 10), (4, 16), (4.5, 24), (2, 33), (-8, 40), (-22, 40), (-36, 29)]
    femur = _both([*notch, (-52, 20), (-80, 16), (-130, 14.5), (-180, 15)])
    top = 4.5 + gap
    spine: Anchors = [(top - 2, 0.5), (top - 6, 3.5), (top - 5, 5), (top, 10), (top + 1.2, 22), (top - 0.5, 36)]
    tibia = _both([*spine, (top + 8, 39), (top + 20, 33), (top + 36, 22), (top + 60, 16), (140, 13.5), (180, 13)])
    outer: Anchors = [(top + 9, -37), (top + 13, -42), (top + 24, -42), (top + 38, -37), (top + 70, -33), (190, -32)]
    inner: Anchors = [(190, -22), (top + 70, -23), (top + 38, -27), (top + 24, -28), (top + 13, -31)]
    fibula = ring(np.array([*outer, *inner], dtype=np.float64))
    patella = ellipse(float(rng.uniform(-30, -16)), float(rng.normal(0, 3)), 21.0, 22.0)
    plates = [np.array([(top + 1.8, c) for c in np.linspace(a, b, 20)]) for a, b in ((-34, -11), (11, 34))]
    return BodyPart(
        "knee",
        (
            _bone("femur", femur, 17.0, 1.2, 0.72),
            _bone("tibia", tibia, 16.0, 1.2, 0.72),
            _bone("fibula", fibula, 5.0, 1.2, 0.5),
            _bone("patella", patella, 9.0, 0.8, 0.45),
            *(Stroke("plateau", plate, 2.6, 0.22, 0.6) for plate in plates),
        ),
        (Flesh((-250, 0), (-60, 0), 72, 135), Flesh((-80, 0), (250, 0), 58, 112)),
        (-18.0, -28.0, 30.0, 28.0),
    )


def _shoulder(rng: np.random.Generator) -> BodyPart:
    lateral: Anchors = [(190, -19), (110, -18.5), (60, -20), (30, -25), (8, -28), (-8, -26), (-15, -19)]
    head: Anchors = [(-21, -9), (-23.5, 2), (-20, 12), (-11, 20), (0, 23.5), (11, 20.5), (18, 14), (27, 5)]
    humerus = ring(np.array([*lateral, *head, (45, -1), (80, -2), (120, -2.5), (190, -2)], dtype=np.float64))
    gap = float(rng.uniform(2.5, 5.0))
    socket = 24.0 + gap
    glenoid = ellipse(2.0, socket + 5.0, 19.0, 5.5)
    blade: Anchors = [(-16, socket + 3), (-8, socket + 16), (-22, 62), (-34, 96), (30, 104), (110, 92), (62, 66)]
    scapula = ring(np.array([*blade, (36, socket + 14), (20, socket + 4)], dtype=np.float64))
    ribs = [_tube([(r, 150), (r - 12, 108), (r + 4, 78), (r + 34, 66)], 8.5) for r in (-5.0, 24.0, 53.0, 82.0)]
    return BodyPart(
        "shoulder",
        (
            _bone("humerus", humerus, 15.0, 1.6, 0.75),
            _bone("glenoid", glenoid, 5.0, 1.4, 0.9),
            _bone("scapula", scapula, 8.0, 0.6, 0.4),
            _bone("acromion", _tube([(-26, -26), (-36, -12), (-38, 14)], 12.0), 5.0, 1.2, 0.6),
            _bone("clavicle", _tube([(-38, 12), (-44, 40), (-46, 80), (-34, 130)], 12.0), 6.0, 1.6, 0.8),
            _bone("coracoid", ellipse(-14.0, socket + 8.0, 8.0, 12.0, 20.0), 5.0, 1.4, 0.6),
            *(_bone("rib", rib, 4.0, 1.0, 0.8) for rib in ribs),
        ),
        (
            Flesh((0, -2), (260, -14), 46, 100),
            Flesh((60, 150), (300, 150), 120, 150),
            Flesh((-8, 20), (40, 150), 60, 95),
        ),
        (-15.0, -20.0, 25.0, 45.0),
        (Flesh((60, 135), (220, 135), 62, 95),),
    )


def _long_bones(rng: np.random.Generator) -> BodyPart:
    leg = rng.random() < 0.5
    thick, thin, apart = (25.0, 12.0, 34.0) if leg else (15.0, 13.0, 24.0)
    bend = float(rng.normal(0.0, 4.0))
    lines: list[tuple[float, float]] = [(thick, 0.3 * apart), (thin, -0.7 * apart)]
    bones = [
        _bone("shaft", _tube([(-240, c), (-80, c + bend), (80, c + bend), (240, c)], w), 0.5 * w, 0.22 * w)
        for w, c in lines
    ]
    flesh = Flesh((-260, 0), (260, 0), 54.0 if leg else 38.0, 105.0 if leg else 62.0)
    return BodyPart("lower leg" if leg else "forearm", tuple(bones), (flesh,), (-40.0, -12.0, 40.0, 12.0))


def _hand(rng: np.random.Generator) -> BodyPart:
    spread = float(rng.uniform(6.0, 12.0))
    bones: list[Element] = []
    flesh = [Flesh((30, -6), (62, 0), 36, 30), Flesh((60, 0), (220, 0), 28, 42)]
    for ray, lengths in enumerate(_FINGERS_MM):
        lean = np.deg2rad(spread * (ray - 2) - (24.0 if ray == 0 else 0.0))
        along = np.array([-np.cos(lean), np.sin(lean)])
        at = np.array([50.0 if ray else 60.0, 12.5 * (ray - 2)])
        start = at.copy()
        for nth, length in enumerate(lengths):
            width = (15.0, 14.5, 12.0, 10.0)[nth] * (0.9 if ray == 4 else 1.0)
            outline = _waisted(at, at + length * along, width)
            bones.append(_bone("phalanx" if nth else "metacarpal", outline, 0.42 * width))
            at = at + (length + 2.0) * along
        tip = at + 3.0 * along
        flesh.append(Flesh((float(start[0]), float(start[1])), (float(tip[0]), float(tip[1])), 11.5, 22.0))
    for row in (58.0, 72.0):
        for col in (-20.0, -6.5, 6.5, 20.0):
            size = rng.uniform(6.0, 8.0, 2)
            spot = ellipse(row + abs(col) * 0.15, col * 0.95, float(size[0]), float(size[1]), float(rng.uniform(0, 90)))
            bones.append(_bone("carpal", spot, 5.5, 0.9))
    radius = _waisted(np.array([84.0, -8.0]), np.array([320.0, -12.0]), 30.0)
    ulna = _waisted(np.array([90.0, 16.0]), np.array([320.0, 12.0]), 17.0)
    bones += [_bone("radius", radius, 7.0, 1.6), _bone("ulna", ulna, 6.0, 1.6)]
    return BodyPart("hand", tuple(bones), tuple(flesh), (-70.0, -25.0, 60.0, 25.0))


def _chest(rng: np.random.Generator) -> BodyPart:
    bones: list[Element] = []
    step = float(rng.uniform(25.0, 30.0))
    for nth in range(-6, 7):
        row = step * nth
        body = _both([(row - 9, 0.5), (row - 10, 13), (row, 12), (row + 10, 13), (row + 9, 0.5)])
        bones.append(_bone("vertebra", body, 11.0, 0.6, 0.7))
        for side in (-1.0, 1.0):
            back: Anchors = [(row, 16), (row - 12, 42), (row - 2, 85), (row + 26, 118), (row + 48, 126)]
            front: Anchors = [(row + 48, 126), (row + 66, 104), (row + 84, 72), (row + 88, 55)]
            for line, factor in ((back, 0.95), (front, 0.6)):
                bones.append(_bone("rib", _tube([(r, side * c) for r, c in line], 9.5), 4.0, 1.0, factor))
    air = tuple(Flesh((-100, 72 * s), (90, 78 * s), 54, 125) for s in (-1.0, 1.0))
    heart = Flesh((30, 22), (80, 44), 52, 215)
    trunk = Flesh((-170, 0), (330, 0), 165, 205)
    return BodyPart("chest", tuple(bones), (trunk, heart), (-60.0, -85.0, 70.0, 85.0), air)


#: The parts there are; each draws one of its kind.
PARTS: dict[str, Callable[[np.random.Generator], BodyPart]] = {
    "knee": _knee,
    "shoulder": _shoulder,
    "long bones": _long_bones,
    "hand": _hand,
    "chest": _chest,
}


def draw_part(name: str, rng: np.random.Generator) -> BodyPart:
    """Draw a part of the body.

    Args:
        name: One of ``PARTS``.
        rng: Random numbers.

    Raises:
        ValueError: No such part.
    """
    if name not in PARTS:
        raise ValueError(f"a part of the body is one of {', '.join(PARTS)}, not {name!r}")
    return PARTS[name](rng)
