"""Where networks run."""

from __future__ import annotations

import torch

__all__ = ["DEVICES", "usable_device"]

#: What a command may be told; ``auto`` takes a GPU if there is one.
DEVICES = ("auto", "cpu", "cuda")


def usable_device(said: str) -> str:
    """``cpu`` or ``cuda``, as told and as there is.

    Args:
        said: One of ``DEVICES``.

    Raises:
        ValueError: Another word, or a GPU that is not there.
    """
    if said not in DEVICES:
        raise ValueError(f"device is one of {', '.join(DEVICES)}, not {said!r}")
    there = torch.cuda.is_available()
    if said == "cuda" and not there:
        raise ValueError("device=cuda, but torch sees no GPU here; leave it out, or say device=cpu")
    return "cuda" if there and said != "cpu" else "cpu"
