"""A sweep as its record and its run folders tell it; nothing but these is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from hipjsw.ablation.design import Design

__all__ = ["RunResult", "Sweep"]


@dataclass(frozen=True, eq=False)
class RunResult:
    """One run of a sweep.

    Args:
        arm: Whose run.
        seed: Its seed.
        status: ``done``, ``failed`` or ``missing``.
        folder: Where it lies; None where it never came to a folder.
        reason: Why it failed.
        metrics: ``metrics.json``; empty unless done, as are all that follow.
        history: ``history.csv``, a row a validation; also of a run that failed or goes on.
        hips: ``test_hips.csv``, a row a test hip.
        cost: ``cost.json``.
        config: ``config.yaml`` as plain values.
        made_by: ``run.json``: versions, machine, commit.
    """

    arm: str
    seed: int
    status: str
    folder: Path | None = None
    reason: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    hips: pd.DataFrame = field(default_factory=pd.DataFrame)
    cost: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    made_by: dict[str, Any] = field(default_factory=dict)

    @property
    def examples(self) -> Path | None:
        """``examples.npz``, where the run kept any."""
        path = None if self.folder is None else self.folder / "examples.npz"
        return path if path is not None and path.is_file() else None


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep.

    Args:
        design: What it asks.
        record: Name of its record, ``<runs_dir>/sweeps/<record>.json``.
        options: Overrides shared by all its jobs, besides the ablation.
        scale: ``demo`` or ``paper``.
        runs: Every run that was ever asked for, in the order of arms and seeds.
        ensembles: What each arm's finished runs say together, in the order of arms; of most sweeps none. They have
            metrics and hips, and no seed, history, cost or configuration of their own.
    """

    design: Design
    record: str
    options: tuple[str, ...]
    scale: str
    runs: tuple[RunResult, ...]
    ensembles: tuple[RunResult, ...] = ()

    def of(self, arm: str) -> list[RunResult]:
        """The finished runs of an arm."""
        return [run for run in self.runs if run.arm == arm and run.status == "done"]
