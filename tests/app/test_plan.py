"""Plans: each run once, named as its job will name it, and arms that are told apart."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hipjsw.ablation.design import Design, DesignError
from hipjsw.app.paths import conf_dir
from hipjsw.app.plan import Wanted, plan_runs
from hipjsw.app.plugins import register_plugins
from hipjsw.app.provision import provide_store
from hipjsw.app.runs import Run
from hipjsw.app.schema import register_schemas
from hipjsw.cohort.split_record import split_digest

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
    assert plan.run_of(Wanted("activation", "softmax", 0)) is plan.run_of(Wanted("loss", "dice", 0))
    assert plan.run_of(Wanted("loss", "dice", 1)).kind == shared.kind
    assert len({planned.kind for planned in plan.runs.values()}) == 4
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
    """Tags and group are no part of what a run is: the job's own configuration names the planned folder."""
    (loss,) = designs("loss")
    planned = next(iter(plan_runs(composed, [loss], options, {"loss": [0]}).runs.values()))
    job, choices = [*planned.job, "group=loss"], dict(composed(planned.job).hydra.runtime.choices)
    cfg = compose("train", job)
    store = provide_store(cfg)
    assert Run.of(cfg, store.fingerprint, split_digest(store.split, store.hips), choices) == planned.run
    assert OmegaConf.to_container(cfg.tags) == ["loss:dice"]


def test_arms_that_would_train_on_the_same_hips_are_refused(options):
    """Of eight persons `full` and `baseline` take all there are: they are one set under two names."""
    with pytest.raises(DesignError, match="full_equal and baseline would train the same network on the same"):
        plan_runs(composed, designs("dataset_size"), [*options, "scale.divisor=10"], {"dataset_size": [0]})


@pytest.mark.parametrize("option", ["loss=ce", "+loss.over=batch"])
def test_an_option_that_an_arm_sets_too_is_refused(option, options):
    with pytest.raises(DesignError, match=r"arms of ablation=loss set loss(\.over)?; leave it out"):
        plan_runs(composed, designs("loss"), [*options, option], {"loss": [0]})


@pytest.mark.parametrize("option", ["run=a", "group=g", "tags=[a]"])
def test_an_option_that_would_make_all_runs_one_is_refused(option, options):
    with pytest.raises(DesignError, match="leave it out"):
        plan_runs(composed, designs("loss"), [*options, option], {"loss": [0]})


def test_a_misspelled_option_is_refused_before_any_data_are_made(options, tmp_path):
    with pytest.raises(ValueError, match=r"unknown option 'budget\.stesp'"):
        plan_runs(composed, designs("loss"), [*options, "+budget.stesp=1", f"data_dir={tmp_path}"], {"loss": [0]})
    assert not list(tmp_path.iterdir())
