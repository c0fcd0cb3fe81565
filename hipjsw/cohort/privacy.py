"""Pseudonyms: keyed hashes that stand for persons and hips wherever a name is not asked for.

An id has 48 bits. Among 15,000 persons two get the same one once in 2.5 million cohorts, among their 60,000 hips
once in 150,000; `refuse_same_ids` then stops the work, so that it never passes unseen.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Hashable, Iterable
from pathlib import Path

__all__ = ["hip_id", "load_key", "person_id", "phantom_key", "refuse_same_ids", "write_key"]


def person_id(key: bytes, dataset: str, subject: str) -> str:
    """Pseudonym of a person; the same id in two cohorts is two persons."""
    return "p" + _digest(key, "person", dataset, subject)


def hip_id(key: bytes, dataset: str, subject: str, visit: str, film: str, side: str) -> str:
    """Pseudonym of one hip on one film."""
    return "h" + _digest(key, "hip", dataset, subject, visit, film, side)


def refuse_same_ids(ids: Iterable[tuple[str, Hashable]]) -> None:
    """Check that one id stands for one thing.

    Args:
        ids: Ids with what they stand for; the same thing may come again.

    Raises:
        ValueError: Two things of one id, which it says by the id alone.
    """
    known: dict[str, Hashable] = {}
    for name, thing in ids:
        if known.setdefault(name, thing) != thing:
            what = "persons" if name.startswith("p") else "hips"
            raise ValueError(f"two {what} get the pseudonym {name}; use another key: id_key=FILE with a new FILE")


def phantom_key(seed: int) -> bytes:
    """Key of a phantom cohort: nobody to protect, and the same ids on every machine."""
    return hashlib.sha256(f"hipjsw phantom {seed}".encode()).digest()


def load_key(path: Path) -> bytes:
    """Read a key of at least 16 bytes, or make a random one there (readable by its owner only).

    Raises:
        ValueError: A key that is too short to protect anybody.
    """
    if path.exists():
        key = path.read_bytes()
        if len(key) < 16:
            raise ValueError(f"{path.name} holds {len(key)} bytes where a key has at least 16; make a new one")
        return key
    key = secrets.token_bytes(32)
    write_key(path, key)
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a key for its owner alone, whole or not at all.

    Raises:
        FileExistsError: A file is there already.
    """
    temporary = path.with_name(path.name + ".part")
    temporary.unlink(missing_ok=True)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)  # unlike renaming, this never replaces a key
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _digest(key: bytes, *parts: str) -> str:
    text = "\x1f".join(parts).encode(errors="surrogateescape")
    return hashlib.blake2b(text, key=key[:64], digest_size=6).hexdigest()
