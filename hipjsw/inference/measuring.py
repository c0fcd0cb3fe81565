"""What is measured on each hip: from what a network said of it to one record, and from records to a calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.cohort.store import Store
from hipjsw.jsw.calibration import Calibration, fit_calibration
from hipjsw.jsw.contour import JointContours, find_joint, measure_joint, measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable, measure_landmarks
from hipjsw.jsw.study import StudyWidth, study_width
from hipjsw.jsw.surface import SurfaceAgreement, surface_agreement
from hipjsw.learning.hip_output import HipOutput
from hipjsw.statistics.typicality import Typicality, fit_typicality

__all__ = ["HipRecord", "Judgement", "Measurer", "fit_judgement", "measure_looks"]

#: Borders judged along the weight-bearing part alone, and the class whose border each is.
BEARING = {"head_bearing": 0, "roof_bearing": 1}


@dataclass(frozen=True, eq=False)
class HipRecord:
    """What was measured on one hip.

    Args:
        row: Its row in the store.
        dice: ``(3,)`` Dice of femur, acetabulum and joint space; NaN where undefined.
        width: The final width, calibrated, or why there is none.
        raw_mm: The minimum before calibration, in mm.
        spread_mm: Standard deviation of the minimum over the looks; None where fewer than two were measurable.
        typicality: Distance from the calibration hips; 1 is the limit.
        surface: Agreement of borders by structure: femur, acetabulum, joint_space, head_bearing, roof_bearing.
        study: The 2024 study's estimator on the predicted masks.
        study_label: The same on the label's masks.
        embedding: ``(f,)`` what the network's deepest level holds of the hip.
        label_mm: The label's own minimum over another region than the sourcil; None for the sourcil, whose minimum
            the store knows.
        unlabelled: Share of the view's pixels that the label gives to a bone or the joint space and in which no mask
            of the unmoved look holds; None where that look's own masks are not known.
        multiple: Share of the view's pixels in which several of those masks hold; None likewise.
    """

    row: int
    dice: NDArray[np.float64]
    width: JointSpaceWidth | Unmeasurable
    raw_mm: float | None = None
    spread_mm: float | None = None
    typicality: float | None = None
    surface: Mapping[str, SurfaceAgreement] = field(default_factory=dict)
    study: StudyWidth | Unmeasurable | None = None
    study_label: StudyWidth | Unmeasurable | None = None
    embedding: NDArray[np.float32] | None = None
    label_mm: float | None = None
    unlabelled: float | None = None
    multiple: float | None = None


def measure_looks(
    looks: NDArray[np.float32], pixel_mm: float, region: str
) -> tuple[JointSpaceWidth | Unmeasurable, float | None, JointContours | Unmeasurable]:
    """Measure the mean of several looks at one hip, and each of them.

    Args:
        looks: ``(n, 3, rows, cols)`` probabilities on one grid.
        pixel_mm: Pixel size.
        region: What the minimum is taken over.

    Returns:
        The width of the mean, not calibrated; the standard deviation of the single looks' minima in mm (None where
        fewer than two could be measured); and the joint's curves in the mean.
    """
    joint = find_joint(looks.mean(axis=0) if len(looks) > 1 else looks[0], pixel_mm)
    width = measure_joint(joint, pixel_mm, region)
    each = [measure_probabilities(look, pixel_mm, region) for look in looks] if len(looks) > 1 else []
    found = [look.mjsw_mm for look in each if isinstance(look, JointSpaceWidth)]
    return width, float(np.std(found, ddof=1)) if len(found) > 1 else None, joint


@dataclass(frozen=True, eq=False)
class Measurer:
    """Measures the hips of a store.

    Args:
        store: The hips.
        region: What the minimum is taken over (`hipjsw.jsw.profile.REGIONS`).
        borders: Whether to judge borders too; it takes longer than measuring.
    """

    store: Store
    region: str = "sourcil"
    borders: bool = True

    def __call__(self, output: HipOutput) -> HipRecord:
        """Measure one hip; its width is not calibrated yet."""
        pixel_mm, probs = self.store.view.pixel_mm, output.looks.mean(axis=0)
        width, spread_mm, _ = measure_looks(output.looks, pixel_mm, self.region)
        label, firing = _hard(output.target), output.masks.sum(axis=0)
        return HipRecord(
            row=output.row,
            dice=output.dice,
            width=width,
            raw_mm=width.mjsw_mm if isinstance(width, JointSpaceWidth) else None,
            spread_mm=spread_mm,
            surface=self._borders(output, probs) if self.borders else {},
            study=study_width(output.masks, pixel_mm) if self.borders else None,
            study_label=study_width(label, pixel_mm) if self.borders else None,
            embedding=output.embedding if output.embedding.size else None,
            label_mm=None if self.region == "sourcil" else self._label_mm(output.row),
            unlabelled=float((label.any(axis=0) & (firing == 0)).mean()),
            multiple=float((firing > 1).mean()),
        )

    def label(self, row: int) -> JointSpaceWidth | Unmeasurable:
        """The label's own width and profile, from the curves through its landmarks, in mm of the view."""
        return measure_landmarks(self._landmarks(row), region=self.region)

    def _label_mm(self, row: int) -> float:
        label = self.label(row)
        return label.mjsw_mm if isinstance(label, JointSpaceWidth) else float("nan")

    def _landmarks(self, row: int) -> HipLandmarks:
        view = self.store.view
        return HipLandmarks((self.store.landmarks_px[row] - view.margin_px) * view.pixel_mm, Side.RIGHT)

    def _borders(self, output: HipOutput, probs: NDArray[np.float32]) -> dict[str, SurfaceAgreement]:
        pixel_mm, planes = self.store.view.pixel_mm, output.target
        whole = {name: surface_agreement(probs[n], planes[n], pixel_mm) for n, name in enumerate(FOREGROUND)}
        sourcil_mm = self._landmarks(output.row).sourcil.sample(0.5)
        return whole | {
            name: surface_agreement(probs[n], planes[n], pixel_mm, sourcil_mm) for name, n in BEARING.items()
        }


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a run knows of its own measurements: how far they err, and which hips are unlike those it knows.

    Args:
        calibration: Correction and interval; None where too few hips were there to learn from.
        typicality: What the known hips look like to the network; None likewise.
    """

    calibration: Calibration | None = None
    typicality: Typicality | None = None

    def __call__(self, records: Sequence[HipRecord]) -> list[HipRecord]:
        """Calibrate the widths, and refuse those that cannot be trusted."""
        return [self._judged(record) for record in records]

    def _judged(self, record: HipRecord) -> HipRecord:
        width, distance = record.width, record.typicality
        if self.typicality is not None and record.embedding is not None:
            distance = float(self.typicality.distance(record.embedding[None])[0])
        if isinstance(width, JointSpaceWidth) and distance is not None and distance > 1.0:
            width = Unmeasurable(
                "unlike the hips the network knows: another pose, an implant, a child, a cut film or no hip at all"
            )
        if isinstance(width, JointSpaceWidth) and self.calibration is not None:
            width = self.calibration.apply(width, record.spread_mm)
        return replace(record, width=width, typicality=distance)


def fit_judgement(records: Sequence[HipRecord], measurer: Measurer) -> Judgement:
    """Learn from hips that no weight was trained on.

    The known width is the exact one where every hip has one (a phantom), else the label's.

    Args:
        records: What was measured on them.
        measurer: How.
    """
    hips = measurer.store.hips
    persons = hips["person"].loc[[r.row for r in records]].to_numpy()
    typicality = None
    if records and all(r.embedding is not None for r in records):
        typicality = fit_typicality(np.stack([r.embedding for r in records if r.embedding is not None]), persons)
    exact = bool(records) and bool(hips["mjsw_truth_mm"].loc[[r.row for r in records]].notna().all())
    exact = exact and measurer.region == "sourcil"
    found = []
    for record, person in zip(records, persons, strict=True):
        label = measurer.label(record.row)
        if isinstance(record.width, JointSpaceWidth) and isinstance(label, JointSpaceWidth):
            known = float(hips["mjsw_truth_mm"].loc[record.row]) if exact else label.mjsw_mm
            found.append((record.width, record.spread_mm, known, person, label.profile_mm))
    if not found:
        return Judgement(None, typicality)
    widths, spread, known_mm, owners, profiles = zip(*found, strict=True)
    calibration = fit_calibration(
        widths, spread, np.array(known_mm), np.array(owners), profiles, "truth" if exact else "label"
    )
    return Judgement(calibration, typicality)


def _hard(coverage: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The largest class of each pixel as masks; background is what the three leave."""
    rest = 1.0 - coverage.sum(axis=0, keepdims=True)
    winner = np.concatenate([rest, coverage]).argmax(axis=0)
    return np.stack([winner == n for n in (1, 2, 3)])
