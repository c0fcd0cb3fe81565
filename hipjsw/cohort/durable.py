"""Files and folders that a crash at any moment leaves whole: written aside, synced, renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hipjsw.cohort.store import StoreError

__all__ = [
    "beside",
    "clear",
    "no_room_said",
    "publish",
    "refuse_foreign",
    "repair",
    "sync_file",
    "sync_folder",
    "write_durably",
]

#: Errors of the system that say that there is no room.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: What this program puts into the folder of a store, finished or not; nothing else is ever removed.
_WHOLE = (
    *("store.json", "images.u16", "planes.u8", "landmarks.f64", "geometry.f64", "hips.csv", "identities.csv"),
    *("findings.csv", "truth.csv", "records.jsonl", "sources.json", "id.key"),
)
#: Those that are of use only while a store is being written.
WORKING = ("journal.jsonl", "asked.json")
_OURS = frozenset(name + end for name in (*_WHOLE, *WORKING) for end in ("", ".part"))


def write_durably(path: Path, lines: Iterable[str]) -> None:
    """Write a text file so that it is there whole or not at all, whatever happens."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a file that is written survive a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def beside(folder: Path, what: str) -> Path:
    """The folder that lies beside a store for a purpose: ``<store>.partial``, ``<store>.replaced``."""
    return folder.with_name(f"{folder.name}.{what}")


def publish(folder: Path) -> None:
    """Put the whole store in ``<folder>.partial`` into its place, and the one that was there away.

    Raises:
        StoreError: Something that is no store lies in the place.
    """
    partial, replaced = beside(folder, "partial"), beside(folder, "replaced")
    if folder.exists() and not (folder / "store.json").is_file():
        raise StoreError(f"{folder} is no store; move it away, or name another folder with store=DIR")
    for name in WORKING:
        (partial / name).unlink(missing_ok=True)
    sync_folder(partial)
    if folder.exists():
        clear(replaced)
        folder.rename(replaced)
    partial.rename(folder)
    sync_folder(folder.parent)
    _part_with(replaced, folder)


def repair(folder: Path) -> None:
    """Finish putting a store into its place where that was cut short.

    Raises:
        StoreError: Something that is no store lies in the place.
    """
    if (beside(folder, "partial") / "store.json").is_file():
        publish(folder)
    replaced = beside(folder, "replaced")
    if replaced.is_dir() and folder.exists():
        _part_with(replaced, folder)
    elif (replaced / "store.json").is_file():
        replaced.rename(folder)


def _part_with(replaced: Path, folder: Path) -> None:
    """Remove the store that was replaced; what somebody else had put into it stays with its successor."""
    if not replaced.exists():
        return
    for path in replaced.iterdir():
        if path.name not in _OURS and not (folder / path.name).exists():
            path.rename(folder / path.name)
    shutil.rmtree(replaced)


def clear(folder: Path) -> None:
    """Remove what this program left there; a folder that is absent is fine.

    Raises:
        StoreError: Something that this program did not write is in it.
    """
    if folder.exists():
        refuse_foreign(folder)
        shutil.rmtree(folder)


def refuse_foreign(folder: Path) -> None:
    """Check that all files of an unfinished or replaced store are this program's.

    Raises:
        StoreError: One that is not.
    """
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in _OURS)
    if foreign:
        raise StoreError(f"{folder} holds {foreign[0]}, which no store does; move it away and try again")


@contextmanager
def no_room_said(folder: Path) -> Iterator[None]:
    """Say a full disk as what it is, and what to do.

    Args:
        folder: What is written.

    Raises:
        StoreError: No room is left for it.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise StoreError(
            f"no room left for {folder}: {error.strerror}; free some, and the same command continues where it was"
        ) from error
