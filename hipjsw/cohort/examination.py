"""One film and its points, examined: what they are, which hips are usable, and what is wrong with the rest."""

from __future__ import annotations

import contextlib
import hashlib
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hipjsw.anatomy.landmarks import HipLandmarks, Side
from hipjsw.anatomy.points_file import PointsError
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.layout import FilmEntry
from hipjsw.cohort.plausibility import hip_faults, pair_faults
from hipjsw.cohort.point_placing import POINTS_SPACINGS, PlacedPoints, place_points
from hipjsw.cohort.rules import Severity
from hipjsw.cohort.sources import digest
from hipjsw.imaging.burned_in import burned_in_text
from hipjsw.imaging.metal import METAL_SHARE, PROSTHESIS_SHARE, metal_share
from hipjsw.imaging.radiograph import FilmError, Radiograph
from hipjsw.imaging.reading import read_film
from hipjsw.imaging.spacing import PLAUSIBLE_MM, PixelSpacing
from hipjsw.jsw.profile import Unmeasurable, measure_landmarks

__all__ = ["Examined", "ExaminedHip", "ImportOptions", "examine_film", "examine_hip", "unforeseen"]

#: Identical pixels are told by every so many-th row and column: no two films agree in so many.
_DIGEST_STEP = 4


@dataclass(frozen=True)
class ImportOptions:
    """How films and points are understood.

    Args:
        points_spacing: The tag that millimetres in points files rest on: ``pixel``, ``imager``, or ``auto``.
        spacing_mm: Spacing of all films in mm, over any header's; None for the films' own.
        voi: Whether a DICOM header's VOI LUT or first window shapes the grey values.

    Raises:
        ValueError: Another word, or a spacing that is none.
    """

    points_spacing: str = "auto"
    spacing_mm: float | None = None
    voi: bool = False

    def __post_init__(self) -> None:
        if self.points_spacing not in POINTS_SPACINGS:
            raise ValueError(f"points_spacing is one of {', '.join(POINTS_SPACINGS)}, not {self.points_spacing!r}")
        low, high = PLAUSIBLE_MM
        if self.spacing_mm is not None and not low <= self.spacing_mm <= high:
            raise ValueError(
                f"spacing_mm is the distance of two pixels in mm, between {low} and {high}, not {self.spacing_mm!r}"
            )


@dataclass(frozen=True, eq=False)
class ExaminedHip:
    """One hip: what is kept of it, and its landmarks on the film in mm where there are any."""

    record: HipRecord
    landmarks: HipLandmarks | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Examined:
    """A film with all that was found.

    Args:
        record: What is kept of it.
        film: Its pixels; None where they could not be read.
        hips: Its hips in the order of ``record.hips``.
    """

    record: FilmRecord
    film: Radiograph | None
    hips: tuple[ExaminedHip, ...] = ()


def examine_film(root: Path, entry: FilmEntry, options: ImportOptions) -> Examined:
    """Examine one film; never raises for what is wrong with it.

    Args:
        root: The folder the entry's paths start from.
        entry: The film.
        options: How films and points are understood.
    """
    said: list[Finding] = []
    film, hips = _looked_at(root, entry, options, said)
    reason = ",".join(dict.fromkeys(f.rule for f in said if f.severity is Severity.ERROR and not f.side))
    if not hips:
        sides = [entry.side] if entry.side else [side.value for side in Side]
        hips = tuple(ExaminedHip(HipRecord(side, reason or "failed"), None) for side in sides)
    said += [finding for hip in hips for finding in hip.findings]
    record = FilmRecord(
        entry=entry,
        film_digest=digest(root, [entry.film]),
        points_digest=digest(root, [file.path for file in entry.points]),
        pixel_digest=_pixel_digest(film) if film else "",
        facts=film.facts if film else None,
        spacing=film.spacing if film else None,
        hips=tuple(hip.record for hip in hips),
        findings=tuple(said),
    )
    return Examined(record, film, hips)


def _looked_at(
    root: Path, entry: FilmEntry, options: ImportOptions, said: list[Finding]
) -> tuple[Radiograph | None, tuple[ExaminedHip, ...]]:
    """The film, if it can be read, and its hips, if it has points; what is noticed is added to ``said``."""
    film: Radiograph | None = None
    try:
        film = read_film(root / entry.film, entry.spacing_mm or options.spacing_mm, options.voi)
        said += _film_findings(entry, film)
        if not entry.points:
            raise FilmError("film_without_points", f"{entry.film}: no .pts file, so there is nothing to label")
        if film.spacing is None:
            raise FilmError("no_spacing", f"{entry.film}: no usable pixel spacing, so no millimetres")
        placed = place_points(root, entry, film, options.points_spacing)
        hips, of_points = _hips(entry, film, film.spacing, placed)
        said += of_points
        return film, hips
    except (FilmError, PointsError) as error:
        said.append(Finding(entry.film, error.rule, str(error)))
    except Exception as error:  # whatever else one film does, the batch goes on
        said.append(Finding(entry.film, "failed", unforeseen(error)))
    return film, ()


