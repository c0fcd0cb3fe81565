"""The study's estimator against exact widths, in its two units, beside the sub-pixel contour; and one figure of it.

python experiments/table5/draw.py [PERSONS]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from hipjsw.anatomy.labels import label_coverage
from hipjsw.anatomy.landmarks import HipLandmarks, Side, split_sides
from hipjsw.imaging.view import ViewSpec
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.jsw.study import study_width
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.views import hip_view
from hipjsw.reporting.style import COLOURS, NEUTRAL, REFERENCE, plain_axes, save

SEED = 31
#: The study's view: 512x512 px of 0.9 mm about the film's middle.
VIEW = ViewSpec("study", 512, 512, 0.9, 0, "film", "film", 5.0, 95.0, judge_padding=True)
PIXEL_MM = VIEW.pixel_mm
#: The part of it that is measured: so many pixels each way from the head's centre.
REACH_PX = 72
#: How a mask is disturbed: its borders wander by this standard deviation, in waves of this Gaussian's width.
WANDER_PX, WAVE_PX = 0.5, 3.0
#: Which hip the figure shows, and how many pixels across.
SHOWN, ACROSS_PX = 10, 20
FIGURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "table5.png"
AS_PRINTED, IN_MM, SUBPIXEL = REFERENCE, COLOURS["acetabulum"], NEUTRAL

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """One hip on the study's pixels: exact coverage of the four classes, exact curves in pixels, exact width."""

    coverage: Floats
    head_px: Floats
    roof_px: Floats
    nearest_px: Floats
    exact_mm: float
    spacing_mm: float


def case(film: Film, side: Side, landmarks: HipLandmarks) -> Case:
    view = hip_view(film, landmarks, VIEW)
    hip, kind = film.halves[side].hip, film.placement.format

    middle = np.round(view.from_film_mm(landmarks.head_circle()[0])).astype(int)
    low = np.clip(middle - REACH_PX, 0, np.array(view.shape) - 2 * REACH_PX)
    window = tuple(slice(start, start + 2 * REACH_PX) for start in low)

    def in_window(points_mm: Floats) -> Floats:
        return view.from_film_mm(film.placement.hip_to_mm(points_mm, side)) - low

    four = label_coverage(HipLandmarks(view.from_film_mm(landmarks.points), side), view.shape)[:, *window]
    curves = in_window(hip.femur.sample(0.2)), in_window(hip.sourcil.sample(0.2))
    return Case(four, *curves, in_window(np.stack(hip.nearest[1:])), hip.mjsw_mm, kind.pixel_mm)


def hard(four: Floats) -> NDArray[np.bool_]:
    return four.argmax(axis=0) == np.array([1, 2, 3])[:, None, None]


def disturbed(four: Floats, rng: np.random.Generator) -> Floats:
    """The same coverage with borders that wander, as a network's do."""
    field = gaussian_filter(rng.standard_normal((2, *four.shape[1:])), (0, WAVE_PX, WAVE_PX))
    at = np.indices(four.shape[1:]) + WANDER_PX * field / field.std()
    return np.stack([map_coordinates(plane, at, order=1, mode="nearest") for plane in four])


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(np.mean(2 * (one & other).sum(axis=(1, 2)) / (one.sum(axis=(1, 2)) + other.sum(axis=(1, 2)))))


def measure(one: Case, rng: np.random.Generator) -> dict[str, float | None]:
    """Every number of one hip; None where it cannot be measured."""
    maps = {"": one.coverage, " a": disturbed(one.coverage, rng), " b": disturbed(one.coverage, rng)}
    found: dict[str, float | None] = {"exact": one.exact_mm, "spacing": one.spacing_mm}
    for name, four in maps.items():
        study = study_width(hard(four), PIXEL_MM)
        printed = study_width(hard(four), PIXEL_MM, "as_printed", one.spacing_mm)
        ours = measure_probabilities(four[1:], PIXEL_MM)
        found["mm" + name] = None if isinstance(study, Unmeasurable) else study.value
        found["printed" + name] = None if isinstance(printed, Unmeasurable) else printed.value
        found["subpixel" + name] = None if isinstance(ours, Unmeasurable) else ours.mjsw_mm
    return found | {"dice": dice(hard(maps[" a"]), hard(maps[" b"]))}


def line(name: str, errors: Floats, absent: int) -> str:
    size = np.abs(errors)
    numbers = f"{errors.mean():+.3f} | {size.mean():.3f} | {size.std(ddof=1):.3f} | {len(errors)} | {absent}"
    return f"| {name} | {numbers} |"


def table(columns: dict[str, Floats]) -> str:
    """Bias, mean absolute difference and its SD of everything that is compared."""
    ways = {"printed": "study, as printed", "mm": "study, mm", "subpixel": "sub-pixel contour, mm"}
    pairs = {}
    for key, way in ways.items():
        pairs[f"{way}: ideal, less exact"] = (key, "exact")
        pairs[f"{way}: disturbed, less exact"] = (f"{key} a", "exact")
        pairs[f"{way}: disturbed, less another disturbed"] = (f"{key} a", f"{key} b")
    rows = ["| | bias | MAE | SD of it | hips | unmeasurable |", "|---|---:|---:|---:|---:|---:|"]
    for name, (one, other) in pairs.items():
        difference = columns[one] - columns[other]
        known = np.isfinite(difference)
        rows.append(line(name, difference[known], int((~known).sum())))
    return "\n".join(rows)


