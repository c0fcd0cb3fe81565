"""Whole real films, without marks or scale, by a model for use: found, outlined, measured, refused.

python experiments/real_films/whole.py --model default --out runs/real_whole

The ten marked films are judged by their marks as `judge.py` judges them; of all others it is said what came of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from judge import Judged, as_table, distances, tile
from marks import MarkedHip, films_folder, read_hips
from numpy.typing import NDArray
from sheets import tile_sheet

from hipjsw import load_model
from hipjsw.inference.measure import FilmMeasurer, MeasuredHip
from hipjsw.inference.model_place import model_folder
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.reporting.overlay import draw_overlay

TILE_PX = 420


def said_of(hip: MeasuredHip) -> dict[str, Any]:
    """What a row of measurements says of it."""
    measured = isinstance(hip.width, JointSpaceWidth)
    return {
        "confidence": hip.found.confidence,
        "typicality": hip.typicality,
        "stretch": hip.view.spacing.row_mm / hip.view.spacing.col_mm,
        "status": "measured" if measured else "unmeasurable",
        "mjsw_per_head": hip.width.mjsw_mm / hip.diameter_mm if isinstance(hip.width, JointSpaceWidth) else np.nan,
        "quality": hip.width.quality if isinstance(hip.width, JointSpaceWidth) else np.nan,
        "reason": getattr(hip.width, "reason", ""),
    }


def judged_hip(mark: MarkedHip, hip: MeasuredHip | None) -> tuple[dict[str, Any], NDArray[np.floating]]:
    """A marked hip's row and its tile."""
    if hip is None:
        lost = {"image": mark.image, "side": mark.side, "head_median": np.nan, "roof_median": np.nan}
        lost |= {"head_found": False, "roof_found": False, "status": "not_found"}
        return lost, np.zeros((TILE_PX, TILE_PX, 3))
    judged = Judged(mark, hip.view, hip.image, hip.probs, {})
    judged.row.update(distances(judged) | said_of(hip))
    judged.row["centre_off_radii"] = float(np.linalg.norm(mark.to_radii(hip.centre_px)))
    picture = tile(judged)
    words = judged.row["status"] if judged.row["status"] != "measured" else f"{100 * judged.row['mjsw_per_head']:.1f} %"
    drawn = np.ascontiguousarray(np.rint(picture * 255).astype(np.uint8))
    cv2.putText(drawn, f"{words}; {hip.typicality:.2f}", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1)
    return judged.row, drawn / 255


def others(measurer: FilmMeasurer, path: Path) -> tuple[list[dict[str, Any]], list[NDArray[np.floating]]]:
    """What came of a film without marks."""
    rows, tiles = [], []
    for hip in measurer.measure(path).hips:
        rows.append({"image": path.name, "side": hip.side.value} | said_of(hip))
        words = [f"{path.stem[3:]} {hip.side.value}: {rows[-1]['status']}; {hip.typicality:.2f}", rows[-1]["reason"]]
        drawn = cv2.resize(draw_overlay(hip, words), (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
        tiles.append(drawn[..., ::-1] / 255)
    return rows or [{"image": path.name, "side": "", "status": "no hip found"}], tiles


def main() -> None:
    """Measure all films; writes whole.csv, others.csv and whole.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default", help="folder of a model with a locator")
    parser.add_argument("--real", type=Path, default=films_folder(), help="folder of the real films")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    measurer, marks = load_model(model_folder(args.model)), read_hips()
    found: dict[str, dict[str, MeasuredHip]] = {}
    pairs = []
    for mark in marks:
        if mark.image not in found:
            found[mark.image] = {hip.side.value: hip for hip in measurer.measure(args.real / mark.image).hips}
        pairs.append(judged_hip(mark, found[mark.image].get(mark.side)))
    table = as_table([Judged(mark, None, None, None, row) for mark, (row, _) in zip(marks, pairs, strict=True)])
    table.to_csv(args.out / "whole.csv", index=False, float_format="%.4f")
    rest = [others(measurer, path) for path in sorted(args.real.glob("*.jpg")) if path.name not in found]
    left = pd.DataFrame([row for rows, _ in rest for row in rows])
    left.to_csv(args.out / "others.csv", index=False, float_format="%.4f")
    caption = "predicted femur blue, roof orange, joint space green; marks white; distances in head radii"
    tiles = [picture for _, picture in pairs]
    sheet = [(caption if first == 0 else "", tiles[first : first + 5]) for first in range(0, len(tiles), 5)]
    odd = [picture for _, pictures in rest for picture in pictures]
    sheet += [("films of another kind", odd[first : first + 5]) for first in range(0, len(odd), 5)]
    tile_sheet(sheet, args.out / "whole.png", inch=3.6)
    print(table[["image", "side", "head_median", "roof_median", "proposed", "status", "typicality"]].to_string())
    print(left.to_string())
    print(table["proposed"].value_counts().to_string(), table["status"].value_counts().to_string(), sep="\n")
    print(f"median distance: head {table['head_median'].median():.3f}, roof {table['roof_median'].median():.3f} radii")
    print(f"tables and sheet: {args.out}")


if __name__ == "__main__":
    main()
