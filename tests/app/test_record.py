"""Records: what stays in them, how they are named, and that no path gets in."""

import json
from pathlib import Path

import pytest

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.read import read_sweep
from hipjsw.app.plan import Plan, PlannedRun, Wanted
from hipjsw.app.record import record_name, shown_options, write_record
from hipjsw.app.runs import Run

DESIGN = Design("loss", "t", "q", "dice", "a", (Arm("a", "A", ("loss=dice",)), Arm("b", "B", ("loss=ce",))))


def plan_of(runs_dir, *pairs, kind="k"):
    plan = Plan()
    for arm, seed in pairs:
        name = f"{arm}-{seed}"
        plan.runs[name] = PlannedRun(Run(runs_dir / name, name), [], [Wanted("loss", arm, seed)], 1.0, "demo", kind)
    return plan


def asked(path):
    return [(run["arm"], run["seed"]) for run in json.loads(path.read_text())["runs"]]


def test_a_record_is_read_back(tmp_path):
    path = write_record(tmp_path / "sweeps", DESIGN, ["seed_of=1"], plan_of(tmp_path, ("a", 0), ("b", 0)))
    sweep = read_sweep(path)
    assert sweep.design == DESIGN
    assert (sweep.record, sweep.options, sweep.scale) == (path.stem, ("seed_of=1",), "demo")
    assert [(run.arm, run.seed, run.status) for run in sweep.runs] == [("a", 0, "missing"), ("b", 0, "missing")]


def test_a_further_seed_extends_the_record_and_an_earlier_one_stays(tmp_path):
    sweeps = tmp_path / "sweeps"
    write_record(sweeps, DESIGN, [], plan_of(tmp_path, ("a", 0), ("b", 0)))
    path = write_record(sweeps, DESIGN, [], plan_of(tmp_path, ("a", 1), ("b", 1)))
    assert asked(path) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def test_runs_of_an_arm_that_was_changed_since_are_not_its_runs_any_more(tmp_path):
    sweeps = tmp_path / "sweeps"
    write_record(sweeps, DESIGN, [], plan_of(tmp_path, ("a", 0), ("a", 1), ("b", 0)))
    path = write_record(sweeps, DESIGN, [], plan_of(tmp_path, ("a", 0), kind="other"))
    assert asked(path) == [("a", 0)]


def test_a_reason_is_kept_until_the_sweep_runs_again(tmp_path):
    sweeps, plan = tmp_path / "sweeps", plan_of(tmp_path, ("a", 0), ("b", 0))
    path = write_record(sweeps, DESIGN, [], plan, {"b-0": "no store"})
    assert [run.reason for run in read_sweep(path).runs] == ["", "no store"]
    assert [run.status for run in read_sweep(path).runs] == ["missing", "failed"]
    write_record(sweeps, DESIGN, [], plan)
    assert [run.status for run in read_sweep(path).runs] == ["missing", "missing"]


def test_a_sweep_that_starts_from_a_model_has_a_record_of_its_own():
    names = {
        record_name(DESIGN, options, fingerprints)
        for options, fingerprints in (([], ()), (["init=default"], ["a"]), (["init=a/b"], ["b"]), (["init=a/b"], ["c"]))
    }
    assert len(names) == 4
    assert shown_options(["init=default"]) == ["init=default"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 99, "runs": []}'])
def test_a_damaged_record_is_written_anew(damage, tmp_path):
    path = tmp_path / "sweeps" / "loss.json"
    path.parent.mkdir()
    path.write_text(damage)
    write_record(path.parent, DESIGN, [], plan_of(tmp_path, ("a", 0)))
    assert asked(path) == [("a", 0)]


def test_options_make_another_record_and_places_do_not():
    places = ["runs_dir=/home/x", "data_dir=d", "store=/secret/store", "workers=3", "hydra.launcher.n_jobs=2"]
    places += ["hydra/launcher=joblib", "logger=none", "logger.mode=offline", "group=g"]
    assert shown_options(places) == []
    assert record_name(DESIGN, places) == "loss"
    other = record_name(DESIGN, [*places, "budget.steps=4", "+trainer.options.x=1"])
    assert other.startswith("loss-")
    assert other == record_name(DESIGN, ["+trainer.options.x=1", "budget.steps=4"])
    assert record_name(DESIGN, ["data=cohort"], ["aa"]) != record_name(DESIGN, ["data=cohort"], ["bb"])


@pytest.mark.parametrize("option", ["store={}", "split.file={}/s.json", "+trainer.options.x={}/y", "data_dir={}"])
def test_no_place_stands_in_a_record(option, tmp_path):
    path = write_record(tmp_path / "sweeps", DESIGN, [option.format(tmp_path)], plan_of(tmp_path, ("a", 0)))
    assert str(tmp_path) not in path.read_text()
    assert str(tmp_path) not in path.name
    assert Path(json.loads(path.read_text())["runs"][0]["run"]) == Path("a-0")
