"""A run made again from what it recorded, and whether it came out equal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.table import Table
from rich.text import Text

from hipjsw.app.runs import Run, RunError, read_json
from hipjsw.learning.checkpoint import load_weights
from hipjsw.learning.fitting import BEST

__all__ = ["Comparison", "compare_runs", "replay_table", "replayed"]

#: Taken from the command, not from the run: where things lie and how fast they are done.
OWN = ("runs_dir", "data_dir", "workers", "num_workers", "logger")
#: Of the history, what a clock said.
_CLOCK = "seconds"


@dataclass(frozen=True)
class Comparison:
    """One thing that was compared between a run and its replay.

    Args:
        what: What.
        equal: Whether it is the same to the last bit.
        said: How many there are, or how far they are apart.
    """

    what: str
    equal: bool
    said: str


def replayed(cfg: DictConfig) -> DictConfig:
    """The configuration of a run, to be made again in another folder: ``run``, or the run's own with ``-replay``.

    Args:
        cfg: What the command says; ``replay`` names the run.

    Raises:
        RunError: No run there, or one that is not finished.
    """
    run = Run.load(Path(cfg.replay))
    if not run.is_finished:
        raise RunError(f"{run.folder} is not finished; the command that began it continues it, then it can be replayed")
    trained = OmegaConf.load(run.folder / "config.yaml")
    assert isinstance(trained, DictConfig)
    own = {key: cfg[key] for key in OWN}
    store = cfg.store if cfg.store is not None else trained.store
    folder = cfg.run if cfg.run is not None else f"{run.folder}-replay"
    if Path(folder).absolute() == run.folder.absolute():
        raise RunError(f"run={folder} is the run that is to be replayed; name another folder")
    said = {**own, "store": store, "run": str(folder), "ablation": None, "group": None, "replay": None}
    merged = OmegaConf.merge(cfg, {k: v for k, v in trained.items() if k not in ("ablation",)}, said)
    assert isinstance(merged, DictConfig)
    return merged


def compare_runs(first: Path, second: Path) -> list[Comparison]:
    """Compare what came of two runs of one configuration.

    Args:
        first: A finished run's folder.
        second: Its replay's.
    """
    return [
        _identities(first, second),
        _histories(first, second),
        _weights(first, second),
        _rows(first, second),
        _metrics(first, second),
    ]


def replay_table(compared: Sequence[Comparison]) -> Table:
    """What was compared, as a table."""
    equal = all(one.equal for one in compared)
    table = Table(title=Text("the replay is equal" if equal else "the replay is NOT equal"), box=box.SIMPLE)
    for head in ("compared", "equal", ""):
        table.add_column(head)
    for one in compared:
        table.add_row(Text(one.what), "yes" if one.equal else "no", Text(one.said))
    return table


def _identities(first: Path, second: Path) -> Comparison:
    one, other = (read_json(folder / "identity.json") for folder in (first, second))
    differing = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    return Comparison("configuration, data and split", not differing, ", ".join(differing) or "one identity")


def _histories(first: Path, second: Path) -> Comparison:
    one, other = (pd.read_csv(folder / "history.csv").drop(columns=_CLOCK) for folder in (first, second))
    equal = one.equals(other)
    return Comparison("losses and validation Dice", equal, f"{len(one)} epochs" + ("" if equal else " differ"))


def _weights(first: Path, second: Path) -> Comparison:
    one, other = (load_weights(folder / BEST) for folder in (first, second))
    if one.keys() != other.keys():
        return Comparison("weights", False, "of another network")
    apart = max(float((one[name].double() - other[name].double()).abs().max()) for name in one)
    equal = all(torch.equal(one[name], other[name]) for name in one)
    count = sum(value.numel() for value in one.values())
    return Comparison("weights", equal, f"{count} numbers" + ("" if equal else f", apart by up to {apart:.3g}"))


def _rows(first: Path, second: Path) -> Comparison:
    one, other = (pd.read_csv(folder / "test_hips.csv") for folder in (first, second))
    equal = one.equals(other)
    return Comparison("test hips", equal, f"{len(one)} rows" + ("" if equal else " differ"))


def _metrics(first: Path, second: Path) -> Comparison:
    one, other = (read_json(folder / "metrics.json") for folder in (first, second))
    differing = [key for key in one.keys() | other.keys() if json.dumps(one.get(key)) != json.dumps(other.get(key))]
    said = f"{len(one)} numbers" + (f", {len(differing)} differ, e.g. {min(differing)}" if differing else "")
    return Comparison("metrics", not differing, said)
