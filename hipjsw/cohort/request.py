"""What was asked for: all that decides how a film becomes rows of a store, apart from the film."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hipjsw.cohort.companions import Companions
from hipjsw.cohort.durable import write_durably
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.store import STORE_VERSION
from hipjsw.cohort.store_tables import content_hash

__all__ = ["differences", "read_request", "request_of", "write_request"]


def request_of(options: PrepareOptions, companions: Companions, given_key: bytes | None) -> dict[str, Any]:
    """What is asked for, as JSON gives it back; of a key a hash only.

    Args:
        options: What hips are made into.
        companions: What lies beside the films.
        given_key: Key of the pseudonyms; None for the store's own or a phantom's.
    """
    own = "phantom" if companions.phantom else "own"
    content = {
        "store_version": STORE_VERSION,
        **asdict(options),
        "phantom": companions.phantom,
        "key": content_hash(given_key.hex()) if given_key else own,
    }
    return dict(json.loads(json.dumps(content)))


def differences(there: Mapping[str, Any], request: Mapping[str, Any]) -> list[str]:
    """What in a store (``store.json``) is not as asked for, in words; empty if all is."""
    return [
        said
        for name, wanted in request.items()
        if there.get(name) != wanted
        for said in _difference(name, there.get(name), wanted)
    ]


def _difference(name: str, there: Any, here: Any) -> list[str]:
    if name == "key":
        return ["id_key is another"]
    if isinstance(there, dict) and isinstance(here, dict):
        names = [key for key in here | there if there.get(key) != here.get(key)]
        return [f"{name}.{key} is {there.get(key)} there, {here.get(key)} here" for key in names]
    if name == "phantom":
        return ["one is of a phantom, the other of a real cohort"]
    return [f"{name} is {there} there, {here} here"]


def write_request(partial: Path, request: Mapping[str, Any]) -> None:
    """Say in an unfinished store what it is made for."""
    write_durably(partial / "asked.json", [json.dumps(request)])


def read_request(partial: Path) -> Any:
    """What an unfinished store is made for; None if it does not say."""
    try:
        return json.loads((partial / "asked.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
