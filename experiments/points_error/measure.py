"""How far the phantom's erring points lie from their true curves, and what that does to the joint space.

python experiments/points_error/measure.py [FILMS] [LOOK]
"""

from __future__ import annotations

import sys

import numpy as np
import shapely

from hipjsw.anatomy.landmarks import HipLandmarks, Region, Side
from hipjsw.jsw.profile import Unmeasurable, measure_landmarks
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.points import PointsModel, film_points
from hipjsw.phantom.population import draw_person

SEED = 21
REGIONS = {
    "head": Region.HEAD,
    "sourcil": Region.SOURCIL,
    "femur": Region.FEMUR,
    "roof": Region.ROOF,
    "trochanter": Region.TROCHANTER,
    "posterior wall": Region.POSTERIOR_WALL,
    "ischium, pubis": Region.ISCHIUM_PUBIS,
    "foramen": Region.FORAMEN,
    "teardrop": Region.TEARDROP,
}


def distances_mm(film: Film, points: np.ndarray, side: Side) -> np.ndarray:
    """Distance ``(80,)`` of one hip's points to their true curves."""
    half, found = film.halves[side], np.empty(80)
    parts = [
        (Region.FEMUR, half.hip.femur.sample(0.25)),
        (Region.TROCHANTER, half.trochanter_line.sample(0.25)),
        (Region.POSTERIOR_WALL, half.posterior_wall.sample(0.25)),
        (slice(45, 60), half.ischium_pubis.sample(0.25)),
        (Region.FORAMEN, np.concatenate([half.foramen, half.foramen[:1]])),
        (slice(67, 70), half.outer_ilium.sample(0.25)),
        (Region.SOURCIL, half.hip.sourcil.sample(0.25)),
        (Region.TEARDROP, half.teardrop.sample(0.25)),
    ]
    for part, curve in parts:
        line = shapely.LineString(film.placement.hip_to_mm(curve, side))
        found[part] = shapely.distance(line, shapely.points(points[part]))
    return found


def main(films: int = 1000, look: str = "realistic") -> None:
    found, errors_mm, odd = [], [], 0
    for person in (draw_person(SEED, index) for index in range(films)):
        film = place(SEED, person, person.visits[0], look)
        written = film_points(film, PointsModel.BONEFINDER)
        if written.note:
            odd += 1
            continue
        hips = dict(zip(Side, np.split(written.points_mm, 2), strict=True))
        found.append([distances_mm(film, hip, side) for side, hip in hips.items()])
        for side, hip in hips.items():
            width = measure_landmarks(HipLandmarks(hip, side))
            if not isinstance(width, Unmeasurable):
                errors_mm.append(width.mjsw_mm - film.halves[side].hip.mjsw_mm)
    table, error = np.array(found), np.array(errors_mm)
    print(f"{films} films, {look}, {odd} with odd points left out; mean point-to-curve error of a film in mm")
    for name, part in {"all 80 points": slice(0, 80), **REGIONS}.items():
        of_film = table[:, :, part].mean(axis=(1, 2))
        below = 100 * (of_film < 0.9).mean()
        print(f"{name:15} mean {of_film.mean():.3f}  99 % below {np.quantile(of_film, 0.99):.3f}  {below:.1f} % < 0.9")
    shown = f"bias {error.mean():+.3f}, SD {error.std(ddof=1):.3f}, mean absolute {np.abs(error).mean():.3f}"
    print(f"mJSW of the points' curves less the exact one, {len(error)} hips, mm: {shown}")


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, str), sys.argv[1:], strict=False)))
