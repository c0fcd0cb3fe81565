"""How a run measures: what it learnt of its own errors, kept beside its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from hipjsw.app.runs import RunError, write_json
from hipjsw.inference.measuring import Judgement, Measurer, fit_judgement
from hipjsw.jsw.calibration import Calibration
from hipjsw.jsw.profile import REGIONS
from hipjsw.learning.averaging import Looks
from hipjsw.learning.data import HipData
from hipjsw.learning.fitting import measure_split
from hipjsw.learning.task import SegmentationTask
from hipjsw.statistics.typicality import Typicality

__all__ = ["check_measure", "learn_judgement", "read_judgement"]

FILE, ARRAYS = "judgement.json", "judgement.npz"


def check_measure(looks: int, region: str) -> Looks:
    """The looks of a configuration, once both values make sense.

    Raises:
        ValueError: Fewer than one look, or another region.
    """
    if region not in REGIONS:
        raise ValueError(f"region is one of {', '.join(REGIONS)}, not {region!r}")
    return Looks(looks)


def learn_judgement(
    task: SegmentationTask, data: HipData, folder: Path, options: Mapping[str, Any], measure: DictConfig
) -> Judgement:
    """Measure hips that no weight was trained on and learn how far that errs; written to the run's folder.

    Args:
        task: The trained network's task.
        data: Its hips.
        folder: The run's folder.
        options: For Lightning's Trainer.
        measure: Looks, region and number of hips.
    """
    looks = check_measure(int(measure.looks), str(measure.region))
    measurer = Measurer(data.test.store, str(measure.region), borders=False)
    unseen = data.on_unseen(int(measure.calibration_hips))
    records = measure_split(task, unseen, folder, options, measurer, looks) if len(unseen.test) else []
    judgement = fit_judgement(records, measurer)
    _write(folder, judgement, looks.number, measurer.region, len(records))
    return judgement


def read_judgement(folder: Path, looks: int, region: str) -> Judgement | None:
    """What a run learnt; None if it learnt nothing for such looks and region.

    Raises:
        RunError: Damaged files.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if (said["looks"], said["region"]) != (looks, region):
            return None
        calibration = None if said["calibration"] is None else Calibration.from_json(said["calibration"])
        typicality = None
        if said["typicality_limit"] is not None:
            with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
                mean, scale, axes = (arrays[name].astype(np.float64) for name in ("mean", "scale", "axes"))
            typicality = Typicality(mean, scale, axes, float(said["typicality_limit"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} or {ARRAYS} beside it is damaged; remove both: evaluate makes them again") from error
    return Judgement(calibration, typicality)


def _write(folder: Path, judgement: Judgement, looks: int, region: str, num_hips: int) -> None:
    typicality = judgement.typicality
    if typicality is not None:
        partial = folder / f".{ARRAYS}.partial.npz"
        np.savez(partial, mean=typicality.mean, scale=typicality.scale, axes=typicality.axes)
        partial.replace(folder / ARRAYS)
    content = {
        "looks": looks,
        "region": region,
        "num_hips": num_hips,
        "calibration": None if judgement.calibration is None else judgement.calibration.to_json(),
        "typicality_limit": None if typicality is None else typicality.limit,
    }
    write_json(folder / FILE, content)
