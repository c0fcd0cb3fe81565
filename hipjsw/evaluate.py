"""Door: judge a trained run on a split, ``python -m hipjsw.evaluate run=DIR split=test``."""

from __future__ import annotations

import json
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.door import open_door
from hipjsw.app.provision import provide_store, view_spec
from hipjsw.app.results import write_results
from hipjsw.app.runs import Run, RunError
from hipjsw.cohort.split import PARTS
from hipjsw.cohort.store import Store
from hipjsw.learning.fitting import measure_split
from hipjsw.reporting.tables import print_table, run_table


def main(cfg: DictConfig) -> None:
    """Read the run's configuration, judge its best weights, write rows, numbers and pictures."""
    if cfg.split not in PARTS:
        raise ValueError(f"split is one of {', '.join(PARTS)}, not {cfg.split!r}")
    folder = Path(cfg.run)
    if not (folder / "config.yaml").is_file():
        raise RunError(f"{folder} is no run; train one with: python -m hipjsw.train run={folder}")
    trained = OmegaConf.load(folder / "config.yaml")
    assert isinstance(trained, DictConfig)
    store = _store(cfg, trained)
    known = json.loads((folder / "identity.json").read_text(encoding="utf-8"))["store_fingerprint"]
    if store.fingerprint != known:
        print("note: another store than the run was trained on; its persons may have been trained on")
    trained.trainer = cfg.trainer
    task, data = build_task(trained), build_data(trained, store, cfg.split)
    out = Path(cfg.out) if cfg.out else folder / f"evaluate-{cfg.split}"
    out.mkdir(parents=True, exist_ok=True)
    records = measure_split(task, data, folder, trainer_options(trained))
    results = write_results(out, cfg.split, records, task, data.test)
    Run(out, "").finish(dict(results.metrics))
    print_table(run_table(dict(results.metrics), f"{cfg.split} hips", cfg.split))
    print(f"rows, numbers and pictures: {out}")


def _store(cfg: DictConfig, trained: DictConfig) -> Store:
    if cfg.store is None:
        return provide_store(trained)
    store = Store.open(Path(cfg.store))
    store.require_view(view_spec(trained))
    return store


if __name__ == "__main__":
    open_door(main, "evaluate")
