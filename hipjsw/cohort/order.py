"""Work on many films by several processes, its results in the films' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

__all__ = ["Progress", "in_order"]

Progress = Callable[[int, int], None]
Job = TypeVar("Job")
Done = TypeVar("Done")

#: Jobs for each process that may be ahead of what was taken.
_AHEAD = 4


def in_order(
    work: Callable[[Job], Done], jobs: Sequence[Job], workers: int, progress: Progress | None = None
) -> Iterator[Done]:
    """What ``work`` makes of each job, in their order, in this process or in several.

    Only a few jobs are ahead of what was taken, so memory does not grow with their number.

    Args:
        work: A function that can be sent to a process.
        jobs: What it is called with.
        workers: Processes.
        progress: Called with jobs done and jobs in all, after each was taken.
    """
    total, done = len(jobs), 0
    if workers <= 1:
        for done, job in enumerate(jobs, 1):
            yield work(job)
            if progress:
                progress(done, total)
        return
    waiting: deque[Future[Done]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                if len(waiting) > _AHEAD * workers:
                    yield waiting.popleft().result()
                    done += 1
                    if progress:
                        progress(done, total)
            while waiting:
                yield waiting.popleft().result()
                done += 1
                if progress:
                    progress(done, total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