def unforeseen(error: Exception) -> str:
    """The error's kind and place; its text may hold what a header says."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{error.__class__.__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def examine_hip(film: str, landmarks: HipLandmarks, film_shape: tuple[int, int], spacing: PixelSpacing) -> ExaminedHip:
    """Check and measure one hip by its points alone.

    Args:
        film: The film's name, for findings.
        landmarks: The hip's landmarks on the film in mm.
        film_shape: ``(rows, cols)`` of the film.
        spacing: The film's spacing.
    """
    side = landmarks.side.value
    faults = list(hip_faults(landmarks, film_shape, spacing))
    mjsw_mm: float | None = None
    if not faults:
        width = measure_landmarks(landmarks)
        if isinstance(width, Unmeasurable):
            faults.append(("no_width", width.reason))
        else:
            mjsw_mm = width.mjsw_mm
    head_mm, diameter_mm = _head(landmarks)
    record = HipRecord(side, ",".join(dict.fromkeys(rule for rule, _ in faults)), mjsw_mm, diameter_mm, head_mm=head_mm)
    said = tuple(Finding(film, rule, f"{side} hip: {message}", side) for rule, message in faults)
    return ExaminedHip(record, landmarks, said)


def _head(landmarks: HipLandmarks) -> tuple[tuple[float, float] | None, float | None]:
    """Centre and diameter of the head in mm; None where its points lie on a line."""
    with contextlib.suppress(ValueError):
        centre_mm, radius_mm = landmarks.head_circle()
        return (float(centre_mm[0]), float(centre_mm[1])), 2 * radius_mm
    return None, None


def _film_findings(entry: FilmEntry, film: Radiograph) -> list[Finding]:
    facts = film.facts
    said = [] if facts is None else [Finding(entry.film, rule, message) for rule, message in facts.notes]
    if facts is not None and facts.burned_in == "YES":
        said.append(Finding(entry.film, "burned_in_text", "the header says that text is burned into the film"))
    elif burned_in_text(film):
        said.append(Finding(entry.film, "burned_in_text", "something that looks like a line of text"))
    return said


def _hips(
    entry: FilmEntry, film: Radiograph, spacing: PixelSpacing, placed: PlacedPoints
) -> tuple[tuple[ExaminedHip, ...], list[Finding]]:
    """All hips the film should show, right then left, the absent ones too; and what is to be said of the points."""
    found = {
        side: _seen(entry.film, examine_hip(entry.film, marks, film.shape, spacing), film, spacing)
        for side, marks in placed.hips.items()
    }
    faulty = {side.value for side, hip in found.items() if hip.record.reason}
    # where points are no hip, it is no news that they do not fit the film
    said = [f for f in placed.findings if not (f.rule == "misplaced" and f.side in faulty)]
    found = _with_said(found, said)
    plausible = {s: h.landmarks for s, h in found.items() if h.landmarks is not None and not h.record.reason}
    found = _with_faults(entry.film, found, pair_faults(plausible))
    wanted = [Side(entry.side)] if entry.side else list(Side)
    return tuple(found.get(side) or _absent(side, said) for side in wanted), said


def _absent(side: Side, findings: Iterable[Finding]) -> ExaminedHip:
    """A hip without points: the film shows one hip only, or its file could not be used."""
    errors = [f.rule for f in findings if f.severity is Severity.ERROR and f.side in ("", side.value)]
    return ExaminedHip(HipRecord(side.value, ",".join(dict.fromkeys(errors)) or "one_hip"), None)


def _with_faults(
    film: str, hips: Mapping[Side, ExaminedHip], faults: Iterable[tuple[str, str]]
) -> dict[Side, ExaminedHip]:
    """Hips of which something is wrong with the pair: both carry it, the first says it."""
    found = dict(hips)
    for rule, message in faults:
        for nth, (side, hip) in enumerate(found.items()):
            said = (Finding(film, rule, message),) if nth == 0 else ()
            found[side] = ExaminedHip(_left_out(hip.record, rule), hip.landmarks, hip.findings + said)
    return found


def _with_said(hips: Mapping[Side, ExaminedHip], findings: Iterable[Finding]) -> dict[Side, ExaminedHip]:
    """Hips with the errors that placing the points found in them."""
    found = dict(hips)
    for finding in findings:
        if finding.severity is Severity.ERROR:
            for side, hip in found.items():
                if finding.side in ("", side.value):
                    found[side] = ExaminedHip(_left_out(hip.record, finding.rule), hip.landmarks, hip.findings)
    return found


def _seen(name: str, hip: ExaminedHip, film: Radiograph, spacing: PixelSpacing) -> ExaminedHip:
    """The hip with what its pixels show: metal."""
    if hip.record.reason or hip.landmarks is None:
        return hip
    centre_mm, radius_mm = hip.landmarks.head_circle()
    share = metal_share(film, spacing.to_px(centre_mm), radius_mm / spacing.mean_mm)
    side = hip.record.side
    if share.head > PROSTHESIS_SHARE:
        message = f"{side} hip: metal in {100 * share.head:.0f} % of the femoral head"
        said = Finding(name, "prosthesis", message, side)
        return ExaminedHip(_left_out(hip.record, said.rule), hip.landmarks, (*hip.findings, said))
    if share.near > METAL_SHARE:
        message = f"{side} hip: metal in {100 * share.near:.0f} % of the femoral head and what surrounds it"
        return ExaminedHip(hip.record, hip.landmarks, (*hip.findings, Finding(name, "metal", message, side)))
    return hip


def _left_out(hip: HipRecord, rule: str) -> HipRecord:
    reasons = dict.fromkeys([*filter(None, hip.reason.split(",")), rule])
    return HipRecord(
        hip.side, ",".join(reasons), hip.mjsw_mm, hip.head_diameter_mm, hip.truth_mm, hip.head_mm, hip.centre_mm
    )


def _pixel_digest(film: Radiograph) -> str:
    content = hashlib.blake2b(repr((film.shape, film.pixels.dtype.str)).encode(), digest_size=16)
    content.update(np.ascontiguousarray(film.pixels[::_DIGEST_STEP, ::_DIGEST_STEP]).tobytes())
    return content.hexdigest()
