"""A run is a pure function of its resolved configuration and its data; its folder is named by them."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import hipjsw
from hipjsw.app.commit import package_commit, package_is_dirty
from hipjsw.inference.model_place import model_folder, said_hash
from hipjsw.reporting.plain import NO_PATH

__all__ = [
    "START",
    "Run",
    "RunError",
    "failure_reason",
    "read_cost",
    "read_json",
    "run_identity",
    "write_json",
    "write_metrics",
]

#: Keys of the root that change where and how fast a run is, never what comes out.
NOT_PART = (
    *("run", "store", "runs_dir", "data_dir", "data", "workers", "num_workers"),
    *("group", "logger", "ablation", "seeds", "tags", "init", "replay"),
)

#: Raised whenever the same configuration and data give other results than before.
RESULT_VERSION = 3

#: A run's numbers; it is finished once they are there.
METRICS = "metrics.json"
#: What a run's weights began with, where it was a model: its hash, and what that was trained on.
START = "start.json"
#: Says why the last attempt at a run failed.
FAILED = "failed.json"
#: Where an absolute path begins.
_PATH = re.compile(r"(?<![\w./\\])(?:/\w|~\w*/|[A-Za-z]:[\\/]|\\\\\w|file:)")


class RunError(ValueError):
    """A run's folder that cannot be used; the message says what to do."""


def run_identity(cfg: DictConfig, store_fingerprint: str, split_digest: str) -> dict[str, Any]:
    """What decides a run's result: its configuration without ``NOT_PART``, the store's content, who is in which part.

    The path of a file that says the split is left out: what it says is in the digest. So are the scale's tables of
    budgets: the run's own budget stands by itself. Of a model to start from, its hash is in it, not where it lies.
    """
    content: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    identity = {key: value for key, value in content.items() if key not in NOT_PART}
    said = {key: value for key, value in identity["split"].items() if key != "file"}
    identity["split"] = said if said.get("by_name") else {key: said[key] for key in said if key != "by_name"}
    if not identity["trainer"].get("compile"):
        identity["trainer"] = {key: value for key, value in identity["trainer"].items() if key != "compile"}
    identity["scale"] = {key: identity["scale"][key] for key in ("name", "divisor", "least_val_hips")}
    data = {"store_fingerprint": store_fingerprint, "split_digest": split_digest}
    start = {"init": said_hash(model_folder(cfg.init))} if cfg.get("init") else {}
    return identity | data | start | {"result_version": RESULT_VERSION}


@dataclass(frozen=True)
class Run:
    """A run's folder.

    Args:
        folder: Where it lies.
        digest: Hash of the identity, 16 hexadecimal digits.
    """

    folder: Path
    digest: str

    @classmethod
    def of(
        cls, cfg: DictConfig, store_fingerprint: str, split_digest: str, choices: Mapping[str, Any] | None = None
    ) -> Run:
        """The run of a configuration: in ``run=DIR`` if given, else in a folder named by its identity.

        Args:
            cfg: The configuration.
            store_fingerprint: Of the store it reads.
            split_digest: Who is in which part.
            choices: What Hydra chose of each group, for the folder's name; None asks Hydra, which knows it in a door.
        """
        identity = run_identity(cfg, store_fingerprint, split_digest)
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        if cfg.run:
            return cls(Path(cfg.run), digest)
        return cls(Path(cfg.runs_dir) / f"{_readable_name(cfg, choices)}-{digest[:8]}", digest)

    @classmethod
    def load(cls, folder: Path) -> Run:
        """A run by its folder.

        Raises:
            RunError: No run there.
        """
        if not (folder / "run.json").is_file():
            raise RunError(f"{folder} is no run; train one with: python -m hipjsw.train run={folder}")
        return cls(folder, str(read_json(folder / "run.json").get("digest")))

    def claim(self, cfg: DictConfig, store_fingerprint: str, split: Mapping[str, Any]) -> None:
        """Make the folder this run's, or see that it is; to be called while the folder is locked.

        Args:
            cfg: The run's configuration.
            store_fingerprint: Of the store it reads.
            split: What ``split.json`` shall say (``hipjsw.cohort.split_record``), with its ``digest``.

        Raises:
            RunError: The folder holds another run, or other files.
        """
        if (self.folder / "run.json").is_file():
            if Run.load(self.folder).digest != self.digest:
                raise RunError(
                    f"{self.folder} holds a run of another configuration or other data; "
                    "name another folder with run=DIR, or remove this one"
                )
            return
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise RunError(f"{self.folder} is no run and not empty; name a new folder with run=DIR")
        self.folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(cfg, self.folder / "config.yaml", resolve=True)
        write_json(self.folder / "identity.json", run_identity(cfg, store_fingerprint, split["digest"]))
        write_json(self.folder / "split.json", split)
        write_json(self.folder / "run.json", {"digest": self.digest, "group": cfg.group, **_environment()})

    @contextmanager
    def attempt(self, *places: str | Path | None) -> Iterator[None]:
        """Try to make the run: ``failed.json`` stands in the folder just while the last try ended with an error.

        Being stopped (Ctrl-C, SIGTERM) is no failure.

        Args:
            places: Folders whose names may stand in an error's message and are left out of the reason.
        """
        (self.folder / FAILED).unlink(missing_ok=True)
        try:
            yield
        except Exception as error:
            self.say_failed(error, *places)
            raise

    def say_failed(self, error: Exception, *places: str | Path | None) -> None:
        """Write ``failed.json``; arguments are as for ``attempt``."""
        with suppress(OSError):  # a full disk may be the reason: the error itself is to be seen
            write_json(self.folder / FAILED, {"reason": failure_reason(error, (self.folder, *places))})

    @property
    def is_finished(self) -> bool:
        """Whether everything, metrics last, was written."""
        return (self.folder / METRICS).is_file()

    @property
    def group(self) -> str | None:
        """The sweep that first made this run."""
        value = read_json(self.folder / "run.json").get("group")
        return None if value is None else str(value)

    def metrics(self) -> dict[str, Any]:
        """The finished run's metrics."""
        return read_json(self.folder / METRICS)


