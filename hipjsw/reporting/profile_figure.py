"""Joint space width along the sourcil, hip by hip, beside the label's and the exact profile."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.reporting.style import COLOURS, NEUTRAL, REFERENCE, interval_text, plain_axes, save, spread

__all__ = ["ProfilePicture", "draw_profiles"]

PANEL_SIZE = (5.4, 4.1)
#: One hip alone has a larger panel.
SINGLE_SIZE = (8.4, 4.8)
LEGEND_INCH = 0.45
#: Widths are drawn from 0 to this at least, so that panels of several figures compare.
LEAST_TOP_MM = 5.0
#: Where the sourcil was not measured, places are in percent instead of mm.
PERCENT = 100.0
_LABEL: dict[str, Any] = {"color": COLOURS["acetabulum"], "lw": 1.8, "ls": "--"}
_EXACT: dict[str, Any] = {"color": "black", "lw": 1.4, "ls": ":"}
_QUIET: dict[str, Any] = {"color": "0.35", "fontsize": 9}

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProfilePicture:
    """One hip's profile and what it is compared with.

    Args:
        caption: What stands above, e.g. the hip's pseudonym.
        width: What was measured, or why nothing was.
        label_mm: ``(m,)`` the label's profile in mm at equal steps of its own sourcil, lateral to medial; None if it
            has none.
        exact_mm: ``(k,)`` the exact profile (phantoms) likewise; None if unknown.

    Raises:
        ValueError: A profile of less than two widths, or one that is not finite.
    """

    caption: str
    width: JointSpaceWidth | Unmeasurable
    label_mm: NDArray[Any] | None = None
    exact_mm: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name in ("label_mm", "exact_mm"):
            profile = getattr(self, name)
            if profile is not None and (np.ndim(profile) != 1 or len(profile) < 2 or not np.isfinite(profile).all()):
                raise ValueError(
                    f"{name} of {self.caption!r} is two or more finite widths in a row; give None for none"
                )

    @property
    def length_mm(self) -> float | None:
        """Length of the measured sourcil; None if unmeasurable."""
        return None if isinstance(self.width, Unmeasurable) else self.width.length_mm

    @property
    def title(self) -> str:
        """The hip and its minimum, with the 95 % interval where it has one, beside the compared ones' minima."""
        if isinstance(self.width, Unmeasurable):
            found = "not measurable"
        else:
            found = f"mJSW {self.width.mjsw_mm:.2f} mm"
            if self.width.interval_mm is not None:
                found += f" ({interval_text(self.width.interval_mm)})"
        beside = [
            f"{name} {float(np.min(profile)):.2f}"
            for name, profile in (("label", self.label_mm), ("exact", self.exact_mm))
            if profile is not None
        ]
        return f"{self.caption}\n{', '.join([found, *beside])}"

    @property
    def top_mm(self) -> float:
        """The largest width to be drawn; 0 if there is none."""
        drawn = [profile for profile in (self.label_mm, self.exact_mm) if profile is not None]
        if isinstance(self.width, JointSpaceWidth):
            drawn.append(self.width.profile_mm if self.width.band_mm is None else self.width.band_mm)
        return max((float(np.max(profile)) for profile in drawn), default=0.0)


