"""The marker of a phantom cohort's folder: what it holds, or what was begun.

``phantom.json`` is written last and marks the cohort whole; until then ``phantom.part.json`` says what was begun.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from hipjsw.phantom.options import CohortOptions
from hipjsw.phantom.population import PHANTOM_VERSION

__all__ = ["CohortExistsError", "agrees", "asked_for", "begin", "finish", "read_whole", "refuse_others", "replace_file"]

_WHOLE, _PART = "phantom.json", "phantom.part.json"


class CohortExistsError(ValueError):
    """The folder holds something else; the message says what and what to do."""


def asked_for(subjects: int, seed: int, options: CohortOptions) -> dict[str, object]:
    """What decides every byte of a cohort."""
    asked = {
        "phantom_version": PHANTOM_VERSION,
        "seed": seed,
        "subjects": subjects,
        "look": options.look,
        "points_error": options.points_error,
        "planted": options.planted,
    }
    return asked | ({"quirks": True} if options.quirks else {})


def agrees(found: dict[str, object], asked: dict[str, object]) -> bool:
    """Whether a marker is that of the cohort asked for."""
    return all(found.get(name) == asked.get(name) for name in (*asked, "quirks"))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(content)
    temporary.replace(path)


def _read(path: Path) -> dict[str, object] | None:
    """A marker's content; None where there is none, empty where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(path: Path, content: dict[str, object]) -> None:
    replace_file(path, (json.dumps(content, indent=2) + "\n").encode())


def read_whole(out: Path) -> dict[str, object] | None:
    """The marker of a whole cohort of this version; None where the folder holds none."""
    found = _read(out / _WHOLE)
    return found if found and found.get("phantom_version") == PHANTOM_VERSION else None


def refuse_others(out: Path, asked: dict[str, object]) -> None:
    """Check that a folder is free for a cohort.

    Raises:
        CohortExistsError: It holds, or was begun as, anything but the cohort asked for.
    """
    if out.exists() and not out.is_dir():
        raise CohortExistsError(f"{out} is a file; name a new or empty folder with out=DIR")
    for marker in (_WHOLE, _PART):
        found = _read(out / marker)
        if found is not None and not agrees(found, asked):
            names = [*asked] if found.get("quirks") == asked.get("quirks") else [*dict.fromkeys((*asked, "quirks"))]
            have = ", ".join(f"{name} {found.get(name)}" for name in names)
            want = ", ".join(f"{name} {asked.get(name)}" for name in names)
            raise CohortExistsError(
                f"{out} holds another phantom cohort ({have}); asked for was {want}. "
                "Choose another folder, ask for the one that is there, or delete the folder."
            )
    if out.exists() and not any((out / marker).exists() for marker in (_WHOLE, _PART)) and any(out.iterdir()):
        raise CohortExistsError(f"{out} is not empty and holds no phantom cohort. Choose an empty or a new folder.")


def begin(out: Path, asked: dict[str, object]) -> None:
    """Mark a folder as begun."""
    _write(out / _PART, asked)


def finish(out: Path, content: dict[str, object]) -> None:
    """Mark a folder as whole, and clear what stopped runs left behind."""
    for left in out.rglob(".*.part"):
        left.unlink()
    _write(out / _WHOLE, content)
    (out / _PART).unlink()