def draw_geometry(axes, one: Case) -> None:
    """Mask, averaged borders and the study's two points on one hip; the exact curves and the exact minimum."""
    masks = hard(one.coverage)
    result = study_width(masks, PIXEL_MM, "as_printed", one.spacing_mm)
    middle = (result.head_px + result.roof_px + one.nearest_px.sum(axis=0)) / 4
    picture = np.ones((*masks.shape[1:], 3))
    names = ("femur", "acetabulum", "joint_space")
    for mask, name in zip(masks, names, strict=True):
        rgb = np.array([int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)]) / 255
        picture[mask] = 0.62 + 0.38 * rgb
    axes.imshow(picture, interpolation="nearest")
    for points in (one.head_px, one.roof_px):
        axes.plot(points[:, 1], points[:, 0], color="black", lw=2)
    for points in (result.head_border_px, result.roof_border_px):
        axes.plot(points[:, 1], points[:, 0], "o", ms=6, mfc="white", mec=AS_PRINTED, mew=1.6)
    ends = np.stack([result.head_px, result.roof_px])
    for points, colour in ((one.nearest_px, "black"), (ends, AS_PRINTED)):
        axes.plot(points[:, 1], points[:, 0], "-o", color=colour, lw=3, ms=8, zorder=5)
    low = middle - ACROSS_PX / 2
    axes.set_xlim(low[1], low[1] + ACROSS_PX)
    axes.set_ylim(low[0] + ACROSS_PX, low[0])
    for edge in np.arange(np.floor(low.min()), low.max() + ACROSS_PX) + 0.5:
        axes.axhline(edge, color="white", lw=0.5, zorder=1)
        axes.axvline(edge, color="white", lw=0.5, zorder=1)
    axes.set_xticks([])
    axes.set_yticks([])
    handles = [Patch(color=COLOURS[n], alpha=0.5, label=n.replace("_", " ")) for n in names]
    handles += [
        Line2D([], [], color="black", lw=3, marker="o", label="exact curves and minimum"),
        Line2D([], [], color=AS_PRINTED, lw=3, marker="o", label="study's minimum"),
        Line2D([], [], color=AS_PRINTED, lw=0, marker="o", mfc="white", mew=1.6, label="means of three border pixels"),
    ]
    axes.legend(handles=handles, loc="lower center", ncols=2, fontsize=11, framealpha=1)
    in_mm = result.width_px * PIXEL_MM
    printed = f"study {in_mm:.2f} mm, printed as {result.value:.2f}"
    axes.set_title(f"One ideal mask of 0.9 mm pixels\nexact {one.exact_mm:.2f} mm; {printed}", fontsize=12)


def draw_errors(above, below, columns: dict[str, Floats]) -> None:
    """Error over width, and the two small errors enlarged."""
    exact = columns["exact"]
    series = [
        ("printed", AS_PRINTED, "study, as printed", "s"),
        ("mm", IN_MM, "study, in true mm", "^"),
        ("subpixel", SUBPIXEL, "sub-pixel contour", "o"),
    ]
    above.axhline(0, color="black", lw=1)
    for name, colour, label, marker in series:
        above.plot(exact, columns[name] - exact, marker, color=colour, ms=4, alpha=0.6, mew=0, label=label)
    plain_axes(above, "exact width (mm)", "measured less exact (mm)", "Ideal masks against exact widths")
    above.legend(fontsize=11, frameon=False, markerscale=2, loc="lower left")
    bins = np.arange(-0.9, 0.61, 0.05)
    for name, colour, label, _ in series[1:]:
        errors = columns[name] - exact
        errors = errors[np.isfinite(errors)]
        below.hist(np.clip(errors, bins[0], bins[-1]), bins, color=colour, alpha=0.75, edgecolor="white", lw=0.5)
        below.axvline(errors.mean(), color=colour, lw=2.5, ls="--")
        side, shift = ("right", -6) if name == "mm" else ("left", 6)
        below.annotate(
            f"{label.removeprefix('study, ').replace('in true mm', 'study in mm')}\nbias {errors.mean():+.2f}",
            (errors.mean(), 0.97), (shift, 0), ("data", "axes fraction"), "offset points",
            ha=side, va="top", fontsize=11,
        )  # fmt: skip
    below.axvline(0, color="black", lw=1)
    plain_axes(below, "measured less exact (mm)", "hips", "The two in mm, enlarged")
    below.set_ylim(0, 1.3 * below.dataLim.y1)


def main(persons: int = 150) -> None:
    rng = np.random.default_rng(SEED)
    rows, shown = [], None
    for index in range(persons):
        person = draw_person(SEED, index)
        film = place(SEED, person, person.visits[0])
        for side, landmarks in split_sides(film.points_mm).items():
            one = case(film, side, landmarks)
            shown = one if len(rows) == SHOWN else shown
            rows.append(measure(one, rng))
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
    print(
        f"{len(rows)} hips of {persons} persons, seed {SEED}; exact width {columns['exact'].mean():.2f} mm on average"
    )
    print(f"films of {', '.join(f'{s:g}' for s in np.unique(columns['spacing']))} mm")
    print(f"Dice of two disturbed masks {columns['dice'].mean():.3f}")
    print(table(columns))
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    draw_geometry(left.subplots(), shown)
    draw_errors(*right.subplots(2, 1), columns)
    print(save(figure, FIGURE).relative_to(FIGURE.parents[2]))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
