"""The joint space of a hip as a ribbon on its film, coloured by width."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patheffects import withStroke

from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.reporting.width_colours import WIDTH_MAP, WIDTH_RANGE_MM

__all__ = ["SHADOW", "draw_ribbon", "draw_witness", "width_bar"]

#: Dark line under a bright one, so that it is seen on bright bone.
SHADOW = [withStroke(linewidth=3.2, foreground="black")]


def draw_ribbon(axes: Axes, width: JointSpaceWidth, pixel_mm: float, opacity: float = 0.85) -> QuadMesh:
    """Fill the space between the places of the sourcil and their nearest points of the head, coloured by width.

    Args:
        axes: Axes that show the view, in view pixels.
        width: What was measured.
        pixel_mm: Size of the view's pixels in mm.
        opacity: 1 hides the film beneath.

    Returns:
        The ribbon: corners ``(2, n, 2)`` as ``(x, y)`` in view pixels, colours ``(1, n - 1)`` by width in mm.
    """
    corners = np.stack([width.roof_mm, width.foot_mm]) / pixel_mm
    between = (width.profile_mm[1:] + width.profile_mm[:-1]) / 2
    return axes.pcolormesh(
        corners[..., 1],
        corners[..., 0],
        between[None],
        cmap=WIDTH_MAP,
        norm=Normalize(*WIDTH_RANGE_MM),
        alpha=opacity,
        zorder=1.5,
        rasterized=True,  # as vectors, translucent neighbours show seams
    )


def draw_witness(axes: Axes, width: JointSpaceWidth, pixel_mm: float, line: float, colour: str) -> None:
    """Mark the minimum by its two points and the line between them, as wide as ``line`` points."""
    points = np.stack([width.roof_witness_mm, width.head_witness_mm]) / pixel_mm
    axes.plot(points[:, 1], points[:, 0], color=colour, lw=line, marker="o", ms=2.5 * line, path_effects=SHADOW)


def width_bar(figure: Figure | SubFigure, axes: Any) -> None:
    """A bar of the ribbon's colours below the legend, in mm.

    Args:
        figure: The figure to draw into.
        axes: Axes to draw the bar in.
    """
    colours = ScalarMappable(Normalize(*WIDTH_RANGE_MM), WIDTH_MAP)
    bar = figure.colorbar(colours, cax=axes, orientation="horizontal", extend="max", ticks=range(7))
    bar.set_label("joint space width (mm)", fontsize=11)
