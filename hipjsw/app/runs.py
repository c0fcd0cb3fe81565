"""A run is a pure function of its resolved configuration and its data; its folder is named by them."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import hipjsw

__all__ = ["Run", "RunError", "run_identity"]

#: Keys of the root that change where and how fast a run is, never what comes out.
NOT_PART = ("run", "store", "runs_dir", "data_dir", "workers", "num_workers", "group", "logger", "ablation", "data")


class RunError(ValueError):
    """A run's folder that cannot be used; the message says what to do."""


def run_identity(cfg: DictConfig, store_fingerprint: str) -> dict[str, Any]:
    """What decides a run's result: its configuration without ``NOT_PART``, and the store's content."""
    content: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    identity = {key: value for key, value in content.items() if key not in NOT_PART}
    return identity | {"store_fingerprint": store_fingerprint}


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
    def open(cls, cfg: DictConfig, store_fingerprint: str) -> Run:
        """Make or find the folder of a run: ``run=DIR`` if given, else one named by the run's identity.

        Raises:
            RunError: The folder holds another run.
        """
        identity = run_identity(cfg, store_fingerprint)
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        folder = Path(cfg.run) if cfg.run else Path(cfg.runs_dir) / f"{_readable_name(cfg)}-{digest[:8]}"
        run = cls(folder, digest)
        if (folder / "run.json").is_file():
            found = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            if found.get("digest") != digest:
                raise RunError(
                    f"{folder} holds a run of another configuration or other data; "
                    "name another folder with run=DIR, or remove this one"
                )
            return run
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(cfg, folder / "config.yaml", resolve=True)
        run.write_json("identity.json", identity)
        run.write_json("run.json", {"digest": digest, "group": cfg.group, **_environment()})
        return run

    @property
    def is_finished(self) -> bool:
        """Whether everything, metrics last, was written."""
        return (self.folder / "metrics.json").is_file()

    @property
    def group(self) -> str | None:
        """The sweep that first made this run."""
        value = json.loads((self.folder / "run.json").read_text(encoding="utf-8")).get("group")
        return None if value is None else str(value)

    def metrics(self) -> dict[str, Any]:
        """The finished run's metrics."""
        content: dict[str, Any] = json.loads((self.folder / "metrics.json").read_text(encoding="utf-8"))
        return content

    def finish(self, metrics: dict[str, Any]) -> None:
        """Write the metrics as CSV and, last of all, as JSON: now the run is finished.

        A number that is not finite is left out: JSON has none, and undefined is said by the counts.
        """
        known = {k: v for k, v in sorted(metrics.items()) if not (isinstance(v, float) and not math.isfinite(v))}
        with (self.folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("metric", "value"))
            writer.writerows(known.items())
        self.write_json("metrics.json", known)

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a file of the run whole or not at all."""
        partial = self.folder / f".{name}.partial"
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(self.folder / name)


def _readable_name(cfg: DictConfig) -> str:
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    objects = [str(chosen.get(group, cfg[group]._target_.rsplit(".", 1)[-1])) for group in ("loss", "activation")]
    values = [cfg.dataset_size.name, cfg.view.name, cfg.scale.name, f"seed{cfg.seed}"]
    return "-".join([*objects, *values]).lower()


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
