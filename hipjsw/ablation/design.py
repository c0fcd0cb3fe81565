"""What an ablation asks: its arms, what the 2024 study printed for each, and the findings to be tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Arm", "Design", "DesignError", "Finding"]

#: What a finding may claim of its arm against the other.
CLAIMS = ("better", "similar")
#: What is kept as it is said.
_PLAIN = ("name", "title", "question", "measure", "reference", "table", "seeds", "pooled", "ensembled")


class DesignError(ValueError):
    """An ablation that asks nothing that can be answered; the message says what to do."""


@dataclass(frozen=True)
class Arm:
    """One way of training.

    Args:
        name: Short name, as in the configuration.
        label: What tables call it.
        overrides: What it sets, as on the command line.
        study: What the study printed for it, by measure (`hipjsw.ablation.measures`); empty for an arm of our own.
        study_steps: Optimiser steps the study gave it; None likewise.
        study_hips: Training hips the study gave it; None likewise.
    """

    name: str
    label: str
    overrides: tuple[str, ...]
    study: Mapping[str, float] = field(default_factory=dict)
    study_steps: int | None = None
    study_hips: int | None = None


@dataclass(frozen=True)
class Finding:
    """Something said of two arms that runs can confirm or refute.

    Args:
        claim: In words, a whole sentence.
        measure: What is compared.
        arm: Of which it is said.
        than: The other arm.
        kind: ``better``: the arm is better than the other. ``similar``: they differ by less than ``margin``.
        margin: For ``similar``, in the unit of the measure.
        of_study: Whether the study found it; False for an expectation of our own.
    """

    claim: str
    measure: str
    arm: str
    than: str
    kind: str = "better"
    margin: float | None = None
    of_study: bool = True


@dataclass(frozen=True)
class Design:
    """An ablation.

    Args:
        name: The configuration's name.
        title: Headline.
        question: What is asked.
        measure: The measure that is looked at first.
        reference: The arm that the others are compared with.
        arms: At least one; names differ.
        findings: What is claimed.
        table: Number of the study's table, None for a question of our own.
        seeds: Runs of each arm that are wanted.
        pooled: The arms are folds of one cross-validation: their test hips are put together, not compared.
        ensembled: The runs of each fold are judged together as well: what they say of a hip is averaged.
        compared: Measures whose differences may be tested, for arms that are judged by labels or pixels of their own
            and of which the other numbers cannot be compared; None for all (and of those of whole runs, the ones that
            ``measure`` or a finding names).
    """

    name: str
    title: str
    question: str
    measure: str
    reference: str
    arms: tuple[Arm, ...]
    findings: tuple[Finding, ...] = ()
    table: int | None = None
    seeds: int = 3
    pooled: bool = False
    ensembled: bool = False
    compared: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if not names or len(set(names)) != len(names):
            raise DesignError(f"ablation {self.name}: arms need names that differ, got {names}")
        for name in (self.reference, *(n for f in self.findings for n in (f.arm, f.than))):
            if name not in names:
                raise DesignError(f"ablation {self.name} speaks of an arm {name!r}; its arms are {', '.join(names)}")
        for finding in self.findings:
            if finding.kind not in CLAIMS or (finding.kind == "similar") != (finding.margin is not None):
                raise DesignError(
                    f"ablation {self.name}: a finding is one of {', '.join(CLAIMS)}, and `similar` has a margin: "
                    f"{finding.claim!r}"
                )
        if self.seeds < 1:
            raise DesignError(f"ablation {self.name}: at least one seed, not {self.seeds}")
        if self.ensembled and not self.pooled:
            raise DesignError(f"ablation {self.name}: ensembled is for folds; it needs pooled: true")
        for name in (self.measure, *(finding.measure for finding in self.findings)):
            if self.compared is not None and name not in self.compared:
                raise DesignError(
                    f"ablation {self.name} asks for {name!r}, which is not among the measures it compares: "
                    f"{', '.join(self.compared) or 'none'}; name it under `compared`, or ask for another"
                )

    def arm(self, name: str) -> Arm:
        """The arm of a name."""
        return next(arm for arm in self.arms if arm.name == name)

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Design:
        """From plain values, as ``conf/ablation/*.yaml`` has them under ``ablation``.

        Raises:
            DesignError: Arms or findings that do not fit together.
        """
        arms = tuple(_arm(name, said) for name, said in content["arms"].items())
        findings = tuple(Finding(**said) for said in content.get("findings") or ())
        rest = {key: content[key] for key in _PLAIN if key in content}
        compared = content.get("compared")
        only = None if compared is None else tuple(str(name) for name in compared)
        return cls(arms=arms, findings=findings, compared=only, **rest)

    def plain(self) -> dict[str, Any]:
        """The plain values that ``read`` takes."""
        arms = {arm.name: {k: v for k, v in _plain(arm).items() if k != "name"} for arm in self.arms}
        return {key: getattr(self, key) for key in _PLAIN} | {
            "compared": _listed(self.compared),
            "arms": arms,
            "findings": [_plain(finding) for finding in self.findings],
        }


def _arm(name: str, said: Mapping[str, Any]) -> Arm:
    overrides: Sequence[str] = said["overrides"]
    study = {str(k): float(v) for k, v in (said.get("study") or {}).items()}
    return Arm(
        str(name),
        str(said.get("label") or name),
        tuple(str(o) for o in overrides),
        study,
        said.get("study_steps"),
        said.get("study_hips"),
    )


def _plain(part: Arm | Finding) -> dict[str, Any]:
    return {key: _listed(value) for key, value in vars(part).items()}


def _listed(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
