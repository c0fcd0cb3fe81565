"""Door: judge a trained run on a split, ``python -m hipjsw.evaluate run=DIR part=test``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import build_data, trainer_options
from hipjsw.app.door import open_door
from hipjsw.app.ensemble import (
    Member,
    claim_results,
    joint_data,
    joint_split,
    joint_task,
    read_members,
    require_results_of,
)
from hipjsw.app.job import told_to_sweep, write_job_report
from hipjsw.app.judging import check_measure, learn_judgement, read_judgement
from hipjsw.app.provision import find_store, view_spec
from hipjsw.app.results import write_results
from hipjsw.app.runs import RunError, write_json, write_metrics
from hipjsw.cohort.split import PARTS, SplitError
from hipjsw.cohort.store import Store
from hipjsw.inference.examples import ProbsOf, probs_of_task
from hipjsw.inference.measuring import HipRecord, Judgement, Measurer
from hipjsw.inference.reader import read_reader, reader_metrics, reader_template
from hipjsw.inference.saved import ProbsWriter, SavedProbs
from hipjsw.inference.saved_records import measure_saved
from hipjsw.inference.study_table import UNITS, study_rows, study_summary
from hipjsw.learning.data import HipData
from hipjsw.learning.fitting import measure_as_is
from hipjsw.learning.hip_output import HipOutput
from hipjsw.reporting.tables import print_table, run_table

ESTIMATORS = ("contour", "study")


class _Measured(NamedTuple):
    records: list[HipRecord]
    probs_of: ProbsOf


def main(cfg: DictConfig) -> None:
    """Read the run's configuration, judge its best weights, write rows, numbers and pictures."""
    with told_to_sweep():
        _judge(cfg)


def _judge(cfg: DictConfig) -> None:
    _refuse(cfg)
    members = read_members([Path(folder) for folder in (cfg.run, *cfg.ensemble)])
    run, trained = members[0].run, members[0].trained
    out = Path(cfg.out) if cfg.out else run.folder / f"evaluate-{cfg.part}{'-ensemble' if cfg.ensemble else ''}"
    if (out / "run.json").is_file():
        raise RunError(f"{out} is a run; its results would be overwritten: name another folder with out=DIR")
    store = _store(cfg, members)
    if cfg.reader_template is not None:
        _write_template(Path(cfg.reader_template), store, str(cfg.part))
        return
    readings = None if cfg.reader is None else read_reader(Path(cfg.reader), store)
    data = build_data(trained, store, cfg.part)
    if not len(data.test):
        raise SplitError(f"{store.folder} has no {cfg.part} hip of this run; judge another part with part=test")
    trained.measure = _measure(cfg, trained)
    measured = _measure_saved(cfg, members, data) if cfg.probs else _measure_anew(cfg, members, data, out)
    claim_results(out, members)
    out.mkdir(parents=True, exist_ok=True)
    if cfg.estimator == "study":
        _write_study(out, cfg, measured.records, store)
        return
    results = write_results(out, cfg.part, measured.records, data.test, measured.probs_of)
    metrics = dict(results.metrics) | ({"ensemble/num_runs": len(members)} if cfg.ensemble else {})
    if readings is not None:
        metrics |= reader_metrics(results.hips, readings, store, cfg.part)
    write_metrics(out, metrics)
    write_job_report("done", str(out), metrics)
    print_table(run_table(metrics, f"{cfg.part} hips", cfg.part))
    print(f"rows, numbers and pictures: {out}")


def _refuse(cfg: DictConfig) -> None:
    """Refuse, before any work, what would do nothing or fail late."""
    for name, value, known in (
        ("part", cfg.part, PARTS),
        ("estimator", cfg.estimator, ESTIMATORS),
        ("units", cfg.units, UNITS),
    ):
        if value not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")
    if cfg.units != "mm" and cfg.estimator != "study":
        raise ValueError("units=as_printed is the study's own number; it needs estimator=study")
    if cfg.estimator == "study" and (cfg.region is not None or cfg.reader is not None):
        raise ValueError("estimator=study has no region and is compared with no reader; leave region and reader out")
    if cfg.ensemble and cfg.part != "test":
        raise ValueError(f"an ensemble is judged on persons whom no run has seen: part=test, not part={cfg.part}")
    if cfg.probs is not None and (cfg.save_probs or cfg.looks is not None):
        raise ValueError("probs=DIR measures saved probabilities again; save_probs and looks are for a network")


def _measure(cfg: DictConfig, trained: DictConfig) -> DictConfig:
    """How the run measures, with what the command says otherwise; a run made before there was a choice: by default."""
    default = {"name": "default", "looks": 8, "region": "sourcil", "calibration_hips": 800}
    said = {name: cfg[name] for name in ("looks", "region") if cfg[name] is not None}
    merged = OmegaConf.merge(default, trained.get("measure") or {}, said)
    assert isinstance(merged, DictConfig)
    check_measure(int(merged.looks), str(merged.region))
    return merged


