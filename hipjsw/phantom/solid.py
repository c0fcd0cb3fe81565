"""What a film is drawn of: solids, patches and strokes, as curves in the film's millimetres.

A solid is bone as a ray meets it: the chord of a cortical shell, longest just inside the outline, and of trabecular
bone within. A patch adds an even amount inside an outline; a stroke is a soft line. Amounts are attenuation beyond
the soft tissue that is displaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipjsw.phantom.field import Field

__all__ = ["Element", "Frame", "Patch", "Solid", "Stroke", "ribbon"]

Points = NDArray[np.float64]
Array = NDArray[np.float32]
#: Film rows ``(n, 1)`` and columns ``(1, m)`` in mm to positions in a body's own frame.
Frame = Callable[[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Solid:
    """A bone, or a part that a film shows as one.

    Args:
        name: What it is.
        outlines_mm: Outline and holes, ``(n, 2)`` closed polygons.
        round_mm: Half its greatest thickness, reached like a cylinder's from the edge inwards.
        cortex_mm: Thickness of the cortical shell: a number or a field.
        plate_mm: Compact bone of even thickness besides.
        spongy: Density of the trabecular part, 1 for the average: a number or a field.
        factor: Factor on everything: a number or a field; where it fades to 0, an outline leaves no edge.
        grain: Contrast of the trabeculae.
        streak: Which of the trabecular textures.
        frame: From the film to the fields' frame; needed where there are fields.
    """

    name: str
    outlines_mm: tuple[Points, ...]
    round_mm: float
    cortex_mm: float | Field = 1.0
    plate_mm: float = 0.0
    spongy: float | Field = 1.0
    factor: float | Field = 1.0
    grain: float = 0.3
    streak: int = 0
    frame: Frame | None = None


@dataclass(frozen=True, eq=False)
class Patch:
    """An even ``amount`` of attenuation inside a closed polygon ``(n, 2)``, its edge softened by ``soft_mm``."""

    name: str
    outline_mm: Points
    amount: float
    soft_mm: float = 0.0


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line of ``amount`` attenuation along ``(n, 2)`` points, ``width_mm`` wide, tapering at both ends."""

    name: str
    line_mm: Points
    width_mm: float
    amount: float
    soft_mm: float = 0.5


Element = Solid | Patch | Stroke


def ribbon(line: Points, width: float, taper: float = 0.2) -> Points:
    """Closed polygon ``(2 n, 2)`` along a line ``(n, 2)``, ``width`` wide, pointed over ``taper`` of either end."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    across = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    share = np.linspace(0.0, 1.0, len(line))
    half = 0.5 * width * np.clip(np.minimum(share, 1 - share) / taper, 0.05, 1.0)[:, None]
    return np.concatenate([line + half * across, (line - half * across)[::-1]])
