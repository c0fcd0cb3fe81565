"""Sweeps read from disk: whole, failed, missing, damaged."""

import json
import shutil

import numpy as np
import pytest

from hipjsw.ablation.read import RECORD_VERSION, RecordError, read_run, read_sweep, read_sweeps


@pytest.fixture
def own(runs_dir, tmp_path):
    """A copy of the runs that may be damaged."""
    return shutil.copytree(runs_dir, tmp_path / "runs", ignore=shutil.ignore_patterns("*.npz", "figures"))


def run_of(runs_dir, arm="dice", seed=0, record="loss"):
    """One run as a record names it, without reading the others."""
    runs = json.loads((runs_dir / "sweeps" / f"{record}.json").read_text())["runs"]
    said = next(run for run in runs if (run["arm"], run["seed"]) == (arm, seed))
    return read_run(runs_dir, arm, seed, said["run"], said["reason"])


def changed(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_everything_recorded_is_read(runs_dir, made):
    sweeps = read_sweeps(runs_dir)
    assert [sweep.record for sweep in sweeps] == ["activation", "cross_validation", "loss"]
    assert [sweep.design for sweep in sweeps] == [made.ACTIVATION, made.FOLDS, made.LOSS]
    loss = sweeps[2]
    assert (loss.options, loss.scale) == (("measure=single",), "demo")
    assert [(run.arm, run.seed, run.status) for run in loss.runs] == [
        *(("dice", 0, "done"), ("dice", 1, "done"), ("dice", 2, "done")),
        *(("dicece", 0, "done"), ("dicece", 1, "done"), ("dicece", 2, "missing")),
        *(("ce", 0, "done"), ("ce", 1, "done"), ("ce", 2, "failed")),
    ]
    assert loss.of("dice")[0].folder == sweeps[0].of("softmax")[0].folder  # one run of two sweeps


def test_a_run_has_all_that_was_kept(runs_dir, made):
    run = run_of(runs_dir, "ce", 1)
    written = made.hip_table("ce", 1)
    assert list(run.hips["hip_id"]) == list(written["hip_id"])
    assert list(run.hips["person"]) == list(written["person"])
    numbers = [name for name in written.columns if name not in ("hip_id", "person", "status", "reason")]
    assert np.allclose(run.hips[numbers], written[numbers].astype(float), atol=1e-6, equal_nan=True)
    assert run.hips.loc[7, "reason"] == "the joint space is not found"
    assert run.history["step"].tolist() == list(range(20, 241, 20))
    assert run.config["seed"] == 1
    assert run.metrics["test/num_hips"] == 40
    assert run.cost["device"] == "cpu"
    assert run.made_by["commit"] == "a" * 40
    assert run.examples.name == "examples.npz"


def test_failed_and_missing_say_why(runs_dir, made):
    failed = run_of(runs_dir, "ce", 2)
    assert failed.reason == made.REASON
    assert len(failed.history) == 1  # how far it came
    assert failed.metrics == {}
    never = run_of(runs_dir, "sigmoid", 2, "activation")
    assert (never.status, never.folder) == ("failed", None)
    assert "137" in never.reason
    assert run_of(runs_dir, "dicece", 2).reason == ""


def test_no_sweep_no_result(tmp_path):
    assert read_sweeps(tmp_path) == []
    with pytest.raises(RecordError, match=r"no sweep is recorded as 'loss'.*there are: none"):
        read_sweeps(tmp_path, ["loss"])


DAMAGES = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00{[:\x80"),
    "gone": lambda path: path.unlink(),
}
FILES = ("metrics.json", "test_hips.csv", "history.csv", "config.yaml", "run.json", "cost.json")
HARMLESS = {("metrics.json", "gone"), ("cost.json", "gone"), ("config.yaml", "cut off")}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_costs_its_run_alone(own, name, damage):
    whole = run_of(own)
    DAMAGES[damage](whole.folder / name)
    run = run_of(own)
    if (name, damage) in HARMLESS:
        assert run.status == ("missing" if name == "metrics.json" else "done")
        return
    assert run.status == "failed"
    assert name in run.reason
    assert f"remove the folder {whole.folder.name}" in run.reason
    assert str(own) not in run.reason
    assert run.metrics == {}
    assert len(run.hips) == 0
    assert run_of(own, seed=1).status == "done"


def test_a_file_that_ends_within_a_number_is_cut_off(own):
    path = run_of(own).folder / "test_hips.csv"
    path.write_text(path.read_text().rstrip("\n")[:-1])
    assert "test_hips.csv is cut off" in run_of(own).reason


def test_a_file_that_lost_rows_is_found_by_the_count(own):
    path = run_of(own).folder / "test_hips.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    assert "test_hips.csv has 37 hips and metrics.json speaks of 40" in run_of(own).reason


def edited(text, old, new):
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("h01,", "h00,", "has the hip h00 twice"),
        ("h01,P", ",P", "without its id or its person"),
        ("hip_id,person", "hip_id,whose", "has no column person"),
        (",measured,,", ",measured,,x", "test_hips.csv is damaged (could not convert"),
    ],
)
def test_hips_that_make_no_sense(own, old, new, said):
    path = run_of(own).folder / "test_hips.csv"
    path.write_text(edited(path.read_text(), old, new))
    run = run_of(own)
    assert run.status == "failed"
    assert said in run.reason


