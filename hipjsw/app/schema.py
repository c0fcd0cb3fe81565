"""The root of each door's configuration, as dataclasses: a misspelled key is refused, a wrong type too.

Groups whose content is an object to build (``_target_``) or a plain value type are left open here; building them
refuses what does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass
from typing import Any, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from hipjsw.app.ablation_schema import AblationConfig
from hipjsw.app.doctor_schema import DoctorConfig
from hipjsw.app.new_film_schema import ExportConfig, MeasureFilmsConfig

__all__ = [
    "EvaluateConfig",
    "PhantomConfig",
    "PrepareConfig",
    "ReportConfig",
    "TrainConfig",
    "refuse_unknown_keys",
    "register_schemas",
]


@dataclass
class LabelsConfig:
    """How labels are made of landmarks: a name of ``hipjsw.anatomy.labels.LABELS``."""

    name: str = MISSING


@dataclass
class TargetConfig:
    """What a pixel's target is: area coverage (soft) or its largest class alone (hard)."""

    name: str = MISSING
    hard: bool = MISSING


@dataclass
class WeightConfig:
    """How much the pixels between the bones are raised in the loss (hipjsw.anatomy.weights.BorderWeight); w0=0: not."""

    name: str = MISSING
    w0: float = MISSING
    sigma_px: float = MISSING


@dataclass
class DatasetSizeConfig:
    """The study's numbers of hips; a scale divides them."""

    name: str = MISSING
    train_hips: int = MISSING
    val_hips: int = MISSING


@dataclass
class ScaleConfig:
    """How much of the study is done: its numbers of hips divided, and a budget for each dataset size.

    ``least_val_hips`` validate whatever the division leaves: two hips say nothing of a network.
    """

    name: str = MISSING
    divisor: int = MISSING
    least_val_hips: int = 1
    subjects: int = MISSING
    batch_size: int = MISSING
    steps: dict[str, int] = MISSING
    val_every: dict[str, int] = MISSING


@dataclass
class BudgetConfig:
    """Optimiser steps, steps between validations, hips a step."""

    steps: int = MISSING
    val_every: int = MISSING
    batch_size: int = MISSING


@dataclass
class DataConfig:
    """Where hips come from: a phantom cohort or phantom views made on demand, or a store of a cohort."""

    name: str = MISSING
    subjects: int | None = None
    seed: int | None = None
    look: str | None = None
    points_error: str | None = None
    planted: float | None = None
    persons: dict[str, int] | None = None
    test_hips: dict[str, int] | None = None


@dataclass
class SplitConfig:
    """How persons are dealt to train, validation and test (hipjsw.cohort.split.SplitSpec; ``fold`` is in the root)."""

    kind: str = "random"
    seed: int = 0
    test_hips: int = 100
    test_share: float = 0.35
    val_share: float = 1.0 / 9.0
    stratify: bool = True
    by_name: bool = False
    given: bool = True
    folds: int = 5
    train_on: str | None = None
    test_on: str | None = None
    file: str | None = None


@dataclass
class TrainerConfig:
    """Hardware and precision; ``options`` go to Lightning's Trainer."""

    name: str = MISSING
    channels_last: bool = False
    threads: int | None = None
    compile: bool = False
    resident: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class LoggerConfig:
    """Where curves and results are mirrored."""

    name: str = MISSING
    project: str = "hipjsw"
    entity: str | None = None
    mode: str = "auto"


@dataclass
class MeasureConfig:
    """How a test hip is measured, and on how many unseen hips its interval is learnt."""

    name: str = MISSING
    looks: int = MISSING
    region: str = MISSING
    calibration_hips: int = MISSING


