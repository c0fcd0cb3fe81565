"""A share of a cohort's films, prepared by itself on any machine, and taken over when the store is written.

A shard is an unfinished store beside the store, ``<store>.shard-<number>-of-<of>``. Writing the store takes its films
over by what tells them from others (`hipjsw.cohort.film_source.film_key`), prepares those that no shard holds, and
removes the shards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hipjsw.cohort.durable import beside

__all__ = ["Shard", "shard_folders"]

T = TypeVar("T")

_FORM = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True)
class Shard:
    """Every so many films.

    Args:
        number: Which share, from 1.
        of: Shares in all.

    Raises:
        ValueError: No such share.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError(f"shard={self.number}/{self.of}: shards of {self.of} are numbered 1 to {self.of}")

    @classmethod
    def parse(cls, said: str) -> Shard:
        """From ``3/8``.

        Raises:
            ValueError: Another form, or no such share.
        """
        found = _FORM.fullmatch(said.strip())
        if found is None:
            raise ValueError(f"shard is said as NUMBER/OF, the first of eight as 1/8, not {said!r}")
        return cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """For files and folders."""
        return f"shard-{self.number}-of-{self.of}"

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def of_all(self, films: Sequence[T]) -> list[T]:
        """Its films; those of all shards together are all, each once."""
        return list(films[self.number - 1 :: self.of])


def shard_folders(folder: Path) -> list[Path]:
    """Shards that lie beside a store.

    Args:
        folder: The store's folder; it need not be there.
    """
    start = beside(folder, "shard-")
    if not start.parent.is_dir():
        return []
    return sorted(path for path in start.parent.iterdir() if path.is_dir() and path.name.startswith(start.name))
