"""A run is a pure function of its resolved configuration and its data; its folder is named by them."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import hipjsw

__all__ = ["Run", "RunError", "run_identity", "write_json", "write_metrics"]

#: Keys of the root that change where and how fast a run is, never what comes out.
NOT_PART = ("run", "store", "runs_dir", "data_dir", "workers", "num_workers", "group", "logger", "ablation", "data")


#: Raised whenever the same configuration and data give other results than before.
RESULT_VERSION = 2


class RunError(ValueError):
    """A run's folder that cannot be used; the message says what to do."""


def run_identity(cfg: DictConfig, store_fingerprint: str, split_digest: str) -> dict[str, Any]:
    """What decides a run's result: its configuration without ``NOT_PART``, the store's content, who is in which part.

    The path of a file that says the split is left out: what it says is in the digest.
    """
    content: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    identity = {key: value for key, value in content.items() if key not in NOT_PART}
    identity["split"] = {key: value for key, value in identity["split"].items() if key != "file"}
    data = {"store_fingerprint": store_fingerprint, "split_digest": split_digest}
    return identity | data | {"result_version": RESULT_VERSION}


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
    def of(cls, cfg: DictConfig, store_fingerprint: str, split_digest: str) -> Run:
        """The run of a configuration: in ``run=DIR`` if given, else in a folder named by its identity."""
        identity = run_identity(cfg, store_fingerprint, split_digest)
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        return cls(Path(cfg.run) if cfg.run else Path(cfg.runs_dir) / f"{_readable_name(cfg)}-{digest[:8]}", digest)

    @classmethod
    def load(cls, folder: Path) -> Run:
        """A run by its folder.

        Raises:
            RunError: No run there.
        """
        if not (folder / "run.json").is_file():
            raise RunError(f"{folder} is no run; train one with: python -m hipjsw.train run={folder}")
        return cls(folder, str(_read_json(folder / "run.json").get("digest")))

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

    @property
    def is_finished(self) -> bool:
        """Whether everything, metrics last, was written."""
        return (self.folder / "metrics.json").is_file()

    @property
    def group(self) -> str | None:
        """The sweep that first made this run."""
        value = _read_json(self.folder / "run.json").get("group")
        return None if value is None else str(value)

    def metrics(self) -> dict[str, Any]:
        """The finished run's metrics."""
        return _read_json(self.folder / "metrics.json")


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write ``metrics.csv`` and, last of all, ``metrics.json``: in a run's folder it says that the run is finished.

    A number that is not finite is left out: JSON has none, and undefined is said by the counts.
    """
    known = {k: v for k, v in sorted(metrics.items()) if not (isinstance(v, float) and not math.isfinite(v))}
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("metric", "value"))
        writer.writerows(known.items())
    write_json(folder / "metrics.json", known)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is missing or damaged; remove the run's folder and train again") from error
    return content


def _readable_name(cfg: DictConfig) -> str:
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    objects = [str(chosen.get(group, cfg[group]._target_.rsplit(".", 1)[-1])) for group in ("loss", "activation")]
    values = [cfg.dataset_size.name, cfg.view.name, cfg.scale.name, f"seed{cfg.seed}"]
    split = [] if cfg.split.kind == "random" else [cfg.split.kind]
    fold = [] if cfg.fold is None else [f"fold{cfg.fold}"]
    return "-".join([*objects, *values, *split, *fold]).lower()


def _environment() -> dict[str, Any]:
    """Versions and hardware, nothing that identifies a machine or a person."""
    names = ("torch", "lightning", "torchmetrics", "numpy", "scipy", "albumentations", "hydra-core")
    return {
        "hipjsw": hipjsw.__version__,
        "versions": {name: metadata.version(name) for name in names},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }
