"""The page of a recorded ablation: the command that makes it again."""

import re

import pytest

from hipjsw.ablation.design import Arm, Design
from hipjsw.ablation.result import AblationResult, ArmRow
from hipjsw.reporting.experiment_readme import experiment_readme

ARMS = (Arm("a", "A", ()), Arm("b", "B", ()))


def command(*rows, options=()):
    result = AblationResult(Design("x", "X", "?", "dice", "a", ARMS), "x", options, "demo", rows, (), (), 3, 3)
    return re.search(r"```\n(.*)\n```", experiment_readme(result))[1]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ((0, 1, 2), (0, 1, 2), "seeds=3"),
        ((0,), (0,), "seeds=1"),
        ((0, 1), (0, 1, 2), "seeds=3"),
        ((0, 1, 4), (0, 1, 4), "seed=0,1,4"),
        ((1, 2), (), "seed=1,2"),
        ((42,), (42,), "seed=42"),
    ],
)
def test_seeds_are_counted_from_0_or_named(first, second, said):
    rows = [ArmRow(name, len(seeds), seeds=seeds) for name, seeds in (("a", first), ("b", second))]
    assert command(*rows) == f"python -m hipjsw.train -m ablation=x {said}"
    assert command(*rows, options=("net=unet",)).endswith(f"{said} net=unet")


def test_of_a_record_without_seeds_the_runs_are_counted():
    assert command(ArmRow("a", 2, 1), ArmRow("b", 2, 0, 2)).endswith("seeds=4")


def test_folds_together_count_once():
    rows = (ArmRow("pooled", 2, seeds=(0,)), ArmRow("a", 1, seeds=(0,)), ArmRow("b", 1, seeds=(0,)))
    assert command(*rows).endswith("seeds=1")
