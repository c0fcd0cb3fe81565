"""From finished runs to a model for use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.build import architecture_of
from hipjsw.app.ensemble import Member as Trained
from hipjsw.app.ensemble import require_results_of
from hipjsw.app.judging import check_measure, read_judgement
from hipjsw.app.provision import view_spec
from hipjsw.app.runs import METRICS, START, RunError, read_json
from hipjsw.inference.measuring import Judgement
from hipjsw.inference.model import Member, Model
from hipjsw.learning.checkpoint import load_weights
from hipjsw.learning.fitting import BEST

__all__ = ["model_of_runs"]

#: Of a run's numbers, those that say how well it measures.
_METRICS = re.compile(
    r"test/(dice/(femur|acetabulum|joint_space|mean)|num_\w+|mjsw(_truth)?/"
    r"(num_\w+|(mae|bias|sd|low|high|icc2|within_05|interval/coverage)(_ci_(low|high))?(_mm)?))"
)
#: Of a run's configuration, what decides its training.
_TRAINED_BY = ("budget", "labels", "target", "weight", "loss", "augment", "optim", "dataset_size", "scale", "seed")


def model_of_runs(
    runs: Sequence[Trained],
    name: str,
    licence: str | None = None,
    results: Path | None = None,
    looks: int | None = None,
    region: str | None = None,
) -> Model:
    """A model of one run, or of several together.

    Args:
        runs: Finished runs that may be judged together.
        name: What the model is called.
        licence: Of its weights; None where nobody said.
        results: Of several: the folder that ``evaluate`` wrote of them.
        looks: How often a hip is looked at; None for as often as the first run was told.
        region: What the minimum is taken over; None likewise.

    Raises:
        RunError: Several without results, or results of other runs; nothing learnt for such looks and region.
        ArchitectureError: A network or activation that has no name.
        CheckpointError: A run without usable weights.
    """
    first = runs[0]
    measure = first.trained.measure
    how = (int(measure.looks) if looks is None else looks, str(measure.region) if region is None else region)
    check_measure(*how)
    folder = first.run.folder
    if len(runs) > 1:
        if results is None:
            others = ",".join(str(run.run.folder) for run in runs[1:])
            raise RunError(
                "how far an ensemble errs is learnt by evaluating it: python -m hipjsw.evaluate "
                f"run={folder} ensemble=[{others}] out=DIR, then export with results=DIR"
            )
        require_results_of(results, runs)
        folder = results
    return Model(
        members=tuple(_member(run) for run in runs),
        view=view_spec(first.trained),
        looks=how[0],
        region=how[1],
        judgement=_judgement(folder, *how),
        about={
            "name": name,
            "licence": licence or "not stated",
            "labels": str(first.trained.labels.name),
            "training": [one for run in runs for one in (_training(run), *_before(run))],
            "metrics": _metrics(folder),
        },
    )


def _member(run: Trained) -> Member:
    return Member(architecture_of(run.trained), load_weights(run.run.folder / BEST))


def _judgement(folder: Path, looks: int, region: str) -> Judgement:
    found = read_judgement(folder, looks, region)
    if found is None:
        raise RunError(
            f"{folder} learnt nothing of its errors with looks={looks} region={region}; evaluate it once with them: "
            f"python -m hipjsw.evaluate run={folder} looks={looks} region={region}"
        )
    return found


def _before(run: Trained) -> list[dict[str, Any]]:
    """What the model was trained on from whose weights the run started, if it did."""
    path = run.run.folder / START
    return [{**one, "before": True} for one in read_json(path)["training"]] if path.is_file() else []


def _training(run: Trained) -> dict[str, Any]:
    """What the run was trained with and on; no path, no person."""
    cfg, metrics = run.trained, run.run.metrics()
    made_by = read_json(run.run.folder / "run.json")
    return {
        "data": metrics.get("data/phantom") or "a cohort",
        "data_fingerprint": run.store_fingerprint,
        "hips": metrics.get("train/num_hips"),
        "persons": len(run.split.train),
        "hipjsw": made_by.get("hipjsw"),
        "commit": made_by.get("commit"),
        "digest": run.run.digest,
        **{
            key: _plain(cfg[key]) if isinstance(cfg[key], DictConfig) else cfg[key] for key in _TRAINED_BY if key in cfg
        },
    }


def _metrics(folder: Path) -> dict[str, Any]:
    return {key: value for key, value in read_json(folder / METRICS).items() if _METRICS.fullmatch(key)}


def _plain(part: DictConfig) -> dict[str, Any]:
    content = OmegaConf.to_container(part, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
