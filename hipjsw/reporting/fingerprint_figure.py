"""A picture of a cohort's fingerprint: spacings, sizes, files, widths and heads, cohort by cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from hipjsw.cohort.fingerprint import HEAD_MM, NARROW_MM, NORMAL_MJSW_MM
from hipjsw.reporting.style import COLOURS, NEUTRAL, REFERENCE, plain_axes, save

__all__ = ["draw_fingerprint"]

#: One a cohort, then grey for all that are left.
_COLOURS = (NEUTRAL, REFERENCE, COLOURS["joint_space"], COLOURS["acetabulum"], COLOURS["femur"])
_REST = "0.55"
#: What a spacing's source is marked with.
_MARKS = {
    "pixel_spacing_calibrated": ("s", "calibrated PixelSpacing"),
    "pixel_spacing": ("o", "PixelSpacing"),
    "imager_pixel_spacing": ("^", "ImagerPixelSpacing"),
    "given": ("D", "given"),
}
_LONGEST_NAME = 18
#: Bars of one diagram.
_MOST_WORDS = 14

Described = Mapping[str, Any]
Cohorts = Sequence[tuple[str, str, Described]]
Words = Callable[[Described], Iterator[tuple[str, float]]]


def draw_fingerprint(fingerprint: Mapping[str, Any], path: Path) -> Path:
    """Draw a cohort's fingerprint.

    Args:
        fingerprint: What ``cohort_fingerprint`` gives.
        path: PNG to write.

    Returns:
        The path. The first five cohorts have colours of their own, further ones are grey.
    """
    cohorts = [
        (_drawable(name), _COLOURS[n] if n < len(_COLOURS) else _REST, described)
        for n, (name, described) in enumerate(fingerprint["cohorts"].items())
    ]
    figure = Figure(figsize=(13.5, 8.4), layout="constrained")
    (spacing, sizes, files), (widths, heads, fates) = figure.subplots(2, 3)
    every = fingerprint["all"]
    _draw_spacings(spacing, cohorts)
    _draw_sizes(sizes, cohorts)
    _draw_shares(files, cohorts, every, _file_words)
    plain_axes(files, "share of films (%)", "", "Files")
    low, high = NORMAL_MJSW_MM
    widths.axvspan(low, high, color="0.9", lw=0, zorder=0)
    _draw_histogram(widths, cohorts, "mjsw_mm", NARROW_MM)
    marks = " and ".join(f"{most:g}" for most in NARROW_MM)
    plain_axes(
        widths, f"mJSW (mm); dashed {marks}, grey normal {low:g} to {high:g}", "share of hips (%)", "Joint space"
    )
    _draw_histogram(heads, cohorts, "head_diameter_mm", (HEAD_MM,))
    plain_axes(heads, f"head diameter (mm); dashed adults' mean {HEAD_MM:g}", "share of hips (%)", "Femoral heads")
    _draw_shares(fates, cohorts, every, _fate_words)
    plain_axes(fates, "share of hips (%)", "", "Hips left out, by rule")
    counts = fingerprint["all"]["counts"]
    figure.suptitle(
        f"{counts['num_films']:,} films of {counts['num_persons']:,} persons, "
        f"{counts['num_hips_usable']:,} of {counts['num_hips']:,} hips usable",
        fontsize=14,
    )
    _name_cohorts(figure, cohorts)
    return save(figure, path)


def _name_cohorts(figure: Figure, cohorts: Cohorts) -> None:
    """A legend of the cohorts below all diagrams."""
    if not cohorts:
        return
    shown = cohorts[: len(_COLOURS) + 1]
    names = [name for name, _, _ in shown[: len(_COLOURS)]] + ["others"] * (len(shown) > len(_COLOURS))
    handles = [Line2D([], [], color=colour, lw=6) for _, colour, _ in shown]
    figure.legend(handles, names, loc="outside lower center", ncols=6, frameon=False, fontsize=11)


def _drawable(name: str) -> str:
    """A cohort's name in letters that the font has, none of which is an instruction to the drawing."""
    plain = "".join(letter if letter.isprintable() and letter < "\u0250" else "?" for letter in name)
    plain = plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 3] + "..."
    plain = plain.replace("$", r"\$") or "(no name)"
    return f" {plain}" if plain.startswith("_") else plain  # a legend leaves out what begins with an underscore


def _draw_spacings(axes: Axes, cohorts: Cohorts) -> None:
    """A mark a spacing, its area the films that have it, its shape where the spacing comes from."""
    used: dict[str, None] = {}
    for row, (_, colour, described) in enumerate(cohorts):
        by_source = described["spacing"]["by_source"]
        whole = max(described["counts"]["num_films"], 1)
        places = [source for source in _MARKS if source in by_source]
        for nth, source in enumerate(places):
            used[source] = None
            values = by_source[source]
            height = row + 0.5 * (nth - (len(places) - 1) / 2) / max(len(places), 1)
            axes.scatter(
                [float(value) for value in values],
                [height] * len(values),
                s=[30 + 400 * number / whole for number in values.values()],
                marker=_MARKS[source][0],
                color=colour,
                alpha=0.7,
                edgecolors="none",
            )
    plain_axes(axes, "spacing (mm); area: share of films", "", "Pixel spacing")
    _rows(axes, cohorts, _spacing_note)
    handles = [Line2D([], [], color="0.4", marker=_MARKS[s][0], ls="", label=_MARKS[s][1]) for s in _MARKS if s in used]
    if handles:
        axes.legend(handles=handles, fontsize=9, frameon=False, loc="upper center", ncols=2)
        axes.set_ylim(len(cohorts) - 0.5, -1.0)


