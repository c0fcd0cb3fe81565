"""How a run measures: what it learnt of its own errors, kept beside its weights."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from hipjsw.app.runs import RunError, write_json
from hipjsw.inference.measuring import HipRecord, Judgement, Measurer, fit_judgement
from hipjsw.jsw.calibration import Calibration
from hipjsw.jsw.profile import REGIONS
from hipjsw.learning.averaging import Looks
from hipjsw.learning.data import HipData
from hipjsw.learning.fitting import measure_split
from hipjsw.learning.task import SegmentationTask
from hipjsw.statistics.typicality import Typicality

__all__ = ["check_measure", "learn_judgement", "read_judgement"]

#: The first that a run learns; what it learns for other looks or another region stands beside it.
STEM = "judgement"


def check_measure(looks: int, region: str, calibration_hips: int = 0) -> Looks:
    """The looks of a configuration, once all values make sense.

    Raises:
        ValueError: Fewer than one look, another region, or a number of hips below none.
    """
    if region not in REGIONS:
        raise ValueError(f"region is one of {', '.join(REGIONS)}, not {region!r}")
    if calibration_hips < 0:
        raise ValueError(f"measure.calibration_hips is 0 or more, not {calibration_hips}")
    return Looks(looks)


def learn_judgement(
    task: SegmentationTask,
    data: HipData,
    folder: Path,
    options: Mapping[str, Any],
    measure: DictConfig,
    see: Callable[..., list[HipRecord]] | None = None,
) -> Judgement:
    """Measure hips that no weight was trained on and learn how far that errs; written to the run's folder.

    Args:
        task: The trained network's task.
        data: Its hips.
        folder: The run's folder.
        options: For Lightning's Trainer.
        measure: Looks, region and number of hips.
        see: How hips are seen; None is ``measure_split``, with the best weights in the folder.
    """
    looks = check_measure(int(measure.looks), str(measure.region), int(measure.calibration_hips))
    measurer = Measurer(data.test.store, str(measure.region), borders=False)
    unseen = data.on_unseen(int(measure.calibration_hips))
    see = see or measure_split
    records = see(task, unseen, folder, options, measurer, looks) if len(unseen.test) else []
    judgement = fit_judgement(records, measurer)
    _write(folder, judgement, looks.number, measurer.region, len(records))
    return judgement


def read_judgement(folder: Path, looks: int, region: str) -> Judgement | None:
    """What a run learnt; None if it learnt nothing for such looks and region.

    Raises:
        RunError: Damaged files.
    """
    for path in (folder / f"{stem}.json" for stem in (STEM, _other_stem(looks, region))):
        if path.is_file():
            try:
                said = json.loads(path.read_text(encoding="utf-8"))
                if (said["looks"], said["region"]) == (looks, region):
                    return _as_said(said, path.with_suffix(".npz"))
            except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile) as error:
                raise RunError(
                    f"{path} or {path.stem}.npz beside it is damaged; remove both: evaluate makes them again"
                ) from error
    return None


def _other_stem(looks: int, region: str) -> str:
    return f"{STEM}-{region}-{looks}"


def _free(path: Path, looks: int, region: str) -> bool:
    """Whether nothing stands there that is of other looks or another region."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return bool((said["looks"], said["region"]) == (looks, region))
    except (OSError, ValueError, LookupError, TypeError):
        return True


def _as_said(said: Mapping[str, Any], arrays_path: Path) -> Judgement:
    calibration = None if said["calibration"] is None else Calibration.from_json(said["calibration"])
    if said["typicality_limit"] is None:
        return Judgement(calibration)
    with arrays_path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        mean, scale, axes = (arrays[name].astype(np.float64) for name in ("mean", "scale", "axes"))
    return Judgement(calibration, Typicality(mean, scale, axes, float(said["typicality_limit"])))


def _write(folder: Path, judgement: Judgement, looks: int, region: str, num_hips: int) -> None:
    typicality = judgement.typicality
    stem = STEM if _free(folder / f"{STEM}.json", looks, region) else _other_stem(looks, region)
    if typicality is not None:
        partial = folder / f".{stem}.partial.npz"
        np.savez(partial, mean=typicality.mean, scale=typicality.scale, axes=typicality.axes)
        partial.replace(folder / f"{stem}.npz")
    content = {
        "looks": looks,
        "region": region,
        "num_hips": num_hips,
        "calibration": None if judgement.calibration is None else judgement.calibration.to_json(),
        "typicality_limit": None if typicality is None else typicality.limit,
    }
    write_json(folder / f"{stem}.json", content)
