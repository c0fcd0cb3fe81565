"""What a DICOM header says of its spacing, tag by tag (PS3.3 10.7), and which tag is believed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

__all__ = ["Header", "SpacingTags"]

#: Tags that differ by more than this share are two spacings, not one written twice.
SAME_SHARE = 1e-3
#: A magnification beyond these is no radiograph's.
PLAUSIBLE_MAGNIFICATION = (0.5, 10.0)

_CALIBRATIONS = ("GEOMETRY", "FIDUCIAL")


class Header(Protocol):
    """A DICOM data set as far as it is asked here: values by keyword."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of an element, or the default."""


@dataclass(frozen=True)
class SpacingTags:
    """The spacings of one header; None where a tag is absent or unusable.

    Args:
        pixel: PixelSpacing.
        imager: ImagerPixelSpacing: at the detector, never corrected for magnification.
        scanned: NominalScannedPixelSpacing: on the sheet that was digitised, so at the detector too.
        calibration: PixelSpacingCalibrationType, GEOMETRY or FIDUCIAL; else empty.
        magnification: EstimatedRadiographicMagnificationFactor; None if absent or no radiograph's.
        notes: (rule, message) of what is odd about them; numbers only, no text of the header.
    """

    pixel: PixelSpacing | None
    imager: PixelSpacing | None
    scanned: PixelSpacing | None
    calibration: str
    magnification: float | None
    notes: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, header: Header) -> SpacingTags:
        """Read the tags; whatever stands in them, nothing is raised."""
        calibration = _calibration(header)
        notes: list[tuple[str, str]] = []
        sources = {
            "PixelSpacing": SpacingSource.CALIBRATED if calibration else SpacingSource.PIXEL,
            "ImagerPixelSpacing": SpacingSource.IMAGER,
            "NominalScannedPixelSpacing": SpacingSource.SCANNED,
        }
        pixel, imager, scanned = (_usable(header, tag, source, notes) for tag, source in sources.items())
        if pixel and imager:
            notes.extend(_mismatch(pixel, imager))
        return cls(pixel, imager, scanned, calibration, _magnification(header), tuple(notes))

    @property
    def believed(self) -> PixelSpacing | None:
        """PixelSpacing (calibrated or not), else ImagerPixelSpacing, else NominalScannedPixelSpacing, else None."""
        return self.pixel or self.imager or self.scanned


def _usable(header: Header, tag: str, source: SpacingSource, notes: list[tuple[str, str]]) -> PixelSpacing | None:
    try:
        value = header.get(tag)
        if value is None or value == "":
            return None
        row_mm, col_mm = (float(part) for part in _parts(value))
    except Exception:  # text, one value, three values, or bytes that pydicom cannot make a number of
        notes.append(("bad_spacing", f"{tag} is not two numbers and is passed over"))
        return None
    try:
        return PixelSpacing(row_mm, col_mm, source)
    except ValueError:
        notes.append(("bad_spacing", f"{tag} {row_mm:g}\\{col_mm:g} is no film's spacing and is passed over"))
        return None


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, str | bytes):
        raise TypeError("one value")
    return list(value)


def _mismatch(pixel: PixelSpacing, imager: PixelSpacing) -> list[tuple[str, str]]:
    ratio = imager.mean_mm / pixel.mean_mm
    pairs = ((pixel.row_mm, imager.row_mm), (pixel.col_mm, imager.col_mm))
    if all(math.isclose(one, other, rel_tol=SAME_SHARE) for one, other in pairs):
        return []
    said = (
        f"PixelSpacing {pixel.row_mm:g}\\{pixel.col_mm:g} and ImagerPixelSpacing {imager.row_mm:g}\\{imager.col_mm:g} "
        f"differ by {100 * abs(ratio - 1):.2g} % in the mean; PixelSpacing is used"
    )
    return [("spacing_mismatch", said)]


def _calibration(header: Header) -> str:
    try:
        said = str(header.get("PixelSpacingCalibrationType", "")).strip().upper()
    except Exception:  # an odd value is none
        return ""
    return said if said in _CALIBRATIONS else ""


def _magnification(header: Header) -> float | None:
    low, high = PLAUSIBLE_MAGNIFICATION
    try:
        value = float(header.get("EstimatedRadiographicMagnificationFactor"))
    except Exception:  # absent, or an odd value
        return None
    return value if low <= value <= high else None
