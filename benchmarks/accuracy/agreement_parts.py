"""A trained network's widths against the exact ones: how far, where, and whose error it is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tables import Part, Table, signed
from trained import Trained

from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth
from hipjsw.reporting.style import NEUTRAL, REFERENCE, plain_axes, save
from hipjsw.statistics.agreement import compare
from hipjsw.statistics.bootstrap import cluster_bootstrap

__all__ = ["label_errors", "network", "sources", "table5"]

#: The aims at demo scale: number, how it is shown, and what it should be.
AIMS = (
    ("mae_mm", "MAE (mm)", "<= 0.12"),
    ("bias_mm", "bias (mm)", "within 0.03"),
    ("sd_mm", "SD (mm)", ""),
    ("rmse_mm", "RMSE (mm)", ""),
    ("icc2", "ICC(2,1)", ">= 0.98"),
    ("icc3", "ICC(3,1)", ""),
    ("ccc", "CCC", ""),
    ("within_05", "within 0.5 mm", ""),
    ("within_10", "within 1 mm", ""),
)


def network(run: Trained) -> Part:
    """Agreement with the exact truth, the interval's coverage, and the error by width and cohort."""
    metrics = run.metrics
    rows = [
        [shown, _number(metrics, key), _interval(metrics, f"test/mjsw_truth/{key}"), aim] for key, shown, aim in AIMS
    ]
    held = "test/mjsw_truth/interval/coverage"
    rows.append(
        ["95 % interval holds it", _number(metrics, "interval/coverage"), _interval(metrics, held), "holds 0.95"]
    )
    rows.append(["mean width of the interval (mm)", _number(metrics, "interval/width_mm"), "", ""])
    left_out, hips = metrics["test/mjsw/num_unmeasurable"], metrics["test/num_hips"]
    rows.append(["unmeasurable", f"{left_out} ({left_out / hips:.1%})", "", "<= 2 %"])
    scale = f"{run.said}; {hips} test hips of {metrics['test/num_persons']} persons."
    tables = [Table("Prediction against the exact truth.", ["", "value", "95 % interval", "aim"], rows), _by_group(run)]
    return Part("network", scale, tables, {k: v for k, v in metrics.items() if isinstance(v, int | float)})


def _number(metrics: dict[str, Any], key: str) -> str:
    value = metrics.get(f"test/mjsw_truth/{key}")
    if value is None:
        return ""
    return signed(value) if key == "bias_mm" else f"{value:.3f}"


def _interval(metrics: dict[str, Any], key: str) -> str:
    stem, unit = (key.removesuffix("_mm"), "_mm") if key.endswith("_mm") else (key, "")
    low, high = (metrics.get(f"{stem}_ci_{end}{unit}") for end in ("low", "high"))
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _by_group(run: Trained) -> Table:
    """Error and coverage by exact width, cohort, side and film spacing, hips."""
    hips = run.hips[run.hips["mjsw_pred_mm"].notna()]
    edges = [0, 0.5, 1, 2, 2.5, 3, 4, 5]
    names = [*(f"{low:g} to {high:g}" for low, high in pairwise(edges)), f"{edges[-1]:g} and more"]
    classes = pd.cut(hips["mjsw_truth_mm"], [*edges, np.inf], right=False, labels=names).astype(str)
    place = pd.cut(hips["place"], [-1, 0.1, 0.9, 2], labels=["lateral edge", "between", "medial end"]).astype(str)
    rows = []
    groups = (("width (mm)", classes), ("cohort", hips["dataset"]), ("side", hips["side"]), ("minimum at", place))
    for name, of_hip in groups:
        for level in sorted(of_hip.unique()):
            chosen = hips[of_hip == level]
            error = chosen["mjsw_pred_mm"] - chosen["mjsw_truth_mm"]
            held = chosen["mjsw_truth_mm"].between(chosen["mjsw_ci_low_mm"], chosen["mjsw_ci_high_mm"])
            cells = [f"{error.abs().mean():.3f}", signed(error.mean()), f"{error.std():.3f}", f"{held.mean():.3f}"]
            rows.append([f"{name} {level}", str(len(chosen)), *cells])
    return Table("Error by kind of hip.", ["", "hips", "MAE (mm)", "bias (mm)", "SD (mm)", "interval holds"], rows)


def sources(run: Trained) -> Part:
    """Whose error it is: the label's, the estimator's on the label's own map, or the network's; and what helps."""
    hips, store = run.hips, run.store
    view = store.view
    inner = slice(view.margin_px, view.margin_px + view.rows_px), slice(view.margin_px, view.margin_px + view.cols_px)
    on_map = []
    for row in hips["row"]:
        found = measure_probabilities(store.planes[row, :3][:, *inner].astype(np.float32) / 255, view.pixel_mm)
        on_map.append(found.mjsw_mm if isinstance(found, JointSpaceWidth) else np.nan)
    truth, label, read = hips["mjsw_truth_mm"], hips["mjsw_label_mm"], pd.Series(on_map, index=hips.index)
    pairs = (
        ("label less truth: landmarks and their splines", label - truth),
        ("estimator on the label's map less label", read - label),
        ("network, not calibrated, less the label's map", hips["raw_mjsw_mm"] - read),
        ("network, not calibrated, less truth", hips["raw_mjsw_mm"] - truth),
        ("network, calibrated, less truth", hips["mjsw_pred_mm"] - truth),
        ("study's estimator on the network's masks less truth", hips["mjsw_study_mm"] - truth),
    )
    rows = []
    for name, error in pairs:
        known = error.dropna()
        rows.append([name, f"{known.abs().mean():.3f}", signed(known.mean()), f"{known.std():.3f}", str(len(known))])
    table = Table("What the error is made of.", ["difference", "MAE (mm)", "bias (mm)", "SD (mm)", "hips"], rows)
    numbers = {name: float(error.abs().mean()) for name, error in pairs}
    return Part("sources", f"{run.said}; {len(hips)} test hips.", [table], numbers)


