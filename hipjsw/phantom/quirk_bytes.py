"""Film files with a quirk: a film's bytes from its stored values, one function a quirk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from hipjsw.phantom.dicom import encode
from hipjsw.phantom.film import Film
from hipjsw.phantom.quirks import FilmQuirk

__all__ = ["FILES"]

Stored = NDArray[np.uint16]
Change = Callable[[Dataset], None]

_FEWER_ROWS = 0.96


def _with_header(film: Film, stored: Stored, change: Change) -> bytes:
    return encode(film, stored, change)


def _plain(film: Film, stored: Stored) -> bytes:
    return encode(film, stored)


def _png(film: Film, stored: Stored) -> bytes:
    kind = film.placement.format
    bright = 2**kind.bits - 1 - stored if kind.inverted else stored
    return cv2.imencode(".png", bright.astype(np.uint16))[1].tobytes()


def _truncated(film: Film, stored: Stored) -> bytes:
    content = encode(film, stored)
    return content[: int(0.6 * len(content))]


def _anisotropic(film: Film, stored: Stored) -> bytes:
    rows = round(_FEWER_ROWS * stored.shape[0])
    spacing = [film.placement.format.pixel_mm * stored.shape[0] / rows, film.placement.format.pixel_mm]
    fewer = cv2.resize(stored, (stored.shape[1], rows), interpolation=cv2.INTER_AREA)

    def change(header: Dataset) -> None:
        header.PixelSpacing = header.ImagerPixelSpacing = [f"{value:.10g}" for value in spacing]

    return encode(film, np.asarray(fewer, dtype=np.uint16), change)


def _text(film: Film, stored: Stored) -> bytes:
    """White letters of about 5 mm; OpenCV draws them on 8 bits only."""
    kind, ink = film.placement.format, np.zeros(stored.shape, dtype=np.uint8)
    size, place = 0.25 / kind.pixel_mm, (int(12 / kind.pixel_mm), int(14 / kind.pixel_mm))
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(ink, "PHANTOM, P 01-01-1950", place, font, size, (255.0,), max(round(2 * size), 1))
    white = 0 if kind.inverted else 2**kind.bits - 1
    return encode(film, np.where(ink > 127, np.uint16(white), stored))


def _coloured(stored: Stored) -> Change:
    def change(header: Dataset) -> None:
        high = (stored >> max(int(header.BitsStored) - 8, 0)).astype(np.uint8)
        header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
        header.BitsAllocated = header.BitsStored = 8
        header.HighBit = 7
        header.PixelData = np.stack([high, high, high // 2], axis=-1).tobytes()

    return change


def _spacing_tags(pixel: bool, imager: bool) -> Change:
    """Leave PixelSpacing out or make it zero; leave ImagerPixelSpacing out."""

    def change(header: Dataset) -> None:
        header.PixelSpacing = [0, 0]
        if not pixel:
            del header.PixelSpacing
        if not imager:
            del header.ImagerPixelSpacing

    return change


def _annotated(header: Dataset) -> None:
    header.BurnedInAnnotation = "YES"


def _compressed(film: Film, stored: Stored, syntax: str, plugin: str) -> bytes:
    def change(header: Dataset) -> None:
        header.compress(syntax, stored, encoding_plugin=plugin, generate_instance_uid=False)

    return encode(film, stored, change)


def _jpeg_2000(film: Film, stored: Stored) -> bytes:
    def change(header: Dataset) -> None:
        code = encode_array(stored, bits_stored=int(header.BitsStored), photometric_interpretation=2)
        header.PixelData = encapsulate([code])
        header["PixelData"].is_undefined_length = True
        header["PixelData"].VR = "OB"
        header.file_meta.TransferSyntaxUID = JPEG2000Lossless

    return encode(film, stored, change)


#: By quirk: the bytes of its film file.
FILES: dict[FilmQuirk, Callable[[Film, Stored], bytes]] = {
    FilmQuirk.MONOCHROME1: _plain,
    FilmQuirk.SUFFIX: _plain,
    FilmQuirk.PROSTHESIS: _plain,
    FilmQuirk.SCREW: _plain,
    FilmQuirk.PNG: _png,
    FilmQuirk.TRUNCATED: _truncated,
    FilmQuirk.ANISOTROPIC: _anisotropic,
    FilmQuirk.TEXT: _text,
    FilmQuirk.COLOUR: lambda film, stored: encode(film, stored, _coloured(stored)),
    FilmQuirk.ZERO_SPACING: partial(_with_header, change=_spacing_tags(pixel=True, imager=True)),
    FilmQuirk.NO_SPACING: partial(_with_header, change=_spacing_tags(pixel=False, imager=False)),
    FilmQuirk.ANNOTATION: partial(_with_header, change=_annotated),
    FilmQuirk.RLE: partial(_compressed, syntax=RLELossless, plugin="gdcm"),
    FilmQuirk.JPEG_LS: partial(_compressed, syntax=JPEGLSLossless, plugin="pyjpegls"),
    FilmQuirk.JPEG_2000: _jpeg_2000,
}
