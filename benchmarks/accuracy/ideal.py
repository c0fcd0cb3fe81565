"""Ideal coverage maps of random hips measured at several pixel sizes, against exact widths.

Beside the sub-pixel contour stand the study's estimator and the nearest border pixels, both on the hard masks of the
same maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from tables import Part, Table, counted, signed, spread

from hipjsw.anatomy.landmarks import Side
from hipjsw.cohort.order import in_order
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.jsw.study import study_width
from hipjsw.phantom.ideal import ideal_maps
from hipjsw.phantom.pelvis import HalfPelvis
from hipjsw.phantom.population import draw_person, stream
from hipjsw.phantom.truth import hip_truth

__all__ = ["SEED", "LaidHip", "border_width", "hard_masks", "laid_hip", "measured", "run", "where"]

#: A population apart from those of training.
SEED = 77
SIZES_MM = (0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
ESTIMATORS = ("contour", "study", "border")
SUMMARIES = ("p5_mm", "mean_mm", "median_mm", "lateral_mm", "central_mm", "medial_mm")
#: The aim: mean absolute error up to 0.5 mm a pixel and beyond, and bias.
AIM_MM, COARSE_AIM_MM, BIAS_AIM_MM = 0.02, 0.03, 0.01
#: How a hip lies on the pixels: off their middle by up to so much, turned by this standard deviation.
OFF_MM, TURN_DEG = 2.0, 2.0
#: Purpose of this folder's random numbers (see ``population.stream``).
STREAM = 77
#: Shares of the sourcil's length from its nearer end: so near it a minimum lies at or near the end.
AT_END, NEAR_END = 0.01, 0.10
PLACES = ("at an end", "near it", "inside")
#: Worst cases kept.
KEPT = 40

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LaidHip:
    """One hip of one person, laid somewhere on the pixels."""

    index: int
    side: Side
    half: HalfPelvis
    turn_deg: float
    shift_mm: tuple[float, float]

    @property
    def mjsw_mm(self) -> float:
        return self.half.hip.mjsw_mm

    def maps(self, pixel_mm: float) -> NDArray[np.float32]:
        return ideal_maps(self.half, pixel_mm, self.turn_deg, self.shift_mm)


def laid_hip(index: int, seed: int = SEED) -> LaidHip:
    """Hip of person ``index`` at the last visit: the right one of even persons, the left one of odd ones."""
    person = draw_person(seed, index)
    side = tuple(Side)[index % 2]
    rng = stream(seed, index, STREAM)
    down, right = rng.uniform(-OFF_MM, OFF_MM, 2).tolist()
    return LaidHip(index, side, person.hip(side, person.visits[-1]), float(rng.normal(0.0, TURN_DEG)), (down, right))


def hard_masks(maps: NDArray[Any]) -> Mask:
    """Each pixel to the class that covers most of it, background included: ``(3, rows, cols)``."""
    background = 1.0 - maps.sum(axis=0, keepdims=True)
    return np.asarray(np.concatenate([background, maps]).argmax(axis=0) == np.arange(1, 4)[:, None, None])


def border_width(masks: Mask, pixel_mm: float) -> float | Unmeasurable:
    """Least distance between centres of the femur's border pixels and of those of the roof that face the joint."""
    femur, roof, space = masks
    edge = femur & ~ndimage.binary_erosion(femur, border_value=1)
    facing = roof & ndimage.binary_dilation(space | femur)
    if not edge.any() or not facing.any():
        return Unmeasurable("no femur, or no roof that faces the joint")
    distance = cKDTree(np.argwhere(edge)).query(np.argwhere(facing))[0]
    return float(np.min(distance)) * pixel_mm


def measured(sizes_mm: Sequence[float], index: int) -> list[dict[str, Any]]:
    """One hip at all pixel sizes: for each the errors, and the reason where there is none."""
    cv2.setNumThreads(1)
    hip = laid_hip(index)
    truth = hip_truth(hip.half.hip)
    rows = []
    for pixel_mm in sizes_mm:
        maps = hip.maps(pixel_mm)
        ours, masks = measure_probabilities(maps, pixel_mm), hard_masks(maps)
        study, border = study_width(masks, pixel_mm), border_width(masks, pixel_mm)
        row: dict[str, Any] = {"person": index, "side": hip.side.value, "pixel_mm": pixel_mm}
        row |= {"exact_mm": truth.mjsw_mm, "place": truth.place, "reasons": {}}
        widths = {
            "contour": ours if isinstance(ours, Unmeasurable) else ours.mjsw_mm,
            "study": study if isinstance(study, Unmeasurable) else study.value,
            "border": border,
        }
        for name, width in widths.items():
            if isinstance(width, Unmeasurable):
                row["reasons"][name] = width.reason
            else:
                row[name] = width - truth.mjsw_mm
        if not isinstance(ours, Unmeasurable):
            row["found_place"] = ours.place
            row |= {name: getattr(ours, name) - getattr(truth, name) for name in SUMMARIES}
        rows.append(row)
    return rows