def failure_reason(error: BaseException, places: Iterable[str | Path | None] = ()) -> str:
    """The first line of an error without paths, for those who were not there.

    A path that is neither quoted nor in one of the places may hold blanks, so what follows it is left out too.

    Args:
        error: What was raised.
        places: Folders as they were given; files in them are left out by their whole path.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    said = lines[0]
    known = {text for place in places if place for text in (str(place), str(Path(place).absolute()))}
    for text in sorted(known - {".", "/"}, key=len, reverse=True):
        said = re.sub(rf"(?<![\w./\\-]){re.escape(text)}(?:[/\\][^\s'\",;:]*|(?![\w./\\-]))", NO_PATH, said)
    said = re.sub(r"""(['"])(?:/|~\w*/|[A-Za-z]:[\\/]|\\\\|file:).*?\1""", NO_PATH, said)
    found = _PATH.search(said)
    return said if found is None else said[: found.start()] + NO_PATH


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write ``metrics.csv`` and, last of all, ``metrics.json``: in a run's folder it says that the run is finished.

    A number that is not finite is left out: JSON has none, and undefined is said by the counts.
    """
    known = {k: v for k, v in sorted(metrics.items()) if not (isinstance(v, float) and not math.isfinite(v))}
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("metric", "value"))
        writer.writerows(known.items())
    write_json(folder / METRICS, known)


def read_cost(folder: Path) -> dict[str, Any]:
    """``cost.json`` of a run's folder; empty where there is none that can be read."""
    try:
        return read_json(folder / "cost.json")
    except RunError:
        return {}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run.

    Raises:
        RunError: It is missing or damaged.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is missing or damaged; remove the run's folder and train again") from error
    return content


def _readable_name(cfg: DictConfig, choices: Mapping[str, Any] | None) -> str:
    chosen = choices
    if chosen is None:
        chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    objects = [str(chosen.get(group, cfg[group]._target_.rsplit(".", 1)[-1])) for group in ("loss", "activation")]
    values = [cfg.dataset_size.name, cfg.view.name, cfg.scale.name, f"seed{cfg.seed}"]
    split = [] if cfg.split.kind == "random" else [cfg.split.kind]
    fold = [] if cfg.fold is None else [f"fold{cfg.fold}"]
    start = [] if cfg.get("init") is None else ["tuned"]
    return "-".join([*objects, *values, *split, *fold, *start]).lower()


def _environment() -> dict[str, Any]:
    """Versions and hardware, nothing that identifies a machine or a person."""
    names = ("torch", "lightning", "torchmetrics", "numpy", "scipy", "albumentations", "hydra-core")
    return {
        "hipjsw": hipjsw.__version__,
        "versions": {name: metadata.version(name) for name in names},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "commit": package_commit(),
        "changed": package_is_dirty(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }
