"""One film to its hip views, labels and widths: the work of preparing, film by film."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import LabelError, label_coverage
from hipjsw.anatomy.landmarks import (
    ADULT_HEAD_RADIUS_MM,
    HipLandmarks,
    PointsError,
    Region,
    Side,
    read_points,
    split_sides,
)
from hipjsw.cohort.findings import Finding, Severity
from hipjsw.cohort.layout import FilmEntry
from hipjsw.imaging.dicom import read_dicom
from hipjsw.imaging.radiograph import FilmError, Radiograph
from hipjsw.imaging.spacing import PixelSpacing
from hipjsw.imaging.view import HipView, ViewSpec
from hipjsw.jsw.profile import Unmeasurable, measure_landmarks

__all__ = ["Draw", "PreparedFilm", "PreparedHip", "hip_findings", "left_out", "prepare_film", "prepare_hip"]

#: What shows a hip in a view: the image in [0, 1] and the mask of what the film covers.
Draw = Callable[[HipView], tuple[NDArray[np.float32], NDArray[np.bool_]]]

#: Longest step between points of the femur or the roof when the numbering is right.
LONGEST_STEP_MM = 45.0


@dataclass(frozen=True, eq=False)
class PreparedHip:
    """One hip as it goes into the store, or why it does not.

    Args:
        side: The patient's side.
        reason: Why the hip is left out; empty for a usable one.
        mjsw_mm: Width between the landmark curves, None if there is none.
        truth_mm: Exact width where the maker of the hip knows it and no file beside the films says it.
        image: ``(rows, cols)`` uint16, 0..65535 for 0..1 (usable hips).
        planes: ``(4, rows, cols)`` uint8: femur, acetabulum, joint space, weight, 0..255 for 0..1.
        landmarks_px: ``(80, 2)`` landmarks in view pixels.
        centre_mm: ``(2,)`` film place under the view's centre in mm.
    """

    side: Side
    reason: str
    mjsw_mm: float | None = None
    truth_mm: float | None = None
    image: NDArray[np.uint16] | None = None
    planes: NDArray[np.uint8] | None = None
    landmarks_px: NDArray[np.float64] | None = None
    centre_mm: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class PreparedFilm:
    """What came of one film.

    Args:
        entry: The film.
        spacing: Its spacing, None without one (or where the film could not be read).
        digest: Hash of film and points bytes.
        hips: Two hips, right then left.
        findings: What was noticed.
    """

    entry: FilmEntry
    spacing: PixelSpacing | None
    digest: str
    hips: tuple[PreparedHip, ...]
    findings: tuple[Finding, ...]


def prepare_film(cohort: Path, entry: FilmEntry, view: ViewSpec, labels: str) -> PreparedFilm:
    """Prepare both hips of a film; never raises for what is wrong with the film.

    Args:
        cohort: The cohort folder the entry's paths start from.
        entry: The film.
        view: What each view shows.
        labels: Name of the way labels are made.
    """
    film: Radiograph | None = None
    try:
        if entry.points is None:
            raise FilmError("film_without_points", "no .pts file; the film cannot be labelled and is left out")
        film = read_dicom(cohort / entry.film)
        if film.spacing is None:
            raise FilmError("no_spacing", "no usable pixel spacing in the header, so no millimetres; left out")
        sides = split_sides(read_points(cohort / entry.points))
    except (FilmError, PointsError) as error:
        rule = error.rule if isinstance(error, FilmError) else "bad_points"
        return left_out(entry, film.spacing if film else None, _digest(cohort, entry), rule, str(error))
    except Exception as error:  # whatever else one film does, the batch goes on
        message = f"{entry.film}: {error.__class__.__name__}: {error}"
        return left_out(entry, film.spacing if film else None, _digest(cohort, entry), "failed", message)
    draw = partial(_resampled, film, view)
    hips = tuple(prepare_hip(draw, film.shape, film.spacing, marks, view, labels) for marks in sides.values())
    return PreparedFilm(entry, film.spacing, _digest(cohort, entry), hips, hip_findings(entry, hips))


def left_out(entry: FilmEntry, spacing: PixelSpacing | None, digest: str, rule: str, message: str) -> PreparedFilm:
    """A film of which no hip is used, with the finding that says why."""
    hips = tuple(PreparedHip(side, rule) for side in Side)
    return PreparedFilm(entry, spacing, digest, hips, (Finding(entry.film, Severity.ERROR, rule, message),))


def hip_findings(entry: FilmEntry, hips: Sequence[PreparedHip]) -> tuple[Finding, ...]:
    """What is to be said of hips that are left out of a film that is used."""
    return tuple(
        Finding(entry.film, Severity.ERROR, "implausible_hip", f"{hip.side} hip left out: {hip.reason}")
        for hip in hips
        if hip.reason
    )


def _resampled(film: Radiograph, spec: ViewSpec, view: HipView) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    return view.normalised(film, spec)


def prepare_hip(
    draw: Draw,
    film_shape: tuple[int, int],
    spacing: PixelSpacing,
    landmarks: HipLandmarks,
    spec: ViewSpec,
    labels: str,
) -> PreparedHip:
    """Check, measure, label and show one hip; never raises for what is wrong with its points.

    Args:
        draw: Shows the hip in its view; called only for a hip that is used.
        film_shape: ``(rows, cols)`` of its film.
        spacing: The film's spacing.
        landmarks: The hip's landmarks on the film in mm.
        spec: What the view shows.
        labels: Name of the way labels are made.
    """
    side = landmarks.side
    try:
        centre_mm = _plausible_centre_mm(landmarks, film_shape, spacing)
        width = measure_landmarks(landmarks)
        if isinstance(width, Unmeasurable):
            return PreparedHip(side, width.reason)
        view = HipView.laid(spec, film_shape, spacing, centre_mm, side is Side.LEFT)
        in_view = HipLandmarks(view.from_film_mm(landmarks.points), side)
        coverage = label_coverage(in_view, spec.stored_shape, labels)
        if in_view.points[70, 1] >= in_view.points[74, 1]:
            raise ValueError("the roof runs outwards: points of the two sides exchanged, or the film is mirrored")
    except (LabelError, ValueError) as error:
        return PreparedHip(side, str(error))
    except Exception as error:
        return PreparedHip(side, f"{error.__class__.__name__}: {error}")
    image, inside = draw(view)
    weight = np.ones_like(image) if spec.judge_padding else inside.astype(np.float32)
    planes = np.concatenate([coverage[1:], weight[None]])
    return PreparedHip(
        side=side,
        reason="",
        mjsw_mm=width.mjsw_mm,
        image=np.round(image * 65535).astype(np.uint16),
        planes=np.round(planes * 255).astype(np.uint8),
        landmarks_px=in_view.points,
        centre_mm=view.centre_mm,
    )


def _plausible_centre_mm(
    landmarks: HipLandmarks, film_shape: tuple[int, int], spacing: PixelSpacing
) -> NDArray[np.float64]:
    """Centre of the head in mm.

    Raises:
        ValueError: Points that are no adult hip on this film, with the number that shows it.
    """
    centre_mm, radius_mm = landmarks.head_circle()
    low, high = ADULT_HEAD_RADIUS_MM
    if not low <= radius_mm <= high:
        raise ValueError(f"femoral head radius {radius_mm:.1f} mm is not between {low:.0f} and {high:.0f} mm")
    for name, region in (("femur", Region.FEMUR), ("roof", Region.ROOF)):
        step_mm = float(np.linalg.norm(np.diff(landmarks.points[region], axis=0), axis=1).max())
        if step_mm > LONGEST_STEP_MM:
            raise ValueError(f"a step of {step_mm:.3g} mm along the {name}; are the points in the 160-point order?")
    joint_px = spacing.to_px(np.concatenate([landmarks.points[Region.HEAD], landmarks.points[Region.SOURCIL]]))
    if (joint_px < -0.5).any() or (joint_px > np.asarray(film_shape) - 0.5).any():
        raise ValueError("head or roof points lie outside the film")
    return centre_mm


def _digest(cohort: Path, entry: FilmEntry) -> str:
    content = hashlib.blake2b(digest_size=16)
    for name in (entry.film, entry.points):
        if name is not None:
            with contextlib.suppress(OSError), (cohort / name).open("rb") as file:
                content.update(hashlib.file_digest(file, "blake2b").digest())
    return content.hexdigest()
