"""A model on disk: a folder of ``weights.safetensors`` and ``model.json``. Reading one executes nothing.

The file of weights holds tensors and nothing else (safetensors); the JSON says by name what they are the weights of.
The hash is of both, so a model whose weights or whose words were changed is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hipjsw.imaging.view import ViewSpec
from hipjsw.inference.measuring import Judgement
from hipjsw.inference.model import Member, Model
from hipjsw.inference.model_place import WORDS, ModelError, read_words
from hipjsw.jsw.calibration import Calibration
from hipjsw.jsw.profile import REGIONS
from hipjsw.learning.architecture import Architecture
from hipjsw.statistics.typicality import Typicality

__all__ = ["FORMAT", "read_model", "write_model"]

#: Raised whenever what the files hold or mean changes.
FORMAT = 1
WEIGHTS = "weights.safetensors"
_TYPICALITY = ("mean", "scale", "axes")


def write_model(model: Model, folder: Path, half: bool = False) -> str:
    """Write a model, whole or not at all.

    Args:
        model: The model.
        folder: Where; a new or an empty folder.
        half: Whether weights are kept as half-precision numbers: half the size, rounded to three digits.

    Returns:
        Its hash.

    Raises:
        ModelError: The folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} is not empty; name a new folder with out=DIR")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        save_file(dict(_tensors(model, half)), partial / WEIGHTS)
        (partial / WEIGHTS).chmod(0o644)  # to be read by whom it is given to, as the words are
        words = _words(model)
        words["hash"] = _hash(words, partial / WEIGHTS)
        text = json.dumps(words, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        (partial / WORDS).write_text(text, encoding="utf-8")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rmdir()
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return str(words["hash"])


def read_model(folder: Path) -> Model:
    """Read a model; nothing in it is executed.

    Raises:
        ModelError: No model there, one of another format, a damaged or a changed one, or one made of parts that this
            version does not know.
    """
    words = read_words(folder)
    if words.get("format") != FORMAT:
        raise ModelError(
            f"{folder} is a model of format {words.get('format')!r}, this program reads {FORMAT}; "
            "export it again from its run, or use the version of hipjsw that wrote it"
        )
    said = words.pop("hash", None)
    try:
        if said != _hash(words, folder / WEIGHTS):
            raise ModelError(
                f"{folder}: files and hash do not agree; they were changed or damaged: get the model again"
            )
        return _model(words, load_file(folder / WEIGHTS), str(said))
    except ModelError:
        raise
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{folder} is no model that can be used ({line}); get or export it again") from error


def _tensors(model: Model, half: bool) -> Iterator[tuple[str, Tensor]]:
    for number, member in enumerate(model.members):
        for name, value in member.weights.items():
            kept = value.detach().cpu()
            yield f"net{number}.{name}", (kept.half() if half and kept.is_floating_point() else kept).contiguous()
    typicality = model.judgement.typicality
    if typicality is not None:
        for name in _TYPICALITY:
            kept = torch.from_numpy(np.array(getattr(typicality, name)))
            yield f"typicality.{name}", (kept.float() if half else kept).contiguous()


def _words(model: Model) -> dict[str, Any]:
    judged = model.judgement
    return {
        "format": FORMAT,
        "networks": [asdict(member.architecture) for member in model.members],
        "classes": ["background", "femur", "acetabulum", "joint_space"],
        "view": asdict(model.view),
        "looks": model.looks,
        "region": model.region,
        "calibration": None if judged.calibration is None else judged.calibration.to_json(),
        "typicality_limit": None if judged.typicality is None else judged.typicality.limit,
        "about": dict(model.about),
    }


def _hash(words: Mapping[str, Any], weights: Path) -> str:
    """SHA-256 of the weights' bytes and of the words, but for the hash itself, in an order of their own."""
    found = hashlib.sha256(json.dumps(words, sort_keys=True, allow_nan=False, ensure_ascii=True).encode())
    with weights.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()


def _model(words: Mapping[str, Any], tensors: Mapping[str, Tensor], said: str) -> Model:
    members = tuple(
        _member(Architecture(**one), f"net{number}.", tensors) for number, one in enumerate(words["networks"])
    )
    looks, region = words["looks"], words["region"]
    if not members or not isinstance(looks, int) or not 1 <= looks <= 64 or region not in REGIONS:
        raise ValueError(f"{len(members)} networks, {looks!r} looks, region {region!r}")
    model = Model(
        members, ViewSpec(**words["view"]), looks, str(region), _judgement(words, tensors), words["about"], said
    )
    _ = model.net  # weights of another shape are told here
    return model


def _member(architecture: Architecture, prefix: str, tensors: Mapping[str, Tensor]) -> Member:
    weights = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise ValueError("weights that are no numbers")
    return Member(architecture, weights)


def _judgement(words: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Judgement:
    calibration = None if words["calibration"] is None else Calibration.from_json(words["calibration"])
    limit = words["typicality_limit"]
    if limit is None:
        return Judgement(calibration)
    if not math.isfinite(limit) or limit <= 0:
        raise ValueError(f"a limit of {limit!r}")
    mean, scale, axes = (tensors[f"typicality.{name}"].double().numpy() for name in _TYPICALITY)
    return Judgement(calibration, Typicality(mean, scale, axes, float(limit)))
