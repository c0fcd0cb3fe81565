"""Our launchers and sweeper, made known to Hydra.

They are registered from the door, in a module of Hydra's plugin namespace that is no file: installed as plugins they
would be imported by every other Hydra application of the environment.
"""

from __future__ import annotations

import importlib
import os
import sys
import types

from hydra.core.plugins import Plugins

from hipjsw.app.launcher import ProcessLauncher
from hipjsw.app.slurm import SlurmLauncher
from hipjsw.app.sweeper import ArmSweeper

__all__ = ["register_plugins"]


def register_plugins() -> None:
    """Make launchers and sweeper known to Hydra, in this process only. Jobs get the environment as it is now."""
    ProcessLauncher.environment = dict(os.environ)
    plugins = Plugins.instance()  # before the namespace is touched: Hydra scans it once, as files
    try:
        parent = importlib.import_module("hydra_plugins")
    except ImportError:
        parent = sys.modules["hydra_plugins"] = types.ModuleType("hydra_plugins")
    module = types.ModuleType(ProcessLauncher.__module__)
    vars(module).update(ProcessLauncher=ProcessLauncher, SlurmLauncher=SlurmLauncher, ArmSweeper=ArmSweeper)
    vars(parent)["hipjsw"] = sys.modules[module.__name__] = module
    for plugin in (ProcessLauncher, SlurmLauncher, ArmSweeper):
        plugins.register(plugin)
