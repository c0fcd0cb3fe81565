"""Every file of conf/ composes and builds; what is misspelled is refused."""

import subprocess
import sys

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hipjsw.ablation.comparing import is_compared, pairs_of
from hipjsw.ablation.design import Design
from hipjsw.ablation.measures import MEASURES
from hipjsw.anatomy.labels import LABELS
from hipjsw.app.build import build_budget, build_task
from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.provision import prepare_options, split_spec, view_spec
from hipjsw.app.schema import refuse_unknown_keys, register_schemas
from hipjsw.cohort.split import SplitSpec

GROUPS = ("loss", "activation", "dataset_size", "net", "view", "labels", "target", "data", "augment", "optim")
GROUPS += ("trainer", "logger", "scale", "ablation", "split", "weight", "measure")
CHOICES = [(group, path.stem) for group in GROUPS for path in sorted((conf_dir() / group).glob("*.yaml"))]
NEEDED = {("split", "file"): ["split.file=split.json"]}
ABLATIONS = sorted(path.stem for path in (conf_dir() / "ablation").glob("*.yaml"))
EXPERIMENTS = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))


@pytest.fixture(autouse=True, scope="module")
def hydra_context():
    register_schemas()
    register_plugins()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield


def build_everything(cfg):
    OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    task = build_task(cfg)
    task.configure_optimizers()
    assert callable(instantiate(cfg.augment))
    assert build_budget(cfg).epochs >= 1
    assert prepare_options(cfg).labels in LABELS
    split_spec(cfg)
    view = view_spec(cfg)
    assert (view.rows_px % 16, view.cols_px % 16) == (0, 0)


def test_every_group_has_a_folder_and_every_folder_is_tested():
    folders = {path.name for path in conf_dir().iterdir() if path.is_dir()}
    assert folders == {*GROUPS, "experiment", "hydra"}
    assert all(any(group == g for g, _ in CHOICES) for group in GROUPS)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_builds(group, choice):
    cfg = compose("train", [f"{group}={choice}", *NEEDED.get((group, choice), ())])
    build_everything(cfg)
    if group == "view" or group == "labels":
        compose("prepare", [f"{group}={choice}", "cohort=a", "store=b"])
    if group == "split":
        assert cfg.split.kind == choice
    elif group not in ("loss", "activation", "net", "augment", "optim", "ablation"):
        assert cfg[group].name == choice  # the file's own name is what runs and errors say


def test_overrides_and_the_fold_reach_the_split():
    spec = split_spec(compose("train", ["split.test_hips=7", "split.seed=3", "fold=2", "split.folds=4"]))
    assert spec == SplitSpec(seed=3, test_hips=7, folds=4, fold=2)
    spec = split_spec(compose("train", ["split=by_cohort", "split.train_on=OAI", "split.test_on=CHECK"]))
    assert spec == SplitSpec(kind="by_cohort", train_on="OAI", test_on="CHECK")
    assert split_spec(compose("train")) == SplitSpec()
    assert split_spec(compose("train", ["data=phantom_views"])).test_hips == 1000


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_builds(experiment):
    build_everything(compose("train", [f"+experiment={experiment}"]))


def design_of(name, *options):
    return Design.read(OmegaConf.to_container(compose("train", [f"ablation={name}", *options]).ablation, resolve=True))


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_every_arm_of_every_ablation_builds_at_both_scales(ablation):
    design = design_of(ablation)
    assert design.name == ablation
    assert design.measure in MEASURES
    assert {finding.measure for finding in design.findings} <= set(MEASURES)
    assert {measure for arm in design.arms for measure in arm.study} <= set(MEASURES)
    assert design.seeds >= 3 or design.pooled
    for arm in design.arms:
        for scale in ("demo", "paper"):
            build_everything(compose("train", [f"ablation={ablation}", *arm.overrides, f"scale={scale}"]))


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_findings_can_hold_and_can_be_refuted(ablation):
    design = design_of(ablation)
    compared = [name for name, measure in MEASURES.items() if is_compared(design, measure)]
    assert set(design.compared or ()) <= set(MEASURES)
    pairs = {frozenset(pair) for pair in pairs_of(design)}
    for finding in design.findings:
        measure = MEASURES[finding.measure]
        assert finding.measure in compared
        assert {finding.arm, finding.than} in pairs  # two of its arms, which are not folds
        if finding.kind == "better":
            assert measure.higher_is_better is not None
            assert finding.margin is None
        else:
            assert (finding.kind, finding.margin > 0) == ("similar", True)
        # softmax has one class a pixel: a share of 0 by construction is no finding
        assert (design.name, finding.measure) != ("activation", "multiple")


