"""Door: train a network, judge it on the test hips, draw pictures, ``python -m hipjsw.train``."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger
from omegaconf import DictConfig

from hipjsw.app.build import build_data, build_task, start_from, trainer_options
from hipjsw.app.cost import write_cost
from hipjsw.app.door import open_door
from hipjsw.app.job import in_sweep, told_to_sweep, write_job_report
from hipjsw.app.judging import check_measure, learn_judgement
from hipjsw.app.lock import only_one
from hipjsw.app.provision import provide_store, split_spec
from hipjsw.app.ranks import RankError, await_store, check_ranks, follow_rank_0, other_ranks
from hipjsw.app.replay import compare_runs, replay_table, replayed
from hipjsw.app.results import Results, write_results
from hipjsw.app.runs import START, Run, run_identity, write_json, write_metrics
from hipjsw.cohort.split_record import part_counts, split_digest, split_record
from hipjsw.cohort.store import Store
from hipjsw.inference.examples import probs_of_task
from hipjsw.inference.measuring import Measurer
from hipjsw.inference.model import Model
from hipjsw.learning.callbacks import NonFiniteLossError
from hipjsw.learning.data import HipData
from hipjsw.learning.fitting import fit, measure_split
from hipjsw.learning.ranks import num_ranks, own_rank
from hipjsw.learning.task import SegmentationTask
from hipjsw.reporting import dashboard
from hipjsw.reporting.tables import print_table, run_table

log = logging.getLogger("hipjsw")

#: Exit code of a replay that came out otherwise.
DIFFERS = 3


def main(cfg: DictConfig) -> None:
    """Provide the data, find or make the run, train and test it unless that was done before.

    Raises:
        SystemExit: A replay did not come out equal (3).
    """
    if own_rank() > 0:
        _follow(cfg if cfg.replay is None else replayed(cfg))
        return
    with told_to_sweep():
        _refuse(cfg)
        if cfg.replay is not None:
            _replay(cfg)
            return
        ranks = check_ranks(cfg)
        task, options = build_task(cfg), trainer_options(cfg)
        start = start_from(task, cfg)
        store = provide_store(cfg)
        data = build_data(cfg, store)
        split = split_record(store.split, store.hips, split_spec(cfg))
        run = Run.of(cfg, store.fingerprint, split["digest"])
        with only_one(run.folder, wait=False):
            run.claim(cfg, store.fingerprint, split)
            if start is not None:
                write_json(run.folder / START, {"hash": start.hash, "training": start.about.get("training", [])})
                _warn_of_known_persons(start, store)
            reused = run.is_finished
            if not reused:
                if ranks > 1:
                    write_job_report("running", reason=f"rank 0 of {ranks}")
                with run.attempt(store.folder, cfg.store):
                    _train(cfg, run, task, data, options)
        _say(run, reused)
        write_job_report("reused" if reused else "done", str(run.folder), run.metrics())


def _follow(cfg: DictConfig) -> None:
    """Train as another rank than 0, and nothing else: rank 0 makes the store and the run's folder, and writes."""
    log.setLevel(logging.WARNING)
    with follow_rank_0(check_ranks(cfg)):
        task, options = build_task(cfg), trainer_options(cfg)
        start_from(task, cfg)
        store = await_store(cfg)
        data = build_data(cfg, store)
        run = Run.of(cfg, store.fingerprint, split_digest(store.split, store.hips))
        if not run.is_finished:
            fit(task, data, data.budget, run.folder, options)


def _refuse(cfg: DictConfig) -> None:
    """Refuse, before any work, what would do nothing or fail late."""
    if cfg.ablation is not None and not in_sweep():
        raise ValueError(
            f"ablation={cfg.ablation.name} is a sweep: python -m hipjsw.train -m ablation={cfg.ablation.name}"
        )
    if cfg.logger.mode not in dashboard.MODES:
        raise ValueError(f"logger.mode is one of {', '.join(dashboard.MODES)}, not {cfg.logger.mode!r}")
    check_measure(int(cfg.measure.looks), str(cfg.measure.region), int(cfg.measure.calibration_hips))
    if cfg.replay is not None and in_sweep():
        raise ValueError("replay=RUN makes one run again; leave -m out")
    if cfg.seed < 0:
        raise ValueError(f"seed is 0 or more, not {cfg.seed}")


def _replay(cfg: DictConfig) -> None:
    again = replayed(cfg)
    main(again)
    compared = compare_runs(Path(cfg.replay), Path(again.run))
    print_table(replay_table(compared))
    if not all(one.equal for one in compared):
        raise SystemExit(DIFFERS)


