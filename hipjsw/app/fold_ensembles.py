"""What the finished runs of each fold say together: which ensembles there can be, and the jobs that judge them.

A fold's test persons are in the training of no run of that fold, whatever its seed, so its runs may be judged together
on them; put together over all folds, every hip is then measured by several networks that never saw its person.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from hipjsw.ablation.read import ENSEMBLES
from hipjsw.app.launcher import Expected, ProcessLauncher
from hipjsw.app.runs import METRICS, failure_reason

__all__ = ["FoldEnsemble", "fold_ensembles", "judge_ensembles"]

DOOR = "hipjsw.evaluate"


@dataclass(frozen=True)
class FoldEnsemble:
    """Runs of one arm, judged together.

    Args:
        arm: Whose runs.
        members: Their folders, two or more.
    """

    arm: str
    members: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """Where the results lie: ``<runs_dir>/ensembles/<arm>-<number of runs>-<hash of their names>``."""
        names = sorted(member.name for member in self.members)
        digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:8]
        safe = re.sub(r"[^\w-]", "_", self.arm)
        return self.members[0].parent / ENSEMBLES / f"{safe}-{len(names)}-runs-{digest}"

    @property
    def is_finished(self) -> bool:
        """Whether its results are there."""
        return (self.folder / METRICS).is_file()

    def job(self, options: Iterable[str] = ()) -> list[str]:
        """The overrides of the job that judges it.

        Args:
            options: Of the sweep; those that say what trains say what judges as well.
        """
        first, *others = (_quoted(member) for member in self.members)
        on = [option for option in options if re.match(r"trainer[=./]", option)]
        return [f"run={first}", f"ensemble=[{','.join(others)}]", f"out={_quoted(self.folder)}", *on]


def fold_ensembles(runs_dir: Path, entries: Sequence[Mapping[str, Any]]) -> list[FoldEnsemble]:
    """The ensembles that there can be: of each arm with two finished runs or more, all of these.

    Args:
        runs_dir: Folder of the runs.
        entries: A record's runs.
    """
    by_arm: dict[str, list[Path]] = {}
    for entry in entries:
        if (runs_dir / str(entry["run"]) / METRICS).is_file():
            by_arm.setdefault(str(entry["arm"]), []).append(runs_dir / str(entry["run"]))
    return [FoldEnsemble(arm, tuple(members)) for arm, members in by_arm.items() if len(members) > 1]


def judge_ensembles(
    config: DictConfig, name: str, ensembles: Sequence[FoldEnsemble], options: Sequence[str], at_a_time: int
) -> dict[str, str]:
    """Judge those that are missing, each in a process of its own.

    Args:
        config: The sweep's configuration.
        name: The ablation's; logs lie in its folder.
        ensembles: All of them.
        options: The sweep's.
        at_a_time: Jobs at a time.

    Returns:
        Why it failed, by name of folder.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        SystemExit: SIGTERM (143).
    """
    missing = [ensemble for ensemble in ensembles if not ensemble.is_finished]
    if not missing:
        return {}
    launcher = ProcessLauncher(at_a_time)
    launcher.config, launcher.door = config, DOOR
    launcher.expected = [
        Expected(f"{name}: {one.arm}, its {len(one.members)} runs together", 1.0, name, one.folder.name)
        for one in missing
    ]
    try:
        launcher.launch([one.job(options) for one in missing], 0)
    except SystemExit as stop:
        if stop.code != 1:
            raise
    places = (config.runs_dir, config.store, config.data_dir)
    rows = zip(missing, launcher.rows, strict=True)
    failed = {one.folder.name: row.reason for one, row in rows if not one.is_finished}
    return {folder: failure_reason(ValueError(reason), places) for folder, reason in failed.items()}


def _quoted(path: Path) -> str:
    """A path as a value in Hydra's grammar, whatever characters it has."""
    text = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), str(path))
    return f"'{text}'"
