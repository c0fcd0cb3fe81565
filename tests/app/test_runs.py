"""A run's name and folder follow from its configuration and data alone."""

import json

import pytest
from hydra import compose, initialize_config_dir

from hipjsw.app.launcher import register_launcher
from hipjsw.app.paths import conf_dir
from hipjsw.app.runs import NOT_PART, Run, RunError, run_identity, write_metrics
from hipjsw.app.schema import TrainConfig, register_schemas


def configuration(tmp_path, *overrides):
    register_schemas()
    register_launcher()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [f"runs_dir={tmp_path}/runs", *overrides])


def opened(cfg, fingerprint, digest="split"):
    run = Run.of(cfg, fingerprint, digest)
    run.claim(cfg, fingerprint, {"digest": digest, "train": ["p1"]})
    return run


@pytest.mark.parametrize("override", ["num_workers=2", "workers=3", "group=x", "logger=none", "data_dir=elsewhere"])
def test_what_changes_no_result_is_no_part_of_a_run(tmp_path, override):
    one, other = configuration(tmp_path), configuration(tmp_path, override)
    assert run_identity(one, "store", "split") == run_identity(other, "store", "split")


def test_an_ablation_changes_nothing_but_the_data_it_runs_on(tmp_path):
    one, other = configuration(tmp_path, "data=phantom_views"), configuration(tmp_path, "ablation=loss")
    assert one.data == other.data
    assert run_identity(one, "store", "split") == run_identity(other, "store", "split")


@pytest.mark.parametrize(
    "override",
    ["seed=1", "loss=ce", "budget.steps=60", "net=unet", "augment.shift=0.01", "fold=1", "split.test_hips=7"],
)
def test_what_changes_the_result_is_part_of_a_run(tmp_path, override):
    one, other = configuration(tmp_path), configuration(tmp_path, override)
    assert run_identity(one, "store", "split") != run_identity(other, "store", "split")
    assert opened(one, "store").folder != opened(other, "store").folder


def test_other_data_is_another_run(tmp_path):
    cfg = configuration(tmp_path)
    folders = {opened(cfg, "a").folder, opened(cfg, "b").folder, opened(cfg, "a", "other").folder}
    assert len(folders) == 3


def test_a_files_place_is_no_part_of_a_run_and_what_it_says_is(tmp_path):
    one, other = (configuration(tmp_path, "split=file", f"split.file={name}") for name in ("a.json", "b.json"))
    assert run_identity(one, "store", "x") == run_identity(other, "store", "x")
    assert run_identity(one, "store", "x") != run_identity(one, "store", "y")
    assert "a.json" not in json.dumps(run_identity(one, "store", "x"))


def test_a_run_keeps_its_split_and_its_name_tells_the_fold(tmp_path):
    run = opened(configuration(tmp_path, "fold=3"), "store")
    assert json.loads((run.folder / "split.json").read_text())["train"] == ["p1"]
    assert "-fold3-" in run.folder.name
    assert "-by_cohort-" in opened(configuration(tmp_path, "split=by_cohort"), "store").folder.name


def test_not_part_names_keys_of_the_root():
    assert set(NOT_PART) <= set(TrainConfig.__dataclass_fields__)


def test_the_same_run_is_found_again_and_keeps_its_first_group(tmp_path):
    first = opened(configuration(tmp_path, "group=one"), "store")
    again = opened(configuration(tmp_path, "group=two"), "store")
    assert first == again
    assert again.group == "one"


def test_a_named_folder_takes_one_run_only(tmp_path):
    opened(configuration(tmp_path, f"run={tmp_path}/mine"), "store")
    with pytest.raises(RunError, match="another configuration"):
        opened(configuration(tmp_path, f"run={tmp_path}/mine", "seed=1"), "store")


def test_a_folder_with_other_files_is_no_place_for_a_run(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match="not empty"):
        opened(configuration(tmp_path, f"run={tmp_path}/mine"), "store")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("text", ["", "{", "[]x"])
def test_a_damaged_run_is_named(tmp_path, text):
    run = opened(configuration(tmp_path), "store")
    (run.folder / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"run\.json"):
        opened(configuration(tmp_path), "store")


def test_metrics_are_the_last_file_and_have_no_nan(tmp_path):
    run = opened(configuration(tmp_path), "store")
    assert not run.is_finished
    write_metrics(run.folder, {"test/dice/mean": 0.5, "test/mjsw/mae_mm": float("nan"), "test/num_hips": 3})
    assert run.is_finished
    assert run.metrics() == {"test/dice/mean": 0.5, "test/num_hips": 3}
    assert (run.folder / "metrics.csv").read_text().splitlines() == [
        "metric,value",
        "test/dice/mean,0.5",
        "test/num_hips,3",
    ]


def test_nothing_in_the_folder_names_the_machine(tmp_path):
    run = opened(configuration(tmp_path), "store")
    said = json.loads((run.folder / "run.json").read_text())
    assert set(said) == {"digest", "group", "hipjsw", "versions", "python", "machine", "cpus"}
