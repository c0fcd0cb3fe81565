"""Films as PNG, JPEG, TIFF or NPY: grey images without millimetres of their own.

What a file says of its size is read and checked before its pixels are decoded. A resolution in dots per inch is the
scanner's or the printer's, not the film's, and is never taken for a spacing. Grey is taken to be bone bright, but for
a TIFF that says white is zero.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.image_header import ImageHeader, image_header
from hipjsw.imaging.radiograph import LARGEST_PIXELS, FilmError, FilmFacts, Radiograph, refuse_flat
from hipjsw.imaging.spacing import given_spacing

__all__ = ["read_image"]

LARGEST_BYTES = 900_000_000


def read_image(path: Path, kind: str, spacing_mm: float | None = None) -> Radiograph:
    """Read one film from an image file.

    Args:
        path: The file.
        kind: ``png``, ``jpeg``, ``tiff`` or ``npy``, by its content.
        spacing_mm: Spacing in mm, if the user knows it.

    Returns:
        The film, bone bright: uint16, or float32 for values that do not fit. Its spacing is the given one, or None.

    Raises:
        FilmError: Cut short, several frames, colour, an alpha channel, too large, flat, or not decodable.
    """
    name = path.name
    try:
        spacing = given_spacing(spacing_mm)
    except ValueError as error:
        raise FilmError("no_spacing", f"{name}: {error}") from error
    header, content = _checked(path, kind)
    pixels = _npy_pixels(path, header, name) if kind == "npy" else _decoded(content, header, kind, name)
    if header.white_is_zero and header.bits > 8:  # OpenCV turns those of eight bits over, and no others
        pixels = np.asarray(2**header.bits - 1 - pixels, dtype=pixels.dtype)
    refuse_flat(pixels, name)
    facts = FilmFacts(
        format=kind,
        rows=header.rows,
        cols=header.cols,
        bits=header.bits,
        photometric="MONOCHROME1" if header.white_is_zero else "MONOCHROME2",
        inverted=header.white_is_zero,
        syntax=header.syntax,
        lossy=header.lossy,
    )
    if header.lossy:
        facts = replace(facts, notes=(("lossy", f"{header.syntax}: pixels were compressed with loss"),))
    return Radiograph(pixels, spacing, facts.photometric, facts.bits, facts)


def _checked(path: Path, kind: str) -> tuple[ImageHeader, bytes]:
    """The header, and the content (NPY: its first bytes only)."""
    name = path.name
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise FilmError("too_large", f"{name}: {size} bytes are more than any film has; check the export")
        with path.open("rb") as file:
            content = file.read(65536) if kind == "npy" else file.read()
    except OSError as error:
        raise FilmError("not_dicom", f"{name}: cannot be opened; replace or remove it") from error
    header = image_header(content, kind, size, name)
    if header.rows * header.cols > LARGEST_PIXELS:
        raise FilmError("too_large", f"{name}: {header.rows}x{header.cols} pixels is larger than any hip film")
    if min(header.rows, header.cols) < 1:
        raise FilmError("bad_header", f"{name}: {header.rows}x{header.cols} pixels make no film; export it again")
    return header, content


def _decoded(content: bytes, header: ImageHeader, kind: str, name: str) -> NDArray[Any]:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except Exception as error:  # OpenCV raises for some damage and gives None for other
        raise FilmError("undecodable", f"{name}: a damaged {kind.upper()} file; export the film again") from error
    if image is None or image.shape[:2] != (header.rows, header.cols):
        raise FilmError("undecodable", f"{name}: its {kind.upper()} pixels cannot be decoded; export the film again")
    return _unsigned(_grey(image, name), name)


def _grey(image: NDArray[Any], name: str) -> NDArray[Any]:
    """One channel: the only one, or the first of equal ones without transparency."""
    if image.ndim == 2:
        return image
    if image.shape[2] in (2, 4) and (image[..., -1] != _opaque(image.dtype)).any():
        raise FilmError("colour", f"{name}: a picture with transparent parts; export the greyscale film")
    channels = image[..., : 3 if image.shape[2] >= 3 else 1]
    if any((channels[..., 0] != channels[..., n]).any() for n in range(1, channels.shape[2])):
        raise FilmError("colour", f"{name}: a colour picture; export the greyscale film")
    return np.ascontiguousarray(channels[..., 0])


def _opaque(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _unsigned(image: NDArray[Any], name: str) -> NDArray[Any]:
    """uint16 from zero up where values fit, else float32."""
    if image.dtype in (np.uint8, np.uint16):
        return image.astype(np.uint16, copy=False)
    if image.dtype.kind not in "biuf":
        raise FilmError("undecodable", f"{name}: values that are no grey ({image.dtype.kind}); export it again")
    if image.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = image.astype(np.float32)
        if not np.isfinite(values).all() or np.abs(values).max() > 1e30:
            raise FilmError("bad_header", f"{name}: values that are not finite; export the film again")
        return values
    low, high = int(image.min()), int(image.max())
    if high - min(low, 0) <= 65535:
        return (image.astype(np.int64) - min(low, 0)).astype(np.uint16)
    return image.astype(np.float32)


def _npy_pixels(path: Path, header: ImageHeader, name: str) -> NDArray[Any]:
    """The array of a NPY file whose size was checked; objects are never unpickled."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header raises anything; the file is named and the batch goes on
        raise FilmError("undecodable", f"{name}: a damaged NPY file; write it again") from error
    if array.shape[:2] != (header.rows, header.cols):
        raise FilmError("undecodable", f"{name}: a damaged NPY file; write it again")
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return _unsigned(_grey(native, name), name)
