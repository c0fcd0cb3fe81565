"""Pictures of test hips: film, joint and contrast of prediction and label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.reporting.picture import HipPicture, contrast_map, outlines
from hipjsw.reporting.style import COLOURS, CONTRAST, LABEL, MEASURED, save

__all__ = ["draw_hip", "draw_hips"]

NAMES = {"femur": "femur", "acetabulum": "acetabulum", "joint_space": "joint space"}
ROW_SIZE = (13.5, 5.6)
LEGEND_INCH = 0.55
#: Dark line under a bright one, so that it is seen on bright bone.
SHADOW = [withStroke(linewidth=3.2, foreground="black")]


def draw_hip(picture: HipPicture, path: Path) -> Path:
    """Draw one hip: film view, joint enlarged, predicted against label.

    Args:
        picture: The hip.
        path: PNG to write.

    Returns:
        The path.
    """
    return _draw([("", picture)], path)


def draw_hips(pictures: Sequence[tuple[str, HipPicture]], path: Path) -> Path:
    """Draw several hips, a row each, e.g. best, median and worst.

    Args:
        pictures: What the hip is an example of, and the hip.
        path: PNG to write.

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
    parts[-1].legend(handles=_legend(), loc="center", ncols=6, fontsize=11, facecolor="0.35", labelcolor="white")
    return save(figure, path)


def _draw_row(part: SubFigure, label: str, picture: HipPicture) -> None:
    dice = f"mean Dice {picture.dice_mean:.3f}" if np.isfinite(picture.dice_mean) else "Dice undefined"
    head = f"{label}: " if label else ""
    part.suptitle(f"{head}hip {picture.caption}, {dice}\n{picture.result}", fontsize=14)
    grid = part.add_gridspec(2, 3, width_ratios=[1.0, 1.0, 0.56])
    film, joint = part.add_subplot(grid[:, 0]), part.add_subplot(grid[:, 1])
    window = picture.window_px()
    _draw_film(film, picture, "film view", line=1.6)
    top, bottom, left, right = window
    film.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="0.8", lw=0.8, ls=":")
    _draw_film(joint, picture, "the joint", line=2.4)
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


def _draw_film(axes: Axes, picture: HipPicture, title: str, line: float) -> None:
    """Film with the outlines of prediction and label, the curves measured between and the two witness points."""
    axes.imshow(picture.image, cmap="gray", vmin=0, vmax=1)
    for name, predicted, label in zip(NAMES, picture.probs, picture.coverage, strict=True):
        _lines(axes, outlines(predicted), color=COLOURS[name], lw=line)
        _lines(axes, outlines(label), color=LABEL, lw=0.45 * line)
    _lines(axes, picture.curves_px, color=MEASURED, lw=0.8 * line, ls=(0, (4, 2)))
    if picture.witness_px is not None:
        _lines(axes, [picture.witness_px], color=MEASURED, lw=line, marker="o", ms=2.5 * line, path_effects=SHADOW)
    _bare(axes, title)


def _annotate(axes: Axes, picture: HipPicture) -> None:
    """Width beside its witness points and a bar of 10 mm."""
    top, bottom, left, right = picture.window_px()
    side = right - left
    if picture.witness_px is not None and isinstance(picture.width, JointSpaceWidth):
        at = picture.witness_px.mean(axis=0)
        axes.annotate(
            f"{picture.width.mjsw_mm:.2f} mm\n{picture.compared}",
            xy=(at[1], at[0]),
            xytext=(float(np.clip(at[1], left + 0.3 * side, right - 0.3 * side)), top + 0.1 * side),
            color="black",
            fontsize=12,
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


def _legend() -> list[Line2D]:
    predicted = [Line2D([], [], color=COLOURS[key], lw=3, label=f"predicted {name}") for key, name in NAMES.items()]
    return [
        *predicted,
        Line2D([], [], color=LABEL, lw=1.3, label="label"),
        Line2D([], [], color=MEASURED, lw=2, ls=(0, (4, 2)), label="head margin, sourcil"),
        Line2D([], [], color=MEASURED, lw=2.4, marker="o", ms=6, label="mJSW"),
    ]
