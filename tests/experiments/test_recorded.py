"""Recorded ablations: each README is what its CSV says, and the tables of the study are all there."""

from pathlib import Path

import pytest

from hipjsw.ablation.recorded import read_recorded
from hipjsw.reporting.experiment_readme import experiment_readme

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
RECORDED = sorted(
    path.parent for path in EXPERIMENTS.glob("*/results.csv") if path.read_text("utf-8").startswith("kind,")
)


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_the_page_is_what_the_numbers_say(folder):
    result = read_recorded(folder / "results.csv")
    remarks = folder / "remarks.md"
    said = remarks.read_text(encoding="utf-8") if remarks.is_file() else ""
    assert (folder / "README.md").read_text(encoding="utf-8") == experiment_readme(result, said)
    assert folder.name in (result.design.name, result.record)
    assert result.is_whole


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_a_record_says_on_how_many_hips_and_of_what_it_was_made(folder):
    result = read_recorded(folder / "results.csv")
    assert {"data", "device", "commit", "version"} <= set(result.about)
    if result.scale == "demo":
        assert result.num_hips >= 1000
        assert result.num_persons >= 250
