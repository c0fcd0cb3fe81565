"""Does a network trained on phantoms find head and roof on the ten real films? Proposes; the eye decides.

python experiments/real_films/judge.py --run runs/NAME --out runs/real_films

The films have no scale: every head is brought to 55 mm diameter, each axis by its own radius, so the stretch goes too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from films import Picture, real_pictures
from marks import MarkedHip, films_folder
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from scipy import ndimage
from sheets import tile_sheet

from hipjsw.app.build import build_task
from hipjsw.app.provision import view_spec
from hipjsw.app.runs import Run
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView, ViewSpec
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth, measure_curves
from hipjsw.learning.checkpoint import load_weights
from hipjsw.learning.fitting import BEST
from hipjsw.learning.task import SegmentationTask
from hipjsw.reporting.picture import outlines
from hipjsw.reporting.style import COLOURS

RADIUS_MM = 27.5
#: The arc over which the head's margin is judged, in degrees from straight up, medially positive.
ARC_DEG = np.arange(-60.0, 60.5, 1.0)
#: Proposed: found if the median distance from the marks is below this many head radii and few rays are missing.
HEAD_FOUND, ROOF_FOUND, RAYS_FOUND = 0.06, 0.05, 0.8
FEMUR, ACETABULUM = 0, 1
TILE_PX = 420

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """One hip as the network saw it.

    Args:
        hip: Its marks.
        view: Where the view lies on the film.
        image: ``(rows, cols)`` what the network got.
        probs: ``(3, rows, cols)`` predicted femur, acetabulum, joint space.
        row: Its line of the table.
    """

    hip: MarkedHip
    view: HipView
    image: NDArray[np.float32]
    probs: NDArray[np.float32]
    row: dict[str, Any]

    def to_view(self, points: NDArray[Any]) -> Floats:
        """Points in head radii to view pixels."""
        return self.view.from_film_mm(self.view.spacing.to_mm(self.hip.to_px(points)))


def load_task(folder: Path) -> tuple[SegmentationTask, ViewSpec]:
    """A run's network with its best weights, and its view."""
    cfg = OmegaConf.load(Run.load(folder).folder / "config.yaml")
    assert isinstance(cfg, DictConfig)
    task = build_task(cfg)
    task.net.load_state_dict(load_weights(folder / BEST))
    return task.eval(), view_spec(cfg)


def view_of(hip: MarkedHip, shape: tuple[int, int], spec: ViewSpec) -> HipView:
    """The view of a hip whose head has a radius of `RADIUS_MM`, as the network's own views are laid."""
    row_mm, col_mm = RADIUS_MM / hip.radius_px
    spacing = PixelSpacing(float(row_mm), float(col_mm), SpacingSource.GIVEN)
    middle = hip.centre_px if spec.centre == "head" else (np.array(shape) - 1) / 2
    return HipView((spec.rows_px, spec.cols_px), spec.pixel_mm, spacing.to_mm(middle), hip.side == "left", spacing)


def judge_film(picture: Picture, task: SegmentationTask, spec: ViewSpec) -> Iterator[Judged]:
    """Both hips of a film."""
    for hip in picture.hips:
        view = view_of(hip, picture.pixels.shape, spec)
        film = Radiograph(np.round(picture.pixels * 255).astype(np.uint8), view.spacing, "MONOCHROME2", 8)
        image, _ = view.normalised(film, spec)
        with torch.inference_mode():
            probs = task.predict_foreground(torch.from_numpy(image)[None, None])[0].float().numpy()
        judged = Judged(hip, view, image, probs, {})
        judged.row.update(distances(judged) | widths(judged))
        yield judged


