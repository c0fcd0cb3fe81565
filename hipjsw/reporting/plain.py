"""Values as a dashboard takes them: Python's own types, one a column, and no paths."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["NO_PATH", "one_type", "plain_value", "without_paths"]

#: Stands where an absolute path was.
NO_PATH = "(path)"

ABSOLUTE = re.compile(r"""(?:^|[\s=,;'"\[({])(?:/\w|~\w*/|\w:[\\/]\w|\\\\\w|file:)""")


def plain_value(value: Any) -> bool | int | float | str | None:
    """A value as Python's own type; None if it is undefined (None, NaN, infinite)."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def one_type(values: Sequence[Any]) -> list[Any]:
    """A column of one type and None: numbers as float if any is, everything as text if types differ."""
    plain = [plain_value(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in plain]
    if len(kinds) > 1:
        return [None if value is None else str(value) for value in plain]
    return list(plain)


def without_paths(value: Any) -> Any:
    """A config with every text that holds an absolute path replaced by ``NO_PATH``; keys become text."""
    if isinstance(value, Mapping):
        return {str(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    if isinstance(value, Path) or (isinstance(value, str) and ABSOLUTE.search(value)):
        return NO_PATH
    return value
