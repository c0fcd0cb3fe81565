"""A finished run with what its test left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import build_task
from hipjsw.app.judging import read_judgement
from hipjsw.app.provision import find_store
from hipjsw.cohort.split import Split
from hipjsw.cohort.store import Store
from hipjsw.inference.view_measurer import ViewMeasurer
from hipjsw.learning.averaging import Looks
from hipjsw.learning.checkpoint import load_weights
from hipjsw.learning.fitting import BEST

__all__ = ["Trained"]


@dataclass(frozen=True)
class Trained:
    """A run and the folder of its results.

    Args:
        folder: The run's folder.
        results: Where test_hips.csv, test_subgroups.csv and metrics.json lie.
    """

    folder: Path
    results: Path

    @cached_property
    def config(self) -> DictConfig:
        found = OmegaConf.load(self.folder / "config.yaml")
        assert isinstance(found, DictConfig)
        return found

    @cached_property
    def metrics(self) -> dict[str, Any]:
        return json.loads((self.results / "metrics.json").read_text(encoding="utf-8"))

    @cached_property
    def hips(self) -> pd.DataFrame:
        """test_hips.csv with each hip's person, cohort, side, spacing and row of the store."""
        table = pd.read_csv(self.results / "test_hips.csv", dtype={"hip_id": str})
        known = self.store.hips[["hip_id", "person", "dataset", "side", "spacing_mm", "row"]]
        return table.merge(known, on="hip_id", how="left", validate="one_to_one")

    @cached_property
    def subgroups(self) -> pd.DataFrame:
        return pd.read_csv(self.results / "test_subgroups.csv")

    @cached_property
    def store(self) -> Store:
        return replace(find_store(self.config), parts=Split.read(self.folder / "split.json"))

    @property
    def said(self) -> str:
        """What was trained on what, in words."""
        cfg, phantom = self.config, self.metrics.get("data/phantom", "no phantom")
        return (
            f"loss {cfg.loss._target_.rsplit('.', 1)[-1]}, view {cfg.view.name} ({cfg.view.pixel_mm:g} mm/px), "
            f"{cfg.budget.steps} steps of {cfg.budget.batch_size}, {phantom}"
        )

    def measurer(self) -> ViewMeasurer:
        """The network with what its run knows of its errors."""
        how = self.config.get("measure") or OmegaConf.create({"looks": 8, "region": "sourcil"})
        judgement = read_judgement(self.folder, int(how.looks), str(how.region))
        if judgement is None:
            raise ValueError(f"{self.folder} has no judgement; evaluate it once: python -m hipjsw.evaluate run=DIR")
        task = build_task(self.config)
        task.net.load_state_dict(load_weights(self.folder / BEST))
        return ViewMeasurer(task, judgement, float(self.config.view.pixel_mm), Looks(int(how.looks)), str(how.region))
