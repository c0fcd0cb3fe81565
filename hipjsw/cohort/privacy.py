"""Pseudonyms: keyed hashes that stand for persons and hips wherever a name is not asked for."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

__all__ = ["hip_id", "load_key", "person_id", "phantom_key"]


def person_id(key: bytes, dataset: str, subject: str) -> str:
    """Pseudonym of a person; the same id in two cohorts is two persons."""
    return "p" + _digest(key, "person", dataset, subject)


def hip_id(key: bytes, dataset: str, subject: str, visit: str, film: str, side: str) -> str:
    """Pseudonym of one hip on one film."""
    return "h" + _digest(key, "hip", dataset, subject, visit, film, side)


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
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    return key


def _digest(key: bytes, *parts: str) -> str:
    text = "\x1f".join(parts).encode()
    return hashlib.blake2b(text, key=key[:64], digest_size=6).hexdigest()
