"""Plans: each run once, named as its job will name it, and arms that are told apart."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hipjsw.ablation.design import Design, DesignError
from hipjsw.app.paths import conf_dir
from hipjsw.app.plan import Wanted, plan_runs
from hipjsw.app.plugins import register_plugins
from hipjsw.app.runs import Run
from hipjsw.app.schema import register_schemas

#: Ten persons, of whom two or three are tested; everything at a hundredth of the study's size.
SMALL = ["data.persons.demo=10", "split.test_hips=6", "scale.divisor=100", "data=phantom_views", "measure=quick"]


@pytest.fixture(autouse=True, scope="module")
def hydra_context():
    register_schemas()
    register_plugins()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield


def composed(overrides):
    return compose("train", overrides, return_hydra_config=True)


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    return [*SMALL, f"data_dir={folder / 'data'}", f"runs_dir={folder / 'runs'}", "workers=1"]


def designs(*names):
    return [
        Design.read(OmegaConf.to_container(composed([f"ablation={name}"]).ablation, resolve=True)) for name in names
    ]


def test_a_run_that_two_ablations_ask_for_is_one_run(options):
    both = designs("loss", "activation")
    plan = plan_runs(composed, both, options, {"loss": [0, 1], "activation": [0]})
    assert len(plan.runs) == 2 * 3 + 2 - 1
    (shared,) = [planned for planned in plan.runs.values() if len(planned.wanted) == 2]
    assert {(w.ablation, w.arm, w.seed) for w in shared.wanted} == {("loss", "dice", 0), ("activation", "softmax", 0)}
    assert shared.said == "loss: dice; activation: softmax; seed 0"
    assert shared.job[-1] == "tags=['loss:dice','activation:softmax']"
    assert plan.folder_of(Wanted("activation", "softmax", 0)) == plan.folder_of(Wanted("loss", "dice", 0))
    assert [planned.wanted[0].seed for planned in plan.runs.values()] == [0, 0, 0, 0, 1, 1, 1]
    assert plan.missing == list(plan.runs.values())


def test_a_finished_run_is_not_missing(options):
    (loss,) = designs("loss")
    plan = plan_runs(composed, [loss], options, {"loss": [5]})
    run = plan.missing[0].run
    run.folder.mkdir(parents=True)
    (run.folder / "metrics.json").write_text("{}")
    assert run not in [planned.run for planned in plan.missing]
    assert len(plan.missing) == 2


def test_the_job_itself_finds_the_same_folder(options):
    """The job's configuration, tags and group included, is the planned one."""
    (loss,) = designs("loss")
    planned = next(iter(plan_runs(composed, [loss], options, {"loss": [0]}).runs.values()))
    cfg = composed([*planned.job, "group=loss"])
    jobs = [compose("train", list(overrides)) for overrides in (planned.job, planned.overrides)]
    first, second = (Run.of(job, "store", "split", dict(cfg.hydra.runtime.choices)) for job in jobs)
    assert first == second
    assert first.folder.name.rpartition("-")[0] == planned.run.folder.name.rpartition("-")[0]
    assert OmegaConf.to_container(cfg.tags) == ["loss:dice"]


def test_arms_that_would_train_on_the_same_hips_are_refused(options):
    """Of eight persons `full` and `baseline` take all there are: they are one set under two names."""
    with pytest.raises(DesignError, match="full_equal and baseline would train the same network on the same"):
        plan_runs(composed, designs("dataset_size"), [*options, "scale.divisor=10"], {"dataset_size": [0]})


def test_an_option_that_an_arm_sets_too_is_refused(options):
    with pytest.raises(DesignError, match="arms of ablation=loss set loss; leave it out"):
        plan_runs(composed, designs("loss"), [*options, "loss=ce"], {"loss": [0]})