def _spacing_note(described: Described) -> str:
    spacing = described["spacing"]
    notes = [f"{spacing['num_without']:,} without"] if spacing["num_without"] else []
    if spacing["num_both_tags_differ"]:
        notes.append(f"tags differ: {100 * spacing['share_both_tags_differ']:.0f} %")
    return "\n".join(notes)


def _rows(axes: Axes, cohorts: Cohorts, note: Callable[[Described], str]) -> None:
    """A row a cohort, its name and note beside it."""
    labels = ["\n".join(filter(None, (name, note(described)))) for name, _, described in cohorts]
    axes.set_yticks(range(len(cohorts)), labels)
    axes.set_ylim(max(len(cohorts), 1) - 0.5, -0.5)


def _draw_sizes(axes: Axes, cohorts: Cohorts) -> None:
    """A circle a film size, its area the films that have it; cohorts side by side."""
    for nth, (_, colour, described) in enumerate(cohorts):
        aside = 9.0 * (nth - (len(cohorts) - 1) / 2)
        beside: Any = offset_copy(axes.transData, fig=axes.get_figure(root=True), x=aside, units="points")
        sizes = described["film"]["sizes"]
        rows, cols = np.array([size.split("x") for size in sizes] or np.empty((0, 2)), dtype=np.float64).T
        whole = max(described["counts"]["num_films_read"], 1)
        areas = [30 + 400 * number / whole for number in sizes.values()]
        axes.scatter(cols, rows, s=areas, color=colour, alpha=0.6, edgecolors="none", transform=beside)
        axes.update_datalim(np.column_stack([cols, rows]))
    plain_axes(axes, "columns (px); area: share of films", "rows (px)", "Film size")
    axes.margins(0.18)
    axes.autoscale_view()


def _draw_shares(axes: Axes, cohorts: Cohorts, every: Described, words: Words) -> None:
    """Bars of shares by word, a colour a cohort, in the order of the words for all cohorts together."""
    shown = list(dict(words(every)))[:_MOST_WORDS]
    height = 0.8 / max(len(cohorts), 1)
    for nth, (_, colour, described) in enumerate(cohorts):
        own = dict(words(described))
        places = np.arange(len(shown)) + (nth - (len(cohorts) - 1) / 2) * height
        axes.barh(places, [100 * own.get(word, 0.0) for word in shown], height=height, color=colour)
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(max(len(shown), 4) - 0.5, -0.5)
    axes.set_xlim(left=0)
    if not shown:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color="0.4")
        axes.set_xticks([])


def _file_words(described: Described) -> Iterator[tuple[str, float]]:
    film, whole = described["film"], max(described["counts"]["num_films_read"], 1)
    for bits, number in film["bits"].items():
        yield f"{bits} bits", number / whole
    for kind in ("photometric", "modalities"):
        for word, number in film[kind].items():
            yield ("modality unknown" if word == "none" else word), number / whole
    for word, number in film["formats"].items():
        yield word.upper() if word != "dicom" else "DICOM", number / whole
    if film["num_lossy"]:
        yield "lossy", film["num_lossy"] / whole


def _fate_words(described: Described) -> Iterator[tuple[str, float]]:
    whole = max(described["counts"]["num_hips"], 1)
    for rule, number in sorted(described["left_out"].items(), key=lambda item: -item[1]):
        yield rule.replace("_", " "), number / whole


def _draw_histogram(axes: Axes, cohorts: Cohorts, key: str, marks_mm: Sequence[float]) -> None:
    """Shares of hips by bin, what lies beyond in the outermost bins; below them mean and SD; dashed lines at marks."""
    drawn = [(name, colour, described[key]) for name, colour, described in cohorts if described[key]["num"]]
    shares = [_shares(found) for _, _, found in drawn]
    top = max((float(share.max()) for share in shares), default=1.0)
    for nth, ((name, colour, found), share) in enumerate(zip(drawn, shares, strict=True)):
        axes.stairs(share, found["edges"], color=colour, lw=2)
        axes.stairs(share, found["edges"], color=colour, alpha=0.12, fill=True)
        if nth <= len(_COLOURS):
            sd = found["sd"] or 0.0
            label = f"{name}: {found['mean']:.2f} ± {sd:.2f} mm (n = {found['num']:,})"
            height = -0.07 * top * (nth + 1)
            axes.errorbar(found["mean"], height, xerr=sd, fmt="o", color=colour, capsize=3, label=label)
    rows = min(len(drawn), len(_COLOURS) + 1)
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= top])
    axes.set_ylim(-0.07 * top * (rows + 1), top * (1.08 + 0.09 * rows))
    axes.vlines(marks_mm, 0, 1.04 * top, color="0.35", lw=1, ls="--")
    axes.axhline(0, color="0.4", lw=0.8)
    if drawn:
        axes.legend(fontsize=9, frameon=False, loc="upper right")


def _shares(found: Mapping[str, Any]) -> NDArray[np.float64]:
    numbers = np.array(found["histogram"], dtype=np.float64)
    numbers[0] += found["num_below"]
    numbers[-1] += found["num_above"]
    return np.asarray(100 * numbers / found["num"])
