"""The only reader of DICOM films.

Values go the way of DICOM PS3.3 C.11: modality LUT, then inversion for MONOCHROME1 or a presentation LUT shape
INVERSE, by the declared bit depth. Windows are not applied: they are for eyes. Spacing follows PS3.3 10.7.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

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
    _check(header, path.name)
    try:
        pixels = header.pixel_array
    except Exception as error:  # decoders raise anything; the file is named and the batch goes on
        syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
        raise FilmError(
            "undecodable",
            f"{path.name}: pixels cannot be decoded ({getattr(syntax, 'name', 'unknown syntax')}, "
            f"{error.__class__.__name__}); export the film uncompressed",
        ) from error
    bits = int(header.BitsStored)
    return Radiograph(
        pixels=_display_sense(header, pixels, bits),
        spacing=_spacing(header, spacing_mm),
        photometric=str(header.PhotometricInterpretation),
        bits=bits,
    )


def _open(path: Path) -> pydicom.Dataset:
    try:
        return pydicom.dcmread(path)
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, EOFError, KeyError) as error:
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


def _display_sense(header: pydicom.Dataset, stored: NDArray[Any], bits: int) -> NDArray[Any]:
    """Bone bright, from 0 up; integers stay integers where the modality LUT allows it."""
    signed = int(header.get("PixelRepresentation", 0)) == 1
    low = -(2 ** (bits - 1)) if signed else 0
    high = low + 2**bits - 1
    slope = float(header.get("RescaleSlope", 1.0) or 1.0)
    inverse = str(header.get("PresentationLUTShape", "")).upper() == "INVERSE"
    invert = (str(header.PhotometricInterpretation) == "MONOCHROME1" or inverse) != (slope < 0)
    values = stored.astype(np.int32) if signed else stored
    turned = high - values if invert else values - low
    pixels = np.clip(turned, 0, 2**bits - 1).astype(np.uint16)
    return pixels if abs(slope) == 1.0 else (pixels * np.float32(abs(slope))).astype(np.float32)


def _spacing(header: pydicom.Dataset, given_mm: float | None) -> PixelSpacing | None:
    """Calibrated Pixel Spacing, Pixel Spacing, Imager Pixel Spacing, in this order; None if none is usable."""
    if given_mm is not None:
        return PixelSpacing(given_mm, given_mm, SpacingSource.GIVEN)
    calibrated = str(header.get("PixelSpacingCalibrationType", "")).upper() in ("GEOMETRY", "FIDUCIAL")
    candidates = (
        ("PixelSpacing", SpacingSource.CALIBRATED if calibrated else SpacingSource.PIXEL),
        ("ImagerPixelSpacing", SpacingSource.IMAGER),
    )
    for tag, source in candidates:
        value = header.get(tag)
        if value is None or isinstance(value, str) or len(value) != 2:
            continue
        try:
            return PixelSpacing(float(value[0]), float(value[1]), source)
        except (ValueError, TypeError):
            continue  # zero, negative or no number: the next tag may do
    return None