def draw_profiles(profiles: Sequence[ProfilePicture], path: Path) -> Path:
    """Draw profiles, a panel a hip, all with the same scale of widths.

    Places are mm of the measured sourcil from its lateral edge; other profiles are laid over it end to end. Beside the
    panel stand the mean and the 5th percentile of the profile.

    Args:
        profiles: The hips.
        path: What to write, in the format of its suffix (``style.save``).

    Returns:
        The path.

    Raises:
        ValueError: No hips.
    """
    if not profiles:
        raise ValueError("no hips to draw")
    count = len(profiles)
    columns = min(count, 2)
    rows = -(-count // columns)
    width, height = SINGLE_SIZE if count == 1 else PANEL_SIZE
    figure = Figure(figsize=(columns * width, rows * height + LEGEND_INCH), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    top = 1.12 * max(LEAST_TOP_MM, *(picture.top_mm for picture in profiles))
    for axes, picture in zip(panels, profiles, strict=False):
        _draw_panel(axes, picture, top)
    for axes in panels[count:]:
        axes.remove()
    handles = _legend(profiles)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=10)
    return save(figure, path)


def _draw_panel(axes: Axes, picture: ProfilePicture, top: float) -> None:
    scale = picture.length_mm or PERCENT
    for profile, style in ((picture.label_mm, _LABEL), (picture.exact_mm, _EXACT)):
        if profile is not None:
            axes.plot(np.linspace(0.0, scale, len(profile)), profile, **style)
    if isinstance(picture.width, JointSpaceWidth):
        _draw_measured(axes, picture.width, scale)
        _name_summaries(axes, picture.width, top)
        plain_axes(axes, "mm along the sourcil from its lateral edge", "joint space width (mm)", "")
        _percent_axis(axes, scale)
    else:
        plain_axes(axes, "% of the sourcil from its lateral edge", "joint space width (mm)", "")
        reason = textwrap.fill(picture.width.reason, 40)
        axes.text(0.5, 0.3, reason, transform=axes.transAxes, ha="center", va="center", color=REFERENCE)
    _mark_thirds(axes, picture.width, scale, top)
    axes.set_title(picture.title, fontsize=11, loc="left")
    axes.set_xlim(0.0, scale)
    axes.set_ylim(0.0, top)


def _percent_axis(axes: Axes, length_mm: float) -> None:
    """Places in percent of the sourcil along the top."""

    def percent(place: Any) -> Any:
        return place * PERCENT / length_mm

    def place_mm(percent: Any) -> Any:
        return percent * length_mm / PERCENT

    share = axes.secondary_xaxis("top", functions=(percent, place_mm))
    share.tick_params(labelsize=9, colors="0.35")
    share.set_xlabel("% of the sourcil", **_QUIET)
    share.spines["top"].set_color("0.7")


def _draw_measured(axes: Axes, width: JointSpaceWidth, length_mm: float) -> None:
    """Profile, its band, and the minimum with its interval."""
    places = np.linspace(0.0, length_mm, len(width.profile_mm))
    if width.band_mm is not None:
        axes.fill_between(places, width.band_mm[0], width.band_mm[1], color=NEUTRAL, alpha=0.18, lw=0)
    axes.plot(places, width.profile_mm, color=NEUTRAL, lw=2.2)
    place = width.place * length_mm
    if width.interval_mm is not None:
        axes.vlines(place, *width.interval_mm, color=REFERENCE, lw=2.0)
        axes.plot([place] * 2, width.interval_mm, color=REFERENCE, marker="_", ms=9, mew=2.0, ls="")
    axes.plot(place, width.mjsw_mm, color=REFERENCE, marker="o", ms=7, mec="white", ls="", clip_on=False, zorder=3)


def _name_summaries(axes: Axes, width: JointSpaceWidth, top: float) -> None:
    """Mean and 5th percentile as ticks at the right, named where neither hides the other."""
    values = (width.mean_mm, width.p5_mm)
    across = axes.get_yaxis_transform()
    for name, value, height in zip(("mean", "P5"), values, spread(values, 0.05 * top), strict=True):
        axes.plot([1.0, 1.015], [value] * 2, transform=across, color="0.35", lw=1.4, clip_on=False)
        axes.text(1.022, height, f"{name} {value:.2f}", transform=across, va="center", **_QUIET)


def _mark_thirds(axes: Axes, width: JointSpaceWidth | Unmeasurable, scale: float, top: float) -> None:
    """Light lines between the thirds; their names and means above the profile."""
    axes.vlines([scale / 3, 2 * scale / 3], 0.0, top, color="0.8", lw=1.0, ls=(0, (4, 3)), zorder=0.5)
    for third, name in enumerate(("lateral", "central", "medial")):
        mean = "" if isinstance(width, Unmeasurable) else f" {getattr(width, f'{name}_mm'):.2f}"
        axes.text((2 * third + 1) * scale / 6, 0.985 * top, f"{name}{mean}", ha="center", va="top", **_QUIET)


def _legend(profiles: Sequence[ProfilePicture]) -> list[Any]:
    """What is drawn in any panel, and no more."""
    measured = [picture.width for picture in profiles if isinstance(picture.width, JointSpaceWidth)]
    handles: list[Any] = []
    if measured:
        handles.append(Line2D([], [], color=NEUTRAL, lw=2.2, label="prediction"))
    if any(width.band_mm is not None for width in measured):
        handles.append(Patch(color=NEUTRAL, alpha=0.18, lw=0, label="95 % band"))
    if measured:
        interval = any(width.interval_mm is not None for width in measured)
        name = "minimum, 95 % interval" if interval else "minimum"
        handles.append(Line2D([], [], color=REFERENCE, marker="o", ms=7, mec="white", lw=2.0 * interval, label=name))
    if any(picture.label_mm is not None for picture in profiles):
        handles.append(Line2D([], [], label="label", **_LABEL))
    if any(picture.exact_mm is not None for picture in profiles):
        handles.append(Line2D([], [], label="exact", **_EXACT))
    return handles
