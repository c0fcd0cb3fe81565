"""Smooth fields over a hip, for what changes slowly inside a bone: density, thickness, cortex.

A field is a function of position in a hip's frame (mm, ``(row, col)``, columns medially), evaluated on arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "blob", "constant", "ramp", "smoothstep", "total"]

Array = NDArray[np.float32]
Field = Callable[[Array, Array], Array]


def smoothstep(value: Any) -> Array:
    """0 below 0, 1 above 1, and smooth between."""
    part = np.clip(value, 0.0, 1.0)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float32)


def constant(value: float) -> Field:
    """The same everywhere."""
    return lambda row, col: np.full(np.broadcast(row, col).shape, value, dtype=np.float32)


def ramp(start: tuple[float, float], end: tuple[float, float], low: float = 0.0, high: float = 1.0) -> Field:
    """``low`` before ``start``, ``high`` beyond ``end``, smooth between, along the line from one to the other."""
    step = np.subtract(end, start)
    step = step / (step @ step)

    def value(row: Array, col: Array) -> Array:
        along = (row - np.float32(start[0])) * np.float32(step[0]) + (col - np.float32(start[1])) * np.float32(step[1])
        return np.asarray(low + (high - low) * smoothstep(along), dtype=np.float32)

    return value


def blob(centre: tuple[float, float], size: tuple[float, float], amount: float, turn_deg: float = 0.0) -> Field:
    """A Gaussian hill of height ``amount`` with standard deviations ``size`` along and across ``turn_deg``.

    Args:
        centre: Its place ``(row, col)``.
        size: Standard deviations along rows and columns before turning.
        amount: Its height; negative for a hollow.
        turn_deg: Turn from the rows' axis towards the columns'.
    """
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))

    def value(row: Array, col: Array) -> Array:
        r, c = row - np.float32(centre[0]), col - np.float32(centre[1])
        u, v = (r * cos + c * sin) / size[0], (c * cos - r * sin) / size[1]
        return np.asarray(amount * np.exp(-0.5 * (u * u + v * v)), dtype=np.float32)

    return value


def total(*fields: Field, low: float = 0.0) -> Field:
    """The sum of fields, never below ``low``."""
    return lambda row, col: np.maximum(sum((f(row, col) for f in fields), np.float32(0.0)), low).astype(np.float32)
