"""Training and testing by Lightning: the Trainer, set up in one place."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import lightning as L  # noqa: N812
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.exceptions import SIGTERMException

from hipjsw.learning.averaging import Looks
from hipjsw.learning.callbacks import HistoryFile, MeasureHips, ProgressLines, StopOnNonFinite
from hipjsw.learning.checkpoint import BestAndLast, PlainCheckpoints, load_weights, usable
from hipjsw.learning.data import Budget, HipData
from hipjsw.learning.hip_output import HipOutput
from hipjsw.learning.ranks import StopAtOnce, alone, end_group, num_ranks, own_rank, rank_environment
from hipjsw.learning.task import SegmentationTask

__all__ = ["BEST", "LAST", "fit", "measure_as_is", "measure_split"]

BEST = Path("checkpoints") / "best.ckpt"
LAST = Path("checkpoints") / "last.ckpt"
#: Each hip as it is.
ONE_LOOK = Looks(1)
TERMINATED = 128 + signal.SIGTERM

T = TypeVar("T")

#: Lightning's advice and warnings that mean nothing here.
MEANINGLESS = (
    ".isinstance.treespec, LeafSpec.. is deprecated",  # it uses torch's pytree as it was before 2.13
    "The '.*_dataloader' does not have many workers",  # samples come from a memory map
    "The number of training batches",  # fewer than the logging interval in tiny runs
    "Checkpoint directory .* exists and is not empty",  # a resumed run's
    "The `srun` command is available",  # said wherever Slurm is installed
    "It is recommended to use .*sync_dist=True",  # the metric, and the loss of the whole batch, are the ranks' already
)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in MEANINGLESS:
            warnings.filterwarnings("ignore", message=message)
        yield


@contextmanager
def _signals_told_apart() -> Iterator[None]:
    """Ctrl-C is KeyboardInterrupt and SIGTERM exit code 143, whatever else became of them on the way.

    Lightning makes them an exit with code 1 and one without; in the middle of saving, torch makes them a RuntimeError.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                signal.signal(signal.SIGINT, signal.default_int_handler)  # Lightning left it ignored
                raise KeyboardInterrupt from None
            if isinstance(cause, SIGTERMException) or (isinstance(cause, SystemExit) and cause.code == TERMINATED):
                raise SystemExit(TERMINATED) from None
            cause = cause.__context__
        raise


def fit(
    task: SegmentationTask,
    data: HipData,
    budget: Budget,
    folder: Path,
    options: Mapping[str, Any],
    logger: Logger | None = None,
    callbacks: Sequence[L.Callback] = (),
) -> None:
    """Train to the end of the budget, from ``last.ckpt`` if the folder holds one.

    The best weights end in ``best.ckpt``; best is the highest validation Dice (mean of the class means). Where the
    options ask for several ranks, every one of them calls this, and rank 0 alone writes.

    Args:
        task: What is trained.
        data: Its hips.
        budget: Steps and epochs.
        folder: The run's folder.
        options: Passed to Lightning's Trainer: accelerator, devices, precision and the like.
        logger: Where curves go besides the history file.
        callbacks: What else happens beside the training.

    Raises:
        NonFiniteLossError: A loss, a gradient or a weight that is not a finite number.
        CheckpointError: ``last.ckpt`` and the one before it are damaged, or of a later version.
        KeyboardInterrupt: Ctrl-C; the folder's ``last.ckpt`` stands as of the last epoch.
        SystemExit: SIGTERM, with code 143; likewise.
    """
    checkpoints = BestAndLast(folder / BEST.parent)
    own: list[L.Callback] = [StopOnNonFinite(), HistoryFile(folder / "history.csv"), checkpoints, *callbacks]
    last = usable(folder / LAST)
    with _quiet(), _signals_told_apart():
        trainer = _trainer(folder, options, own, logger, max_epochs=budget.epochs, check_val_every_n_epoch=1)
        trainer.fit(task, datamodule=data, ckpt_path=last, weights_only=True)


def measure_split(
    task: SegmentationTask,
    data: HipData,
    folder: Path,
    options: Mapping[str, Any],
    measure: Callable[[HipOutput], T],
    looks: Looks = ONE_LOOK,
) -> list[T]:
    """Let the best weights see the test loader's hips.

    Args:
        task: A task of the run's shape; its network gets the weights of ``best.ckpt``.
        data: Its test loader says which hips.
        folder: The run's folder.
        options: As for ``fit``.
        measure: What is made of each hip.
        looks: How each hip is looked at.

    Returns:
        What was made of each hip, in the loader's order.

    Raises:
        CheckpointError: No usable best checkpoint.
    """
    task.net.load_state_dict(load_weights(folder / BEST))
    return measure_as_is(task, data, folder, options, measure, looks)


def measure_as_is(
    task: SegmentationTask,
    data: HipData,
    folder: Path,
    options: Mapping[str, Any],
    measure: Callable[[HipOutput], T],
    looks: Looks = ONE_LOOK,
) -> list[T]:
    """``measure_split`` with the weights that the task has; nothing is read from the folder."""
    task.looks = looks
    measuring = MeasureHips(measure)
    end_group()
    with _quiet(), _signals_told_apart():
        _trainer(folder, alone(options), [measuring], None).test(task, datamodule=data, verbose=False)
    return measuring.records


def _trainer(
    folder: Path, options: Mapping[str, Any], callbacks: Sequence[L.Callback], logger: Logger | None, **more: Any
) -> L.Trainer:
    # With deterministic algorithms torch fills all memory it takes, lest uninitialised values be read; none are here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    first, together = own_rank() == 0, num_ranks(options) > 1
    seen = first and sys.stdout.isatty()
    own = [callback for callback in callbacks if first or not isinstance(callback, HistoryFile)]
    own += [StopAtOnce()] if together else []
    own += [TQDMProgressBar(refresh_rate=5) if seen else ProgressLines()] if first else []
    return L.Trainer(
        default_root_dir=folder,
        logger=logger if logger is not None else False,
        callbacks=own,
        enable_progress_bar=seen,
        enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks),
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        plugins=[PlainCheckpoints(), rank_environment(options)],
        **{**options, **more},
    )
