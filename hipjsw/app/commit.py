"""Which commit the package runs from, where it runs from a git checkout."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import hipjsw

__all__ = ["commit_of", "package_commit", "package_is_dirty"]

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def package_commit() -> str | None:
    """The commit of the checkout that this package lies in; None if it was installed from elsewhere."""
    return commit_of(Path(hipjsw.__file__).resolve().parents[1])


def package_is_dirty() -> bool | None:
    """Whether the program's files differ from the commit they lie in; None where git cannot tell."""
    folder = Path(hipjsw.__file__).resolve().parents[1]
    if commit_of(folder) is None:
        return None
    command = ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no", "--", "hipjsw", "conf"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None


def commit_of(folder: Path) -> str | None:
    """The commit that is checked out in a repository, read from git's own files: git itself need not be there.

    Args:
        folder: The repository's top folder; a worktree's too.

    Returns:
        Hash in hexadecimal digits; None where there is no repository, no commit yet, or files that git keeps otherwise.
    """
    try:
        git = folder / ".git"
        if git.is_file():  # a worktree
            git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        said = (git / "HEAD").read_text(encoding="utf-8").strip()
        if said.startswith("ref:"):
            said = _branch(git, said.removeprefix("ref:").strip())
    except (OSError, ValueError):
        return None
    return said if _HASH.fullmatch(said) else None


def _branch(git: Path, name: str) -> str:
    """What a branch points to: a file of its own, or a line of ``packed-refs``; a worktree's lie in the main folder."""
    common = git / "commondir"
    shared = git / common.read_text(encoding="utf-8").strip() if common.is_file() else git
    if (shared / name).is_file():
        return (shared / name).read_text(encoding="utf-8").strip()
    lines = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
    return next((line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}")), "")
