"""What must not change a width: where the hip lies, how it is turned, mirrored, padded, sampled; and what must.

All at 0.4 mm a pixel and against the same hip as first drawn. ``redrawn`` draws the curves anew, so that both maps are
exact; ``resampled`` interpolates the first map, which blurs it a little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from ideal import PLACES, SEED, LaidHip, laid_hip, where
from numpy.typing import NDArray
from scipy import ndimage
from tables import Part, Table, counted, signed, spread

from hipjsw.anatomy.curve import Curve
from hipjsw.cohort.order import in_order
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.phantom.ideal import ACROSS_MM, ideal_maps
from hipjsw.phantom.population import stream
from hipjsw.phantom.truth import hip_truth

__all__ = ["MovedHip", "changes", "measured", "mirrored", "run", "thinned"]

PIXEL_MM = 0.4
TURN_DEG = 15.0
#: Shifts by parts of a pixel a hip.
SHIFTS = 6
#: Pixels of nothing put above, below, left and right.
PADDINGS = ((1, 0, 0, 1), (16, 16, 16, 16), (0, 61, 37, 5))
OTHER_SIZES_MM = (0.3, 0.5)
THINNER_MM = (0.25, 0.5, 1.0, 2.0)
AIM_MM = 0.02
#: Purpose of this module's random numbers (see ``population.stream``).
STREAM = 78

Maps = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MovedCurves:
    """Stands for a phantom's hip: the two curves that maps are drawn from."""

    femur: Curve
    sourcil: Curve


@dataclass(frozen=True, eq=False)
class MovedHip:
    """Stands for a half of a pelvis: a hip's curves and its landmarks ``(80, 2)``, moved."""

    hip: MovedCurves
    landmarks: Floats


def mirrored(hip: LaidHip) -> MovedHip:
    """The hip as the other side's: columns turned round."""
    half, turned = hip.half, np.array([1.0, -1.0])
    curves = MovedCurves(Curve(half.hip.femur.points * turned), Curve(half.hip.sourcil.points * turned))
    return MovedHip(curves, half.landmarks * turned)


def thinned(hip: LaidHip, by_mm: float) -> MovedHip | None:
    """The hip with its acetabulum moved along its narrowest place towards the head, so that exactly so much is lost.

    No other place loses more than the move, so the minimum stays where it is. None where there is not so much.
    """
    width_mm, on_sourcil, on_femur = hip.half.hip.nearest
    if width_mm <= by_mm:
        return None
    move = (on_femur - on_sourcil) * (by_mm / width_mm)
    curves = MovedCurves(hip.half.hip.femur, Curve(hip.half.hip.sourcil.points + move))
    return MovedHip(curves, hip.half.landmarks + move)


def resampled(maps: Maps, turn_deg: float = 0.0, pixel_mm: float = PIXEL_MM) -> Maps:
    """Maps of `PIXEL_MM` turned about their middle onto pixels of another size, linearly."""
    side = round(ACROSS_MM / pixel_mm)
    place = (np.indices((side, side)) - (side - 1) / 2) * (pixel_mm / PIXEL_MM)
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    at = np.stack([cos * place[0] - sin * place[1], sin * place[0] + cos * place[1]]) + (maps.shape[1] - 1) / 2
    return np.stack([ndimage.map_coordinates(plane, at, order=1, mode="nearest") for plane in maps])


def changes(hip: LaidHip) -> Iterator[tuple[str, Maps, float]]:
    """Everything that must change nothing: its name, the maps, their pixel size."""
    first = hip.maps(PIXEL_MM)
    rng = stream(SEED, hip.index, STREAM)
    down, right = hip.shift_mm
    for off in rng.uniform(-0.5, 0.5, (SHIFTS, 2)) * PIXEL_MM:
        shift = (down + float(off[0]), right + float(off[1]))
        yield "shift by parts of a pixel, redrawn", ideal_maps(hip.half, PIXEL_MM, hip.turn_deg, shift), PIXEL_MM
    whole = (down + 7 * PIXEL_MM, right - 5 * PIXEL_MM)
    yield "shift by whole pixels, redrawn", ideal_maps(hip.half, PIXEL_MM, hip.turn_deg, whole), PIXEL_MM
    shift = (down, float(rng.uniform(-1.0, 1.0)))
    there = ideal_maps(mirrored(hip), PIXEL_MM, -hip.turn_deg, shift)  # type: ignore[arg-type]
    yield "mirror image, mirrored back", np.ascontiguousarray(there[:, :, ::-1]), PIXEL_MM
    for turn in (-TURN_DEG, TURN_DEG):
        redrawn = ideal_maps(hip.half, PIXEL_MM, hip.turn_deg + turn, hip.shift_mm)
        yield f"turn by {TURN_DEG:g} degrees, redrawn", redrawn, PIXEL_MM
        yield f"turn by {TURN_DEG:g} degrees, resampled", resampled(first, turn), PIXEL_MM
    for above, below, left, beyond in PADDINGS:
        yield "padding by zeros", np.pad(first, ((0, 0), (above, below), (left, beyond))), PIXEL_MM
    for size in OTHER_SIZES_MM:
        yield f"pixels of {size} mm, redrawn", hip.maps(size), size
        yield f"pixels of {size} mm, resampled", resampled(first, pixel_mm=size), size


