"""A tiny phantom cohort and its store, made by the real command line, and a way to call any door."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.schema import register_schemas

#: The smallest budget that still trains, validates and tests.
TINY = ("budget.steps=2", "budget.val_every=1", "budget.batch_size=4", "dataset_size=small", "split.test_hips=4")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def call_door(name, *options, cwd, timeout=300, **environment):
    """Run ``python -m hipjsw.<name>`` with W&B offline."""
    env = os.environ | {"WANDB_MODE": "offline", "COLUMNS": "160"} | environment
    done = subprocess.run(
        [sys.executable, "-m", f"hipjsw.{name}", *options],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=cwd,
        env=env,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def door():
    return call_door


@pytest.fixture(scope="session")
def configured():
    """A door's configuration as its command line composes it, for its ``main`` to be called in this process."""

    def compose_it(name, *options):
        register_schemas()
        register_plugins()
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return compose(name, [str(option) for option in options])

    return compose_it


@pytest.fixture(scope="session")
def tiny():
    return TINY


@dataclass(frozen=True)
class Workplace:
    folder: Path
    cohort: Path
    store: Path


@pytest.fixture(scope="session")
def workplace(tmp_path_factory) -> Workplace:
    """A folder with a phantom cohort of 9 persons and its store."""
    folder = tmp_path_factory.mktemp("work")
    cohort, store = folder / "cohort", folder / "store"
    done = call_door("phantom", f"out={cohort}", "subjects=9", "seed=5", cwd=folder)
    assert done.code == 0, done.err
    done = call_door("prepare", f"cohort={cohort}", f"store={store}", cwd=folder)
    assert done.code == 0, done.err
    return Workplace(folder, cohort, store)
