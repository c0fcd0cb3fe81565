"""How figures look: colours that colour-blind readers can tell apart (Okabe and Ito), sizes, and saving."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["COLOURS", "CONTRAST", "DPI", "LABEL", "MEASURED", "NEUTRAL", "REFERENCE", "plain_axes", "save"]

DPI = 150
COLOURS = {"femur": "#56B4E9", "acetabulum": "#E69F00", "joint_space": "#009E73", "mean": "#000000"}
#: The label's outlines on a film.
LABEL = "#FFFFFF"
#: What was measured: head margin, sourcil, witness points.
MEASURED = "#F0E442"
REFERENCE = "#D55E00"
NEUTRAL = "#0072B2"
#: Cold (blue) below zero, warm (red) above.
CONTRAST = "RdBu_r"


def plain_axes(axes: Axes, x: str, y: str, title: str) -> None:
    """Name the axes of a diagram and draw a light grid behind it."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=12)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, format="png", facecolor="white", metadata={"Software": None})
    return path
