"""Which runs are judged together, by which command, and what comes of one that cannot be."""

import json
import os

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.read import read_sweep
from hipjsw.app import fold_ensembles as module
from hipjsw.app.fold_ensembles import FoldEnsemble, fold_ensembles, judge_ensembles
from hipjsw.app.launcher import ProcessLauncher
from hipjsw.app.plan import Plan, PlannedRun, Wanted
from hipjsw.app.record import write_record
from hipjsw.app.runs import Run, write_json

DESIGN = Design(
    *("cv", "t", "q", "dice", "a", (Arm("a", "A", ("fold=0",)), Arm("b", "B", ("fold=1",)))),
    pooled=True,
    ensembled=True,
)


def finish(runs_dir, *names):
    for name in names:
        (runs_dir / name).mkdir(parents=True, exist_ok=True)
        write_json(runs_dir / name / "metrics.json", {})


def entries(*pairs):
    return [{"arm": arm, "seed": seed, "run": f"{arm}-{seed}"} for arm, seed in pairs]


def test_all_finished_runs_of_an_arm_are_judged_together_and_one_alone_is_not(tmp_path):
    finish(tmp_path, "a-0", "a-1", "a-2", "b-0")
    asked = entries(("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 0), ("b", 1))
    (found,) = fold_ensembles(tmp_path, asked)
    assert (found.arm, found.members) == ("a", tuple(tmp_path / f"a-{seed}" for seed in range(3)))
    finish(tmp_path, "b-1")
    assert [one.arm for one in fold_ensembles(tmp_path, asked)] == ["a", "b"]


def test_a_folder_is_named_by_its_members_in_any_order(tmp_path):
    one = FoldEnsemble("a", (tmp_path / "x", tmp_path / "y"))
    assert one.folder == FoldEnsemble("a", (tmp_path / "y", tmp_path / "x")).folder
    assert one.folder != FoldEnsemble("a", (tmp_path / "y", tmp_path / "z")).folder
    strange = FoldEnsemble("../../a b", one.members).folder
    assert strange.parent == tmp_path / "ensembles"


@pytest.mark.parametrize("name", ["plain", "a b", "o'clock", "x,y", "[z]", "back\\slash", "end\\", "a\\'b", "=$"])
def test_hydra_reads_every_path_as_it_is(name, tmp_path):
    members = tuple(tmp_path / name / run for run in ("r", name))
    said = FoldEnsemble("a", members).job(["trainer=gpu", "trainer.options.x=1", "budget.steps=4", "data_dir=d"])
    parsed = OverridesParser.create().parse_overrides(said)
    values = {override.key_or_group: override.value() for override in parsed}
    assert values["run"] == str(members[0])
    assert values["ensemble"] == [str(members[1])]
    assert values["out"] == str(FoldEnsemble("a", members).folder)
    assert values.keys() == {"run", "ensemble", "out", "trainer", "trainer.options.x"}


def plan_of(runs_dir, *pairs):
    runs = {
        f"{arm}-{seed}": PlannedRun(
            Run(runs_dir / f"{arm}-{seed}", f"{arm}-{seed}"), [], [Wanted("cv", arm, seed)], 1.0, "demo", "k"
        )
        for arm, seed in pairs
    }
    return Plan(runs)


def test_a_record_holds_the_ensembles_and_why_one_failed(tmp_path):
    pairs = [(arm, seed) for arm in "ab" for seed in range(2)]
    plan = plan_of(tmp_path, *pairs)
    path = write_record(tmp_path / "sweeps", DESIGN, [], plan)
    assert read_sweep(path).ensembles == ()
    finish(tmp_path, *plan.runs)
    write_record(tmp_path / "sweeps", DESIGN, [], plan)
    first, second = read_sweep(path).ensembles
    assert [(one.arm, one.status) for one in (first, second)] == [("a", "missing"), ("b", "missing")]
    together = fold_ensembles(tmp_path, entries(*pairs))
    write_record(tmp_path / "sweeps", DESIGN, [], plan, {together[1].folder.name: "no room"})
    assert [one.reason for one in read_sweep(path).ensembles] == ["", "no room"]
    assert [one.status for one in read_sweep(path).ensembles] == ["missing", "failed"]


@pytest.mark.parametrize("name", ["..", "a/b", ""])
def test_a_record_names_no_folder_elsewhere(name, tmp_path):
    path = write_record(tmp_path / "sweeps", DESIGN, [], plan_of(tmp_path, ("a", 0), ("b", 0)))
    content = json.loads(path.read_text())
    content["ensembles"] = [{"arm": "a", "runs": [], "folder": name, "reason": ""}]
    path.write_text(json.dumps(content))
    (one,) = read_sweep(path).ensembles
    assert one.status == "failed"
    assert "names no folder" in one.reason


def test_damaged_results_are_a_failed_ensemble_that_says_what_to_do(tmp_path):
    plan = plan_of(tmp_path, *((arm, seed) for arm in "ab" for seed in range(2)))
    finish(tmp_path, *plan.runs)
    path = write_record(tmp_path / "sweeps", DESIGN, [], plan)
    folder = fold_ensembles(tmp_path, json.loads(path.read_text())["runs"])[0].folder
    finish(folder.parent, folder.name)
    one = read_sweep(path).ensembles[0]
    assert one.status == "failed"
    assert f"remove the folder ensembles/{folder.name}" in one.reason


#: Stands in for the door: notes what it was told, and fails for arm ``b``.
DOOR = """
import sys, pathlib
out = next(a for a in sys.argv if a.startswith("out="))[5:-1]
pathlib.Path(out).mkdir(parents=True)
pathlib.Path(out, "said").write_text("\\n".join(sys.argv[1:]))
sys.exit(1 if "/b-" in out else pathlib.Path(out, "metrics.json").write_text("{}") * 0)
"""


def test_each_missing_one_has_a_process_and_a_failed_one_stops_no_other(tmp_path, monkeypatch, capfd):
    (tmp_path / "door_for_test.py").write_text(DOOR)
    monkeypatch.setattr(ProcessLauncher, "environment", {**os.environ, "PYTHONPATH": str(tmp_path)})
    monkeypatch.setattr(module, "DOOR", "door_for_test")
    runs_dir = tmp_path / "runs"
    pairs = [(arm, seed) for arm in "abc" for seed in range(2)]
    finish(runs_dir, *(f"{arm}-{seed}" for arm, seed in pairs))
    together = fold_ensembles(runs_dir, entries(*pairs))
    config = OmegaConf.create(
        {"runs_dir": str(runs_dir), "store": None, "data_dir": "data", "hydra": {"sweep": {"dir": str(tmp_path)}}}
    )
    failed = judge_ensembles(config, "cv", together, ["trainer=cpu"], 1)
    assert failed == {together[1].folder.name: "ended with exit code 1"}
    assert [one.is_finished for one in together] == [True, False, True]
    told = (together[0].folder / "said").read_text().splitlines()
    assert told == together[0].job(["trainer=cpu"])
    assert "[1/3] cv: a, its 2 runs together" in capfd.readouterr().err
    (together[1].folder / "said").unlink()
    together[1].folder.rmdir()
    judge_ensembles(config, "cv", together, [], 1)
    assert "[1/1] cv: b" in capfd.readouterr().err  # what is there is not judged again
