"""A cohort with every quirk planted, through the real door: each is named, nothing else is, the rest is right."""

import csv
import json

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def verified(door, tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    done = door("phantom", "out=cohort", "subjects=48", "seed=9", "quirks=true", cwd=folder)
    assert done.code == 0, done.err
    done = door("prepare", "cohort=cohort", "verify_only=true", "report=report", cwd=folder)
    assert done.code == 0, done.err
    return folder, done


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pairs(folder, *columns):
    """(film, rule) of each planted quirk, by the columns of quirks.csv that name rules."""
    rows = rows_of(folder / "cohort" / "quirks.csv")
    return {(row["film"], rule) for row in rows for column in columns for rule in row[column].split()}


def test_findings_name_all_that_was_planted_and_nothing_else(verified):
    folder, _ = verified
    found = {(row["film"], row["rule"]) for row in rows_of(folder / "report" / "findings.csv")}
    assert pairs(folder, "rules") <= found
    usual = {"follow_up", "shared_id"}  # what is so in every phantom cohort
    assert {pair for pair in found if pair[1] not in usual} <= pairs(folder, "rules", "also")
    assert len({rule for _, rule in pairs(folder, "rules")}) >= 20


def test_the_table_and_the_page_name_every_rule(verified):
    folder, done = verified
    page = (folder / "report" / "findings.html").read_text(encoding="utf-8")
    for _, rule in pairs(folder, "rules"):
        assert rule in done.out
        assert rule in page
    assert not (folder / "data").exists(), "verifying writes no store"
    fingerprint = json.loads((folder / "report" / "fingerprint.json").read_text(encoding="utf-8"))
    assert fingerprint
    assert (folder / "report" / "fingerprint.png").stat().st_size > 10_000


def test_hips_that_are_left_are_right(verified, door):
    folder, _ = verified
    done = door("prepare", "cohort=cohort", "store=store", cwd=folder)
    assert done.code == 0, done.err
    hips = pd.read_csv(folder / "store" / "hips.csv", dtype={"reason": str})
    truth = pd.read_csv(folder / "store" / "truth.csv")
    hips = hips[hips["status"] == "ok"].merge(truth, on="hip_id", how="left")
    assert len(hips) > 80
    assert hips["mjsw_truth_mm"].notna().all(), "a hip without a true width was kept"
    assert (hips["mjsw_mm"] - hips["mjsw_truth_mm"]).abs().mean() < 0.05
    assert (hips["mjsw_mm"] - hips["mjsw_truth_mm"]).abs().max() < 0.3
