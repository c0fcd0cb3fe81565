"""Pictures of test hips: film, joint with its space coloured by width, contrast of prediction and label."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.reporting.picture import HipPicture, contrast_map, outlines
from hipjsw.reporting.ribbon import SHADOW, draw_ribbon, draw_witness, width_bar
from hipjsw.reporting.style import COLOURS, CONTRAST, LABEL, MEASURED, save

__all__ = ["draw_hip", "draw_hips"]

NAMES = {"femur": "femur", "acetabulum": "acetabulum", "joint_space": "joint space"}
ROW_SIZE = (11.4, 4.9)
LEGEND_INCH = 0.85
TITLE_LETTERS = 108


def draw_hip(picture: HipPicture, path: Path) -> Path:
    """Draw one hip: film view, joint enlarged, predicted against label.

    Args:
        picture: The hip.
        path: What to write, in the format of its suffix (``style.save``).

    Returns:
        The path.
    """
    return _draw([("", picture)], path)


def draw_hips(pictures: Sequence[tuple[str, HipPicture]], path: Path) -> Path:
    """Draw several hips, a row each, e.g. best, median and worst.

    Args:
        pictures: What the hip is an example of, and the hip.
        path: What to write, in the format of its suffix (``style.save``).

    Returns:
        The path.

    Raises:
        ValueError: No hips.
    """
    if not pictures:
        raise ValueError("no hips to draw")
    return _draw(pictures, path)


def _draw(pictures: Sequence[tuple[str, HipPicture]], path: Path) -> Path:
    width, height = ROW_SIZE
    total = height * len(pictures) + LEGEND_INCH
    figure = Figure(figsize=(width, total), layout="constrained")
    heights = [height] * len(pictures) + [LEGEND_INCH]
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights)
    for part, (label, picture) in zip(parts[:-1], pictures, strict=True):
        _draw_row(part, label, picture)
    _draw_legend(parts[-1], any(isinstance(picture.width, JointSpaceWidth) for _, picture in pictures))
    return save(figure, path)


def _draw_row(part: SubFigure, label: str, picture: HipPicture) -> None:
    dice = f"mean Dice {picture.dice_mean:.3f}" if np.isfinite(picture.dice_mean) else "Dice undefined"
    head = f"{label}: " if label else ""
    part.suptitle(f"{head}hip {picture.caption}, {dice}\n{textwrap.fill(picture.result, TITLE_LETTERS)}", fontsize=13)
    grid = part.add_gridspec(2, 3, width_ratios=[1.0, 1.0, 0.5])
    film, joint = part.add_subplot(grid[:, 0]), part.add_subplot(grid[:, 1])
    window = picture.window_px()
    _draw_film(film, picture)
    top, bottom, left, right = window
    film.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="0.8", lw=0.8, ls=":")
    _draw_joint(joint, picture)
    _zoom(joint, window)
    _annotate(joint, picture)
    maps = contrast_map(picture.probs, picture.coverage)
    small = [part.add_subplot(grid[row, 2]) for row in range(2)]
    for axes, values, name in zip(small, maps, ("bones", "joint space"), strict=True):
        axes.imshow(values, cmap=CONTRAST, vmin=-1, vmax=1, interpolation="nearest")
        for plane in picture.coverage:
            _lines(axes, outlines(plane), color="0.45", lw=0.7)
        _bare(axes, f"{name}, difference")
    _zoom(small[1], window)
    bar = part.colorbar(ScalarMappable(Normalize(-1, 1), CONTRAST), ax=small, fraction=0.06, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["label\nonly", "same", "predicted\nonly"], fontsize=10)


def _draw_film(axes: Axes, picture: HipPicture) -> None:
    """Film with the outlines of prediction and label and the two witness points."""
    axes.imshow(picture.image, cmap="gray", vmin=0, vmax=1)
    for name, predicted, label in zip(NAMES, picture.probs, picture.coverage, strict=True):
        _lines(axes, outlines(predicted), color=COLOURS[name], lw=1.4)
        _lines(axes, outlines(label), color=LABEL, lw=0.55)
    if isinstance(picture.width, JointSpaceWidth):
        draw_witness(axes, picture.width, picture.pixel_mm, 1.4, MEASURED)
    _bare(axes, "film view")


def _draw_joint(axes: Axes, picture: HipPicture) -> None:
    """Film with the joint space as a ribbon, the curves measured between, the label's outlines thin."""
    axes.imshow(picture.image, cmap="gray", vmin=0, vmax=1)
    for label in picture.coverage:
        _lines(axes, outlines(label), color=LABEL, lw=0.9, alpha=0.6)
    if isinstance(picture.width, JointSpaceWidth):
        draw_ribbon(axes, picture.width, picture.pixel_mm)
        _lines(axes, picture.curves_px, color=MEASURED, lw=1.3)
        draw_witness(axes, picture.width, picture.pixel_mm, 2.2, MEASURED)
    _bare(axes, "the joint")


def _annotate(axes: Axes, picture: HipPicture) -> None:
    """Width beside its witness points and a bar of 10 mm."""
    top, bottom, left, right = picture.window_px()
    side = right - left
    if picture.witness_px is not None:
        at = picture.witness_px[0]
        axes.annotate(
            f"{picture.measured}\n{picture.compared}",
            xy=(at[1], at[0]),
            xytext=(float(np.clip(at[1], left + 0.34 * side, right - 0.34 * side)), top + 0.1 * side),
            color="black",
            fontsize=11,
            ha="center",
            va="center",
            bbox={"boxstyle": "round", "facecolor": MEASURED, "edgecolor": "black"},
            arrowprops={"arrowstyle": "-", "color": MEASURED, "lw": 1.2},
        )
    start, row = left + 0.05 * side, bottom - 0.05 * side
    end = start + 10.0 / picture.pixel_mm
    axes.plot([start, end], [row, row], color="white", lw=3, path_effects=SHADOW)
    axes.text(
        (start + end) / 2, row - 0.02 * side, "10 mm", color="white", ha="center", va="bottom", path_effects=SHADOW
    )


def _lines(axes: Axes, curves: Sequence[np.ndarray], **style: object) -> None:
    for curve in curves:
        axes.plot(curve[:, 1], curve[:, 0], **style)  # type: ignore[arg-type]


def _zoom(axes: Axes, window: tuple[float, float, float, float]) -> None:
    top, bottom, left, right = window
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _bare(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=12)
    axes.set_xticks([])
    axes.set_yticks([])
    rows, cols = axes.images[0].get_array().shape[:2]  # type: ignore[union-attr]
    axes.set_xlim(-0.5, cols - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)


def _draw_legend(part: SubFigure, measured: bool) -> None:
    """What lines and colours mean; those of a measurement only where a hip was measured."""
    predicted = [Line2D([], [], color=COLOURS[key], lw=3, label=f"predicted {name}") for key, name in NAMES.items()]
    handles = [*predicted, Line2D([], [], color=LABEL, lw=1.3, label="label")]
    style: Any = {"ncols": 3 if measured else 4, "fontsize": 10.5, "facecolor": "0.35", "labelcolor": "white"}
    if measured:
        handles += [
            Line2D([], [], color=MEASURED, lw=2, label="head margin, sourcil"),
            Line2D([], [], color=MEASURED, lw=2.4, marker="o", ms=6, label="mJSW"),
        ]
        part.legend(handles=handles, loc="center", bbox_to_anchor=(0.33, 0.5), **style)
        width_bar(part, part.add_axes((0.68, 0.6, 0.29, 0.2)))
    else:
        part.legend(handles=handles, loc="center", **style)
