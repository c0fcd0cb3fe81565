"""What a command line asks of a sweep of ablations."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.sweeper import Sweeper

from hipjsw.ablation.design import Arm, Design, DesignError
from hipjsw.app.arm_sweep import _as_given, _failures, _forget_own_plugins, _pace, _refuse_swept, _seeds
from hipjsw.app.plan import Plan, PlannedRun, Wanted
from hipjsw.app.plugins import register_plugins
from hipjsw.app.runs import Run, write_json
from hipjsw.app.sweeper import ArmSweeper

DESIGN = Design("loss", "t", "q", "dice", "a", (Arm("a", "A", ()),), seeds=3)


def parsed(*arguments):
    return OverridesParser.create().parse_overrides(list(arguments))


@pytest.mark.parametrize(
    ("arguments", "seeds"),
    [
        ([], [0, 1, 2]),
        (["seeds=5"], [0, 1, 2, 3, 4]),
        (["seeds=null"], [0, 1, 2]),
        (["seed=4"], [4]),
        (["seed=0,7"], [0, 7]),
    ],
)
def test_which_seeds(arguments, seeds):
    assert _seeds(parsed(*arguments), DESIGN) == seeds


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["seeds=0"], "at least one"),
        (["seed=0,0"], "more than once"),
        (["seed=0,1", "seeds=2"], "not both"),
        (["seed=some"], "whole numbers"),
        (["seeds=1.5"], "whole number"),
    ],
)
def test_seeds_that_are_none_are_refused(arguments, said):
    with pytest.raises(DesignError, match=said):
        _seeds(parsed(*arguments), DESIGN)


def test_only_arms_and_seeds_vary():
    _refuse_swept(parsed("ablation=loss,final", "seed=0,1", "net=unet"))
    with pytest.raises(DesignError, match="sweep net in a sweep of its own"):
        _refuse_swept(parsed("ablation=loss", "net=unet,resunet"))


@pytest.mark.parametrize(
    "said", ["loss=dice", "budget.steps=4", "net.channels=[8,16]", "+trainer.options.x=null", "data_dir='a b'"]
)
def test_options_reach_the_jobs_as_they_were_given(said):
    (override,) = parsed(said)
    assert parsed(_as_given(override)) == parsed(said) or str(parsed(_as_given(override))) == str(parsed(said))
    assert _as_given(override).replace("'", "") == said.replace("'", "")


def planned(folder, size=2.0):
    return PlannedRun(Run(folder, folder.name), [], [Wanted("loss", "a", 0)], size, "demo")


def test_finished_runs_tell_the_pace(tmp_path):
    plan = Plan({name: planned(tmp_path / name) for name in "abc"})
    assert _pace(plan) is None
    for name, took_s in (("a", 10.0), ("b", 30.0)):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "cost.json", {"train_s": took_s - 4, "judge_s": 4.0})
        write_json(tmp_path / name / "metrics.json", {})
    assert _pace(plan) == 10.0


def test_what_another_launcher_says_of_failed_jobs(tmp_path):
    good, bad, idle = (planned(tmp_path / name) for name in ("good", "bad", "idle"))
    good.run.folder.mkdir()
    write_json(good.run.folder / "metrics.json", {})
    returns = [
        JobReturn(status=JobStatus.COMPLETED),
        JobReturn(status=JobStatus.FAILED),
        JobReturn(status=JobStatus.COMPLETED),
    ]
    returns[1].return_value = ValueError("loss is nan\nmore")
    assert _failures([good, bad, idle], returns) == {"bad": "loss is nan\nmore", "idle": "ended without metrics"}


def test_hydra_can_forget_our_plugins_before_its_state_is_sent_away():
    register_plugins()
    assert ArmSweeper in Plugins.instance().discover(Sweeper)
    _forget_own_plugins()
    assert ArmSweeper not in Plugins.instance().discover(Sweeper)
    assert Plugins.instance().discover(Sweeper)
    register_plugins()
