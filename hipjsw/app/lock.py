"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["BusyError", "only_one"]


class BusyError(ValueError):
    """Another process is at work there."""


@contextmanager
def only_one(folder: Path, wait: bool) -> Iterator[None]:
    """Hold a lock beside a folder while working in it; the system frees it when the process ends, however it ends.

    Args:
        folder: What is worked on; the lock is ``.<folder>.lock``.
        wait: Wait for another process to finish, or raise.

    Raises:
        BusyError: Another process holds the lock and ``wait`` is off.
    """
    path = folder.absolute().with_name(f".{folder.absolute().name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise BusyError(f"another process is at work in {folder}; wait for it or name another folder") from None
        yield
