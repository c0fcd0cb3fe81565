"""One examined film to its hip views and label planes: the work of preparing, film by film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import LabelError, label_planes
from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.cohort.examination import ExaminedHip, ImportOptions, examine_film, unforeseen
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.geometry import packed
from hipjsw.cohort.layout import FilmEntry
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.spacing import PixelSpacing
from hipjsw.imaging.view import HipView, ViewSpec

__all__ = ["Draw", "PrepareOptions", "PreparedFilm", "PreparedHip", "prepare_film", "prepare_hip"]

#: What shows a hip in a view: the image in [0, 1] and the mask of what the film covers.
Draw = Callable[[HipView], tuple[NDArray[np.float32], NDArray[np.bool_]]]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PrepareOptions:
    """What a hip is made into: its view, its labels, and how films and points are understood."""

    view: ViewSpec
    labels: str
    imports: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True, eq=False)
class PreparedHip:
    """The arrays of one usable hip, as they go into the store; all None for a hip that is left out.

    Args:
        side: The patient's side.
        image: ``(rows, cols)`` uint16, 0..65535 for 0..1.
        planes: ``(4, rows, cols)`` uint8: femur, acetabulum, joint space, weight, 0..255 for 0..1.
        landmarks_px: ``(80, 2)`` landmarks ``(row, col)`` in view pixels.
        geometry: ``(8,)`` where the view lies: `hipjsw.cohort.geometry`.
    """

    side: Side
    image: NDArray[np.uint16] | None = None
    planes: NDArray[np.uint8] | None = None
    landmarks_px: Floats | None = None
    geometry: Floats | None = None


@dataclass(frozen=True, eq=False)
class PreparedFilm:
    """What came of one film; ``hips`` are in the order of ``record.hips``."""

    record: FilmRecord
    hips: tuple[PreparedHip, ...]


def prepare_film(root: Path, entry: FilmEntry, options: PrepareOptions) -> PreparedFilm:
    """Prepare the hips of a film; never raises for what is wrong with the film.

    Args:
        root: The folder the entry's paths start from.
        entry: The film.
        options: What its hips are made into.
    """
    seen = examine_film(root, entry, options.imports)
    film, spacing = seen.film, seen.record.spacing
    if film is None or spacing is None:
        return PreparedFilm(seen.record, tuple(PreparedHip(Side(hip.side)) for hip in seen.record.hips))
    draw = partial(_resampled, film, options.view)
    return prepared(seen.record, [_safely(hip, draw, film.shape, spacing, options, entry.film) for hip in seen.hips])


def prepared(record: FilmRecord, hips: Sequence[tuple[ExaminedHip, PreparedHip]]) -> PreparedFilm:
    """A film's record with its hips as they were after drawing, and their arrays."""
    known = {(finding.rule, finding.side, finding.message) for finding in record.findings}
    added = [f for hip, _ in hips for f in hip.findings if (f.rule, f.side, f.message) not in known]
    records = tuple(hip.record for hip, _ in hips)
    return PreparedFilm(
        replace(record, hips=records, findings=(*record.findings, *added)), tuple(arrays for _, arrays in hips)
    )


def prepare_hip(
    draw: Draw, hip: ExaminedHip, film_shape: tuple[int, int], spacing: PixelSpacing, options: PrepareOptions, name: str
) -> tuple[ExaminedHip, PreparedHip]:
    """Label and show one examined hip.

    Args:
        draw: Shows the hip in its view; called only for a hip that is used.
        hip: The hip; one that is left out already stays so.
        film_shape: ``(rows, cols)`` of its film.
        spacing: The film's spacing.
        options: What the hip is made into.
        name: The film's name, for findings.

    Returns:
        The hip, left out if no labels can be made of its points, and its arrays.
    """
    side = Side(hip.record.side)
    if hip.record.reason or hip.landmarks is None or hip.record.head_mm is None:
        return hip, PreparedHip(side)
    spec = options.view
    view = HipView.laid(spec, film_shape, spacing, np.array(hip.record.head_mm), side is Side.LEFT)
    in_view = HipLandmarks(view.from_film_mm(hip.landmarks.points), side)
    try:
        coverage, judged = label_planes(in_view, spec.stored_shape, options.labels)
    except LabelError as error:
        return _left_out(hip, name, "crossing_curves", str(error)), PreparedHip(side)
    image, inside = draw(view)
    weight = judged if spec.judge_padding else judged * inside
    arrays = PreparedHip(
        side=side,
        image=np.round(image * 65535).astype(np.uint16),
        planes=np.round(np.concatenate([coverage[1:], weight[None]]) * 255).astype(np.uint8),
        landmarks_px=in_view.points,
        geometry=packed(view, film_shape),
    )
    centre_mm = (float(view.centre_mm[0]), float(view.centre_mm[1]))
    return replace(hip, record=replace(hip.record, centre_mm=centre_mm)), arrays


def _safely(
    hip: ExaminedHip,
    draw: Draw,
    film_shape: tuple[int, int],
    spacing: PixelSpacing,
    options: PrepareOptions,
    name: str,
) -> tuple[ExaminedHip, PreparedHip]:
    """`prepare_hip`; whatever one hip does, the batch goes on."""
    try:
        return prepare_hip(draw, hip, film_shape, spacing, options, name)
    except Exception as error:
        message = unforeseen(error)
        return _left_out(hip, name, "failed", message), PreparedHip(Side(hip.record.side))


def _left_out(hip: ExaminedHip, film: str, rule: str, message: str) -> ExaminedHip:
    record: HipRecord = replace(hip.record, reason=rule)
    said = Finding(film, rule, f"{hip.record.side} hip: {message}", hip.record.side)
    return ExaminedHip(record, hip.landmarks, (*hip.findings, said))


def _resampled(film: Radiograph, spec: ViewSpec, view: HipView) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    return view.normalised(film, spec)
