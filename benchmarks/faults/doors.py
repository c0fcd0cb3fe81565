"""Doors as processes that can be killed, forked from a parent with the libraries loaded: else each costs seconds."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PRELOADED = ("prepare", "train", "evaluate", "measure")


def preload() -> None:
    """Load what the doors need, once."""
    for name in PRELOADED:
        importlib.import_module(f"hipjsw.{name}")


@dataclass
class Launched:
    """A door that runs, the leader of its own process group.

    Args:
        pid: Its process.
        said: File that holds what it prints.
        code: Its exit code, negative for a signal; None while it runs.
    """

    pid: int
    said: Path
    code: int | None = None

    def poll(self) -> int | None:
        """Exit code, or None while it runs."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def wait(self, until: Callable[[], bool] = lambda: False, seconds: float = 900.0) -> int | None:
        """Wait for its end, or for something to happen; exit code or None.

        Raises:
            TimeoutError: Neither came.
        """
        end = time.monotonic() + seconds
        while self.poll() is None and not until():
            if time.monotonic() > end:
                self.kill()
                raise TimeoutError(f"hung: {self.text()[-500:]}")
            time.sleep(0.002)
        return self.code

    def send(self, number: int) -> None:
        """Send its process a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill its whole group, as the kernel does: nothing is cleaned up."""
        if self.poll() is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:  # it does not lead a group yet
                os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def text(self) -> str:
        """What it printed."""
        return self.said.read_text(encoding="utf-8", errors="replace")


def launch(door: str, *options: str, cwd: Path, **environment: str) -> Launched:
    """Start ``python -m hipjsw.<door>``.

    Args:
        door: Its name.
        options: Its command line.
        cwd: Its working folder.
        environment: Further variables.
    """
    said = cwd / f"said-{time.monotonic_ns()}.txt"
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Launched(pid, said)
    os.setsid()
    os.chdir(cwd)
    os.environ.update({"WANDB_MODE": "offline", "COLUMNS": "160"} | environment)
    file = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(file, number)
    code = 1
    try:
        code = _open(door, options)
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _open(door: str, options: tuple[str, ...]) -> int:
    from hipjsw.app.door import open_door
    from hipjsw.learning.callbacks import NonFiniteLossError

    logging.disable(logging.NOTSET)
    sys.argv = [f"hipjsw.{door}", *options]
    try:
        open_door(importlib.import_module(f"hipjsw.{door}").main, door, expected=(NonFiniteLossError,))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0
