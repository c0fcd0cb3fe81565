"""What a run cost is what its history and its hardware say."""

import os

import pandas as pd
import pytest
import torch

from hipjsw.app.cost import write_cost
from hipjsw.app.runs import read_cost
from hipjsw.learning.data import Budget

BUDGET = Budget(steps=6, val_every=2, batch_size=4)


@pytest.fixture
def run(tmp_path):
    pd.DataFrame({"step": [2, 4, 6], "seconds": [1.25, 2.5, 4.0]}).to_csv(tmp_path / "history.csv", index=False)
    return tmp_path


def test_training_took_what_its_epochs_took(run):
    write_cost(run, BUDGET, {"accelerator": "cpu"}, 3.0004)
    assert read_cost(run) == {
        "train_s": 7.75,
        "judge_s": 3.0,
        "steps": 6,
        "batch_size": 4,
        "device": "cpu",
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


@pytest.mark.parametrize(
    ("accelerator", "there", "said"),
    [
        ("gpu", True, "Some GPU"),
        ("auto", True, "Some GPU"),
        ("cuda", True, "Some GPU"),
        ("auto", False, "cpu"),
        ("cpu", True, "cpu"),
        ("mps", False, "mps"),
    ],
)
def test_the_device_is_the_one_that_was_used(run, monkeypatch, accelerator, there, said):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    write_cost(run, BUDGET, {"accelerator": accelerator}, 1.0)
    assert read_cost(run)["device"] == said


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_cost_that_cannot_be_read_is_unknown(tmp_path, content):
    if content is not None:
        (tmp_path / "cost.json").write_text(content)
    assert read_cost(tmp_path) == {}
