"""What was measured on a DICOM film as DICOM: a segmentation (SEG) and a structured report (SR, TID 1500).

Both belong to the source's patient and study, as DICOM demands: whoever has them knows whose film it was. Masks lie on
the film's own pixels; widths are in millimetres and point at the two places they were measured between. Coordinates
of an SR are (column, row), the middle of the first pixel at (0.5, 0.5) (PS3.3 C.18.6).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import cv2
import highdicom as hd
import numpy as np
from highdicom import sr
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

import hipjsw
from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.view import HipView
from hipjsw.inference.measure import MeasuredFilm, MeasuredHip
from hipjsw.jsw.profile import JointSpaceWidth

__all__ = ["DicomReportError", "film_masks", "segmentation", "structured_report", "write_dicom_reports"]

#: Codes that no public scheme has.
SCHEME = "99HIPJSW"
MAKER, MODEL = "hipjsw", "hipjsw measure"
#: What both objects take over from the film; empty where it has none.
_TAKEN = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate"),
    *("StudyTime", "ReferringPhysicianName"),
)
_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Rows", "Columns")
#: Where a header says how large pixels are.
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_LATERALITY = {Side.RIGHT: codes.SCT.Right, Side.LEFT: codes.SCT.Left}
_TYPES = (
    ("femur", codes.SCT.Femur),
    ("acetabulum", codes.SCT.Acetabulum),
    ("joint space", hd.sr.CodedConcept("JS", SCHEME, "Joint space of hip")),
)
_WIDTHS = (
    ("mjsw_mm", "MJSW", "Minimum joint space width"),
    ("p5_mm", "JSWP5", "5th percentile of joint space width"),
    ("mean_mm", "JSWMEAN", "Mean joint space width"),
)


class DicomReportError(ValueError):
    """A film of which no DICOM report can be made; the message says why."""


def write_dicom_reports(film: Path, measured: MeasuredFilm, model_hash: str, stem: Path) -> list[Path]:
    """Write ``<stem>.seg.dcm`` and ``<stem>.sr.dcm``; nothing where no hip was found.

    Args:
        film: The film's DICOM file.
        measured: What was measured on it.
        model_hash: Of the model.
        stem: Path without the endings.

    Returns:
        What was written.

    Raises:
        DicomReportError: A header without study, series or instance.
    """
    if not measured.hips:
        return []
    source = _source(film)
    if measured.spacing is None:  # a spacing of zero, say, would be copied
        for name in _SPACINGS:
            source.pop(name, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they repeat what a header says, names of patients too
        made: list[tuple[str, Dataset]] = [
            (".seg.dcm", segmentation(source, measured, model_hash)),
            (".sr.dcm", structured_report(source, measured, model_hash)),
        ]
    paths = [stem.with_name(stem.name + ending) for ending, _ in made]
    for path, (_, content) in zip(paths, made, strict=True):
        content.save_as(path)
    return paths


def _source(film: Path) -> Dataset:
    source = dcmread(film, stop_before_pixels=True, force=True)
    missing = [name for name in _NEEDED if name not in source]
    if missing:
        raise DicomReportError(
            f"{film.name}: the header has no {missing[0]}, so a DICOM report could not name the film"
        )
    for name in _TAKEN:
        if name not in source:
            setattr(source, name, "")
    return source


def film_masks(hip: MeasuredHip, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The likeliest class of each pixel of the film, ``(3, rows, cols)``; none outside the view."""
    rows, cols = _on_film(hip.view, shape)
    mapping = _film_to_view(hip.view)
    mapping[:, 2] += mapping[:, :2] @ (cols.start, rows.start)
    planes = np.concatenate([1.0 - hip.probs.sum(axis=0, keepdims=True), hip.probs]).astype(np.float32)
    border = (1.0, 0.0, 0.0, 0.0)
    drawn = np.stack(
        [
            cv2.warpAffine(
                plane,
                mapping,
                (cols.stop - cols.start, rows.stop - rows.start),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=value,
            )
            for plane, value in zip(planes, border, strict=True)
        ]
    )
    masks = np.zeros((3, *shape), dtype=np.bool_)
    masks[:, rows, cols] = drawn.argmax(axis=0) == np.arange(1, 4)[:, None, None]
    return masks


