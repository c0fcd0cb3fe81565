"""A run's name and folder follow from its configuration and data alone."""

import json

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.runs import NOT_PART, Run, RunError, failure_reason, run_identity, write_metrics
from hipjsw.app.schema import TrainConfig, register_schemas


def configuration(tmp_path, *overrides):
    register_schemas()
    register_plugins()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [f"runs_dir={tmp_path}/runs", *overrides])


def opened(cfg, fingerprint, digest="split"):
    run = Run.of(cfg, fingerprint, digest)
    run.claim(cfg, fingerprint, {"digest": digest, "train": ["p1"]})
    return run


@pytest.mark.parametrize(
    "override",
    [
        "num_workers=2",
        "workers=3",
        "group=x",
        "logger=none",
        "data_dir=elsewhere",
        "seeds=2",
        "tags=[a]",
        "trainer.compile=false",
    ],
)
def test_what_changes_no_result_is_no_part_of_a_run(tmp_path, override):
    one, other = configuration(tmp_path), configuration(tmp_path, override)
    assert run_identity(one, "store", "split") == run_identity(other, "store", "split")


def test_an_ablation_changes_nothing_but_what_it_says(tmp_path):
    said = ("data=phantom_hard", "measure=quick", "loss=dice")
    one, other = configuration(tmp_path, *said), configuration(tmp_path, "ablation=loss")
    assert one.data == other.data
    assert run_identity(one, "store", "split") == run_identity(other, "store", "split")


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "loss=ce",
        "budget.steps=60",
        "net=unet",
        "augment.shift=0.01",
        "fold=1",
        "split.test_hips=7",
        "trainer.compile=true",
    ],
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
    assert set(said) == {
        "digest",
        "group",
        "hipjsw",
        "versions",
        "python",
        "machine",
        "cpus",
        "commit",
        "changed",
        "accelerator",
    }
    assert said["commit"] is None or len(said["commit"]) >= 40


def test_a_planner_finds_the_folder_that_a_door_would_make(tmp_path):
    cfg = configuration(tmp_path, "loss=ce", "activation=sigmoid")
    door = Run.of(cfg, "store", "split", {"loss": "ce", "activation": "sigmoid", "net": "resunet"})
    assert door.folder.name.startswith("ce-sigmoid-")
    without = Run.of(cfg, "store", "split")  # no door is open here
    assert without.folder.name.startswith("crossentropy-sigmoid-")
    assert without.digest == door.digest
    assert Run.of(cfg, "store", "split", {}).folder == without.folder
    named = configuration(tmp_path, f"run={tmp_path}/mine")
    assert Run.of(named, "store", "split", {"loss": "ce"}).folder == tmp_path / "mine"


def failed(run):
    path = run.folder / "failed.json"
    return json.loads(path.read_text()) if path.is_file() else None


def attempt(run, error=None, places=()):
    with run.attempt(*places):
        assert failed(run) is None  # a new attempt has not failed yet
        if error is not None:
            raise error


def test_a_failed_attempt_says_why_until_the_next(tmp_path):
    run = opened(configuration(tmp_path), "store")
    with pytest.raises(RuntimeError, match="loss is nan"):
        attempt(run, RuntimeError("loss is nan at step 7; lower optim.optimizer.lr\nmore"))
    assert failed(run) == {"reason": "loss is nan at step 7; lower optim.optimizer.lr"}
    with pytest.raises(OSError, match="other"):
        attempt(run, OSError("other"))
    assert failed(run) == {"reason": "other"}
    attempt(run)
    assert failed(run) is None


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_being_stopped_is_no_failure(tmp_path, stop):
    run = opened(configuration(tmp_path), "store")
    with pytest.raises(RuntimeError):
        attempt(run, RuntimeError("first"))
    with pytest.raises(type(stop)):
        attempt(run, stop)
    assert failed(run) is None


def test_the_error_itself_is_seen_where_even_its_reason_cannot_be_written(tmp_path):
    run = opened(configuration(tmp_path), "store")
    places = (run.folder.rename(tmp_path / "elsewhere"),)
    with pytest.raises(RuntimeError, match="first"):
        attempt(run, RuntimeError("first"), places)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "ValueError"),
        (" \n\n", "ValueError"),
        ("\n  loss is inf at step 3 \nmore", "loss is inf at step 3"),
        ("/work/of Zaphkiel/store/hips.csv is damaged; prepare again", "(path) is damaged; prepare again"),
        ("of Zaphkiel/store is damaged", "(path) is damaged"),
        ("[Errno 28] No space left: '/work/of Zaphkiel/store/x'", "[Errno 28] No space left: '(path)'"),
        ("cannot read '/mnt/Zaphkiel of X/a': why", "cannot read (path): why"),
        ("cannot read /mnt/Zaphkiel of X/a: why", "cannot read (path)"),
        (r"cannot read C:\Users\Zaphkiel\a b", "cannot read (path)"),
        ("see ~zaphkiel/runs", "see (path)"),
        ("train/loss and val/dice at 3/4 of 10:20, and/or", "train/loss and val/dice at 3/4 of 10:20, and/or"),
        ("measure.looks is 1 or more: 0", "measure.looks is 1 or more: 0"),
    ],
)
def test_a_reason_is_one_line_without_paths(monkeypatch, message, said):
    places = ("/work/of Zaphkiel/store", "of Zaphkiel/store", None, ".")
    assert failure_reason(ValueError(message), places) == said


@given(
    st.lists(st.text("ab cä.-(", min_size=1, max_size=6), min_size=1, max_size=4),
    st.sampled_from(["", "cannot read ", "x='", "(", "file: ", "a, "]),
    st.text("abc ;:'", max_size=10),
)
def test_nothing_of_an_absolute_path_gets_into_a_reason(parts, before, after):
    """Whatever folders are called: known ones are left out, and unknown ones as far as they may reach."""
    folder = "/" + "/".join(f"Q{part}Q" for part in parts)
    said = failure_reason(OSError(f"{before}{folder}/Q.csv{after}"), [folder])
    assert "Q" not in said
    assert "Q" not in failure_reason(OSError(f"{before}{folder}"))


def test_what_an_error_says_without_paths_is_kept():
    message = "loss is nan at step 7; lower optim.optimizer.lr or change the loss. The best checkpoint so far is kept."
    assert failure_reason(ValueError(message), ["/work/run", "store"]) == message
