"""How figures look: colours that colour-blind readers can tell apart (Okabe and Ito), sizes, and saving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

__all__ = [
    "COLOURS",
    "CONTRAST",
    "DPI",
    "GROUPS",
    "LABEL",
    "MEASURED",
    "NEUTRAL",
    "REFERENCE",
    "interval_text",
    "plain_axes",
    "save",
    "spread",
]

DPI = 150
COLOURS = {"femur": "#56B4E9", "acetabulum": "#E69F00", "joint_space": "#009E73", "mean": "#000000"}
#: The label's outlines on a film.
LABEL = "#FFFFFF"
#: What was measured: head margin, sourcil, witness points.
MEASURED = "#F0E442"
REFERENCE = "#D55E00"
NEUTRAL = "#0072B2"
#: Colour and mark of one group of hips after the other; the marks tell them apart without colour as well.
GROUPS = (
    (NEUTRAL, "o"),
    (COLOURS["acetabulum"], "s"),
    (COLOURS["joint_space"], "^"),
    ("#CC79A7", "D"),
    (COLOURS["femur"], "v"),
)
#: Cold (blue) below zero, warm (red) above.
CONTRAST = "RdBu_r"

#: Nothing is written beside a picture that differs from one run or machine to the next.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Creator": None, "Date": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}
#: Ids of an SVG from a fixed salt instead of a random one; letters of a PDF as TrueType, which journals ask for.
_VECTOR: Any = {"svg.hashsalt": "hipjsw", "pdf.fonttype": 42}


def plain_axes(axes: Axes, x: str, y: str, title: str) -> None:
    """Name the axes of a diagram and draw a light grid behind it."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=12)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def interval_text(interval_mm: tuple[float, float]) -> str:
    """An interval in words, e.g. ``2.02 to 2.58``; a minus is written as one."""
    return " to ".join(f"{bound:.2f}" for bound in interval_mm).replace("-", "−")


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Move places apart to at least ``gap``, all together as little as can be (least squares); order is kept."""
    order = np.argsort(places, kind="stable")
    if len(order) == 0:
        return []
    steps = gap * np.arange(len(order))
    apart = isotonic_regression(np.asarray(places, dtype=np.float64)[order] - steps).x + steps
    moved = np.empty(len(order))
    moved[order] = apart
    return [float(place) for place in moved]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of its suffix; makes its folder. The same figure gives the same bytes.

    Args:
        figure: What to write.
        path: ``.png``, ``.svg`` or ``.pdf``. Beside the two latter a PNG of the same name is written, for whatever
            shows no vectors.

    Returns:
        The path.

    Raises:
        ValueError: Another suffix.
    """
    kind = path.suffix[1:].lower()
    if kind not in _METADATA:
        raise ValueError(f"a figure is written as {', '.join('.' + name for name in _METADATA)}, not as {path.name!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    targets = {"png": path} if kind == "png" else {"png": path.with_suffix(".png"), kind: path}
    with rc_context(_VECTOR):
        for name, target in targets.items():
            figure.savefig(target, dpi=DPI, format=name, facecolor="white", metadata=_METADATA[name])
    return path
