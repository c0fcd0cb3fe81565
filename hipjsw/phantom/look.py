"""How a film looks: everything of a film that is neither anatomy nor position, drawn at random.

``realistic`` keeps to what the two cohorts' films show. ``wide`` goes far past that, for networks that must meet
films of unknown make: contrast, texture, blur, noise, processing and artefacts no clinic would accept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LOOKS", "Look", "draw_look"]

#: The looks there are.
LOOKS = ("realistic", "wide")


@dataclass(frozen=True)
class Look:
    """One film's look. Gains are factors, lengths in mm, grey values in shares of the range.

    Args:
        bone: Contrast of bone (lower at higher tube voltage).
        density: Density of the trabecular bone.
        scatter: Scattered radiation reaching the plate, in shares of the local primary.
        quanta: Quanta per square of 0.17 mm side in the open beam.
        blur_mm: Standard deviation of focal and detector blur.
        slow: Share of the slow part of the log exposure (25 mm) that processing takes away.
        middle: Gain of what varies over 5 to 25 mm.
        local: Gain of what varies over less than 5 mm.
        edge: Further gain of what varies over less than 0.8 mm (unsharp mask).
        gamma: Exponent of the grey scale.
        bottom: Grey of the darkest parts of the body.
        top: Grey of the brightest.
        grain: Contrast of the trabeculae.
        gas: How much gas the bowel holds.
        mottle: Unevenness of the soft tissue.
        clahe: Clip limit of a local histogram equalisation; 0 for none.
        shading: Strength of a slow random brightness field.
        inverted: Whether the stored film is turned over against its own header (wide only).
    """

    bone: float
    density: float
    scatter: float
    quanta: float
    blur_mm: float
    slow: float
    middle: float
    local: float
    edge: float
    gamma: float
    bottom: float
    top: float
    grain: float
    gas: float
    mottle: float
    clahe: float = 0.0
    shading: float = 0.0
    inverted: bool = False


def draw_look(name: str, rng: np.random.Generator) -> Look:
    """Draw a film's look.

    Args:
        name: One of ``LOOKS``.
        rng: Random numbers.

    Raises:
        ValueError: No such look.
    """
    if name not in LOOKS:
        raise ValueError(f"look is one of {', '.join(LOOKS)}, not {name!r}")
    wide = name == "wide"

    def within(low: float, high: float, wide_low: float, wide_high: float) -> float:
        return float(rng.uniform(wide_low, wide_high) if wide else rng.uniform(low, high))

    def log_within(low: float, high: float, wide_low: float, wide_high: float) -> float:
        return float(np.exp(within(np.log(low), np.log(high), np.log(wide_low), np.log(wide_high))))

    return Look(
        bone=within(0.9, 1.12, 0.55, 1.4),
        density=log_within(0.8, 1.2, 0.5, 1.6),
        scatter=within(0.2, 0.5, 0.0, 0.9),
        quanta=log_within(3.5e4, 1.1e5, 4.0e3, 2.0e5),
        blur_mm=within(0.18, 0.42, 0.08, 0.8),
        slow=within(0.70, 0.84, 0.2, 0.9),
        middle=within(0.8, 1.0, 0.6, 1.3),
        local=within(1.15, 1.6, 0.7, 2.4),
        edge=within(0.0, 0.45, 0.0, 2.0),
        gamma=log_within(1.2, 1.7, 0.55, 2.0),
        bottom=within(0.05, 0.13, 0.0, 0.3),
        top=within(0.82, 0.94, 0.6, 1.15),
        grain=log_within(*((0.5, 1.1) if rng.random() < 0.3 else (0.1, 0.45)), 0.1, 1.8),
        gas=log_within(0.5, 1.6, 0.3, 3.0),
        mottle=log_within(0.7, 1.4, 0.5, 2.5),
        clahe=float(rng.uniform(1.0, 5.0)) if wide and rng.random() < 0.35 else 0.0,
        shading=float(rng.uniform(0.0, 0.35)) if wide else 0.0,
        inverted=bool(wide and rng.random() < 0.08),
    )
