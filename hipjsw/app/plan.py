"""What a sweep of ablations has to do: which runs its arms are, which of them are made, which two are one.

A run is named by its resolved configuration and its data, so runs that several ablations ask for are found to be one,
and what is finished is known before any job starts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from hipjsw.ablation.design import Arm, Design, DesignError
from hipjsw.app.build import build_data
from hipjsw.app.provision import provide_store
from hipjsw.app.runs import Run, run_identity
from hipjsw.app.schema import refuse_unknown_keys
from hipjsw.cohort.split_record import split_digest
from hipjsw.cohort.store import Store

__all__ = ["Plan", "PlannedRun", "Wanted", "plan_runs"]

#: From overrides to a job's configuration, with Hydra's own node.
Compose = Callable[[list[str]], DictConfig]

#: Parts of a configuration that decide which hips there are and how they are dealt.
_DATA_KEYS = ("store", "data", "data_dir", "view", "labels", "split", "fold", "workers")
#: Options that would give all runs one folder, group or set of tags.
_OWN_KEYS = ("run", "group", "tags")


@dataclass(frozen=True)
class Wanted:
    """Who asks for a run.

    Args:
        ablation: Name of the ablation.
        arm: The arm.
        seed: Its seed.
    """

    ablation: str
    arm: str
    seed: int

    @property
    def tag(self) -> str:
        """As a W&B tag."""
        return f"{self.ablation}:{self.arm}"


@dataclass(frozen=True)
class PlannedRun:
    """A run that the sweep needs.

    Args:
        run: Its folder.
        overrides: Its job's command line.
        wanted: Who asks for it.
        size: Pixels that its training sees.
        scale: ``demo`` or ``paper``.
        kind: Hash of all that makes it what it is but its seed.
    """

    run: Run
    overrides: list[str]
    wanted: list[Wanted]
    size: float
    scale: str
    kind: str = ""

    @property
    def said(self) -> str:
        """What it is called while it runs."""
        asked = dict.fromkeys(f"{w.ablation}: {w.arm}" for w in self.wanted)
        return f"{'; '.join(asked)}; seed {self.wanted[0].seed}"

    @property
    def job(self) -> list[str]:
        """The overrides with its tags."""
        tags = ",".join(f"'{tag}'" for tag in dict.fromkeys(w.tag for w in self.wanted))
        return [*self.overrides, f"tags=[{tags}]"]


@dataclass
class Plan:
    """All runs of a sweep, each once, seed by seed.

    Args:
        runs: By name of folder.
    """

    runs: dict[str, PlannedRun] = field(default_factory=dict)

    @property
    def missing(self) -> list[PlannedRun]:
        """Those that are not finished."""
        return [planned for planned in self.runs.values() if not planned.run.is_finished]

    def run_of(self, wanted: Wanted) -> PlannedRun:
        """The run that is asked for."""
        return next(planned for planned in self.runs.values() if wanted in planned.wanted)


def plan_runs(
    compose: Compose, designs: Sequence[Design], options: Sequence[str], seeds: Mapping[str, Sequence[int]]
) -> Plan:
    """Find out which runs are needed; makes the data where it is missing.

    Args:
        compose: Composes a job's configuration.
        designs: The ablations.
        options: Overrides of all jobs, beside the ablation's.
        seeds: Seeds by ablation.

    Raises:
        DesignError: An option that an arm sets too, or two arms of one ablation that are the same training.
        StoreError: Data that cannot be had.
    """
    _refuse_shared_keys(designs, options)
    plan, stores = Plan(), _Stores()
    trainings: dict[tuple[str, int, str], str] = {}
    for design, arm, seed in _asked(designs, seeds):
        overrides = [f"ablation={design.name}", *options, *arm.overrides, f"seed={seed}"]
        cfg = compose(overrides)
        choices = dict(cfg.hydra.runtime.choices)
        with open_dict(cfg):
            del cfg["hydra"]
        refuse_unknown_keys(cfg, "train")
        store = stores.of(cfg)
        digest = split_digest(store.split, store.hips)
        run = Run.of(cfg, store.fingerprint, digest, choices)
        identity = run_identity(cfg, store.fingerprint, digest)
        training = (design.name, seed, _training(cfg, store, identity))
        other = trainings.setdefault(training, arm.name)
        if other != arm.name:
            raise DesignError(
                f"ablation {design.name}: arms {other} and {arm.name} would train the same network on the same "
                f"{len(build_data(cfg, store).train)} hips; the data are too few to tell them apart"
            )
        kind = _hash({key: value for key, value in identity.items() if key != "seed"})[:16]
        planned = PlannedRun(run, overrides, [], _size(cfg), str(cfg.scale.name), kind)
        known = plan.runs.setdefault(run.folder.name, planned)
        known.wanted.append(Wanted(design.name, arm.name, seed))
    return plan


def _asked(designs: Sequence[Design], seeds: Mapping[str, Sequence[int]]) -> Iterator[tuple[Design, Arm, int]]:
    """Seed by seed, so that a sweep that is stopped has whole arms."""
    for seed in dict.fromkeys(seed for design in designs for seed in seeds[design.name]):
        for design in designs:
            if seed in seeds[design.name]:
                yield from ((design, arm, seed) for arm in design.arms)


class _Stores:
    """The stores of the jobs, each made or opened once."""

    def __init__(self) -> None:
        self._known: dict[str, Store] = {}

    def of(self, cfg: DictConfig) -> Store:
        whole = OmegaConf.to_container(cfg, resolve=True)
        assert isinstance(whole, dict)
        key = json.dumps([whole[part] for part in _DATA_KEYS], sort_keys=True)
        if key not in self._known:
            self._known[key] = provide_store(cfg)
        return self._known[key]


def _training(cfg: DictConfig, store: Store, identity: Mapping[str, Any]) -> str:
    """Hash of what is trained, the set of hips by who they are and not by its name."""
    rows = list(build_data(cfg, store).train.rows)
    content = {key: value for key, value in identity.items() if key != "dataset_size"} | {"rows": rows}
    return _hash(content)


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _size(cfg: DictConfig) -> float:
    return float(cfg.budget.steps) * float(cfg.budget.batch_size) * float(cfg.view.rows_px) * float(cfg.view.cols_px)


def _refuse_shared_keys(designs: Sequence[Design], options: Sequence[str]) -> None:
    said = [_key(option) for option in options]
    for key in said:
        if key in _OWN_KEYS:
            raise DesignError(f"an ablation says {key} for each of its runs itself; leave it out")
    for design in designs:
        taken = {_key(override) for arm in design.arms for override in arm.overrides}
        both = sorted(key for key in said for other in taken if key == other or key.startswith(f"{other}."))
        if both:
            raise DesignError(f"the arms of ablation={design.name} set {both[0]}; leave it out")


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")
