"""Sweeps as they lie on disk: records, and the folders of their runs.

A run that is damaged or half-written is a failed run whose reason says what to do; the others are read all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pandas.errors import ParserError
from yaml import YAMLError

from hipjsw.ablation.design import Design, DesignError
from hipjsw.ablation.measures import HIP_NEEDED, HIP_TEXT, HISTORY_NEEDED
from hipjsw.ablation.sweep import RunResult, Sweep

__all__ = ["ENSEMBLES", "RECORD_VERSION", "RecordError", "read_run", "read_sweep", "read_sweeps"]

#: Version of the records that are read.
RECORD_VERSION = 1
#: Beside the runs: what several of them say together, a folder each.
ENSEMBLES = "ensembles"

_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, ParserError)


class RecordError(ValueError):
    """A record of a sweep that cannot be read; the message says which and what to do."""


class _DamagedError(ValueError):
    """A file of a run that is missing or damaged."""


def read_sweeps(runs_dir: Path, records: Sequence[str] | None = None) -> list[Sweep]:
    """All sweeps that were recorded, by name of record.

    Args:
        runs_dir: Folder of the runs; its ``sweeps`` holds the records. Without any the list is empty.
        records: Only these, in this order; None for all.

    Raises:
        RecordError: A record that is not there, is damaged or is of another version.
    """
    folder = runs_dir / "sweeps"
    known = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in records or ():
        if name not in known:
            said = ", ".join(known) or "none"
            raise RecordError(f"no sweep is recorded as {name!r} in {folder}; there are: {said}")
    return [read_sweep(known[name]) for name in (known if records is None else records)]


def read_sweep(path: Path) -> Sweep:
    """One sweep.

    Args:
        path: Its record, ``<runs_dir>/sweeps/<record>.json``.

    Raises:
        RecordError: As for ``read_sweeps``.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["version"]
        if version != RECORD_VERSION:
            raise RecordError(
                f"{path} is a record of version {version!r} and this is read: {RECORD_VERSION}; "
                "use the version of hipjsw that wrote it, or remove it and start the sweep again (finished runs stay)"
            )
        design = Design.read(content["ablation"])
        runs = tuple(
            read_run(path.parent.parent, str(run["arm"]), int(run["seed"]), run["run"], str(run["reason"]))
            for run in _ordered(content["runs"], design)
        )
        together = tuple(
            _read_ensemble(path.parent.parent / ENSEMBLES, str(one["arm"]), str(one["folder"]), str(one["reason"]))
            for one in content.get("ensembles", ())
        )
        options = tuple(str(option) for option in content["options"])
        return Sweep(design, str(content["record"]), options, str(content["scale"]), runs, together)
    except RecordError:
        raise
    except DesignError as error:
        raise RecordError(f"{path}: {error}") from error
    except _DAMAGE as error:
        raise RecordError(
            f"{path} is damaged ({type(error).__name__}: {_first_line(error)}); remove it and start the sweep again: "
            "runs that are finished are not run again"
        ) from error


def _ordered(runs: Sequence[Mapping[str, Any]], design: Design) -> list[Mapping[str, Any]]:
    """In the order of arms and seeds.

    Raises:
        DesignError: A run of an arm that the design does not have, or the same arm and seed twice.
    """
    order = [arm.name for arm in design.arms]
    strange = sorted({str(run["arm"]) for run in runs} - set(order))
    if strange:
        raise DesignError(f"a run is of arm {strange[0]!r}; the arms are {', '.join(order)}")
    keys = [(order.index(str(run["arm"])), int(run["seed"])) for run in runs]
    if len(set(keys)) != len(keys):
        raise DesignError("an arm has two runs of the same seed; remove the record and start the sweep again")
    return [run for _, run in sorted(zip(keys, runs, strict=True), key=lambda pair: pair[0])]


def read_run(runs_dir: Path, arm: str, seed: int, name: str | None, reason: str = "") -> RunResult:
    """One run, whatever became of it.

    Args:
        runs_dir: Folder of the runs.
        arm: Whose run.
        seed: Its seed.
        name: Name of its folder in ``runs_dir``; None where it never came to one.
        reason: Why the sweep says it failed; empty if it does not.

    Returns:
        The run. It is ``done`` once its ``metrics.json`` is there; without it, it failed if its folder's
        ``failed.json`` or the sweep says why, and is missing otherwise.
    """
    if name is not None and (name in ("", "..") or Path(name).name != name):
        return RunResult(arm, seed, "failed", None, f"{name!r} names no folder of the runs; start the sweep again")
    folder = None if name is None else runs_dir / name
    if folder is None or not folder.is_dir():
        return RunResult(arm, seed, "failed" if reason else "missing", None, reason)
    if (folder / "metrics.json").exists():
        try:
            return _done(arm, seed, folder)
        except _DamagedError as error:
            said = f"{error}; remove the folder {name} and start the sweep again"
            return RunResult(arm, seed, "failed", folder, said, history=_history_if_any(folder))
    said = _why_failed(folder) or reason
    return RunResult(arm, seed, "failed" if said else "missing", folder, said, history=_history_if_any(folder))


