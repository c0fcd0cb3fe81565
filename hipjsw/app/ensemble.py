"""Runs judged together: which may be, whom none of them has seen, and what they learn of their common errors."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import build_data, build_task
from hipjsw.app.provision import view_spec
from hipjsw.app.runs import Run, RunError, write_json
from hipjsw.cohort.split import Split, SplitError
from hipjsw.cohort.store import Store
from hipjsw.learning.checkpoint import load_weights
from hipjsw.learning.data import HipData, HipDataset
from hipjsw.learning.ensemble_task import ensemble_task
from hipjsw.learning.fitting import BEST
from hipjsw.learning.task import SegmentationTask

__all__ = ["Member", "claim_results", "joint_data", "joint_split", "joint_task", "read_members", "require_results_of"]

#: In a folder of results: which runs they are of.
RECORD = "ensemble.json"


@dataclass(frozen=True, eq=False)
class Member:
    """A finished run.

    Args:
        run: Its folder.
        trained: The configuration it was trained with.
    """

    run: Run
    trained: DictConfig

    @cached_property
    def split(self) -> Split:
        """Who was in which part."""
        return Split.read(self.run.folder / "split.json")

    @cached_property
    def store_fingerprint(self) -> str:
        """Of the store it was trained on."""
        path = self.run.folder / "identity.json"
        return str(json.loads(path.read_text(encoding="utf-8"))["store_fingerprint"])

    @property
    def seen(self) -> frozenset[str]:
        """Persons of training and validation."""
        return frozenset((*self.split.train, *self.split.val))


def read_members(folders: Sequence[Path]) -> list[Member]:
    """Runs to be judged, alone or together.

    Args:
        folders: Of the runs, one or more; the first says how hips are read and who is tested.

    Raises:
        RunError: No run, one that is not finished, the same one twice, or runs that nothing can be the mean of: of
            another view or another store.
    """
    members: list[Member] = []
    for folder in folders:
        run = Run.load(folder)
        if not run.is_finished:
            raise RunError(f"{folder} is not finished; train it to the end with the command that began it")
        trained = OmegaConf.load(folder / "config.yaml")
        assert isinstance(trained, DictConfig)
        members.append(Member(run, trained))
    first = members[0]
    for n, member in enumerate(members):
        twin = next((other for other in members[:n] if other.run.digest == member.run.digest), None)
        if twin is not None:
            raise RunError(f"{member.run.folder} is the same run as {twin.run.folder}; an ensemble names each run once")
        if view_spec(member.trained) != view_spec(first.trained):
            raise RunError(
                f"{member.run.folder} sees view={member.trained.view.name} and {first.run.folder} "
                f"view={first.trained.view.name}; an ensemble is of runs of one view"
            )
        if member.store_fingerprint != first.store_fingerprint:
            raise RunError(
                f"{member.run.folder} and {first.run.folder} were trained on different stores, so whom neither has "
                "seen cannot be known; an ensemble is of runs of one store"
            )
    return members


def joint_split(members: Sequence[Member], store: Store) -> Split:
    """Whom all members can be tested on: the first one's test persons; on another store, whoever none has seen.

    Args:
        members: The runs.
        store: The store whose hips are judged.

    Raises:
        SplitError: A test person whom a member was trained or validated with.
    """
    first, seen = members[0], frozenset().union(*(member.seen for member in members))
    persons = dict.fromkeys(store.hips["person"])
    if store.fingerprint != first.store_fingerprint:
        parts = first.split.elsewhere(persons)
        test = tuple(person for person in parts.test if person not in seen)
        return replace(parts, test=test, left_out=tuple(person for person in parts.test if person in seen))
    shared = [person for person in first.split.test if person in seen]
    if shared:
        raise SplitError(
            f"{len(shared)} of {len(first.split.test)} test persons of {first.run.folder}, e.g. {shared[0]}, are in "
            "training or validation of another run of the ensemble; it is judged on persons whom no run has seen. Give "
            f"runs of one split. Of this store no run has seen {len(persons.keys() - seen)} persons: folds of one "
            "cross-validation have none in common but those whom the cohort's split.csv keeps for the test"
        )
    return first.split


def joint_task(members: Sequence[Member]) -> SegmentationTask:
    """A task with the best weights of a run, or of several together.

    Args:
        members: The runs.

    Raises:
        CheckpointError: A member without usable weights.
        ValueError: Members whose activations have other channels.
    """
    tasks = []
    for member in members:
        task = build_task(member.trained)
        task.net.load_state_dict(load_weights(member.run.folder / BEST))
        tasks.append(task)
    return tasks[0] if len(tasks) == 1 else ensemble_task(tasks)


def joint_data(members: Sequence[Member], store: Store) -> HipData:
    """The first member's loaders, whose training hips are those that any member was trained on.

    So the hips ``on_unseen`` are unseen by all: validation's persons of any member, then training's, as far as no
    weight of any member was trained on them.

    Args:
        members: The runs.
        store: The store they were trained on.
    """
    each = [build_data(member.trained, replace(store, parts=member.split)) for member in members]
    rows = list(dict.fromkeys(row for data in each for row in data.train.rows))
    taken = set(store.hips["person"].loc[rows])
    val = [person for member in members for person in member.split.val if person not in taken]
    known = dict.fromkeys([*val, *(p for member in members for p in (*member.split.train, *member.split.val))])
    test = tuple(person for person in members[0].split.test if person not in known)
    parts = Split(tuple(p for p in known if p not in set(val)), tuple(dict.fromkeys(val)), test)
    joint, own = copy.copy(each[0]), each[0].train
    joint.train = HipDataset(replace(store, parts=parts), rows, own.augmentation, own.seed, own.hard, own.border)
    return joint


def claim_results(folder: Path, members: Sequence[Member]) -> None:
    """Make a folder of results an ensemble's, or see that it is; those of a run alone are claimed by nothing.

    Raises:
        RunError: The folder holds results of other runs.
    """
    kept = _kept(folder)
    if kept is None and len(members) > 1:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(f"{folder} is not empty; name a new folder for the ensemble with out=DIR")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / RECORD, {"digests": _digests(members)})
    elif kept is not None and kept != _digests(members):
        raise RunError(f"{folder} holds results of an ensemble of other runs; name another folder with out=DIR")


def require_results_of(folder: Path, members: Sequence[Member]) -> None:
    """Check that results are of these runs together.

    Raises:
        RunError: They are of an ensemble and this is not the one, or of a run and these are several.
    """
    kept = _kept(folder)
    if kept != (_digests(members) if len(members) > 1 else None):
        whose = "a run alone" if kept is None else f"an ensemble of {len(kept)} runs"
        raise RunError(f"{folder} holds results of {whose}, not of what run= and ensemble= name; name the same runs")


def _digests(members: Sequence[Member]) -> list[str]:
    return sorted(member.run.digest for member in members)


def _kept(folder: Path) -> list[str] | None:
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return [str(digest) for digest in json.loads(path.read_text(encoding="utf-8"))["digests"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RunError(f"{path} is damaged; remove {folder} and evaluate again") from error
