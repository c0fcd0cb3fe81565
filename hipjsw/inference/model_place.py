"""Where models lie, and the words in them; nothing here needs torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hipjsw

__all__ = [
    "DEFAULT",
    "DEFAULT_MODEL",
    "LOCATOR",
    "WORDS",
    "ModelError",
    "is_model",
    "model_folder",
    "read_words",
    "said_hash",
]

#: The model that comes with the package, trained on phantoms alone; ``make model`` makes it.
DEFAULT_MODEL = Path(hipjsw.__file__).parent / "models" / "default"
#: What options call it.
DEFAULT = "default"
#: In a model's folder, its words.
WORDS = "model.json"
#: In a model's folder, the model that finds hips on whole films for it, where there is one.
LOCATOR = "locator"
#: Larger words are no model's.
_MOST_WORDS_BYTES = 2_000_000


class ModelError(ValueError):
    """A model that cannot be read or written; the message says what to do."""


def model_folder(said: str | Path) -> Path:
    """The folder that an option ``model=`` means: ``default`` is the model that comes with the package.

    Args:
        said: ``default``, or a folder (``./default`` for one that is called so).
    """
    return DEFAULT_MODEL if str(said) == DEFAULT else Path(said)


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model; ``read_model`` sees whether it can be used."""
    return (folder / WORDS).is_file()


def said_hash(folder: Path) -> str:
    """The hash that a model's words say; ``read_model`` sees whether it is true.

    Raises:
        ModelError: No model there.
    """
    return str(read_words(folder).get("hash"))


def read_words(folder: Path) -> dict[str, Any]:
    """A model's words, whatever they say.

    Raises:
        ModelError: None there, or damaged ones.
    """
    path = folder / WORDS
    if not path.is_file():
        raise ModelError(f"{folder} is no model: {WORDS} is missing; make one with: python -m hipjsw.export run=DIR")
    try:
        if path.stat().st_size > _MOST_WORDS_BYTES:
            raise ValueError("too long")
        words = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(words, dict):
            raise TypeError("not an object")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} is damaged ({error}); get or export the model again") from error
    return words