def test_the_studys_own_numbers_bear_its_findings_out():
    """What the study is said to have found of Dice is what it printed."""
    borne_out = 0
    for design in map(design_of, ABLATIONS):
        for finding in design.findings:
            if not finding.of_study or finding.measure != "dice":
                continue
            apart = design.arm(finding.arm).study["dice"] - design.arm(finding.than).study["dice"]
            holds = apart > 0 if finding.kind == "better" else abs(apart) <= finding.margin + 1e-9
            assert holds, (design.name, finding.claim)
            borne_out += 1
    assert borne_out >= 7


def test_arms_with_labels_of_their_own_are_compared_by_what_labels_do_not_touch():
    exact = ("raw_truth_mm", "mjsw_truth_mm", "bias_truth_mm", "unmeasurable")
    said = {design.name: design.compared for design in map(design_of, ABLATIONS) if design.compared is not None}
    assert {name: set(measures) for name, measures in said.items()} == {
        "labels": {*exact, "bearing_mm"},
        "label_noise": set(exact),
    }


def test_the_arms_of_the_studys_tables_are_the_studys():
    said = {
        "dataset_size": {"full": 0.9136, "baseline": 0.8877},
        "overfitting": {"baseline": 0.8877, "small": 0.7717},
        "loss": {"dice": 0.8877, "dicece": 0.8790, "ce": 0.8672},
        "activation": {"softmax": 0.8877, "sigmoid": 0.8859},
        "final": {"final": 0.9136},
    }
    for number, (name, values) in enumerate(said.items(), 1):
        design = design_of(name)
        assert design.table == number
        assert {arm.name: arm.study["dice"] for arm in design.arms if arm.study} == values
        for arm in design.arms:
            if arm.study:  # the budget that is printed beside ours is that of scale=paper
                cfg = compose("train", [f"ablation={name}", *arm.overrides, "scale=paper"])
                assert (cfg.budget.steps, cfg.dataset_size.train_hips) == (arm.study_steps, arm.study_hips)


def test_arms_differ_in_what_is_asked_and_in_nothing_else():
    for name, differs in (("loss", {"loss"}), ("activation", {"activation"}), ("target", {"target"})):
        arms = [compose("train", [f"ablation={name}", *arm.overrides]) for arm in design_of(name).arms]
        plain = [OmegaConf.to_container(cfg, resolve=True) for cfg in arms]
        assert {key for key in plain[0] if any(cfg[key] != plain[0][key] for cfg in plain)} == differs
    steps = {
        a.name: compose("train", ["ablation=dataset_size", *a.overrides]).budget.steps
        for a in design_of("dataset_size").arms
    }
    assert steps["full_equal"] == steps["baseline"] < steps["full"]
    small, baseline = (
        compose("train", ["ablation=overfitting", f"dataset_size={n}"]).budget for n in ("small", "baseline")
    )
    assert small == baseline


def test_both_views_get_the_same_hips_and_steps():
    cfgs = [compose("train", ["ablation=view", *arm.overrides]) for arm in design_of("view").arms]
    assert [(c.data.subjects, c.budget.steps, c.split.test_hips) for c in cfgs] == [(420, 180, 1000)] * 2
    assert [c.view.rows_px for c in cfgs] == [128, 512]