def _read_ensemble(ensembles: Path, arm: str, name: str, reason: str) -> RunResult:
    """What runs say together, whatever became of it."""
    if name in ("", "..") or Path(name).name != name:
        return RunResult(arm, 0, "failed", None, f"{name!r} names no folder of {ENSEMBLES}; start the sweep again")
    folder = ensembles / name
    if not (folder / "metrics.json").is_file():
        return RunResult(arm, 0, "failed" if reason else "missing", None, reason)
    try:
        metrics, hips = _judged(folder)
    except _DamagedError as error:
        said = f"{error}; remove the folder {ENSEMBLES}/{name} and start the sweep again"
        return RunResult(arm, 0, "failed", folder, said)
    return RunResult(arm, 0, "done", folder, metrics=metrics, hips=hips)


def _judged(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Numbers, and rows of test hips."""
    metrics = _json(folder / "metrics.json")
    hips = _hips(folder / "test_hips.csv")
    told = metrics.get("test/num_hips", len(hips))
    if told != len(hips):
        raise _DamagedError(f"test_hips.csv has {len(hips)} hips and metrics.json speaks of {told}")
    return metrics, hips


def _done(arm: str, seed: int, folder: Path) -> RunResult:
    metrics, hips = _judged(folder)
    return RunResult(
        arm,
        seed,
        "done",
        folder,
        metrics=metrics,
        history=_history(folder / "history.csv"),
        hips=hips,
        cost=_json(folder / "cost.json") if (folder / "cost.json").exists() else {},
        config=_config(folder / "config.yaml"),
        made_by=_json(folder / "run.json"),
    )


def _why_failed(folder: Path) -> str:
    """What ``failed.json`` says; empty where there is none."""
    path = folder / "failed.json"
    if not path.exists():
        return ""
    try:
        return str(_json(path).get("reason") or "no reason was written; start the sweep again to see it")
    except _DamagedError as error:
        return f"{error}; start the sweep again to see why"


def _history_if_any(folder: Path) -> pd.DataFrame:
    """The history of a run that is not done, for its curve; empty where there is none that can be read."""
    try:
        return _history(folder / "history.csv")
    except _DamagedError:
        return pd.DataFrame()


def _hips(path: Path) -> pd.DataFrame:
    table = _table(path, HIP_NEEDED)
    twice = table["hip_id"][table["hip_id"].duplicated()]
    if len(twice):
        raise _DamagedError(f"{path.name} has the hip {twice.iloc[0]} twice")
    if (table["hip_id"] == "").any() or (table["person"] == "").any():
        raise _DamagedError(f"{path.name} has a hip without its id or its person")
    return table


def _history(path: Path) -> pd.DataFrame:
    return _table(path, HISTORY_NEEDED)


def _table(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """A CSV file, text kept as text (an id may be ``NA`` or ``007``) and everything else as numbers, NaN where empty.

    Raises:
        _DamagedError: It is missing, cut off, without a column, or holds text where a number is due.
    """
    try:
        raw = path.read_text(encoding="utf-8").encode()
        names = pd.read_csv(BytesIO(raw), nrows=0).columns
    except _DAMAGE as error:
        raise _DamagedError(f"{path.name} is missing or damaged ({_first_line(error, path)})") from error
    if not raw.endswith(b"\n"):
        raise _DamagedError(f"{path.name} is cut off")
    missing = [name for name in needed if name not in names]
    if missing:
        raise _DamagedError(f"{path.name} has no column {missing[0]}, it is damaged or of an earlier version")
    types = {name: str if name in HIP_TEXT else np.float64 for name in names}
    empty = {name: [] if name in HIP_TEXT else [""] for name in names}
    try:
        return pd.read_csv(BytesIO(raw), dtype=types, na_values=empty, keep_default_na=False)
    except _DAMAGE as error:
        raise _DamagedError(f"{path.name} is damaged ({_first_line(error)})") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except _DAMAGE as error:
        raise _DamagedError(f"{path.name} is missing or damaged ({_first_line(error, path)})") from error
    if not isinstance(content, dict):
        raise _DamagedError(f"{path.name} is damaged: it holds no object")
    return content


def _config(path: Path) -> dict[str, Any]:
    try:
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (*_DAMAGE, OmegaConfBaseException, YAMLError) as error:
        raise _DamagedError(f"{path.name} is missing or damaged ({_first_line(error, path)})") from error
    if not isinstance(content, dict) or "seed" not in content:
        raise _DamagedError(f"{path.name} is damaged: it holds no run's configuration")
    return {str(key): value for key, value in content.items()}


def _first_line(error: Exception, path: Path | None = None) -> str:
    """The first line of an error, without the folder that a file lies in."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return text if path is None else text.replace(str(path), path.name)
