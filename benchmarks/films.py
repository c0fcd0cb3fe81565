"""What finding the hips costs: whole phantom films against views centred by points, with one model, in one run.

    python benchmarks/films.py [--model DIR] [--persons 140] [--seed 99] [--look realistic] [--folder DIR] [--out FILE]

Films are drawn as DICOM, read from their files and measured as `python -m hipjsw.measure` does it, without their
points. Beside it the same model measures the same hips in views laid about the head that the exact points give. Both
are compared with the exact widths. Persons have a seed of their own: no model was trained on them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from hipjsw.anatomy.landmarks import Side
from hipjsw.cohort.layout import find_films
from hipjsw.imaging.reading import read_film
from hipjsw.inference.locate import FoundHip
from hipjsw.inference.measure import FilmMeasurer, MeasuredHip
from hipjsw.inference.model_place import model_folder
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.phantom.cohort import CohortOptions, write_cohort
from hipjsw.statistics.bootstrap import cluster_bootstrap

#: A head further from the film's edge than this is one that should be found.
EDGE_MM = 15.0
KEYS = ["dataset", "subject", "visit", "side"]


def measured_hips(job: tuple[Path, Path, pd.DataFrame]) -> list[dict[str, Any]]:
    """Rows of one film: each hip that is truly there, as found and as centred by points."""
    model, path, truth = job
    measurer, film = _measurer(model), read_film(path)
    spacing = film.spacing
    assert spacing is not None
    by_side = {hip.side.value: hip for hip in measurer(film).hips}
    rows = []
    for row in truth.to_dict("records"):
        head_mm = np.array([row["head_row_mm"], row["head_col_mm"]])
        size_mm = np.array(film.shape) * (spacing.row_mm, spacing.col_mm)
        if not ((head_mm > EDGE_MM) & (head_mm < size_mm - EDGE_MM)).all():
            continue
        place = spacing.to_px(head_mm)
        diameter = 2 * row["head_radius_mm"] / spacing.mean_mm
        known = FoundHip(Side(row["side"]), (float(place[0]), float(place[1])), (diameter, diameter), 1.0)
        (pointed,) = measurer.at(film, [known])
        said = {key: row[key] for key in KEYS} | {"truth_mm": row["mjsw_mm"], "pointed_mm": _mm(pointed)}
        found = by_side.pop(row["side"], None)
        if found is not None:
            said |= {
                "found_mm": _mm(found),
                "centre_off_mm": _off(found, found.centre_px, head_mm),
                "located_off_mm": _off(found, np.asarray(found.found.centre_px), head_mm),
                "reason": getattr(found.width, "reason", ""),
            }
        rows.append(said)
    strange = [{"side": side, "strange": True, "film": path.name} for side in by_side]
    return rows + strange


def _measurer(folder: Path, known: dict[Path, FilmMeasurer] = {}) -> FilmMeasurer:  # noqa: B006 (one a process)
    if folder not in known:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        known[folder] = FilmMeasurer.load(folder)
    return known[folder]


def _mm(hip: MeasuredHip) -> float:
    return hip.width.mjsw_mm if isinstance(hip.width, JointSpaceWidth) else float("nan")


def _off(hip: MeasuredHip, place_px: np.ndarray, head_mm: np.ndarray) -> float:
    return float(np.linalg.norm(hip.view.spacing.to_mm(place_px) - head_mm))


def jobs(model: Path, cohort: Path) -> Iterator[tuple[Path, Path, pd.DataFrame]]:
    truth = pd.read_csv(cohort / "truth.csv", dtype={"subject": str, "visit": str})
    groups = dict(list(truth.groupby(KEYS[:3])))
    for entry in find_films(cohort).films:
        yield model, cohort / entry.film, groups[(entry.dataset, entry.subject, entry.visit)]


def table(rows: pd.DataFrame, films: int) -> str:
    """What came of it, as Markdown."""
    there = rows[rows["truth_mm"].notna()] if "strange" not in rows else rows[rows["strange"].isna()]
    found = there[there["centre_off_mm"].notna()]
    strange = 0 if "strange" not in rows else int(rows["strange"].notna().sum())
    off = found["centre_off_mm"]
    lines = [
        f"{films} films, {len(there)} hips of {there['subject'].nunique()} persons.",
        "",
        "| | |",
        "|---|---:|",
        f"| hips found | {len(found)} of {len(there)} ({len(found) / len(there):.4f}) |",
        f"| of them on the other side, or where none is | {int((off > 20).sum()) + strange} |",
        "| head's centre off: median, 95 %, worst (mm) | "
        f"{off.median():.2f}, {off.quantile(0.95):.2f}, {off.max():.2f} |",
        f"| within 1 mm | {(off <= 1).mean():.4f} |",
        f"| as located: median, 95 % (mm) | {found['located_off_mm'].median():.2f}, "
        f"{found['located_off_mm'].quantile(0.95):.2f} |",
        "",
        "| against the exact width | measured | MAE (mm) | 95 % | bias (mm) | SD (mm) | worst |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_line(there, column, words) for column, words in (("found_mm", "found"), ("pointed_mm", "by points"))]
    both = there[there["truth_mm"].notna() & there["found_mm"].notna() & there["pointed_mm"].notna()]
    errors = {name: (both[f"{name}_mm"] - both["truth_mm"]).abs().to_numpy() for name in ("found", "pointed")}
    interval = cluster_bootstrap(lambda c: c["found"].mean() / c["pointed"].mean(), errors, both["subject"].to_numpy())
    ends = "" if interval is None else f" ({interval.low:.3f} to {interval.high:.3f})"
    ratio = errors["found"].mean() / errors["pointed"].mean()
    lines += ["", f"MAE as found over MAE by points, {len(both)} hips measured both ways: {ratio:.3f}{ends}"]
    return "\n".join(lines) + "\n"


def _line(there: pd.DataFrame, column: str, words: str) -> str:
    known = there[there["truth_mm"].notna()]
    error = (known[column] - known["truth_mm"]).dropna()
    owners = known.loc[error.index, "subject"].to_numpy()
    interval = cluster_bootstrap(lambda c: c["e"].mean(), {"e": error.abs().to_numpy()}, owners)
    ends = "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
    return (
        f"| {words} | {len(error)} of {len(known)} | {error.abs().mean():.3f} | {ends} | {error.mean():+.3f} | "
        f"{error.std():.3f} | {error.loc[error.abs().idxmax()]:+.2f} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--persons", type=int, default=140)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--look", default="realistic")
    parser.add_argument("--folder", type=Path, default=Path("runs/films"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    said = parser.parse_args(arguments)
    cohort = said.folder / f"cohort-{said.look}-{said.persons}-{said.seed}"
    options = CohortOptions(look=said.look)
    write_cohort(cohort, subjects=said.persons, seed=said.seed, workers=said.workers, options=options)
    work = list(jobs(model_folder(said.model), cohort))
    with get_context("spawn").Pool(said.workers) as pool:
        rows = pd.DataFrame([row for rows in pool.imap(measured_hips, work) for row in rows])
    rows.to_csv(said.folder / f"hips-{said.look}-{said.persons}-{said.seed}.csv", index=False)
    text = f"look={said.look} seed={said.seed}: {table(rows, len(work))}"
    print(text)
    if said.out is not None:
        said.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
