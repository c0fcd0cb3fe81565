"""Splits by the real command line: a fold is trained on, kept, given to another run as a file, and judged again."""

import json

import pandas as pd
import pytest

PARTS = ("train", "val", "test")


@pytest.fixture(scope="module")
def fold_run(workplace, door, tiny):
    run = workplace.folder / "fold-run"
    options = ("data=cohort", f"store={workplace.store}", f"run={run}", "split.given=false", "split.folds=3", "fold=1")
    done = door("train", *options, "logger=none", *tiny, cwd=workplace.folder)
    assert done.code == 0, done.err
    return run, done


def test_a_run_keeps_its_split_and_tests_just_its_fold(fold_run, workplace):
    run, done = fold_run
    split = json.loads((run / "split.json").read_text())
    stored = pd.read_csv(workplace.store / "hips.csv")
    usable = stored[stored["status"] == "ok"]
    assert sorted(person for part in PARTS for person in split[part]) == sorted(set(usable["person"]))
    tested = pd.read_csv(run / "test_hips.csv")["hip_id"]
    assert set(tested) == set(usable.loc[usable["person"].isin(split["test"]), "hip_id"])
    assert f"testing on {len(tested)} hips of {len(split['test'])} persons" in done.err


def test_another_run_with_that_split_as_its_file_tests_the_same(fold_run, workplace, door, tiny):
    run, _ = fold_run
    again = workplace.folder / "file-run"
    options = ("data=cohort", f"store={workplace.store}", f"run={again}", "logger=none", *tiny)
    done = door("train", *options, "split=file", f"split.file={run / 'split.json'}", cwd=workplace.folder)
    assert done.code == 0, done.err
    assert (again / "test_hips.csv").read_bytes() == (run / "test_hips.csv").read_bytes()


def test_evaluate_judges_the_runs_own_parts(fold_run, workplace, door):
    run, _ = fold_run
    done = door("evaluate", f"run={run}", "split=val", cwd=workplace.folder)
    assert done.code == 0, done.err
    split = json.loads((run / "split.json").read_text())
    stored = pd.read_csv(workplace.store / "hips.csv").set_index("hip_id")
    judged = pd.read_csv(run / "evaluate-val" / "val_hips.csv")["hip_id"]
    assert set(stored.loc[judged, "person"]) == set(split["val"])


def test_a_cohort_that_is_not_there_is_said(workplace, door, tiny):
    options = ("data=cohort", f"store={workplace.store}", f"run={workplace.folder / 'no-run'}", *tiny)
    done = door("train", *options, "split=by_cohort", "split.test_on=KNEE", cwd=workplace.folder)
    assert done.code == 1
    assert "no hip of KNEE; it holds CHECK, OAI" in done.err
    assert not (workplace.folder / "no-run").exists()