def test_the_studys_own_settings_go_with_its_tables():
    cfg = compose("train", ["ablation=loss", "+experiment=study_baseline", "loss=ce", "seed=1"])
    assert (cfg.view.name, cfg.scale.name, cfg.target.name, cfg.seed) == ("study", "paper", "hard", 1)
    assert (cfg.loss._target_.rpartition(".")[2], cfg.data.name, cfg.budget.steps) == (
        "CrossEntropy",
        "phantom_hard",
        4000,
    )


def test_the_studys_baseline_is_the_studys():
    cfg = compose("train", ["+experiment=study_baseline"])
    assert (cfg.view.rows_px, cfg.view.pixel_mm, cfg.view.margin_px) == (512, 0.9, 0)
    assert (cfg.view.low_percentile, cfg.view.high_percentile) == (5, 95)
    assert (cfg.budget.batch_size, cfg.budget.steps, cfg.seed) == (20, 50 * 80, 42)
    assert cfg.loss._target_.endswith("SoftDice")
    assert (cfg.loss.over, cfg.loss.background, cfg.loss.smooth) == ("image", True, 1e-5)
    assert (cfg.optim.optimizer.lr, cfg.optim.optimizer.weight_decay) == (1e-3, 1e-5)
    assert cfg.augment._target_.endswith("CentreCrop")
    assert cfg.target.hard


def test_the_studys_sizes_and_steps():
    names = ("full", "full_equal", "baseline", "baseline_short", "small")
    sizes = {name: compose("train", [f"dataset_size={name}", "scale=paper"]) for name in names}
    hips = {name: (c.dataset_size.train_hips, c.dataset_size.val_hips) for name, c in sizes.items()}
    full, baseline = (23544, 2944), (1600, 200)
    known = {"full": full, "full_equal": full, "baseline": baseline, "baseline_short": baseline, "small": (160, 20)}
    assert hips == known
    steps = {name: c.budget.steps for name, c in sizes.items()}
    assert steps == dict.fromkeys(names, 4000) | {"full": 50 * -(-23544 // 20)}


@pytest.mark.parametrize(
    "overrides",
    [
        ["losss=dice"],
        ["loss=nosuch"],
        ["loss.smoth=1"],
        ["budget.step=10"],
        ["seed=many"],
        ["view.pixel=0.4"],
    ],
)
def test_what_is_misspelled_is_refused(overrides):
    with pytest.raises((HydraException, OmegaConfBaseException)):
        compose("train", overrides)


def test_an_unknown_key_put_in_with_a_plus_is_refused_too():
    with pytest.raises(ValueError, match="unknown option 'sede'"):
        refuse_unknown_keys(compose("train", ["+sede=1"]), "train")
    with pytest.raises(ValueError, match=r"unknown option 'budget\.stesp'"):
        refuse_unknown_keys(compose("train", ["+budget.stesp=100"]), "train")
    refuse_unknown_keys(compose("train", ["+trainer.options.max_time=1", "ablation=loss"]), "train")


def test_the_learning_rate_reaches_the_schedule():
    optimiser = build_task(compose("train", ["optim.optimizer.lr=0.5"])).configure_optimizers()
    assert optimiser["lr_scheduler"]["scheduler"]._schedule_phases
    assert max(group["max_lr"] for group in optimiser["optimizer"].param_groups) == 0.5


def test_a_misspelled_root_key_in_an_overlay_is_refused(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nsede: 3\n")
    command = [sys.executable, "-m", "hipjsw.train", "--config-dir", str(tmp_path), "+experiment=mine"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "sede" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["phantom", "prepare", "evaluate"])
def test_the_other_doors_compose(name):
    needed = {"phantom": ["out=a"], "prepare": ["cohort=a", "store=b"], "evaluate": ["run=a"]}[name]
    OmegaConf.to_container(compose(name, needed), resolve=True, throw_on_missing=True)
    with pytest.raises((HydraException, OmegaConfBaseException)):
        compose(name, [*needed, "nosuch=1"])
