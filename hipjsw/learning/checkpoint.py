"""Checkpoints as plain data, written whole or not at all."""

from __future__ import annotations

import io
import logging
import os
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

import hipjsw
from hipjsw.learning.seal import broken_seal, sealed

__all__ = ["BestAndLast", "CheckpointError", "PlainCheckpoints", "load_weights", "usable"]

log = logging.getLogger(__name__)

#: Of what a checkpoint holds; raised whenever an earlier version could not read it.
FORMAT = 1
#: Under this name a checkpoint says what wrote it.
WRITTEN_BY = "hipjsw"
_MEND = "remove it and run the same command again"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says what to do."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is not what was written."""


class PlainCheckpoints(CheckpointIO):
    """Writes beside the target, syncs and renames; reads tensors, numbers and strings only.

    A file carries its hash and the version that wrote it. Of ``last.ckpt`` the one before is kept
    (``last-before.ckpt``), of ``best.ckpt`` a second copy (``best-copy.ckpt``).
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a checkpoint so that the target is the old file or the whole new one at every moment."""
        if storage_options is not None:
            raise TypeError("PlainCheckpoints has no storage options")
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # In memory: a signal in the middle of it must not leave torch a closed file to write to, it would abort.
        whole = io.BytesIO()
        torch.save(checkpoint | {WRITTEN_BY: {"format": FORMAT, "version": hipjsw.__version__}}, whole)
        content = sealed(whole.getvalue())
        if target.stem == "last" and target.is_file():
            _write(_other(target), target.read_bytes())
        _write(target, content)
        if target.stem == "best":
            _write(_other(target), content)

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; nothing in it is ever executed, whatever ``weights_only`` asks for.

        Raises:
            CheckpointError: There is none, it is damaged, or a later version wrote it.
        """
        del weights_only
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError as error:
            raise CheckpointError(f"no checkpoint at {path}; has the run finished its first validation?") from error
        why = broken_seal(content)
        if why:
            raise DamagedCheckpointError(f"{path} is damaged or not a checkpoint of this program: {why}; {_MEND}")
        try:
            loaded: dict[str, Any] = torch.load(
                io.BytesIO(content), map_location=map_location or "cpu", weights_only=True
            )
            written = dict(loaded.get(WRITTEN_BY, {"format": 0, "version": "0.1.0"}))
        except Exception as error:  # a refused pickle raises many things
            raise DamagedCheckpointError(
                f"{path} is damaged or not a checkpoint of this program ({type(error).__name__}); {_MEND}"
            ) from error
        if int(written["format"]) > FORMAT:
            raise CheckpointError(
                f"{path} was written by hipjsw {written['version']}, whose checkpoints hipjsw {hipjsw.__version__} "
                "does not know; use that version or a later one"
            )
        return loaded

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint if it is there."""
        Path(path).unlink(missing_ok=True)


def usable(path: Path) -> Path | None:
    """The checkpoint to read in place of one that may be damaged.

    Args:
        path: ``last.ckpt`` or ``best.ckpt`` of a run.

    Returns:
        The path itself or, where that is damaged or missing, the file kept beside it, which is said; None where there
        is neither.

    Raises:
        CheckpointError: What is there is damaged, or a later version wrote it.
    """
    other, reader = _other(path), PlainCheckpoints()
    if not path.is_file() and not other.is_file():
        return None
    try:
        reader.load_checkpoint(path)
    except DamagedCheckpointError as error:
        if not other.is_file():
            raise
        reader.load_checkpoint(other)
        log.warning("%s; %s is used in its place: nothing is lost", str(error).split("; ", 1)[0], other.name)
        return other
    except CheckpointError:
        if path.is_file():
            raise
        reader.load_checkpoint(other)
        log.warning("%s is missing; %s is used in its place: nothing is lost", path, other.name)
        return other
    return path


def _other(path: Path) -> Path:
    return path.with_name(f"{path.stem}-{'before' if path.stem == 'last' else 'copy'}{path.suffix}")


def _write(target: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


class BestAndLast(ModelCheckpoint):
    """Keeps the checkpoint of the highest validation Dice (``best.ckpt``) and the last one (``last.ckpt``).

    Its state holds names within the folder, no paths: a run that is moved goes on with its best score, and a
    checkpoint names nobody's home.

    Args:
        folder: Where the two lie.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            dirpath=folder,
            filename="best",
            monitor="val/dice/mean",
            mode="max",
            save_last=True,
            save_on_train_epoch_end=True,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save the best where it is one, and the last in any case: the parent leaves it as of the last best epoch."""
        super().on_train_epoch_end(trainer, pl_module)
        if not self._should_skip_saving_checkpoint(trainer):
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def state_dict(self) -> dict[str, Any]:
        """The parent's state with names in place of paths."""
        state = super().state_dict()
        state["best_k_models"] = {Path(path).name: score for path, score in state["best_k_models"].items()}
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            state[key] = Path(state[key]).name if state[key] else ""
        return state | {"dirpath": ""}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a state, its names being those of files in this folder."""
        folder = Path(str(self.dirpath))
        state = dict(state_dict)
        state["best_k_models"] = {str(folder / name): score for name, score in state["best_k_models"].items()}
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            state[key] = str(folder / state[key]) if state[key] else ""
        super().load_state_dict(state | {"dirpath": self.dirpath})


def load_weights(path: Path, prefix: str = "net.") -> dict[str, torch.Tensor]:
    """The network's tensors of a checkpoint, or of the copy beside it, names without ``prefix``.

    Raises:
        CheckpointError: No checkpoint, a damaged one, or one without a network.
    """
    state = PlainCheckpoints().load_checkpoint(usable(path) or path).get("state_dict", {})
    weights = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    if not weights:
        raise CheckpointError(f"{path} holds no network")
    return weights