def _warn_of_known_persons(start: Model, store: Store) -> None:
    if store.fingerprint in [run.get("data_fingerprint") for run in start.about.get("training", [])]:
        log.warning(
            "the model to start from was trained on this very store: unless the split is the same, it knows test hips"
        )


def _train(cfg: DictConfig, run: Run, task: SegmentationTask, data: HipData, options: dict[str, Any]) -> None:
    _say_data(cfg, data)
    wandb_run = _start_dashboard(cfg, run, data.test.store)
    code = 1
    try:
        with other_ranks(num_ranks(options), partial(_say_lost, run)):
            fit(task, data, data.budget, run.folder, options, _logger(cfg, run, wandb_run))
        log.info("learning from hips that no weight was trained on how far the measurement errs")
        began_s = time.monotonic()
        judgement = learn_judgement(task, data, run.folder, options, cfg.measure)
        measurer = Measurer(data.test.store, str(cfg.measure.region))
        looks = check_measure(int(cfg.measure.looks), str(cfg.measure.region))
        records = judgement(measure_split(task, data, run.folder, options, measurer, looks))
        write_cost(run.folder, data.budget, options, time.monotonic() - began_s)
        probs_of = probs_of_task(task, data.test)
        results = write_results(run.folder, "test", records, data.test, probs_of, keep_examples=True)
        write_metrics(run.folder, results.metrics | {"train/num_hips": len(data.train), "val/num_hips": len(data.val)})
        _mirror(wandb_run, results)
        code = 0
    finally:
        if wandb_run is not None:
            dashboard.finish(wandb_run, code)


def _say_lost(run: Run, error: RankError) -> None:
    run.say_failed(error)
    write_job_report("failed", reason=str(error))


def _logger(cfg: DictConfig, run: Run, wandb_run: Any | None) -> Logger | None:
    if wandb_run is not None:
        return WandbLogger(experiment=wandb_run, save_dir=run.folder)
    if cfg.logger.name == "csv":
        return CSVLogger(run.folder, name="steps", version="")
    return None


def _say_data(cfg: DictConfig, data: HipData) -> None:
    hips = data.test.store.hips
    sets = ((part.rows, hips["person"].loc[part.rows].nunique()) for part in (data.train, data.val, data.test))
    log.info(
        "training on %s, validating on %s, testing on %s; %d steps of %d hips, %d threads",
        *(f"{len(rows)} hips of {persons} persons" for rows, persons in sets),
        *(data.budget.steps, data.budget.batch_size, torch.get_num_threads()),
    )
    left_out = part_counts(data.test.store.split, hips)["left_out"]
    if left_out["persons"]:
        log.info("%d hips of %d persons are in no part of the split", left_out["hips"], left_out["persons"])
    wanted = -(-int(cfg.dataset_size.train_hips) // int(cfg.scale.divisor))
    if len(data.train) < wanted:
        log.warning(
            "dataset_size=%s at scale=%s asks for %d training hips; the store has %d, all are taken",
            *(cfg.dataset_size.name, cfg.scale.name, wanted, len(data.train)),
        )


def _start_dashboard(cfg: DictConfig, run: Run, store: Store) -> Any | None:
    if cfg.logger.name != "wandb":
        return None
    return dashboard.start_run(
        folder=run.folder,
        project=cfg.logger.project,
        entity=cfg.logger.entity,
        group=run.group,
        name=run.folder.name,
        config=run_identity(cfg, store.fingerprint, split_digest(store.split, store.hips)),
        tags=[cfg.scale.name, cfg.view.name, cfg.dataset_size.name, *cfg.tags],
        mode=str(cfg.logger.mode),
        run_id=run.digest,
    )


def _mirror(wandb_run: Any | None, results: Results) -> None:
    if wandb_run is not None:
        hips = results.hips.drop(columns="person")  # of no use there
        known = hips.astype(object).where(hips.notna(), None)
        rows = [dict(zip(known.columns, row, strict=True)) for row in known.itertuples(index=False)]
        dashboard.log_results(wandb_run, dict(results.metrics), rows, results.pictures)


def _say(run: Run, reused: bool) -> None:
    title = "finished before; nothing was trained" if reused else "test hips"
    print_table(run_table(run.metrics(), title))
    print(f"pictures: {run.folder / 'figures'}")
    print(f"everything: {run.folder} (metrics.json, test_hips.csv, history.csv, checkpoints)")


if __name__ == "__main__":
    open_door(main, "train", expected=(NonFiniteLossError, RankError))
