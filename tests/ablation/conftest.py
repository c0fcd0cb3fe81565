"""A made-up runs_dir, and the module that makes it."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def made():
    """The module that makes run folders and results up."""
    spec = importlib.util.spec_from_file_location("ablation_made", Path(__file__).with_name("made.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def runs_dir(made, tmp_path_factory):
    """Run folders and records of three sweeps; to be read only."""
    return made.make_runs_dir(tmp_path_factory.mktemp("ablation") / "runs")