def run(hips: int = 500, workers: int = 2, sizes_mm: Sequence[float] = SIZES_MM) -> Part:
    """Measure so many hips, one a person."""
    rows = [row for found in in_order(partial(measured, sizes_mm), range(hips), workers) for row in found]
    by_size = {size: [row for row in rows if row["pixel_mm"] == size] for size in sizes_mm}
    numbers = {f"{size:g}": _numbers(of_size) for size, of_size in by_size.items()}
    exact = np.array([row["exact_mm"] for row in by_size[sizes_mm[0]]])
    scale = (
        f"{hips} hips of as many persons, seed {SEED}, exact width {exact.mean():.2f} mm on average "
        f"({exact.min():.2f} to {exact.max():.2f}), each laid off the pixels' middle and turned by chance."
    )
    refused = [_refusals(name, by_size) for name in ESTIMATORS]
    shown = [table(numbers) for table in (_width_table, _place_table, _summary_table, _others_table)]
    tables = [*shown, *[table for table in refused if table]]
    return Part("ideal", scale, tables, {"hips": hips, "sizes": numbers, "worst": _worst(rows)})


def _numbers(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = (*ESTIMATORS, *SUMMARIES)
    found: dict[str, Any] = {name: spread(row[name] for row in rows if name in row) for name in names}
    ours = [row for row in rows if "contour" in row]
    found["places"] = {name: spread(row["contour"] for row in ours if where(row["place"]) == name) for name in PLACES}
    return found | {"unmeasurable": {name: sum(name in row["reasons"] for row in rows) for name in ESTIMATORS}}


def where(place: float) -> str:
    """Which of `PLACES` a place along the sourcil, 0 to 1, is."""
    beside = min(place, 1.0 - place)
    return PLACES[0] if beside < AT_END else PLACES[1] if beside < NEAR_END else PLACES[2]


def _worst(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = ("person", "side", "pixel_mm", "exact_mm", "contour", "place", "found_place")
    known = sorted((row for row in rows if "contour" in row), key=lambda row: -abs(row["contour"]))
    return [{name: row[name] for name in kept} for row in known[:KEPT]]


def _met(pixel_mm: float, ours: dict[str, float]) -> str:
    limit = AIM_MM if pixel_mm <= 0.5 else COARSE_AIM_MM
    return "yes" if ours["mae"] <= limit and abs(ours["bias"]) <= BIAS_AIM_MM else "no"


def _width_table(numbers: dict[str, dict[str, Any]]) -> Table:
    rows = []
    for size, of_size in numbers.items():
        ours, absent = of_size["contour"], str(of_size["unmeasurable"]["contour"])
        ends = [signed(ours["worst"]), absent, _met(float(size), ours)] if ours else ["", absent, ""]
        rows.append([size, *_three(ours), *ends])
    caption = (
        f"mJSW by the sub-pixel contour less the exact one, mm. The aim is MAE at most {AIM_MM} up to 0.5 mm/px and "
        f"{COARSE_AIM_MM} beyond, bias within {BIAS_AIM_MM}."
    )
    return Table(caption, ["mm/px", "MAE", "bias", "SD", "worst", "unmeasurable", "aim met"], rows)


def _others_table(numbers: dict[str, dict[str, Any]]) -> Table:
    header = ["mm/px", "study: MAE", "bias", "SD", "unmeasurable", "border pixels: MAE", "bias", "SD", "unmeasurable"]
    rows = []
    for size, of_size in numbers.items():
        cells = [[*_three(of_size[name]), str(of_size["unmeasurable"][name])] for name in ESTIMATORS[1:]]
        rows.append([size, *cells[0], *cells[1]])
    return Table("The study's estimator and border pixels on the hard masks of the same maps, mm.", header, rows)


def _place_table(numbers: dict[str, dict[str, Any]]) -> Table:
    header = ["mm/px", *[cell for name in PLACES for cell in (f"{name}: hips", "MAE", "bias", "worst")]]
    rows = []
    for size, of_size in numbers.items():
        row = [size]
        for name in PLACES:
            found = of_size["places"][name]
            row += [str(found["num"]), *_three(found)[:2], signed(found["worst"])] if found else ["0", "", "", ""]
        rows.append(row)
    caption = (
        f"The same by where the exact minimum lies: within {AT_END:.0%} of the sourcil's length of one of its ends, "
        f"within {NEAR_END:.0%}, or further inside."
    )
    return Table(caption, header, rows)


def _three(found: dict[str, float]) -> list[str]:
    """MAE, bias, SD, each empty where it is undefined."""
    if not found:
        return ["", "", ""]
    return [f"{found['mae']:.3f}", signed(found["bias"]), f"{found['sd']:.3f}" if "sd" in found else ""]


def _summary_table(numbers: dict[str, dict[str, Any]]) -> Table:
    header = ["mm/px", "P5", "mean", "median", "lateral third", "central third", "medial third"]
    rows = []
    for size, of_size in numbers.items():
        found = [of_size[name] for name in SUMMARIES]
        rows.append([size, *[f"{one['mae']:.3f} ({signed(one['bias'])})" if one else "" for one in found]])
    return Table(
        "The rest of the profile by the sub-pixel contour: MAE (bias) against the exact profile, mm.", header, rows
    )


def _refusals(name: str, by_size: dict[float, list[dict[str, Any]]]) -> Table | None:
    rows = []
    for size, of_size in by_size.items():
        reasons = counted(row["reasons"][name] for row in of_size if name in row["reasons"])
        rows += [[f"{size:g}", reason, str(count)] for reason, count in reasons.items()]
    title = {"contour": "sub-pixel contour", "study": "study's estimator", "border": "border pixels"}[name]
    return Table(f"Unmeasurable by the {title}.", ["mm/px", "reason", "hips"], rows) if rows else None