def main_piece(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """A probability plane without what is not joined to its largest piece."""
    pieces, count = ndimage.label(plane >= 0.5)
    if count == 0:
        return plane
    largest = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    return np.where(ndimage.binary_dilation(largest), plane, 0.0).astype(np.float32)


def crossings(judged: Judged, channel: int, angle_deg: Floats, inner: Floats, outward: bool) -> Floats:
    """Radius at which each ray leaves (outermost) or, ``outward``, enters (first beyond ``inner``) a structure."""
    radii = np.arange(0.5, 1.8, 0.005)
    angle = np.deg2rad(angle_deg)
    rays = radii[None, :, None] * np.stack([-np.cos(angle), np.sin(angle)], axis=-1)[:, None]
    at = judged.to_view(rays).astype(np.float32)
    plane = main_piece(judged.probs[channel]) if channel == FEMUR else judged.probs[channel]
    inside = cv2.remap(plane, at[..., 1], at[..., 0], cv2.INTER_LINEAR) >= 0.5
    if outward:
        inside &= radii[None] >= inner[:, None]
        return np.where(inside.any(axis=1), radii[inside.argmax(axis=1)], np.nan)
    return np.where(inside.any(axis=1), radii[-1 - inside[:, ::-1].argmax(axis=1)], np.nan)


def distances(judged: Judged) -> dict[str, Any]:
    """Distance of predicted head margin and roof from the marks in head radii, along rays from the head's centre."""
    head = crossings(judged, FEMUR, ARC_DEG, np.zeros_like(ARC_DEG), outward=False) - 1.0
    marked = judged.hip.roof
    angle = np.rad2deg(np.arctan2(marked[:, 1], -marked[:, 0]))
    places = np.arange(angle[0], angle[-1], 1.0)
    true_roof = np.interp(places, angle, np.linalg.norm(marked, axis=1))
    roof = crossings(judged, ACETABULUM, places, np.full_like(places, 0.8), outward=True) - true_roof
    row: dict[str, Any] = {"image": judged.hip.image, "side": judged.hip.side}
    for name, off, limit in (("head", head, HEAD_FOUND), ("roof", roof, ROOF_FOUND)):
        known = off[np.isfinite(off)]
        row[f"{name}_rays_found"] = len(known) / len(off)
        for key, value in (("mean", np.mean), ("median", np.median), ("worst", np.max)):
            row[f"{name}_{key}"] = float(value(np.abs(known))) if len(known) else np.nan
        row[f"{name}_bias"] = float(np.mean(known)) if len(known) else np.nan
        row[f"{name}_found"] = bool(row[f"{name}_rays_found"] >= RAYS_FOUND and row[f"{name}_median"] < limit)
    return row


def widths(judged: Judged) -> dict[str, Any]:
    """Least joint space width for a 55 mm head: predicted, and between the marks."""
    predicted = measure_probabilities(judged.probs, judged.view.pixel_mm)
    angle = np.deg2rad(np.arange(-70.0, 70.5, 0.5))
    circle = RADIUS_MM * np.column_stack([-np.cos(angle), np.sin(angle)])
    marked = measure_curves(judged.hip.roof * RADIUS_MM, circle, np.zeros(2))
    known = isinstance(predicted, JointSpaceWidth)
    return {
        "mjsw_pred_mm": predicted.mjsw_mm if isinstance(predicted, JointSpaceWidth) else np.nan,
        "mjsw_marks_mm": marked.mjsw_mm if isinstance(marked, JointSpaceWidth) else np.nan,
        "reason": "" if known else getattr(predicted, "reason", ""),
    }


def tile(judged: Judged) -> NDArray[np.floating]:
    """The crop with femur, roof and joint space as predicted, and the marks as white dots."""
    scale = TILE_PX / judged.image.shape[1]
    size = (TILE_PX, round(judged.image.shape[0] * scale))
    grey = cv2.resize(judged.image, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    canvas = np.repeat((grey * 255).astype(np.uint8)[..., None], 3, axis=2)

    def at(points: Floats) -> NDArray[np.int32]:
        return np.asarray(np.round(((points + 0.5) * scale - 0.5)[:, ::-1] * 16), dtype=np.int32)

    for name, plane in zip(("femur", "acetabulum", "joint_space"), judged.probs, strict=True):
        colour = tuple(int(COLOURS[name][k : k + 2], 16) for k in (1, 3, 5))
        for line in outlines(plane):
            cv2.polylines(canvas, [at(line)], False, colour, 2, cv2.LINE_AA, 4)
    arc = np.deg2rad(ARC_DEG[::4])
    for points in (np.column_stack([-np.cos(arc), np.sin(arc)]), judged.hip.roof):
        for col, row in at(judged.to_view(points)):
            cv2.circle(canvas, (int(col), int(row)), 24, (255, 255, 255), -1, cv2.LINE_AA, 4)
    row = judged.row
    text = f"{row['image'][3:-4]} {row['side']}: head {row['head_median']:.3f} roof {row['roof_median']:.3f}"
    canvas[-24:] //= 3
    cv2.putText(canvas, text, (6, size[1] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return canvas / 255


def as_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """One line a hip, with a proposed verdict and an empty column for the eye's."""
    table = pd.DataFrame([one.row for one in judged])
    words = {(True, True): "found", (True, False): "head only", (False, True): "roof only", (False, False): "lost"}
    pairs = zip(table["head_found"], table["roof_found"], strict=True)
    table["proposed"] = [words[bool(head), bool(roof)] for head, roof in pairs]
    table["verdict"] = ""
    return table


def main() -> None:
    """Judge a run on the real films; writes real_films.csv and real_films.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a trained run")
    parser.add_argument("--real", type=Path, default=films_folder(), help="folder of the real films")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    args = parser.parse_args()
    task, spec = load_task(args.run)
    judged = [one for picture in real_pictures(args.real) for one in judge_film(picture, task, spec)]
    table = as_table(judged)
    args.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "real_films.csv", index=False, float_format="%.4f")
    caption = "predicted femur blue, roof orange, joint space green; marks white; distances in head radii"
    rows = [
        (caption if first == 0 else "", [tile(one) for one in judged[first : first + 5]]) for first in range(0, 20, 5)
    ]
    tile_sheet(rows, args.out / "real_films.png", inch=3.6)
    print(table["proposed"].value_counts().to_string())
    print(f"median distance: head {table['head_median'].median():.3f}, roof {table['roof_median'].median():.3f} radii")
    print(f"table and sheet: {args.out}")


if __name__ == "__main__":
    main()
