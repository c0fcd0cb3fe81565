"""What every door does before and after its work: configuration, logging, errors as one readable line."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hipjsw.app.job import end_with_sweep, own_conf, run_in_own_process
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.schema import refuse_unknown_keys, register_schemas

__all__ = ["open_door"]

log = logging.getLogger("hipjsw")

#: What a person can mend: the message says how. Anything else is a defect, and its type is said too.
EXPECTED: tuple[type[Exception], ...] = (ValueError, OSError, HydraException, OmegaConfBaseException)

FULL_ERROR = "HYDRA_FULL_ERROR"
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


def open_door(work: Callable[[DictConfig], None], name: str, expected: tuple[type[Exception], ...] = ()) -> None:
    """Run a door: compose its configuration from the command line and do its work.

    Ctrl-C ends it with exit code 130, SIGTERM with 143, an error with 1.

    Args:
        work: Takes the composed configuration.
        name: Primary configuration in conf/.
        expected: Further errors that a person can mend.
    """
    register_schemas()
    register_plugins()
    end_with_sweep()
    signal.signal(signal.SIGTERM, _terminate)
    with_traceback = os.environ.get(FULL_ERROR) == "1"

    def guarded(cfg: DictConfig) -> None:
        _set_up_logging()
        if HydraConfig.get().mode == RunMode.MULTIRUN:  # another launcher's job; its sweep says what failed
            refuse_unknown_keys(cfg, name)
            if "joblib" in HydraConfig.get().launcher._target_:
                sweep = cast(DictConfig, HydraConfig.get())
                run_in_own_process(f"hipjsw.{name}", [*own_conf(sweep), *sweep.overrides.task])
            else:
                work(cfg)
            return
        with _errors_as_lines((*EXPECTED, *expected), with_traceback):  # inside: Hydra would add lines of its own
            refuse_unknown_keys(cfg, name)
            work(cfg)

    with _stops_as_lines(name), _errors_as_lines(EXPECTED, with_traceback):
        os.environ[FULL_ERROR] = "1"  # Hydra raises its errors and leaves the saying to us
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=name)(guarded)()


@contextmanager
def _errors_as_lines(expected: tuple[type[Exception], ...], with_traceback: bool) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if with_traceback:
            traceback.print_exc()
        print(f"error: {_message(error, expected)}", file=sys.stderr)
        print(f"({FULL_ERROR}=1 shows where)", file=sys.stderr)
        raise SystemExit(1) from error


@contextmanager
def _stops_as_lines(name: str) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, KeyboardInterrupt) or isinstance(stop.__context__, KeyboardInterrupt):
            # the latter is what Lightning's test makes of Ctrl-C
            how = "where it was" if name in ("train", "prepare") else "or starts over what was half done"
            print(f"\ninterrupted; the same command continues {how}", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        if stop.code == TERMINATED:
            print("\nterminated; the same command continues where it was", file=sys.stderr)
        raise


def _message(error: Exception, expected: tuple[type[Exception], ...]) -> str:
    """What to say: an expected error's whole message, the type and the first two lines of any other."""
    if isinstance(error, OverrideParseException):
        return f"{error}\nput a value with blanks, commas, brackets or accents in two kinds of quotes: \"key='value'\""
    if isinstance(error, expected) and not isinstance(error, InstantiationException):
        cause = error.__cause__ if isinstance(error, HydraException) else None
        return f"{error}\n{cause}" if isinstance(cause, OmegaConfBaseException) else str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, " ".join(lines[:2])] if lines else [type(error).__name__])


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise SystemExit(TERMINATED)


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s", force=True, stream=sys.stderr)
    log.setLevel(logging.INFO)
    for noisy in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
