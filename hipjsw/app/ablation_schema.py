"""What a file of ``conf/ablation`` may say, as dataclasses (see `hipjsw.ablation.design`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

__all__ = ["AblationConfig", "ArmConfig", "FindingConfig"]


@dataclass
class ArmConfig:
    """One way of training, and what the study printed for it (hipjsw.ablation.design.Arm)."""

    overrides: list[str] = field(default_factory=list)
    label: str | None = None
    study: dict[str, float] = field(default_factory=dict)
    study_steps: int | None = None
    study_hips: int | None = None


@dataclass
class FindingConfig:
    """Something claimed of two arms (hipjsw.ablation.design.Finding)."""

    claim: str = MISSING
    measure: str = MISSING
    arm: str = MISSING
    than: str = MISSING
    kind: str = "better"
    margin: float | None = None
    of_study: bool = True


@dataclass
class AblationConfig:
    """A question, its arms and what is claimed of them (hipjsw.ablation.design.Design)."""

    name: str = MISSING
    title: str = MISSING
    question: str = MISSING
    measure: str = MISSING
    reference: str = MISSING
    table: int | None = None
    seeds: int = 3
    pooled: bool = False
    ensembled: bool = False
    compared: list[str] | None = None
    arms: dict[str, ArmConfig] = field(default_factory=dict)
    findings: list[FindingConfig] = field(default_factory=list)
