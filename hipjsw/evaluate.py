"""Door: judge a trained run on a split, ``python -m hipjsw.evaluate run=DIR split=test``."""

from __future__ import annotations

import json
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.door import open_door
from hipjsw.app.provision import find_store, view_spec
from hipjsw.app.results import write_results
from hipjsw.app.runs import Run, RunError, write_metrics
from hipjsw.cohort.split import PARTS
from hipjsw.cohort.store import Store
from hipjsw.learning.fitting import measure_split
from hipjsw.reporting.tables import print_table, run_table


def main(cfg: DictConfig) -> None:
    """Read the run's configuration, judge its best weights, write rows, numbers and pictures."""
    if cfg.split not in PARTS:
        raise ValueError(f"split is one of {', '.join(PARTS)}, not {cfg.split!r}")
    run = Run.load(Path(cfg.run))
    if not run.is_finished:
        raise RunError(f"{run.folder} is not finished; train it to the end with the command that began it")
    out = Path(cfg.out) if cfg.out else run.folder / f"evaluate-{cfg.split}"
    if (out / "run.json").is_file():
        raise RunError(f"{out} is a run; its results would be overwritten: name another folder with out=DIR")
    trained = OmegaConf.load(run.folder / "config.yaml")
    assert isinstance(trained, DictConfig)
    store = _store(cfg, trained)
    known = json.loads((run.folder / "identity.json").read_text(encoding="utf-8"))["store_fingerprint"]
    if store.fingerprint != known:
        print("note: another store than the run was trained on; its persons may have been trained on")
    trained.trainer = cfg.trainer
    task, data = build_task(trained), build_data(trained, store, cfg.split)
    out.mkdir(parents=True, exist_ok=True)
    records = measure_split(task, data, run.folder, trainer_options(trained))
    results = write_results(out, cfg.split, records, task, data.test)
    write_metrics(out, results.metrics)
    print_table(run_table(dict(results.metrics), f"{cfg.split} hips", cfg.split))
    print(f"rows, numbers and pictures: {out}")


def _store(cfg: DictConfig, trained: DictConfig) -> Store:
    store = Store.open(Path(cfg.store)) if cfg.store is not None else find_store(trained)
    store.require_view(view_spec(trained))
    return store


if __name__ == "__main__":
    open_door(main, "evaluate")
