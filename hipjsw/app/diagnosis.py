"""What there is on this machine for hipjsw to work with, and what is amiss."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch
from packaging.requirements import Requirement

import hipjsw
from hipjsw.app.commit import package_commit, package_is_dirty
from hipjsw.app.doctor_schema import DoctorConfig
from hipjsw.imaging.decoders import missing_decoders
from hipjsw.inference.model_folder import read_model
from hipjsw.inference.model_place import ModelError, model_folder
from hipjsw.reporting.dashboard import resolve_mode

__all__ = ["Finding", "diagnose"]

#: A default run with its phantom cohort takes about a fifth of it.
LEAST_FREE_GB = 5.0
#: Shown in full; of the others only what does not fit.
SHOWN = ("torch", "lightning", "torchmetrics", "hydra-core", "wandb", "albumentations", "numpy", "pydicom")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        what: What it is.
        value: How it is.
        amiss: What is wrong with it and what to do; empty where nothing is.
    """

    what: str
    value: str
    amiss: str = ""


def diagnose(cfg: DoctorConfig) -> Iterator[Finding]:
    """Look at one thing after the other; names no person, folder or machine."""
    yield _program()
    yield Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from _libraries()
    yield _accelerator()
    yield _decoders()
    yield _model()
    yield _dashboard()
    for name in ("runs_dir", "data_dir"):
        yield _place(name, Path(str(getattr(cfg, name))))


def _program() -> Finding:
    commit, dirty = package_commit(), package_is_dirty()
    where = "installed" if commit is None else f"commit {commit[:12]}{' with changes of its own' if dirty else ''}"
    return Finding("hipjsw", f"{hipjsw.__version__}, {where}")


def _libraries() -> Iterator[Finding]:
    wanted = [Requirement(line) for line in metadata.requires("hipjsw") or ()]
    needed = {one.name: one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    shown = []
    for name, requirement in sorted(needed.items()):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(name, "missing", f"install it: python -m pip install '{requirement}'")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield Finding(name, version, f"hipjsw wants {requirement}: python -m pip install '{requirement}'")
        elif name in SHOWN:
            shown.append(f"{name} {version}")
    yield Finding("libraries", ", ".join(shown))


def _accelerator() -> Finding:
    cores = f"{os.cpu_count()} cores, torch takes {torch.get_num_threads()}"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
        return Finding("accelerator", f"{', '.join(names)} (trainer=gpu); {cores}")
    if shutil.which("nvidia-smi"):
        amiss = "there is an NVIDIA driver, but torch sees no GPU: install torch's build for its CUDA version"
        return Finding("accelerator", f"CPU: {cores}", amiss)
    return Finding("accelerator", f"CPU: {cores}")


def _decoders() -> Finding:
    missing = missing_decoders()
    said = ", ".join(f"{reads} ({module})" for module, reads in missing.items())
    amiss = f"films compressed so cannot be read: {said}; install hipjsw again" if missing else ""
    return Finding("DICOM decoders", "some are missing" if missing else "all kinds of film can be read", amiss)


def _model() -> Finding:
    try:
        model = read_model(model_folder("default"))
    except (ModelError, OSError) as error:
        return Finding("model that comes with it", "cannot be used", f"{str(error).splitlines()[0]}; install again")
    return Finding("model that comes with it", f"{model.about.get('name', 'default')}, {model.hash[:12]}, whole")


def _dashboard() -> Finding:
    mode = resolve_mode("auto")
    said = {
        "online": "online: runs go to the server",
        "offline": "offline: no key, or the server does not answer; runs wait in their folders",
        "disabled": "disabled by its settings, or not installed",
    }
    return Finding("W&B", said[mode])


def _place(name: str, folder: Path) -> Finding:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
    if not os.access(there, os.W_OK):
        return Finding(name, "cannot be written to", f"name another one: {name}=DIR")
    free_gb = shutil.disk_usage(there).free / 1e9
    amiss = "" if free_gb >= LEAST_FREE_GB else f"less than {LEAST_FREE_GB:.0f} GB: make room, or name {name}=DIR"
    return Finding(name, f"{free_gb:.1f} GB free", amiss)
