"""What every door does before and after its work: configuration, logging, errors as one readable line."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hipjsw.app.launcher import register_launcher
from hipjsw.app.paths import conf_dir
from hipjsw.app.schema import refuse_unknown_keys, register_schemas

__all__ = ["open_door"]

log = logging.getLogger("hipjsw")

#: What a person can mend; anything else is a defect and shows its traceback.
EXPECTED: tuple[type[Exception], ...] = (ValueError, OSError, HydraException, OmegaConfBaseException)


def open_door(work: Callable[[DictConfig], None], name: str, expected: tuple[type[Exception], ...] = ()) -> None:
    """Run a door: compose its configuration from the command line and do its work.

    Args:
        work: Takes the composed configuration.
        name: Primary configuration in conf/.
        expected: Further errors that a person can mend.
    """
    register_schemas()
    register_launcher()

    def guarded(cfg: DictConfig) -> None:
        _set_up_logging()
        try:
            refuse_unknown_keys(cfg, name)
            work(cfg)
        except KeyboardInterrupt:
            print("\ninterrupted; the same command continues where it was", file=sys.stderr)
            raise SystemExit(130) from None
        except (*EXPECTED, *expected) as error:
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                traceback.print_exc()
            print(f"error: {error}", file=sys.stderr)
            print("(HYDRA_FULL_ERROR=1 shows where)", file=sys.stderr)
            raise SystemExit(1) from error

    hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=name)(guarded)()


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s", force=True, stream=sys.stderr)
    log.setLevel(logging.INFO)
    for noisy in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
