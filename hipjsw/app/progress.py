"""Long work: how many processes do it, and how far it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["num_workers", "progress_bar"]


def num_workers(wanted: int | None) -> int:
    """Processes for work on films: as told, else one a core."""
    if wanted is not None and wanted < 1:
        raise ValueError(f"workers={wanted}: at least one process works; leave it out for one a core")
    return wanted if wanted is not None else _cores()


def _cores() -> int:
    """Cores this process may use, where the system says so."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


@contextmanager
def progress_bar(what: str, things: str = "") -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error; yields the function that moves it (done, total).

    Args:
        what: What is being done.
        things: What is counted: then so many a second are shown.
    """
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), *_speed(things))
    if not console.is_terminal:
        console.print(f"{what} ...")
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _speed(things: str) -> list[ProgressColumn]:
    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if not task.speed else f"{task.speed:.1f} {things}/s")

    return [Speed()] if things else []
