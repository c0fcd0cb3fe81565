"""Work on many films by several processes, its results in the films' order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import TypeVar

__all__ = ["Progress", "WorkerLostError", "in_order"]

Progress = Callable[[int, int], None]
Job = TypeVar("Job")
Done = TypeVar("Done")

#: Jobs for each process that may be ahead of what was taken.
_AHEAD = 4
#: A signal to all processes may end a worker before it reaches this one.
_SIGNAL_S = 0.2


class WorkerLostError(ValueError):
    """A process that did some of the work was ended from outside."""


def in_order(
    work: Callable[[Job], Done], jobs: Sequence[Job], workers: int, progress: Progress | None = None
) -> Generator[Done, None, None]:
    """What ``work`` makes of each job, in their order, in this process or in several.

    Only a few jobs are ahead of what was taken, so memory does not grow with their number. The processes leave Ctrl-C
    to this one, and end when this one does, however it ends.

    Args:
        work: A function that can be sent to a process.
        jobs: What it is called with.
        workers: Processes; no more are started than there are jobs.
        progress: Called with jobs done and jobs in all, after each was taken.

    Raises:
        WorkerLostError: A process was killed, as the system does when memory runs out.
    """
    results = map(work, jobs) if min(workers, len(jobs)) <= 1 else _by_processes(work, jobs, min(workers, len(jobs)))
    for done, result in enumerate(results, 1):
        yield result
        del result  # or it would be held while the next is made
        if progress:
            progress(done, len(jobs))


def _by_processes(work: Callable[[Job], Done], jobs: Sequence[Job], workers: int) -> Iterator[Done]:
    waiting: deque[Future[Done]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin_worker) as pool:
        try:
            for job in jobs:
                with _interrupts_held():
                    waiting.append(pool.submit(work, job))
                if len(waiting) > _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            time.sleep(_SIGNAL_S)
            raise WorkerLostError(
                "a worker process was killed, most likely because memory ran out; "
                "give fewer with workers=N, and the same command continues where it was"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; a process that is started meanwhile never sees it, not even before `_begin_worker`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