def label_errors(run: Trained, images: Path) -> Part:
    """A network trained on labels that err: is it nearer to the truth than its own labels are?"""
    hips = run.hips.dropna(subset=["mjsw_pred_mm", "mjsw_label_mm", "mjsw_truth_mm"])
    truth, persons = hips["mjsw_truth_mm"].to_numpy(), hips["person"].to_numpy()
    columns = {"label": "mjsw_label_mm", "raw": "raw_mjsw_mm", "pred": "mjsw_pred_mm"}
    errors = {name: hips[column].to_numpy() - truth for name, column in columns.items()}
    rows, numbers = [], {"num_hips": len(hips), "num_unmeasurable": len(run.hips) - len(hips)}
    names = {"label": "its labels", "raw": "the network, not calibrated", "pred": "the network, calibrated"}
    for name, said in names.items():
        found = compare(hips[columns[name]].to_numpy(), truth, persons, exact_reference=True)
        assert found is not None
        flat = found.flat()
        interval = f"{flat['mae_ci_low_mm']:.3f} to {flat['mae_ci_high_mm']:.3f}"
        rows.append([said, f"{flat['mae_mm']:.3f}", interval, signed(flat["bias_mm"]), f"{flat['sd_mm']:.3f}"])
        numbers[f"{name}_mae_mm"] = flat["mae_mm"]
    gain = np.abs(errors["label"]) - np.abs(errors["raw"])
    spread = cluster_bootstrap(lambda of: float(np.mean(of["gain"])), {"gain": gain}, persons)
    assert spread is not None
    interval = f"{spread.low:.3f} to {spread.high:.3f}"
    rows.append(["labels less network, not calibrated", f"{gain.mean():.3f}", interval, "", ""])
    numbers |= {"gain_mm": float(gain.mean()), "gain_low_mm": spread.low, "gain_high_mm": spread.high}
    _draw_label_errors(errors, images / "label_errors.png")
    table = Table(
        f"Error to the exact truth; not calibrated, the network is the nearer one on {(gain > 0).mean():.1%} of hips.",
        ["", "MAE (mm)", "95 % interval", "bias (mm)", "SD (mm)"],
        rows,
    )
    scale = f"{run.said}; {len(hips)} test hips, {numbers['num_unmeasurable']} unmeasurable."
    return Part("label_errors", scale, [table], numbers | {"nearer": float((gain > 0).mean())})


def _draw_label_errors(errors: dict[str, np.ndarray], path: Path) -> None:
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    shares, pairs = figure.subplots(1, 2)
    for name, said, colour in (("label", "its labels", REFERENCE), ("raw", "the network, not calibrated", NEUTRAL)):
        size = np.sort(np.abs(errors[name]))
        shares.step(size, np.arange(1, len(size) + 1) / len(size), color=colour, lw=2, where="post", label=said)
    shares.set(xlim=(0, 2), ylim=(0, 1))
    shares.legend(frameon=False, loc="lower right")
    plain_axes(shares, "distance from the exact width (mm)", "share of hips", "Who is nearer to the truth")
    pairs.scatter(errors["label"], errors["raw"], s=12, color=NEUTRAL, alpha=0.4, edgecolors="none")
    reach = 2.5
    for sign in (1, -1):
        pairs.plot([-reach, reach], [-sign * reach, sign * reach], color="0.4", lw=1)
    pairs.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    plain_axes(pairs, "label − exact (mm)", "network − exact (mm)", "Between the lines, left and right: network nearer")
    save(figure, path)


def table5(run: Trained) -> Part:
    """The study's Table 5 as printed, in true mm, and as measured here."""
    metrics = run.metrics
    rows = [["the study, as printed", "0.0763", "0.0874", "none"]]
    for key, said, unit in (
        ("as_printed", "this network, the study's estimator, as printed", ""),
        ("study", "this network, the study's estimator, in mm", "_mm"),
        ("ours", "this network, sub-pixel and calibrated, in mm", "_mm"),
    ):
        mean, sd = (metrics[f"test/table5/{key}_{what}{unit}"] for what in ("mean", "sd"))
        rows.append([said, f"{mean:.4f}", f"{sd:.4f}", "mm" if unit else "none"])
    table = Table("Absolute difference of prediction and label in three ways.", ["", "mean", "SD", "unit"], rows)
    scale = f"{run.said}; {metrics['test/table5/num_hips']} test hips with all three."
    return Part("table5", scale, [table], {k: v for k, v in metrics.items() if k.startswith("test/table5/")})
