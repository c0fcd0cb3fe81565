"""The whole path by the real command line, on a cohort in the real layout with planted faults."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from hipjsw.app.runs import RESULT_VERSION, read_cost
from hipjsw.inference.evaluation import HIP_COLUMNS
from hipjsw.inference.kept_examples import read_examples


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
    assert dict(zip(hips["hip_id"], hips["person"], strict=True)) == {
        hip: person for hip, person in zip(usable["hip_id"], usable["person"], strict=True) if person in persons
    }
    assert hips[["unlabelled", "multiple"]].notna().all().all()
    assert (hips["multiple"] == 0).all()  # softmax: one class a pixel
    assert hips["unlabelled"].between(0, 1).all()
    assert str(folder) in done.out


def test_a_run_says_what_it_cost_and_keeps_hips_to_look_at(run):
    folder, _ = run
    history, hips = pd.read_csv(folder / "history.csv"), pd.read_csv(folder / "test_hips.csv")
    cost = read_cost(folder)
    assert cost["train_s"] == pytest.approx(history["seconds"].sum(), abs=1e-3)
    assert cost["judge_s"] > 0
    assert (cost["steps"], cost["batch_size"], cost["device"]) == (2, 4, "cpu")
    examples = read_examples(folder / "examples.npz")
    assert set(examples.hip_id) == set(hips["hip_id"])
    measured = set(hips.loc[hips["status"] == "measured", "hip_id"])
    known = np.isfinite(examples.witness_px).all(axis=(1, 2))
    assert set(examples.hip_id[known]) == measured
    assert not (folder / "failed.json").exists()
    assert json.loads((folder / "identity.json").read_text())["result_version"] == RESULT_VERSION


def test_a_person_s_pseudonym_stays_in_the_folder(run):
    folder, _ = run
    hips = pd.read_csv(folder / "test_hips.csv")
    (sent,) = (path.read_bytes() for path in (folder / "wandb").rglob("*.wandb"))
    tables = b"".join(path.read_bytes() for path in (folder / "wandb").rglob("*.table.json"))
    assert hips["hip_id"][0].encode() in sent + tables  # hips do
    assert not any(person.encode() in sent + tables for person in hips["person"])


def test_a_run_whose_loss_is_no_number_leaves_its_reason(workplace, door, tiny):
    folder = workplace.folder / "lost"
    options = ("data=cohort", f"store={workplace.store}", f"run={folder}", "logger=none", *tiny)
    done = door("train", *options, "optim.optimizer.lr=1e30", "measure=quick", cwd=workplace.folder)
    assert done.code == 1, done.out
    reason = json.loads((folder / "failed.json").read_text())["reason"]
    assert reason.startswith("the loss is nan at step")
    assert reason in done.err
    assert not (folder / "metrics.json").exists()


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
    for name in ("test_hips.csv", "examples.npz"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


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