def measured(index: int) -> dict[str, Any]:
    """All changes of one hip: lists of changes in mm by name, and of reasons where a width was lost."""
    cv2.setNumThreads(1)
    hip = laid_hip(index)
    before = measure_probabilities(hip.maps(PIXEL_MM), PIXEL_MM)
    found: dict[str, Any] = {"person": index, "side": hip.side.value, "exact_mm": hip.mjsw_mm, "change": {}, "lost": {}}
    found["where"] = where(hip_truth(hip.half.hip).place)
    if isinstance(before, Unmeasurable):
        return found | {"unmeasurable": before.reason}
    for name, maps, pixel_mm in changes(hip):
        after = measure_probabilities(maps, pixel_mm)
        _keep(found, name, after.reason if isinstance(after, Unmeasurable) else after.mjsw_mm - before.mjsw_mm)
    for by_mm in THINNER_MM:
        moved = thinned(hip, by_mm)
        if moved is None:
            continue
        maps = ideal_maps(moved, PIXEL_MM, hip.turn_deg, hip.shift_mm)  # type: ignore[arg-type]
        after = measure_probabilities(maps, PIXEL_MM)
        lost = after.reason if isinstance(after, Unmeasurable) else before.mjsw_mm - after.mjsw_mm - by_mm
        _keep(found, f"thinner by {by_mm:g} mm", lost)
    return found


def _keep(found: dict[str, Any], name: str, value: float | str) -> None:
    found["lost" if isinstance(value, str) else "change"].setdefault(name, []).append(value)


def run(hips: int = 200, workers: int = 2) -> Part:
    """Change so many hips, one a person, in all ways."""
    found = list(in_order(measured, range(hips), workers))
    absent = counted(one["unmeasurable"] for one in found if "unmeasurable" in one)
    names = list(dict.fromkeys(name for one in found for kept in ("change", "lost") for name in one[kept]))
    numbers = {name: _numbers(name, found) for name in names}
    thinner = [f"thinner by {by_mm:g} mm" for by_mm in THINNER_MM]
    lost = ", ".join(f"{count} {reason}" for reason, count in absent.items())
    scale = (
        f"{hips} hips of as many persons, seed {SEED}, at {PIXEL_MM} mm/px"
        f"{f', less those unmeasurable as first drawn ({lost})' if lost else ''}."
    )
    tables = [
        _table([name for name in names if name not in thinner], numbers),
        _thinner_table([name for name in thinner if name in numbers], numbers),
    ]
    return Part("invariance", scale, tables, {"hips": hips, "unmeasurable": absent, "changes": numbers})


def _numbers(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    values = [(value, one["person"]) for one in found for value in one["change"].get(name, [])]
    inside = [value for one in found if one["where"] == PLACES[2] for value in one["change"].get(name, [])]
    worst = sorted(values, key=lambda pair: -abs(pair[0]))[:5]
    return {
        "errors": spread(value for value, _ in values),
        "inside": spread(inside),
        "lost": counted(reason for one in found for reason in one["lost"].get(name, [])),
        "worst": [{"person": person, "change_mm": value} for value, person in worst],
    }


def _met(errors: dict[str, float]) -> str:
    return "all" if abs(errors["worst"]) <= AIM_MM else ("95 %" if errors["p95"] <= AIM_MM else "no")


def _cells(of_name: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Of all hips number, lost, mean size, 95th percentile and worst; of those with their minimum inside the rest."""
    shown = []
    for which in ("errors", "inside"):
        found = of_name[which]
        sizes = [f"{found['mae']:.3f}", f"{found['p95']:.3f}", signed(found["worst"])] if found else ["", "", ""]
        shown.append([str(found.get("num", 0)), *sizes])
    whole, inside = shown
    return [whole[0], str(sum(of_name["lost"].values())), *whole[1:]], inside


def _table(names: list[str], numbers: dict[str, Any]) -> Table:
    header = ["change", "times", "width lost", "mean size", "95th percentile", "worst", f"within {AIM_MM}"]
    header += ["minimum inside: times", "mean size", "95th percentile", "worst", f"within {AIM_MM}"]
    rows = []
    for name in names:
        whole, inside = _cells(numbers[name])
        met = [_met(numbers[name][which]) if numbers[name][which] else "" for which in ("errors", "inside")]
        rows.append([name, *whole, met[0], *inside, met[1]])
    caption = (
        "Change of the mJSW by what must not change it, mm; then that of hips with their minimum inside the sourcil."
    )
    return Table(caption, header, rows)


def _thinner_table(names: list[str], numbers: dict[str, Any]) -> Table:
    header = ["acetabulum moved by (mm)", "mean loss", "hips", "width lost", "mean size of error", "95th percentile"]
    header += ["worst", "minimum inside: hips", "mean size of error", "95th percentile", "worst"]
    rows = []
    for name in names:
        errors, by_mm = numbers[name]["errors"], float(name.split()[-2])
        whole, inside = _cells(numbers[name])
        rows.append([f"{by_mm:g}", f"{by_mm + errors['bias']:.3f}" if errors else "", *whole, *inside])
    caption = "Loss of mJSW where the space is thinner by exactly so much (hips with a wider space), and its error, mm."
    return Table(caption, header, rows)
