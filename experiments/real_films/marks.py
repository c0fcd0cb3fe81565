"""What the eye marked on the real films: femoral heads as ellipses, roofs as polylines (heads.csv, roofs.csv)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FILM_PX", "HERE", "MarkedHip", "films_folder", "read_hips"]

HERE = Path(__file__).resolve().parent
#: Side of the stretched films in pixels.
FILM_PX = 640

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarkedHip:
    """One hip on a stretched film, in its pixels ``(row, col)``.

    Args:
        image: The film's file name.
        side: The patient's side, ``right`` (at the left of the image) or ``left``.
        centre_px: ``(2,)`` centre of the head's ellipse.
        radius_px: ``(2,)`` its radii along rows and columns.
        roof_px: ``(n, 2)`` lower edge of the sourcil, lateral edge to medial end.
        remark: What to bear in mind.
    """

    image: str
    side: str
    centre_px: Floats
    radius_px: Floats
    roof_px: Floats
    remark: str = ""

    @property
    def _scale(self) -> Floats:
        """Pixels per head radius, columns counted medially."""
        return self.radius_px * (1.0, 1.0 if self.side == "right" else -1.0)

    def to_radii(self, points_px: NDArray[Any]) -> Floats:
        """Points ``(..., 2)`` in head radii from the head's centre; columns medially, so the head is a unit circle."""
        return np.asarray((np.asarray(points_px) - self.centre_px) / self._scale, dtype=np.float64)

    def to_px(self, points: NDArray[Any]) -> Floats:
        """The way back of `to_radii`."""
        return np.asarray(np.asarray(points) * self._scale + self.centre_px, dtype=np.float64)

    @property
    def roof(self) -> Floats:
        """The roof in head radii."""
        return self.to_radii(self.roof_px)


def read_hips(folder: Path = HERE) -> list[MarkedHip]:
    """All marked hips, film by film, right before left."""
    roofs: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for row in _rows(folder / "roofs.csv"):
        point = int(row["order"]), float(row["row_px"]), float(row["col_px"])
        roofs.setdefault((row["image"], row["side"]), []).append(point)
    hips = []
    for row in _rows(folder / "heads.csv"):
        key = row["image"], row["side"]
        centre = np.array([float(row["centre_row_px"]), float(row["centre_col_px"])])
        radius = np.array([float(row["radius_row_px"]), float(row["radius_col_px"])])
        roof = np.array(sorted(roofs[key]))[:, 1:]
        hips.append(MarkedHip(*key, centre, radius, roof, row["remark"]))
    return hips


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def films_folder() -> Path:
    """Where the real films lie beside a checkout: ``../shared/data/radiographs`` from the repository's root."""
    return HERE.parents[2] / "shared" / "data" / "radiographs"
