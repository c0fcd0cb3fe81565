"""The only reader of DICOM films.

Values go the way of DICOM PS3.3 C.11: sense and size of the rescale slope, then inversion for MONOCHROME1 or a
presentation LUT shape INVERSE, by the declared bit depth. Windows are not applied: they are for eyes. Spacing follows
PS3.3 10.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from hipjsw.imaging.radiograph import FilmError, Radiograph
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

__all__ = ["read_dicom"]

#: A larger film is refused before its pixels are touched (a 0.1 mm pelvis film has 17 million pixels).
LARGEST_PIXELS = 100_000_000


def read_dicom(path: Path, spacing_mm: float | None = None) -> Radiograph:
    """Read one film.

    Args:
        path: A single-frame greyscale DICOM file.
        spacing_mm: Spacing in mm that overrules the header's (recorded as ``given``).

    Returns:
        The film, bone bright. Its spacing is None where the header has no usable one.

    Raises:
        FilmError: Not DICOM, no pixels, colour, several frames, too large, a syntax no decoder here reads.
    """
    header = _open(path)
    facts = _facts(header, path.name)
    try:
        pixels = header.pixel_array
    except Exception as error:  # decoders raise anything; the file is named and the batch goes on
        syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
        raise FilmError(
            "undecodable",
            f"{path.name}: pixels cannot be decoded ({getattr(syntax, 'name', 'unknown syntax')}, "
            f"{error.__class__.__name__}); export the film uncompressed",
        ) from error
    spacing = facts.spacing
    if spacing_mm is not None:
        spacing = PixelSpacing(spacing_mm, spacing_mm, SpacingSource.GIVEN)
    return Radiograph(_display_sense(facts, pixels), spacing, facts.photometric, facts.bits)


@dataclass(frozen=True)
class _Facts:
    """What the header says of the pixels."""

    bits: int
    signed: bool
    inverted: bool
    slope: float
    photometric: str
    spacing: PixelSpacing | None


def _facts(header: pydicom.Dataset, name: str) -> _Facts:
    """Read the header once; whatever is wrong with it is a FilmError."""
    try:
        _check(header, name)
        photometric = str(header.PhotometricInterpretation)
        slope = float(header.get("RescaleSlope", 1.0) or 1.0)
        inverse = str(header.get("PresentationLUTShape", "")).upper() == "INVERSE"
        facts = _Facts(
            bits=int(header.BitsStored),
            signed=int(header.get("PixelRepresentation", 0)) == 1,
            inverted=(photometric == "MONOCHROME1" or inverse) != (slope < 0),
            slope=abs(slope),
            photometric=photometric,
            spacing=_spacing(header),
        )
    except FilmError:
        raise
    except Exception as error:  # odd values raise anything; the file is named and the batch goes on
        what = error.__class__.__name__
        raise FilmError(
            "bad_header", f"{name}: its header has a value that cannot be read ({what}); export it again"
        ) from error
    if not 1e-6 < facts.slope < 1e6:
        raise FilmError("bad_header", f"{name}: rescale slope {facts.slope} is no film's; export it again")
    return facts


def _open(path: Path) -> pydicom.Dataset:
    try:
        return pydicom.dcmread(path)
    except Exception as error:  # a damaged file raises anything; it is named and the batch goes on
        raise FilmError("not_dicom", f"{path.name}: not a readable DICOM file; replace or remove it") from error


def _check(header: pydicom.Dataset, name: str) -> None:
    missing = [tag for tag in ("Rows", "Columns", "BitsStored", "PhotometricInterpretation") if header.get(tag) is None]
    if "PixelData" not in header or missing:
        what = ", ".join(missing) if missing else "PixelData"
        raise FilmError("no_pixels", f"{name}: the file has no image ({what} missing); export it again")
    photometric = str(header.PhotometricInterpretation)
    if int(header.get("SamplesPerPixel", 1)) != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise FilmError("colour", f"{name}: a colour image ({photometric}); export the greyscale film")
    if int(header.get("NumberOfFrames", 1) or 1) != 1:
        raise FilmError("frames", f"{name}: {header.NumberOfFrames} frames where a film has one")
    if int(header.Rows) * int(header.Columns) > LARGEST_PIXELS:
        raise FilmError("too_large", f"{name}: {header.Rows}x{header.Columns} pixels is larger than any hip film")


def _display_sense(facts: _Facts, stored: NDArray[Any]) -> NDArray[Any]:
    """Bone bright, from 0 up; integers stay integers where the slope allows it."""
    low = -(2 ** (facts.bits - 1)) if facts.signed else 0
    high = low + 2**facts.bits - 1
    values = stored.astype(np.int32)
    turned = high - values if facts.inverted else values - low
    pixels = np.clip(turned, 0, 2**facts.bits - 1).astype(np.uint16)
    return pixels if facts.slope == 1.0 else (pixels * np.float32(facts.slope)).astype(np.float32)


def _spacing(header: pydicom.Dataset) -> PixelSpacing | None:
    """Calibrated Pixel Spacing, Pixel Spacing, Imager Pixel Spacing, in this order; None if none is usable."""
    calibrated = str(header.get("PixelSpacingCalibrationType", "")).upper() in ("GEOMETRY", "FIDUCIAL")
    candidates = (
        ("PixelSpacing", SpacingSource.CALIBRATED if calibrated else SpacingSource.PIXEL),
        ("ImagerPixelSpacing", SpacingSource.IMAGER),
    )
    for tag, source in candidates:
        try:
            row_mm, col_mm = (float(value) for value in header[tag].value)
            return PixelSpacing(row_mm, col_mm, source)
        except (KeyError, TypeError, ValueError):
            continue  # absent, zero, negative or not two numbers: the next tag may do
    return None
