"""W&B runs that lie on disk: which are not sent yet, the command that sends them, and how far one got."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

__all__ = ["SEND", "next_step", "offline_runs", "sync_command"]

#: Sends runs. W&B would note the path of its own program with every run it sends; this variable stands in for it.
SEND = "WANDB_PROGRAM=wandb wandb sync"
#: Where offline runs of trainings and of ablations (`hipjsw.reporting.ablation_dashboard`) lie below a ``runs_dir``.
PLACES = ("*/wandb/offline-run-*", "sweeps/*/wandb/offline-run-*")
#: How W&B's binary file writes the name of its step, the tag of its value, and then the value's length in one byte.
STEP = b"_step\x82\x01"


def offline_runs(runs_dir: Path) -> list[Path]:
    """Folders of W&B runs that were kept offline and not sent yet.

    Args:
        runs_dir: Where the runs lie.

    Returns:
        Their folders, those of one run in the order of its attempts.
    """
    found = (path for place in PLACES for path in runs_dir.glob(f"{place}/*.wandb"))
    return sorted(path.parent for path in found if not path.with_suffix(".wandb.synced").exists())


def sync_command(runs_dir: Path, more: Sequence[Path] = ()) -> str | None:
    """The one command that sends every run of a folder that is not sent yet.

    It names folders by patterns, so that it stays short and may be used again after further runs: what was sent is
    skipped. Attempts of one run (a run that was interrupted and went on) have one id, and W&B sends them in their
    order, each going on where the one before ended.

    Args:
        runs_dir: Where the runs lie.
        more: Folders of offline runs that lie elsewhere.

    Returns:
        The command for a POSIX shell, to be called where it was made; None if nothing is to be sent.
    """
    waiting = set(offline_runs(runs_dir))
    start = shlex.quote(f"{_from_here(runs_dir)}/")
    folders = [start + place for place in PLACES if waiting.intersection(runs_dir.glob(place))]
    folders += [shlex.quote(_from_here(path)) for path in more]
    return " ".join([SEND, *folders]) if folders else None


def next_step(folder: Path, run_id: str) -> int:
    """The step at which a run goes on; W&B puts attempts of one run together only if their steps differ.

    Args:
        folder: The folder whose ``wandb`` holds the earlier attempts.
        run_id: The run's id.

    Returns:
        A step beyond all that were written, 0 if there are none. Should W&B come to write its files in another way,
        the answer is 0 too.
    """
    written = [-2]
    for path in folder.glob(f"wandb/*run-*-{run_id}*/run-{run_id}.wandb"):
        content = path.read_bytes()
        at = content.find(STEP)
        while at >= 0:
            start = at + len(STEP)
            digits = content[start + 1 : start + 1 + content[start]] if start < len(content) else b""
            written += [int(digits)] if digits.isdigit() else []
            at = content.find(STEP, start)
    return max(written) + 2  # one more, for a record may be parted by the end of a block and so be overlooked


def _from_here(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()
