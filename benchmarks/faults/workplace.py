"""What every fault is tried on: a tiny phantom cohort, its store, and a run that nothing happened to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from doors import Launched, launch

#: The smallest budget with three validations.
TINY = ("budget.steps=6", "budget.val_every=2", "budget.batch_size=4", "dataset_size=small", "split.test_hips=4")
#: Of a store: what is compared byte by byte.
ARRAYS = ("images.u16", "planes.u8", "landmarks.f64", "hips.csv")
QUIET = ("logger=none", "measure=single", "measure.calibration_hips=8")


@dataclass
class Workplace:
    """A folder with a cohort of nine persons, its store and an undisturbed run.

    Args:
        folder: Where all lies.
        seconds: How long the undisturbed run took.
    """

    folder: Path
    seconds: float = 0.0
    made: int = field(default=0)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def whole(self) -> Path:
        return self.folder / "whole"

    def new(self, name: str) -> Path:
        """A path that nothing lies at."""
        self.made += 1
        return self.folder / f"{name}-{self.made}"

    def train(self, run: Path, *options: str, **environment: str) -> Launched:
        """Start a training like the undisturbed one."""
        said = ("data=cohort", f"store={self.store}", f"run={run}", *TINY, *QUIET, *options)
        return launch("train", *said, cwd=self.folder, **environment)

    def finish(self, run: Path, *options: str) -> str:
        """Call the training again until it is done; what was lost against the undisturbed run."""
        done = self.train(run, *options)
        if done.wait() != 0:
            return f"exit code {done.code} on going on: {done.text()[-300:]}"
        return differs(run, self.whole)

    def copy(self, source: Path, name: str) -> Path:
        """A copy of a folder."""
        target = self.new(name)
        shutil.copytree(source, target)
        return target


def make(folder: Path) -> Workplace:
    """Make the workplace."""
    place = Workplace(folder)
    for door, *options in (
        ("phantom", f"out={folder / 'cohort'}", "subjects=9", "seed=5", "workers=1"),
        ("prepare", f"cohort={folder / 'cohort'}", f"store={place.store}", "workers=1"),
    ):
        done = run_door(door, *options, cwd=folder)
        if done.code != 0:
            raise RuntimeError(done.text())
    began = time.monotonic()
    done = place.train(place.whole)
    if done.wait() != 0:
        raise RuntimeError(done.text())
    place.seconds = time.monotonic() - began
    return place


def run_door(door: str, *options: str, cwd: Path, **environment: str) -> Launched:
    """Run a door to its end."""
    if door == "phantom":
        said = cwd / "said-phantom.txt"
        with said.open("wb") as file:
            command = [sys.executable, "-m", "hipjsw.phantom", *options]
            code = subprocess.run(command, stdout=file, stderr=file, cwd=cwd, check=False).returncode
        return Launched(0, said, code)
    done = launch(door, *options, cwd=cwd, **environment)
    done.wait()
    return done


def differs(run: Path, whole: Path) -> str:
    """In what two runs differ: weights, optimiser, progress, history without its clock, metrics; empty: in nothing."""
    for name in ("last.ckpt", "best.ckpt"):
        one, other = (torch.load(f / "checkpoints" / name, weights_only=True) for f in (run, whole))
        for key in ("state_dict", "optimizer_states", "lr_schedulers", "global_step", "epoch"):
            if not same(one[key], other[key]):
                return f"{key} of {name} is another"
    if (run / "metrics.json").read_bytes() != (whole / "metrics.json").read_bytes():
        one, other = (json.loads((f / "metrics.json").read_text()) for f in (run, whole))
        return f"metrics differ: {[k for k in one if one[k] != other.get(k)][:3]}"
    if [line.rsplit(",", 1)[0] for line in (run / "history.csv").read_text().splitlines()] != [
        line.rsplit(",", 1)[0] for line in (whole / "history.csv").read_text().splitlines()
    ]:
        return "history differs"
    if (run / "test_hips.csv").read_bytes() != (whole / "test_hips.csv").read_bytes():
        return "test hips differ"
    return ""


def same(one: object, other: object) -> bool:
    """Whether two nested states are equal to the last bit."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return isinstance(other, (list, tuple)) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
