"""A cohort's folder on disk: what lies in it, and which file a name means."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["CONTROL", "Folder", "Found", "folded", "nfc"]

#: Characters that no name of a file, person or visit has.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")


def nfc(name: str) -> str:
    """The name with composed letters: two files may spell one name in two ways."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """The name in NFC without upper and lower case."""
    return nfc(nfc(name).casefold())


@dataclass(frozen=True, order=True)
class Found:
    """One thing in a folder.

    Args:
        path: Path within the root, with forward slashes; as the disk spells it.
        kind: ``file``, ``folder``, ``link`` (leads nowhere, or in a circle) or ``other`` (a pipe, a device).
        linked: Whether the way to it leads over a symbolic link.
    """

    path: str
    kind: str
    linked: bool = False


@dataclass
class Walk:
    """What a walk saw besides files: paths within the root."""

    files: list[Found] = field(default_factory=list)
    odd: list[Found] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)


class Folder:
    """A folder whose subfolders are each read once.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, dict[str, Found] | OSError] = {}
        self._spellings: dict[str, dict[str, list[str]]] = {}

    def walk(self, start: str = "", most: int | None = None) -> Walk:
        """Everything below a folder, hidden things left out, in one order on every disk.

        Links to folders are followed after everything else and never twice or upwards, so a circle ends.

        Args:
            start: Where to begin, within the root.
            most: Stop after so many files.
        """
        seen = Walk()
        known = set(self._identities_above(start))
        later: list[Found] = []
        waiting = [Found(start, "folder")]
        while waiting or later:
            here = waiting.pop() if waiting else later.pop(0)
            if (identity := self._identity(here.path)) is None or identity in known:
                continue
            known.add(identity)
            inside = self._look(here, seen, start)
            below = [item for item in inside if item.kind == "folder"]
            later += [item for item in below if self._is_link(item, here)]
            waiting += reversed([item for item in below if not self._is_link(item, here)])
            if most is not None and len(seen.files) >= most:
                break
        return seen

    def named(self, name: str) -> list[str]:
        """The folders in the root with a name in any case, in order."""
        return [i.path for n, i in sorted(self._items("").items()) if i.kind == "folder" and folded(n) == folded(name)]

    def find(self, path: str) -> Found | None:
        """What a path means: as it is spelt, else in the other Unicode form, else in other cases if that is one thing.

        Args:
            path: Path within the root, with forward slashes, as `relative` gives it.
        """
        here = Found("", "folder")
        for part in path.split("/"):
            items = self._items(here.path)
            name = part if part in items else self._spelling(here.path, part)
            if here.kind != "folder" or name is None:
                return None
            item = items[name]
            here = Found(item.path, item.kind, here.linked or item.linked)
        return here

    def relative(self, text: str) -> str | None:
        """A path as somebody wrote it, within the root; None if it leads out of it or is none."""
        path = text.replace("\\", "/")
        if CONTROL.search(path):
            return None
        if posixpath.isabs(path):
            start = posixpath.normpath(Path(os.path.abspath(self.root)).as_posix())  # noqa: PTH100 (links stay)
            path = posixpath.relpath(posixpath.normpath(path), start)
        path = posixpath.normpath(path)
        return None if path in ("", ".", "..") or path.startswith("../") or _DRIVE.match(path) else path

    def holds(self, found: Found) -> bool:
        """Whether a thing lies in the root in truth too, not only by a link."""
        if not found.linked:
            return True
        real, root = os.path.realpath(self.root / found.path), os.path.realpath(self.root)
        return os.path.commonpath([real, root]) == root

    def _look(self, here: Found, seen: Walk, start: str) -> list[Found]:
        """Put down what lies in one folder; what of it is to be looked at."""
        items = self._items(here.path)
        fault = self._read[here.path]
        if isinstance(fault, OSError):
            seen.closed.append((here.path, os.strerror(fault.errno) if fault.errno else "it cannot be opened"))
            return []
        if not items and here.path != start:
            seen.empty.append(here.path)
        linked = here.linked
        inside = [Found(i.path, i.kind, linked or i.linked) for n, i in sorted(items.items()) if not n.startswith(".")]
        seen.files += [item for item in inside if item.kind == "file"]
        seen.odd += [item for item in inside if item.kind in ("link", "other")]
        return inside

    def _is_link(self, item: Found, parent: Found) -> bool:
        return self._items(parent.path)[posixpath.basename(item.path)].linked

    def _items(self, path: str) -> dict[str, Found]:
        if path not in self._read:
            try:
                with os.scandir(self.root / path) as entries:
                    self._read[path] = {e.name: _found(path, e) for e in entries}
            except OSError as error:
                self._read[path] = error
        items = self._read[path]
        return {} if isinstance(items, OSError) else items

    def _spelling(self, path: str, name: str) -> str | None:
        if path not in self._spellings:
            spellings: dict[str, list[str]] = {}
            for item in sorted(self._items(path)):
                for form in {nfc(item), folded(item)}:
                    spellings.setdefault(form, []).append(item)
            self._spellings[path] = spellings
        for form in (nfc(name), folded(name)):
            names = self._spellings[path].get(form, [])
            if len(names) == 1:
                return names[0]
        return None

    def _identity(self, path: str) -> tuple[int, int] | None:
        try:
            status = (self.root / path).stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _identities_above(self, start: str) -> Iterator[tuple[int, int]]:
        written, real = Path(os.path.abspath(self.root / start)), Path(os.path.realpath(self.root / start))  # noqa: PTH100
        for path in {*written.parents, *real.parents}:
            status = path.stat()
            yield status.st_dev, status.st_ino


def _found(folder: str, entry: os.DirEntry[str]) -> Found:
    path = f"{folder}/{entry.name}" if folder else entry.name
    linked = entry.is_symlink()
    try:
        kind = "folder" if entry.is_dir() else "file" if entry.is_file() else "link" if linked else "other"
    except OSError:  # a circle of links, or a link into a closed folder
        kind = "link"
    return Found(path, kind, linked)
