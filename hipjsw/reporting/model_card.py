"""What a model is and is not, as Markdown beside its weights (Mitchell et al. 2019, doi:10.1145/3287560.3287596)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hipjsw.inference.model import Model

__all__ = ["model_card"]

NONE = "\u2013"
#: Rows of the table of numbers: what it is, the number's name, its unit, digits, names of its interval's ends.
_ROWS = (
    ("Dice, femur", "test/dice/femur", "", 4),
    ("Dice, acetabulum", "test/dice/acetabulum", "", 4),
    ("Dice, joint space", "test/dice/joint_space", "", 4),
    ("mJSW against the label, mean absolute error", "test/mjsw/mae_mm", "mm", 3),
    ("mJSW against the exact truth, mean absolute error", "test/mjsw_truth/mae_mm", "mm", 3),
    ("mJSW against the exact truth, bias", "test/mjsw_truth/bias_mm", "mm", 3),
    ("share of intervals that hold the known width", "test/mjsw_truth/interval/coverage", "", 3),
)


def model_card(model: Model, notes: str = "") -> str:
    """The card of a model; the same for the same model and notes.

    Args:
        model: As it was written, with its hash.
        notes: What else was measured of it, Markdown without headings of the first two levels.
    """
    about = model.about
    training = list(about.get("training") or [{}])
    metrics = about.get("metrics") or {}
    phantom = all("phantom" in str(run.get("data")) for run in training)
    parts = [
        f"# {about.get('name', 'model')}",
        _what(model),
        "## What it is for\n\n" + _use(phantom),
        "## What it was trained on\n\n" + "\n".join(_trained(run) for run in training),
        "## How well it does\n\n" + "\n\n".join(filter(None, (_numbers(metrics), notes.strip()))),
        "## What it is not\n\n" + _limits(phantom),
        f"Licence of the weights: {about.get('licence', 'not stated')}. Hash: `{model.hash or NONE}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _what(model: Model) -> str:
    view, names = model.view, ", ".join(dict.fromkeys(model.names))
    count = (
        f"{len(model.members)} networks ({names}) whose probabilities are averaged" if len(model.members) > 1 else names
    )
    size = f"{view.rows_px}x{view.cols_px} pixels of {view.pixel_mm:g} mm"
    return (
        f"From a view of one hip ({size}, shown like a right hip) to femur, acetabulum and joint space, and to the "
        f"minimum joint space width (mJSW) along the {model.region} in millimetres: {count}; each hip is looked at "
        f"{_times(model.looks)}."
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _use(phantom: bool) -> str:
    said = "Research on films of adult hips taken from the front, by people who look at what it drew."
    return said + (
        " Trained on phantoms alone: a beginning for a cohort of one's own, to be trained on." if phantom else ""
    )


def _limits(phantom: bool) -> str:
    said = [
        "No medical device, and no part of a diagnosis.",
        "It refuses hips unlike those it knows (implants, children, other poses), not all of them.",
        "Its interval holds on films like those it was trained on.",
    ]
    if phantom:
        said.insert(1, "No real film was seen in training: on real films its error is not known, and may be large.")
    return "\n".join(f"- {line}" for line in said)


def _trained(run: Mapping[str, Any]) -> str:
    budget = run.get("budget") or {}
    labels = run.get("labels") or {}
    said = [
        f"{run.get('hips', NONE)} hips of a training part of {run.get('persons', NONE)} persons",
        f"{run.get('data', NONE)}",
        f"data {run.get('data_fingerprint', NONE)}",
        f"{budget.get('steps', NONE)} steps of {budget.get('batch_size', NONE)} hips, seed {run.get('seed', NONE)}",
        f"labels {labels.get('name', NONE)}",
        f"hipjsw {run.get('hipjsw', NONE)}, commit {str(run.get('commit') or NONE)[:12]}",
    ]
    return f"- {'Before that: ' if run.get('before') else ''}{'; '.join(said)}."


def _numbers(metrics: Mapping[str, Any]) -> str:
    lines = ["| on test hips | value | 95 % interval |", "|---|---:|---:|"]
    for words, name, unit, digits in _ROWS:
        value = metrics.get(name)
        if isinstance(value, int | float):
            stem, end = (name.removesuffix("_mm"), "_mm") if name.endswith("_mm") else (name, "")
            low, high = (metrics.get(f"{stem}_ci_{side}{end}") for side in ("low", "high"))
            ends = f"{low:.{digits}f} to {high:.{digits}f}" if low is not None and high is not None else NONE
            lines.append(f"| {words}{f' ({unit})' if unit else ''} | {value:.{digits}f} | {ends} |")
    measured, refused = metrics.get("test/mjsw/num_compared"), metrics.get("test/mjsw/num_left_out")
    if measured is not None:
        lines += [
            "",
            f"Widths of {measured} test hips were compared, {refused} left out (not measured, or without a label).",
        ]
    return "\n".join(lines)