def test_ids_stay_text(own):
    path = run_of(own).folder / "test_hips.csv"
    path.write_text(edited(edited(path.read_text(), "h00,", "NA,"), "h01,", "007,"))
    assert run_of(own).hips["hip_id"].tolist()[:2] == ["NA", "007"]


@pytest.mark.parametrize("content", ['{"reason": ""}', "{}", "[1", "[]"])
def test_a_failure_without_a_reason_is_one_all_the_same(own, content):
    (run_of(own, "ce", 2).folder / "failed.json").write_text(content)
    run = run_of(own, "ce", 2)
    assert run.status == "failed"
    assert "start the sweep again" in run.reason


def test_a_run_that_goes_on_is_missing_and_one_that_was_killed_failed(own):
    folder = run_of(own, "ce", 2).folder
    (folder / "failed.json").unlink()
    going_on = read_run(own, "ce", 2, folder.name)
    assert (going_on.status, len(going_on.history)) == ("missing", 1)
    killed = read_run(own, "ce", 2, folder.name, "the job was killed")
    assert (killed.status, killed.reason) == ("failed", "the job was killed")


def test_a_run_that_was_made_after_it_failed_is_done(own):
    run = run_of(own)
    (run.folder / "failed.json").write_text('{"reason": "earlier"}')
    assert (run_of(own).status, run_of(own).reason) == ("done", "")


@pytest.mark.parametrize("name", ["../runs", "a/b", "..", "", "/etc"])
def test_a_name_that_leads_elsewhere_is_not_followed(own, name):
    run = read_run(own, "dice", 0, name)
    assert (run.status, run.folder) == ("failed", None)


def test_another_version_is_refused_by_name(own):
    path = own / "sweeps" / "loss.json"
    changed(path, version=RECORD_VERSION + 1)
    with pytest.raises(RecordError, match=r"loss\.json is a record of version 2 and this is read: 1"):
        read_sweeps(own)
    assert [sweep.record for sweep in read_sweeps(own, ["activation"])] == ["activation"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ablation": {}}, "damaged"),
        ({"runs": [{"arm": "dice"}]}, "damaged"),
        ({"runs": None}, "damaged"),
        ({"runs": [{"arm": "other", "seed": 0, "run": None, "reason": ""}]}, "arm 'other'"),
        ({"runs": [{"arm": "ce", "seed": 0, "run": None, "reason": ""}] * 2}, "two runs of the same seed"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(own, changes, said):
    path = own / "sweeps" / "loss.json"
    changed(path, **changes)
    with pytest.raises(RecordError, match=said) as refused:
        read_sweep(path)
    assert "loss.json" in str(refused.value)


def test_a_half_written_record_is_refused(own):
    path = own / "sweeps" / "loss.json"
    path.write_text(path.read_text()[:200])
    with pytest.raises(RecordError, match="remove it and start the sweep again"):
        read_sweeps(own)
