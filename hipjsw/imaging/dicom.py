"""The only reader of DICOM films.

Values go the way of DICOM PS3.3 C.11: modality LUT (sense and size of the slope, or a table), then inversion for
MONOCHROME1 or a presentation LUT shape INVERSE, by the declared bit depth. Windows are for eyes: only where asked.
The header is read and checked first; pixels that do not fit it are refused before they are decoded.
"""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from numpy.typing import NDArray

from hipjsw.imaging.dicom_header import FilmHeader
from hipjsw.imaging.dicom_pixels import Syntax, lossy_by, pixel_element, stored_codes, syntax_of
from hipjsw.imaging.radiograph import FilmError, Radiograph, refuse_flat
from hipjsw.imaging.spacing import PixelSpacing, given_spacing

__all__ = ["LARGEST_BYTES", "is_dicom", "read_dicom"]

#: A larger file is no single film: 100 million pixels of 16 bits and a generous header.
LARGEST_BYTES = 300_000_000


_DEFLATED = b"1.2.840.10008.1.2.1.99"
_VALUE_KINDS = (b"AE", b"AS", b"CS", b"DA", b"LO", b"OB", b"PN", b"SH", b"TM", b"UI", b"UL", b"US")


def is_dicom(head: bytes) -> bool:
    """Whether a file's first 256 bytes are DICOM's: with a preamble, or plainly an element of group 0002 or 0008."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 12 or head[:2] not in (b"\x02\0", b"\x08\0", b"\0\x08"):
        return False
    if head[4:6] in _VALUE_KINDS:
        return True
    (length,) = struct.unpack_from("<I", head, 4)  # implicit VR: a short value, of an even length
    return head[:2] != b"\0\x08" and head[3] == 0 and length % 2 == 0 and length <= 1024


def read_dicom(path: Path, spacing_mm: float | None = None, voi: bool = False) -> Radiograph:
    """Read one film.

    Args:
        path: A single-frame greyscale DICOM file, with or without preamble.
        spacing_mm: Spacing in mm that overrules the header's (recorded as ``given``).
        voi: Whether to apply the header's VOI LUT or first window, if it has one (for eyes).

    Returns:
        The film, bone bright. Its spacing is None where the header has no usable one.

    Raises:
        FilmError: Not DICOM, another modality, no pixels, colour, several frames, too large, cut short, flat, a syntax
            no decoder here reads.
    """
    name = path.name
    with _quiet():
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                dataset = _opened(file, size, name)
                element = pixel_element(file, dataset)
                header = FilmHeader.of(dataset, name, voi, has_pixels=element is not None)
                assert element is not None  # the header's check has refused it
                syntax = syntax_of(dataset, name)
                codes = stored_codes(file, size, element, header, syntax, name)
        except OSError as error:
            raise FilmError("not_dicom", f"{name}: cannot be opened; replace or remove it") from error
        lossy = lossy_by(dataset, syntax)
    return _film(header, syntax, lossy, codes, _given(spacing_mm, name), name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and no log of pydicom's: they cite values of the header."""
    log = logging.getLogger("pydicom")
    level = log.level
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        log.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            log.setLevel(level)


def _given(spacing_mm: float | None, name: str) -> PixelSpacing | None:
    try:
        return given_spacing(spacing_mm)
    except ValueError as error:
        raise FilmError("no_spacing", f"{name}: {error}") from error


def _film(
    header: FilmHeader, syntax: Syntax, lossy: bool, codes: NDArray[Any], spacing: PixelSpacing | None, name: str
) -> Radiograph:
    pixels = header.grey.shown(codes)
    refuse_flat(pixels, name)
    spacing = spacing or header.tags.believed
    notes = list(header.facts.notes)
    if spacing is not None and not spacing.is_isotropic:
        notes.append(("anisotropic", f"rows are {spacing.row_mm:g} mm apart, columns {spacing.col_mm:g} mm"))
    if lossy:
        notes.append(("lossy", f"{syntax.name}: pixels were compressed with loss"))
    facts = replace(header.facts, syntax=syntax.name, lossy=lossy, notes=tuple(notes))
    padding = None if header.padding is None else header.grey.padding(*header.padding)
    return Radiograph(pixels, spacing, facts.photometric, facts.bits, facts, padding)


def _opened(file: BinaryIO, size: int, name: str) -> pydicom.Dataset:
    head = file.read(1024)
    if not is_dicom(head):
        raise FilmError("not_dicom", f"{name}: not a DICOM file; replace or remove it")
    if size > LARGEST_BYTES:
        raise FilmError("too_large", f"{name}: {size} bytes are more than any film has; check the export")
    if _DEFLATED in head:
        raise FilmError("undecodable", f"{name}: a deflated file; export the film uncompressed")
    file.seek(0)
    try:
        return pydicom.dcmread(file, stop_before_pixels=True, force=True)
    except Exception as error:  # a damaged file raises anything; it is named and the batch goes on
        raise FilmError("not_dicom", f"{name}: not a readable DICOM file; replace or remove it") from error