@dataclass
class TrainConfig:
    """Root of ``python -m hipjsw.train``."""

    seed: int = 0
    init: str | None = None
    replay: str | None = None
    run: str | None = None
    store: str | None = None
    runs_dir: str = "runs"
    data_dir: str = "data"
    workers: int | None = None
    num_workers: int = 0
    group: str | None = None
    data: DataConfig = field(default_factory=DataConfig)
    scale: ScaleConfig = field(default_factory=ScaleConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    dataset_size: DatasetSizeConfig = field(default_factory=DatasetSizeConfig)
    view: Any = MISSING
    labels: LabelsConfig = field(default_factory=LabelsConfig)
    target: TargetConfig = field(default_factory=TargetConfig)
    weight: WeightConfig = field(default_factory=WeightConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    fold: int | None = None
    net: Any = MISSING
    activation: Any = MISSING
    loss: Any = MISSING
    augment: Any = MISSING
    optim: Any = MISSING
    measure: MeasureConfig = field(default_factory=MeasureConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    ablation: AblationConfig | None = None
    seeds: int | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class PointsConfig:
    """What errors a phantom's points have: a value of ``hipjsw.phantom.points.PointsModel``."""

    error: str = "none"


@dataclass
class PhantomConfig:
    """Root of ``python -m hipjsw.phantom``."""

    out: str = MISSING
    sheet: str | None = None
    subjects: int = 160
    seed: int = 1
    look: str = "realistic"
    points: PointsConfig = field(default_factory=PointsConfig)
    planted: float = 0.0
    quirks: bool = False
    workers: int | None = None


@dataclass
class PrepareConfig:
    """Root of ``python -m hipjsw.prepare``."""

    cohort: str | None = None
    relabel: str | None = None
    store: str | None = None
    data_dir: str = "data"
    verify_only: bool = False
    report: str | None = None
    list_file: str | None = None
    points_spacing: str = "auto"
    spacing_mm: float | None = None
    voi: bool = False
    view: Any = MISSING
    labels: LabelsConfig = field(default_factory=LabelsConfig)
    id_key: str | None = None
    shard: str | None = None
    workers: int | None = None


@dataclass
class EvaluateConfig:
    """Root of ``python -m hipjsw.evaluate``."""

    run: str = MISSING
    ensemble: list[str] = field(default_factory=list)
    store: str | None = None
    part: str = "test"
    out: str | None = None
    looks: int | None = None
    region: str | None = None
    estimator: str = "contour"
    units: str = "mm"
    save_probs: bool = False
    probs: str | None = None
    reader: str | None = None
    reader_template: str | None = None
    trainer: TrainerConfig = field(default_factory=TrainerConfig)


@dataclass
class ReportConfig:
    """Root of ``python -m hipjsw.report``."""

    runs_dir: str = "runs"
    out: str | None = None
    records: list[str] | None = None
    record: str | None = None
    logger: LoggerConfig = field(default_factory=LoggerConfig)


#: The root of each primary configuration in conf/.
ROOTS: dict[str, type] = {
    "train": TrainConfig,
    "phantom": PhantomConfig,
    "prepare": PrepareConfig,
    "evaluate": EvaluateConfig,
    "export": ExportConfig,
    "measure": MeasureFilmsConfig,
    "report": ReportConfig,
    "doctor": DoctorConfig,
}


def register_schemas() -> None:
    """Make the roots known to Hydra under the names that conf/*.yaml starts from."""
    store = ConfigStore.instance()
    for name, node in ROOTS.items():
        store.store(name=f"{name}_schema", node=node)


def refuse_unknown_keys(cfg: DictConfig, name: str) -> None:
    """Refuse what ``+key=value`` put there: Hydra lets it pass, and a misspelled option would do nothing.

    Raises:
        ValueError: A key that the root, or a part of it with a dataclass, does not have.
    """
    _refuse_unknown(cfg, ROOTS[name], "")


def _refuse_unknown(cfg: DictConfig, schema: type, prefix: str) -> None:
    types = get_type_hints(schema)
    unknown = sorted(str(key) for key in cfg if key not in types)
    if unknown:
        raise ValueError(
            f"unknown option {prefix + unknown[0]!r}; known are: {', '.join(prefix + n for n in sorted(types))}"
        )
    for key, kind in types.items():
        if is_dataclass(kind) and isinstance(kind, type) and not OmegaConf.is_missing(cfg, key):
            _refuse_unknown(cfg[key], kind, f"{prefix}{key}.")
