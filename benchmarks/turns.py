"""Our training as it is used, a step at a time, so that it can be timed in turn with other loops."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from threading import Semaphore, Thread

import lightning as L  # noqa: N812
from omegaconf import DictConfig

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.cohort.store import Store
from hipjsw.learning.data import Budget
from hipjsw.learning.fitting import fit

#: Steps of a training that is ended when the timing ends.
ENDLESS = 1_000_000


class _Turns(L.Callback):
    """Lets the training make one step when it is told to; a step is from the end of one batch to that of the next."""

    def __init__(self) -> None:
        self.go, self.done = Semaphore(0), Semaphore(0)
        self.over = False

    def on_train_start(self, *_: object) -> None:
        """Wait for the first turn."""
        self.go.acquire()

    def on_train_batch_end(self, trainer: L.Trainer, *_: object) -> None:
        """Say that the step is made, and wait."""
        self.done.release()
        self.go.acquire()
        trainer.should_stop = self.over


class WholeTraining:
    """Lightning, loader, callbacks, the step; calling it makes one step.

    Args:
        cfg: Of a training.
        store: Its data.
    """

    def __init__(self, cfg: DictConfig, store: Store) -> None:
        self.size = int(cfg.budget.batch_size)
        self.turns = _Turns()
        self.error: BaseException | None = None
        data, task = build_data(cfg, store), build_task(cfg)
        data.budget = Budget(ENDLESS, ENDLESS, self.size)
        data.val.rows = data.val.rows[: self.size]

        def run() -> None:
            try:
                with tempfile.TemporaryDirectory() as folder:
                    fit(task, data, data.budget, Path(folder), trainer_options(cfg), callbacks=[self.turns])
            except BaseException as error:
                self.error = error
            finally:
                self.turns.done.release()

        self.thread = Thread(target=run, daemon=True)
        self.thread.start()

    def __call__(self) -> int:
        """Make a step; samples of it."""
        self.turns.go.release()
        self.turns.done.acquire()
        if self.error is not None:
            raise self.error
        return self.size

    def close(self) -> None:
        """End the training."""
        logging.disable(logging.WARNING)
        self.turns.over = True
        self.turns.go.release()
        self.thread.join()