def _measure_anew(cfg: DictConfig, members: Sequence[Member], data: HipData, out: Path) -> _Measured:
    """Let the network see the hips, or the networks of an ensemble; what these learn of their errors is kept in out."""
    for member in members:
        member.trained.trainer = cfg.trainer
    trained, run = members[0].trained, members[0].run
    task, options, how = joint_task(members), trainer_options(trained), trained.measure
    claim_results(out, members)
    learnt = out if len(members) > 1 else run.folder
    judgement = read_judgement(learnt, int(how.looks), str(how.region))
    if judgement is None:
        print("learning from hips that no weight was trained on how far the measurement errs ...")
        own = joint_data(members, _own_store(data.test.store, members[0]))
        judgement = learn_judgement(task, own, learnt, options, how, measure_as_is)
    measurer, looks = Measurer(data.test.store, str(how.region)), check_measure(int(how.looks), str(how.region))
    with ExitStack() as stack:
        writer = None
        if cfg.save_probs:
            writer = stack.enter_context(ProbsWriter(out / "probs", data.test.store, str(cfg.part), looks.number))
        measure = _judged_and_kept(measurer, judgement, writer)
        records = measure_as_is(task, data, learnt, options, measure, looks)
    return _Measured(records, probs_of_task(task, data.test))


def _judged_and_kept(
    measurer: Measurer, judgement: Judgement, writer: ProbsWriter | None
) -> Callable[[HipOutput], HipRecord]:
    def measure(output: HipOutput) -> HipRecord:
        record = judgement([measurer(output)])[0]
        if writer is not None:
            writer.add(record.row, output.looks.mean(axis=0), record.dice, record.spread_mm, record.typicality)
        return record

    return measure


def _measure_saved(cfg: DictConfig, members: Sequence[Member], data: HipData) -> _Measured:
    """Measure saved probabilities again, without the network."""
    saved = SavedProbs.open(Path(cfg.probs))
    saved.require_store(data.test.store)
    if saved.part != cfg.part:
        raise ValueError(f"{cfg.probs} holds the {saved.part} part; say part={saved.part}")
    require_results_of(saved.folder.parent, members)
    how, learnt = members[0].trained.measure, saved.folder.parent if len(members) > 1 else members[0].run.folder
    judgement = read_judgement(learnt, saved.looks, str(how.region))
    if judgement is None:
        print(
            f"note: the run learnt nothing for region={how.region} with {saved.looks} looks, so there is no interval; "
            "evaluate once without probs= to learn it"
        )
        judgement = Judgement()
    order = {row: n for n, row in enumerate(saved.hips["row"].tolist())}
    records = judgement(measure_saved(saved, Measurer(data.test.store, str(how.region)), data.test.rows))
    return _Measured(
        records, lambda position: np.asarray(saved.probs[order[data.test.rows[position]]], dtype=np.float32)
    )


def _write_study(out: Path, cfg: DictConfig, records: Sequence[HipRecord], store: Store) -> None:
    table = study_rows(records, store, str(cfg.units))
    table.to_csv(out / f"{cfg.part}_study_{cfg.units}.csv", index=False, float_format="%.6f")
    numbers = study_summary(table, str(cfg.units))
    write_json(out / f"{cfg.part}_study_{cfg.units}.json", numbers)
    unit = " mm" if cfg.units == "mm" else " (no unit: pixels times film spacing over view pixel)"
    if "mean" + ("_mm" if cfg.units == "mm" else "") in numbers:
        suffix = "_mm" if cfg.units == "mm" else ""
        mean, sd = numbers[f"mean{suffix}"], numbers[f"sd{suffix}"]
        print(f"the study's estimator, |prediction - label|: mean {mean:.4f}, SD {sd:.4f}{unit}")
    print(f"{numbers['num_compared']} hips, {numbers['num_left_out']} left out; the study printed 0.0763 and 0.0874")
    print(f"rows and numbers: {out}")


def _write_template(path: Path, store: Store, part: str) -> None:
    if path.exists():
        raise ValueError(f"{path} is there already; name a new file with reader_template=FILE")
    reader_template(store, part).to_csv(path, index=False)
    print(f"to be filled in by a reader: {path}; then evaluate with reader={path}")


def _own_store(store: Store, member: Member) -> Store:
    """The store that a run was trained on: the one that is open, or the one its configuration names."""
    return store if store.fingerprint == member.store_fingerprint else find_store(member.trained)


def _store(cfg: DictConfig, members: Sequence[Member]) -> Store:
    """The store to be judged on; on another one than the runs', whoever no run has seen can be tested."""
    first = members[0]
    store = Store.open(Path(cfg.store)) if cfg.store is not None else find_store(first.trained)
    store.require_view(view_spec(first.trained))
    if store.fingerprint != first.store_fingerprint:
        print(
            "note: another store than the run was trained on; test hips are those of all persons whose ids the run did "
            "not train on or validate with (prepared with another id_key, the same persons have other ids)"
        )
    return replace(store, parts=joint_split(members, store))


def _with_part(arguments: Sequence[str]) -> list[str]:
    """``split=test`` means ``part=test``: Hydra would look for a file of the group ``split``, which is training's."""
    return ["part=" + said.removeprefix("split=") if said.startswith("split=") else said for said in arguments]


if __name__ == "__main__":
    sys.argv[1:] = _with_part(sys.argv[1:])
    open_door(main, "evaluate")
