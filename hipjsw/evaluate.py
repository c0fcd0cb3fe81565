"""Door: judge a trained run on a split, ``python -m hipjsw.evaluate run=DIR part=test``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import build_data, build_task, trainer_options
from hipjsw.app.door import open_door
from hipjsw.app.provision import find_store, view_spec
from hipjsw.app.results import write_results
from hipjsw.app.runs import Run, RunError, write_metrics
from hipjsw.cohort.split import PARTS, Split, SplitError
from hipjsw.cohort.store import Store
from hipjsw.learning.fitting import measure_split
from hipjsw.reporting.tables import print_table, run_table


def main(cfg: DictConfig) -> None:
    """Read the run's configuration, judge its best weights, write rows, numbers and pictures."""
    if cfg.part not in PARTS:
        raise ValueError(f"part is one of {', '.join(PARTS)}, not {cfg.part!r}")
    run = Run.load(Path(cfg.run))
    if not run.is_finished:
        raise RunError(f"{run.folder} is not finished; train it to the end with the command that began it")
    out = Path(cfg.out) if cfg.out else run.folder / f"evaluate-{cfg.part}"
    if (out / "run.json").is_file():
        raise RunError(f"{out} is a run; its results would be overwritten: name another folder with out=DIR")
    trained = OmegaConf.load(run.folder / "config.yaml")
    assert isinstance(trained, DictConfig)
    store = _store(cfg, trained, run)
    trained.trainer = cfg.trainer
    task, data = build_task(trained), build_data(trained, store, cfg.part)
    if not len(data.test):
        raise SplitError(f"{store.folder} has no {cfg.part} hip of this run; judge another part with part=test")
    out.mkdir(parents=True, exist_ok=True)
    records = measure_split(task, data, run.folder, trainer_options(trained))
    results = write_results(out, cfg.part, records, task, data.test)
    write_metrics(out, results.metrics)
    print_table(run_table(dict(results.metrics), f"{cfg.part} hips", cfg.part))
    print(f"rows, numbers and pictures: {out}")


def _store(cfg: DictConfig, trained: DictConfig, run: Run) -> Store:
    store = Store.open(Path(cfg.store)) if cfg.store is not None else find_store(trained)
    store.require_view(view_spec(trained))
    return replace(store, parts=_split(run, store))


def _split(run: Run, store: Store) -> Split:
    """The run's own split; on another store, whoever the run has not seen can be tested."""
    split = Split.read(run.folder / "split.json")
    known = json.loads((run.folder / "identity.json").read_text(encoding="utf-8"))["store_fingerprint"]
    if store.fingerprint == known:
        return split
    print(
        "note: another store than the run was trained on; test hips are those of all persons whose ids the run did not "
        "train on or validate with (prepared with another id_key, the same persons have other ids)"
    )
    return split.elsewhere(store.hips["person"])


def _with_part(arguments: Sequence[str]) -> list[str]:
    """``split=test`` means ``part=test``: Hydra would look for a file of the group ``split``, which is training's."""
    return ["part=" + said.removeprefix("split=") if said.startswith("split=") else said for said in arguments]


if __name__ == "__main__":
    sys.argv[1:] = _with_part(sys.argv[1:])
    open_door(main, "evaluate")
