"""What is written of one film beside its rows: pictures, curves, DICOM reports, each named by the film."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.anatomy.points_file import write_points
from hipjsw.cohort.examination import unforeseen
from hipjsw.inference.measure import MeasuredFilm, MeasuredHip
from hipjsw.inference.measurement import Row
from hipjsw.jsw.polyline import evenly
from hipjsw.reporting.overlay import draw_overlay, png_bytes

__all__ = [
    "CURVES",
    "CURVE_POINTS",
    "OVERLAYS",
    "REPORTS",
    "hip_pictures",
    "overlay_name",
    "remove_files",
    "said_of",
    "write_curves",
    "write_overlays",
    "write_reports",
]

#: Folders of the results.
OVERLAYS, CURVES, REPORTS = "overlays", "points", "dicom"
#: Points of the head's margin, then of the sourcil, in a file of curves; both from lateral to medial.
CURVE_POINTS = (40, 20)
#: Longest readable part of a file's name.
_LONGEST = 80


def write_overlays(out: Path, name: str, measured: MeasuredFilm, rows: Sequence[Row]) -> None:
    """Draw each hip, and beside it the film alone.

    Args:
        out: Folder of the results.
        name: What the film is called.
        measured: What was measured on it.
        rows: Its rows.
    """
    folder = out / OVERLAYS
    folder.mkdir(parents=True, exist_ok=True)
    by_side = {row["side"]: row for row in rows}
    for hip in measured.hips:
        row = by_side[hip.side.value]
        note = row["reason"] if row["status"] == "measured" else ""
        drawn = draw_overlay(hip, [f"{hip.side.value}: {said_of(row)}", *filter(None, [note])])
        for picture, bare in ((drawn, False), (draw_overlay(hip, bare=True), True)):
            (folder / overlay_name(name, hip.side.value, bare)).write_bytes(png_bytes(picture))


def write_curves(out: Path, name: str, measured: MeasuredFilm) -> None:
    """Write each hip's curves as ``<film>-<side>-mm.pts``, or ``-px.pts`` where the film has no spacing.

    ``CURVE_POINTS`` at equal steps: the head's margin, then the sourcil. A hip without curves has no file.

    Args:
        out: Folder of the results.
        name: What the film is called.
        measured: What was measured on it.
    """
    folder = out / CURVES
    folder.mkdir(parents=True, exist_ok=True)
    unit = "px" if measured.spacing is None else "mm"
    for hip in measured.hips:
        if hip.contours is not None:
            write_points(folder / f"{_safe(name)}-{hip.side.value}-{unit}.pts", _curves(hip, unit == "mm"))


def _curves(hip: MeasuredHip, in_mm: bool) -> NDArray[np.float64]:
    assert hip.contours is not None
    parts = zip((hip.contours.head_px, hip.contours.sourcil_px), CURVE_POINTS, strict=True)
    view_px = np.concatenate([evenly(curve, count) for curve, count in parts])
    return hip.view.to_film_mm(view_px) if in_mm else hip.to_film_px(view_px)


def write_reports(out: Path, path: Path, name: str, measured: MeasuredFilm, model_hash: str) -> str:
    """SEG and SR; a film whose header cannot be pointed at or copied has none, and its rows stand all the same.

    Args:
        out: Folder of the results.
        path: The film's file.
        name: What the film is called.
        measured: What was measured on it.
        model_hash: Of the model.

    Returns:
        Why there is none; empty where there is.
    """
    from hipjsw.reporting.dicom_report import DicomReportError, write_dicom_reports  # highdicom takes a second

    folder = out / REPORTS
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write_dicom_reports(path, measured, model_hash, folder / _safe(name))
    except DicomReportError as error:
        return str(error)
    except Exception as error:  # a header's value that DICOM does not allow, in as many ways as there are
        return f"no DICOM report: the header has a value that cannot be copied ({unforeseen(error)})"
    return ""


def remove_files(out: Path, name: str) -> None:
    """Remove what an earlier measurement wrote of a film.

    Args:
        out: Folder of the results.
        name: What the film is called.
    """
    pictures = [overlay_name(name, side.value, bare) for side in Side for bare in (False, True)]
    curves = [f"{_safe(name)}-{side.value}-{unit}.pts" for side in Side for unit in ("mm", "px")]
    reports = [f"{_safe(name)}.{kind}.dcm" for kind in ("seg", "sr")]
    for folder, names in ((OVERLAYS, pictures), (CURVES, curves), (REPORTS, reports)):
        for one in names:
            (out / folder / one).unlink(missing_ok=True)


def _safe(film: str) -> str:
    """A film's name, as far as any disk takes it, and a few letters that make it its own."""
    digest = hashlib.sha256(film.encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', film)[-_LONGEST:]}-{digest}"


def overlay_name(film: str, side: str, bare: bool = False) -> str:
    """Name of a hip's picture.

    Args:
        film: What the film is called.
        side: The patient's side.
        bare: Of the picture without drawing.
    """
    return f"{_safe(film)}-{side}{'-film' if bare else ''}.png"


def hip_pictures(out: Path, film: str, side: str) -> tuple[str, str] | None:
    """The pictures of a hip, drawn on and bare, by their paths from ``out`` on; None where there are none."""
    drawn, bare = (f"{OVERLAYS}/{overlay_name(film, side, one)}" for one in (False, True))
    return (drawn, bare) if (out / drawn).is_file() and (out / bare).is_file() else None


def said_of(row: Row) -> str:
    """One line on a hip."""
    if row["status"] != "measured":
        return f"{row['status']}: {row['reason']}"
    if row["mjsw_mm"] is None:
        return f"mJSW {row['mjsw_px']:.1f} px, {100 * row['mjsw_per_head']:.1f} % of the head"
    interval = (
        "" if row["mjsw_ci_low_mm"] is None else f" ({row['mjsw_ci_low_mm']:.2f} to {row['mjsw_ci_high_mm']:.2f})"
    )
    return f"mJSW {row['mjsw_mm']:.2f} mm{interval}"
