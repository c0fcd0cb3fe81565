"""Ablations as sweeps: every arm with every seed, each run once, only what is missing.

``-m ablation=loss,activation`` takes arms, seeds and what is asked from ``conf/ablation``. Any other sweep is Hydra's
basic one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

__all__ = ["ArmSweeper", "said_values"]


class ArmSweeper(Sweeper):
    """Hydra sweeper of ablations.

    Args:
        max_batch_size: Of Hydra's basic sweeper, for sweeps that are no ablation.
        params: Likewise.
    """

    #: Hydra takes sweepers from its own namespace only; ``register_plugins`` puts this one there.
    __module__ = "hydra_plugins.hipjsw"

    def __init__(self, max_batch_size: int | None = None, params: dict[str, str] | None = None) -> None:
        self.max_batch_size = max_batch_size
        self.params = params
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.launcher: Launcher | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take the sweep's configuration and make its launcher; Hydra calls it."""
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run what the command line asks for; Hydra calls it.

        Raises:
            ValueError: Arms, seeds or options that do not fit together.
            SystemExit: A job failed (1), or SIGTERM (143).
            KeyboardInterrupt: Ctrl-C.
        """
        assert self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        said = parser.parse_overrides(arguments)
        names = said_values(said, "ablation")
        if names in ([], ["null"]):
            return self._basic().sweep(arguments)
        from hipjsw.app.arm_sweep import (
            ArmSweep,  # a second or more of imports, which every door would have to wait for
        )

        assert self.config is not None
        assert self.launcher is not None
        return ArmSweep(self.hydra_context, self.config, self.launcher).run(said, names)

    def _basic(self) -> Sweeper:
        """Hydra's own sweeper; imported here, for looking for plugins replaces its class by another."""
        from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

        basic = BasicSweeper(self.max_batch_size, self.params)
        basic.hydra_context, basic.config, basic.launcher = self.hydra_context, self.config, self.launcher
        return basic


def said_values(said: Sequence[Override], key: str) -> list[str]:
    """The values that are given to a key, several where it is swept; the last one given counts."""
    found = [override for override in said if override.get_key_element() == key]
    if not found:
        return []
    if found[-1].is_sweep_override():
        return [str(value) for value in found[-1].sweep_string_iterator()]
    return [found[-1].get_value_element_as_str()]