def _on_film(view: HipView, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the film that the view can touch."""
    ends = [(-1.0, float(size)) for size in view.shape]
    corners = np.array([(row, col) for row in ends[0] for col in ends[1]])
    on_film = view.spacing.to_px(view.to_film_mm(corners))
    low = np.clip(np.floor(on_film.min(axis=0)).astype(int), 0, np.array(shape) - 1)
    high = np.clip(np.ceil(on_film.max(axis=0)).astype(int) + 1, low + 1, shape)
    return slice(low[0], high[0]), slice(low[1], high[1])


def _film_to_view(view: HipView) -> NDArray[np.float64]:
    """OpenCV's matrix ``(2, 3)`` from ``(x, y, 1)`` on the film to ``(x, y)`` in the view."""
    corners = view.spacing.to_mm(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    origin, down, right = view.from_film_mm(corners)
    steps = np.stack([right - origin, down - origin, origin], axis=1)  # rows: view's row and column
    return np.ascontiguousarray(steps[::-1])


def segmentation(source: Dataset, measured: MeasuredFilm, model_hash: str) -> hd.seg.Segmentation:
    """Femur, acetabulum and joint space of each hip on the film's pixels.

    Args:
        source: The film's header.
        measured: What was measured on it; at least one hip.
        model_hash: Of the model.
    """
    hips, spacing = measured.hips, measured.spacing
    masks = np.concatenate([film_masks(hip, (source.Rows, source.Columns)) for hip in hips])
    measures = None if spacing is None else hd.PixelMeasuresSequence([spacing.row_mm, spacing.col_mm], None)
    algorithm = hd.AlgorithmIdentificationSequence(
        name=MODEL,
        family=codes.cid7162.ArtificialIntelligence,
        version=hipjsw.__version__,
        parameters={"model": model_hash[:16]},
    )
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"{name}, {hip.side.value} hip",
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=kind,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
        )
        for number, (hip, (name, kind)) in enumerate(((hip, one) for hip in hips for one in _TYPES), 1)
    ]
    made = hd.seg.Segmentation(
        source_images=[source],
        pixel_array=np.moveaxis(masks, 0, -1)[None].astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=descriptions,
        series_instance_uid=_uid(source, model_hash, "seg series"),
        series_number=9001,
        sop_instance_uid=_uid(source, model_hash, "seg"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MODEL,
        software_versions=hipjsw.__version__,
        device_serial_number=model_hash[:16],
        pixel_measures=measures,
        omit_empty_frames=False,
    )
    made.PatientOrientation = source.get("PatientOrientation", "")  # may be empty, but has to be there
    return made


def structured_report(source: Dataset, measured: MeasuredFilm, model_hash: str) -> hd.sr.ComprehensiveSR:
    """The widths of each hip with the places they were measured between, TID 1500.

    Args:
        source: The film's header.
        measured: What was measured; without a spacing there is no length to be reported.
        model_hash: Of the model.
    """
    device = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=_uid(source, model_hash, "device"), name=MODEL, manufacturer_name=MAKER, model_name=hipjsw.__version__
        ),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=device),
        procedure_reported=hd.sr.CodedConcept("XRHIP", SCHEME, "Radiography of hip"),
        imaging_measurements=[_group(source, hip, measured, model_hash) for hip in measured.hips],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return hd.sr.ComprehensiveSR(
        evidence=[source],
        content=content,
        series_instance_uid=_uid(source, model_hash, "sr series"),
        series_number=9002,
        sop_instance_uid=_uid(source, model_hash, "sr"),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
    )


def _group(
    source: Dataset, hip: MeasuredHip, measured: MeasuredFilm, model_hash: str
) -> sr.MeasurementsAndQualitativeEvaluations:
    """What is said of one hip."""
    judged = hd.sr.CodedConcept("STATUS", SCHEME, "Status of the measurement")
    found = isinstance(hip.width, JointSpaceWidth) and measured.spacing is not None
    status = ("MEASURED", "Measured") if found else ("NOTMEASURED", "Not measured")
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=_uid(source, model_hash, hip.side.value), identifier=f"{hip.side.value} hip"
        ),
        algorithm_id=sr.AlgorithmIdentification(
            name=MODEL, version=hipjsw.__version__, parameters=[f"model={model_hash[:16]}"]
        ),
        finding_sites=[sr.FindingSite(codes.SCT.HipJoint, laterality=_LATERALITY[hip.side])],
        measurements=list(_measurements(source, hip, hip.width)) if found else None,
        qualitative_evaluations=[sr.QualitativeEvaluation(judged, hd.sr.CodedConcept(status[0], SCHEME, status[1]))],
    )


def _measurements(source: Dataset, hip: MeasuredHip, width: JointSpaceWidth | object) -> Iterable[sr.Measurement]:
    assert isinstance(width, JointSpaceWidth)
    witness = np.stack([width.roof_witness_mm, width.head_witness_mm]) / hip.view.pixel_mm
    places = hip.to_film_px(witness)[:, ::-1] + 0.5
    line = sr.CoordinatesForMeasurement(
        sr.GraphicTypeValues.POLYLINE,
        np.clip(places, 0.0, (source.Columns, source.Rows)),
        sr.SourceImageForRegion.from_source_image(source),
    )
    for name, code, words in _WIDTHS:
        yield sr.Measurement(
            name=hd.sr.CodedConcept(code, SCHEME, words),
            value=round(float(getattr(width, name)), 4),
            unit=codes.UCUM.Millimeter,
            referenced_coordinates=[line] if name == "mjsw_mm" else None,
        )


def _uid(source: Dataset, model_hash: str, what: str) -> str:
    """The same for the same film, model and purpose: measuring again replaces a report and adds none."""
    return str(generate_uid(entropy_srcs=[str(source.SOPInstanceUID), model_hash, hipjsw.__version__, what]))
