"""Checkpoints as plain data, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO

__all__ = ["CheckpointError", "PlainCheckpoints", "load_weights"]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says what to do."""


class PlainCheckpoints(CheckpointIO):
    """Writes beside the target, syncs and renames; reads tensors, numbers and strings only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a checkpoint so that the target is the old file or the whole new one at every moment."""
        if storage_options is not None:
            raise TypeError("PlainCheckpoints has no storage options")
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; nothing in it is ever executed, whatever ``weights_only`` asks for."""
        del weights_only
        try:
            loaded: dict[str, Any] = torch.load(Path(path), map_location=map_location or "cpu", weights_only=True)
        except FileNotFoundError as error:
            raise CheckpointError(f"no checkpoint at {path}; has the run finished its first validation?") from error
        except Exception as error:  # a damaged zip or a refused pickle raises many things
            raise CheckpointError(
                f"{path} is damaged or not a checkpoint of this program ({error.__class__.__name__}); "
                "remove it and run the same command again"
            ) from error
        return loaded

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint if it is there."""
        Path(path).unlink(missing_ok=True)


def load_weights(path: Path, prefix: str = "net.") -> dict[str, torch.Tensor]:
    """The network's tensors of a checkpoint, names without ``prefix``.

    Raises:
        CheckpointError: No checkpoint, a damaged one, or one without a network.
    """
    state = PlainCheckpoints().load_checkpoint(path).get("state_dict", {})
    weights = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    if not weights:
        raise CheckpointError(f"{path} holds no network")
    return weights
