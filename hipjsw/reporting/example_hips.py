"""Which of the hips that runs kept are shown on a page, and what is said of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd

from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.inference.kept_examples import Examples, read_examples
from hipjsw.reporting.example_shelf import ExampleShelf, HipParts
from hipjsw.reporting.style import interval_text

__all__ = ["KINDS", "ShownExamples", "ShownHip", "show_examples"]

#: Why a run kept a hip, in the order of a page.
KINDS = ("worst", "shared")


@dataclass(frozen=True)
class ShownHip:
    """One hip of one run on the page; numbers are None where undefined.

    Args:
        arm: The run's arm.
        seed: The run's seed.
        hip_id: Pseudonym.
        kind: One of ``KINDS``.
        parts: Its picture.
        dice: Mean Dice of the three classes that are defined.
        dices: Dice of each class.
        measured: The predicted width in words with its interval, or why there is none.
        mjsw_mm: The predicted width.
        label_mm: The label's.
        truth_mm: The exact one.
    """

    arm: str
    seed: int
    hip_id: str
    kind: str
    parts: HipParts
    dice: float | None
    dices: tuple[float | None, ...]
    measured: str
    mjsw_mm: float | None
    label_mm: float | None
    truth_mm: float | None

    @property
    def error_mm(self) -> float | None:
        """Predicted less exact width, else less the label's; None where either is undefined."""
        known = self.label_mm if self.truth_mm is None else self.truth_mm
        return None if self.mjsw_mm is None or known is None else self.mjsw_mm - known


@dataclass(frozen=True)
class ShownExamples:
    """The hips of one ablation that are shown.

    Args:
        hips: By arm, seed, kind and rank.
        num_kept: Hips that its runs kept.
        unread: Arm and seed of runs whose file of examples cannot be read.
    """

    hips: tuple[ShownHip, ...]
    num_kept: int
    unread: tuple[tuple[str, int], ...]

    def of(self, arm: str, kind: str) -> list[ShownHip]:
        """Hips of an arm's first run that has any, in their order."""
        mine = [hip for hip in self.hips if hip.arm == arm]
        return [hip for hip in mine if hip.kind == kind and hip.seed == mine[0].seed]


def show_examples(sweeps: Sequence[Sweep], shelf: ExampleShelf) -> list[ShownExamples]:
    """Put hips on a shelf while they fit: those of every arm's first seed before the next seed's.

    What is left of the shelf is shared out evenly among the runs of one round, each gets its worst and its shared hips
    in turn.

    Args:
        sweeps: The ablations of the page; a run may be in several, its pictures are kept once.
        shelf: Where the pictures are kept.

    Returns:
        One an ablation.
    """
    rounds: dict[int, list[tuple[int, RunResult]]] = {}
    for number, sweep in enumerate(sweeps):
        for arm in sweep.design.arms:
            runs = sorted((run for run in sweep.of(arm.name) if run.examples is not None), key=lambda run: run.seed)
            for place, run in enumerate(runs):
                rounds.setdefault(place, []).append((number, run))
    hips: list[list[ShownHip]] = [[] for _ in sweeps]
    unread: list[list[tuple[str, int]]] = [[] for _ in sweeps]
    num_kept = [0] * len(sweeps)
    for _, turns in sorted(rounds.items()):
        for done, (number, run) in enumerate(turns):
            examples = _read(run)
            if examples is None:
                unread[number].append((run.arm, run.seed))
                continue
            num_kept[number] += len(examples)
            hips[number] += _shown_of(run, examples, shelf, shelf.left // (len(turns) - done))
    return [
        ShownExamples(tuple(_ordered(sweep, some)), kept, tuple(failed))
        for sweep, some, kept, failed in zip(sweeps, hips, num_kept, unread, strict=True)
    ]


def _read(run: RunResult) -> Examples | None:
    """What a run kept; None where it cannot be read."""
    assert run.examples is not None
    try:
        return read_examples(run.examples)
    except ValueError:
        return None


def _shown_of(run: RunResult, examples: Examples, shelf: ExampleShelf, room: int) -> Iterable[ShownHip]:
    """A run's hips, the worst and the shared in turn, while they take no more than ``room`` bytes."""
    end = shelf.left - room
    by_kind = [[n for n, kind in enumerate(examples.kind.tolist()) if kind == wanted] for wanted in KINDS]
    for place in (n for pair in zip_longest(*by_kind) for n in pair if n is not None):
        parts = shelf.put(examples, place, end)
        if parts is None:
            return
        yield _shown(run, examples, place, parts)


def _ordered(sweep: Sweep, hips: Sequence[ShownHip]) -> list[ShownHip]:
    """By arm, seed and kind; of one kind as the run kept them."""
    arms = [arm.name for arm in sweep.design.arms]
    return sorted(hips, key=lambda hip: (arms.index(hip.arm), hip.seed, KINDS.index(hip.kind)))


def _shown(run: RunResult, examples: Examples, place: int, parts: HipParts) -> ShownHip:
    hip_id, table = str(examples.hip_id[place]), run.hips
    rows = table[table["hip_id"] == hip_id] if "hip_id" in table else table
    row = rows.iloc[0] if len(rows) else pd.Series(dtype=object)
    dices = tuple(_number(row, f"dice_{name}") for name in FOREGROUND)
    known = [dice for dice in dices if dice is not None]
    return ShownHip(
        run.arm,
        run.seed,
        hip_id,
        str(examples.kind[place]),
        parts,
        sum(known) / len(known) if known else None,
        dices,
        _measured(row),
        _number(row, "mjsw_pred_mm"),
        _number(row, "mjsw_label_mm"),
        _number(row, "mjsw_truth_mm"),
    )


def _measured(row: pd.Series) -> str:
    width, low, high = (_number(row, name) for name in ("mjsw_pred_mm", "mjsw_ci_low_mm", "mjsw_ci_high_mm"))
    if width is None:
        reason = str(row.get("reason", "") or "")
        return f"not measured: {reason}" if reason else "not measured"
    return f"{width:.2f} mm" + ("" if low is None or high is None else f" ({interval_text((low, high))})")


def _number(row: pd.Series, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
