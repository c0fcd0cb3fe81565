"""The whole path by the real command line, on a cohort in the real layout with planted faults."""

import csv
import json
import shutil

import pandas as pd
import pytest
import torch

from hipjsw.inference.evaluation import HIP_COLUMNS


def findings_of(store):
    with (store / "findings.csv").open(newline="") as file:
        return [(row["rule"], row["film"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def planted(workplace):
    """The cohort with one film's points gone, points without a film, a text file named .dcm and an empty folder."""
    cohort = workplace.folder / "planted"
    shutil.copytree(workplace.cohort, cohort)
    points = sorted(cohort.glob("*-pointfiles/*/*.pts"))
    points[0].unlink()
    orphan = points[1].with_name("OAI-9999999-V00-20040101.dcm.pts")
    shutil.copy(points[1], orphan)
    text = cohort / "OAI" / "V00" / "OAI-9999998-V00-20040101.dcm"
    text.parent.mkdir(parents=True, exist_ok=True)
    text.write_text("no film at all\n")
    shutil.copy(points[1], cohort / "OAI-pointfiles" / "V00" / f"{text.name}.pts")
    (cohort / "OAI" / "V08").mkdir()
    return cohort, points[0].name.removesuffix(".pts"), orphan.name, text.name


def test_findings_name_each_fault_and_the_rest_is_trained_on(planted, workplace, door, tiny):
    cohort, without_points, orphan, text = planted
    store, run = workplace.folder / "planted-store", workplace.folder / "planted-run"
    done = door("prepare", f"cohort={cohort}", f"store={store}", cwd=workplace.folder)
    assert done.code == 0, done.err
    found = findings_of(store)
    usual = {"follow_up", "shared_id", "spacing_mismatch"}  # what any phantom cohort has
    named = {rule: film.rsplit("/", 1)[-1] for rule, film in found if rule not in usual}
    assert set(named) == {"film_without_points", "points_without_film", "not_dicom", "empty_folder"}
    assert len([rule for rule, _ in found if rule not in usual]) == 4
    assert named["film_without_points"] == without_points
    assert named["points_without_film"] == orphan
    assert named["not_dicom"] == text
    assert named["empty_folder"] == "V08"
    for rule in named:
        assert rule in done.out  # the table names each
    hips = pd.read_csv(store / "hips.csv")
    assert (hips["status"] == "excluded").sum() == 4

    trained = door("train", "data=cohort", f"store={store}", f"run={run}", *tiny, cwd=workplace.folder)
    assert trained.code == 0, trained.err
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test/num_hips"] == metrics["test/mjsw/num_measured"] + metrics["test/mjsw/num_unmeasurable"]
    assert 0 <= metrics["test/dice/mean"] <= 1


@pytest.fixture(scope="module")
def run(workplace, door, tiny):
    folder = workplace.folder / "run"
    done = door("train", "data=cohort", f"store={workplace.store}", f"run={folder}", *tiny, cwd=workplace.folder)
    assert done.code == 0, done.err
    return folder, done


def test_a_run_leaves_everything_and_says_where(run, workplace):
    folder, done = run
    for name in ("config.yaml", "metrics.json", "metrics.csv", "history.csv", "test_hips.csv", "checkpoints/best.ckpt"):
        assert (folder / name).is_file(), name
    assert {p.name for p in (folder / "figures").glob("*.png")} >= {"test_hips.png", "learning_curves.png"}
    assert len(list((folder / "wandb").rglob("*.wandb"))) == 1
    hips = pd.read_csv(folder / "test_hips.csv")
    assert tuple(hips.columns) == HIP_COLUMNS
    assert set(hips["status"]) <= {"measured", "unmeasurable"}
    stored = pd.read_csv(workplace.store / "hips.csv")
    persons = json.loads((folder / "split.json").read_text())["test"]
    usable = stored[stored["status"] == "ok"]
    assert set(hips["hip_id"]) == set(usable.loc[usable["person"].isin(persons), "hip_id"])
    assert str(folder) in done.out


def test_checkpoints_are_plain_data(run):
    loaded = torch.load(run[0] / "checkpoints" / "best.ckpt", weights_only=True)
    assert any(name.startswith("net.") for name in loaded["state_dict"])


def test_a_finished_run_is_not_run_again(run, workplace, door, tiny):
    folder, _ = run
    before = (folder / "checkpoints" / "last.ckpt").stat().st_mtime_ns
    done = door("train", "data=cohort", f"store={workplace.store}", f"run={folder}", *tiny, cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "finished before" in done.out
    assert (folder / "checkpoints" / "last.ckpt").stat().st_mtime_ns == before


def test_the_same_configuration_in_another_folder_gives_the_same_numbers(run, workplace, door, tiny):
    folder, _ = run
    again = workplace.folder / "run-again"
    options = ("data=cohort", f"store={workplace.store}", f"run={again}", "num_workers=1", "logger=none", *tiny)
    done = door("train", *options, cwd=workplace.folder)
    assert done.code == 0, done.err
    assert (again / "metrics.json").read_bytes() == (folder / "metrics.json").read_bytes()
    assert (again / "test_hips.csv").read_bytes() == (folder / "test_hips.csv").read_bytes()


def test_evaluate_says_what_the_run_said(run, workplace, door):
    folder, _ = run
    out = workplace.folder / "evaluated"
    options = (f"run={folder}", f"store={workplace.store}", "split=test", f"out={out}")
    done = door("evaluate", *options, cwd=workplace.folder)
    assert done.code == 0, done.err
    again, first = (json.loads((f / "metrics.json").read_text()) for f in (out, folder))
    shared = [key for key in first if key.startswith("test/")]
    assert {key: again[key] for key in shared} == {key: first[key] for key in shared}
    assert (out / "test_hips.csv").read_bytes() == (folder / "test_hips.csv").read_bytes()


def test_the_default_run_makes_its_own_data(workplace, door, tiny):
    folder = workplace.folder / "fresh"
    folder.mkdir()
    options = ("data.subjects=6", "data.seed=3", "logger=none", *tiny)
    done = door("train", *options, cwd=folder)
    assert done.code == 0, done.err
    assert len(list((folder / "data").glob("*/store.json"))) == 1
    (run,) = (p.parent for p in (folder / "runs").glob("*/metrics.json"))
    assert "test/mjsw_truth/mae_mm" in json.loads((run / "metrics.json").read_text()) or (
        "unmeasurable" in (run / "test_hips.csv").read_text()
    )
