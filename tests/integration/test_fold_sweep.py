"""A cross-validation by the real command line: folds put together, and each fold's runs judged together."""

import json

import pandas as pd
import pytest

FOLDS = """# @package _global_
defaults:
  - override /measure: quick
  - override /optim: study
split: {folds: 2, given: false}
ablation:
  name: halves
  title: Two folds
  question: How well is every person measured?
  measure: dice
  reference: first
  pooled: true
  ensembled: true
  seeds: 2
  arms:
    first: {overrides: [fold=0]}
    second: {overrides: [fold=1]}
"""


@pytest.mark.slow
def test_every_person_is_tested_by_the_runs_of_a_fold_together(workplace, door, tiny, tmp_path):
    (tmp_path / "ablation").mkdir()
    (tmp_path / "ablation" / "halves.yaml").write_text(FOLDS)
    runs, kept = tmp_path / "runs", [o for o in tiny if not o.startswith("split.")]
    options = ["--config-dir", str(tmp_path), "data=cohort", f"store={workplace.store}", f"runs_dir={runs}"]
    options += ["logger=none", "ablation=halves", *kept]
    done = door("train", "-m", *options, "seeds=1", cwd=workplace.folder)
    assert done.code == 0, done.err
    assert not (runs / "ensembles").exists()  # one run is no ensemble
    done = door("train", "-m", *options, cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "2 of 4 runs are there, 2 to do" in done.err
    first = sorted(runs.glob("ensembles/*/metrics.json"))
    hips = pd.concat([pd.read_csv(path.parent / "test_hips.csv") for path in first])
    assert len(first) == 2
    assert hips["hip_id"].is_unique
    assert len(hips) == len(pd.read_csv(workplace.store / "hips.csv").query("row >= 0"))
    assert all(json.loads(path.read_text())["ensemble/num_runs"] == 2 for path in first)
    (record,) = (runs / "sweeps").glob("halves*.json")
    before = [path.stat().st_mtime_ns for path in first]
    done = door("train", "-m", *options, cwd=workplace.folder)
    assert (done.code, [path.stat().st_mtime_ns for path in first]) == (0, before)
    done = door("report", f"runs_dir={runs}", "logger=none", cwd=workplace.folder)
    assert done.code == 0, done.err
    table = pd.read_csv(runs / "report" / f"{record.stem}.csv").set_index("arm")
    assert list(table.index) == ["pooled", "ensembled", "first", "second"]
    dice = hips[["dice_femur", "dice_acetabulum", "dice_joint_space"]].mean(axis=1).mean()
    assert table.loc["ensembled", "dice"] == pytest.approx(dice, abs=1e-5)
