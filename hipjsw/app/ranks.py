"""The other ranks of a run: rank 0 starts them, watches them, and no rank outlives another that died.

Rank 0 is the run: it makes the store, holds the run's folder, writes, and measures. The others are the same command
line once more, do nothing but train, and write nothing. Under ``srun`` with a task a rank Slurm starts and ends them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import torch
import torch.distributed as dist
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from hipjsw.app.job import REPORT_VARIABLE, SWEEP_VARIABLE, exit_reason, own_conf
from hipjsw.app.provision import find_store, split_spec, view_spec
from hipjsw.cohort.store import Store, StoreError
from hipjsw.learning.ranks import RANK_VARIABLE, Share, num_ranks, own_rank, slurm_tasks

__all__ = ["LEADER_VARIABLE", "RankError", "await_store", "check_ranks", "follow_rank_0", "other_ranks"]

#: Process id of rank 0, for those that it starts.
LEADER_VARIABLE = "HIPJSW_RANK_0"
#: What torch and Lightning read, and set, of a rank.
GROUP_VARIABLES = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "NODE_RANK", "LOCAL_RANK", "OMP_NUM_THREADS")

#: How often ranks are looked after.
LOOK_S = 0.5
#: How often is looked whether rank 0 has provided the store.
AWAIT_S = 2.0
#: How long after another rank's death rank 0 may go on before it is ended too; gloo tells it much sooner.
GRACE_S = 10.0
#: How long the others may take to end once all is trained.
PATIENCE_S = 30.0

Lost = Callable[["RankError"], None]


class RankError(RuntimeError):
    """A rank of the run died; the message says which, and how."""


def check_ranks(cfg: DictConfig) -> int:
    """The number of ranks of a configuration.

    Raises:
        ValueError: Numbers that make no ranks, a batch that they cannot share, or other tasks than ranks.
    """
    ranks, tasks = num_ranks(cfg.trainer.options), slurm_tasks()
    Share(0, ranks, int(cfg.budget.batch_size))
    if tasks > 1 and tasks != ranks:
        raise ValueError(
            f"srun started {tasks} tasks, but the run has {ranks} rank{'s' if ranks > 1 else ''}: with trainer=ddp, "
            "trainer.options.devices times trainer.options.num_nodes is the number of tasks"
        )
    if int(cfg.trainer.options.get("num_nodes", 1)) > 1 and tasks == 1:
        raise ValueError("trainer.options.num_nodes is for ranks that srun starts, a task each; leave it out")
    return ranks


def await_store(cfg: DictConfig) -> Store:
    """The store that rank 0 provides, once it is there.

    Raises:
        StoreError: One of another view; none, where rank 0 started this process only after it had provided one.
        SplitError: A split that cannot be made.
    """
    store: Store | None = None
    while store is None:
        try:
            store = find_store(cfg)
        except StoreError:
            if slurm_tasks() == 1:
                raise
            time.sleep(AWAIT_S)  # should rank 0 fail, Slurm ends the step
    store.require_view(view_spec(cfg))
    return store.dealt(split_spec(cfg))


@contextmanager
def other_ranks(ranks: int, lost: Lost) -> Iterator[None]:
    """Have the other ranks run while this one, rank 0, fits; none of them is left afterwards.

    Args:
        ranks: How many there are with this one.
        lost: Told of a rank that died, before this process is ended, where it hangs and cannot be told itself.

    Raises:
        RankError: Another rank died.
    """
    if ranks == 1 or slurm_tasks() > 1:
        yield
        return
    threads = torch.get_num_threads()
    share = threads if "OMP_NUM_THREADS" in os.environ else max(threads // ranks, 1)
    torch.set_num_threads(share)
    with _group_environment(ranks, share):
        others = _Others(ranks, lost)
        try:
            others.start()
            yield
            others.wait(PATIENCE_S)
        except RuntimeError as error:
            if _is_of_group(error):
                others.wait(LOOK_S)
                others.raise_lost(error)
            raise
        finally:
            others.end()
    torch.set_num_threads(threads)


@dataclass
class _Others:
    """Ranks 1 and up, as processes.

    Args:
        ranks: How many there are with rank 0.
        lost: As in ``other_ranks``.
    """

    ranks: int
    lost: Lost
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start them, and watch them from a thread."""
        sweep = cast(DictConfig, HydraConfig.get())
        command = [sys.executable, "-m", "hipjsw.train", *own_conf(sweep), *sweep.overrides.task]
        unwanted = (REPORT_VARIABLE, SWEEP_VARIABLE, "HYDRA_FULL_ERROR")  # they say nothing to a sweep
        environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        for rank in range(1, self.ranks):
            said = environment | {"LOCAL_RANK": str(rank), RANK_VARIABLE: str(rank), LEADER_VARIABLE: str(os.getpid())}
            # a group of its own: Ctrl-C is for rank 0, which ends it
            self.processes.append(subprocess.Popen(command, env=said, process_group=0))
        threading.Thread(target=self._watch, daemon=True, name="watching-ranks").start()

    def died(self) -> RankError | None:
        """What to say of the first that ended with an error; None where none did."""
        for rank, process in enumerate(self.processes, 1):
            code = process.poll()
            if code:
                return RankError(
                    f"rank {rank} of {self.ranks} {exit_reason(code)}; the same command continues where it was"
                )
        return None

    def raise_lost(self, cause: BaseException) -> None:
        """Raise what is to be said of one that died, if one did."""
        died = self.died()
        if died is not None:
            raise died from cause

    def wait(self, seconds: float) -> None:
        """Wait until all have ended, not longer than so many seconds."""
        until = time.monotonic() + seconds
        while any(process.poll() is None for process in self.processes) and time.monotonic() < until:
            time.sleep(LOOK_S / 10)

    def end(self) -> None:
        """Kill those that live: they hold nothing that is not written by rank 0."""
        self.over.set()
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()

    def _watch(self) -> None:
        while not self.over.wait(LOOK_S):
            died = self.died()
            if died is not None and not self.over.wait(GRACE_S):  # this process hangs in what only both can do
                self.lost(died)
                print(f"error: {died}", file=sys.stderr, flush=True)
                for process in self.processes:
                    process.kill()
                os._exit(1)


@contextmanager
def follow_rank_0(ranks: int) -> Iterator[None]:
    """While this process, another rank, trains: end it should rank 0 die, whatever it is doing then.

    Args:
        ranks: How many there are.
    """
    if LEADER_VARIABLE not in os.environ:  # srun started it, and ends it
        yield
        return
    leader = int(os.environ[LEADER_VARIABLE])

    def watch() -> None:
        while os.getppid() == leader:
            time.sleep(LOOK_S)
        said = f"error: rank 0 of {ranks} died, so rank {own_rank()} ends; the same command continues where it was"
        print(said, file=sys.stderr, flush=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="watching-rank-0").start()
    try:
        yield
    except RuntimeError as error:
        if _is_of_group(error):
            time.sleep(3 * LOOK_S)  # if rank 0 is why, that is said now
        raise


def _is_of_group(error: RuntimeError) -> bool:
    """Whether the error may be what another rank's death looks like from here."""
    return type(error) is RuntimeError or isinstance(error, dist.DistError)


@contextmanager
def _group_environment(ranks: int, threads: int) -> Iterator[None]:
    """Say by environment variables, as torch and Lightning read them, where the ranks meet and which this one is."""
    before = {name: os.environ.get(name) for name in GROUP_VARIABLES}
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    said = ("127.0.0.1", port, ranks, 0, 0, threads)
    os.environ.update({name: str(value) for name, value in zip(GROUP_VARIABLES, said, strict=True)})
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
