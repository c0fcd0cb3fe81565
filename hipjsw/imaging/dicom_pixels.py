"""The pixels of a DICOM file as stored codes: native ones read straight, compressed ones by decoders without GPL."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import cv2
import numpy as np
import openjpeg.utils
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from hipjsw.imaging.dicom_header import FilmHeader
from hipjsw.imaging.lossless_jpeg import lossless_fault
from hipjsw.imaging.pixel_stream import FragmentError, fragments, stream_frame
from hipjsw.imaging.radiograph import FilmError

__all__ = ["SYNTAX_NAMES", "PixelElement", "Syntax", "lossy_by", "pixel_element", "stored_codes", "syntax_of"]


@dataclass(frozen=True)
class Syntax:
    """A transfer syntax that is read here.

    Args:
        name: What to call it.
        plugins: Decoders in the order in which they are tried (pydicom's names); none for native pixels.
        lossy: Whether it loses: always, never, or None where the header says so.
        uid: Its UID.
    """

    name: str
    plugins: tuple[str, ...] = ()
    lossy: bool | None = False
    uid: str = ""


#: By UID; empty for a headless file, which is native in pydicom's judgement. GDCM ends the whole process at damaged
#: streams, so it gets JPEG lossless only (no other free decoder reads it), after `lossless_fault` has looked.
_SYNTAXES = {
    "": Syntax("native"),
    "1.2.840.10008.1.2": Syntax("implicit VR little endian"),
    "1.2.840.10008.1.2.1": Syntax("explicit VR little endian"),
    "1.2.840.10008.1.2.2": Syntax("explicit VR big endian"),
    "1.2.840.10008.1.2.5": Syntax("RLE", ("pydicom",)),
    "1.2.840.10008.1.2.4.50": Syntax("JPEG baseline", ("opencv",), True),
    "1.2.840.10008.1.2.4.51": Syntax("JPEG extended", ("opencv",), True),
    "1.2.840.10008.1.2.4.57": Syntax("JPEG lossless", ("gdcm",)),
    "1.2.840.10008.1.2.4.70": Syntax("JPEG lossless SV1", ("gdcm",)),
    "1.2.840.10008.1.2.4.80": Syntax("JPEG-LS lossless", ("pyjpegls",)),
    "1.2.840.10008.1.2.4.81": Syntax("JPEG-LS near-lossless", ("pyjpegls",), True),
    "1.2.840.10008.1.2.4.90": Syntax("JPEG 2000 lossless", ("openjpeg",)),
    "1.2.840.10008.1.2.4.91": Syntax("JPEG 2000", ("openjpeg",), None),
    "1.2.840.10008.1.2.4.201": Syntax("HTJ2K lossless", ("openjpeg",)),
    "1.2.840.10008.1.2.4.202": Syntax("HTJ2K lossless RPCL", ("openjpeg",)),
    "1.2.840.10008.1.2.4.203": Syntax("HTJ2K", ("openjpeg",), None),
}

#: Every name that a film's syntax may have.
SYNTAX_NAMES = tuple(syntax.name for syntax in _SYNTAXES.values())


@dataclass(frozen=True)
class PixelElement:
    """The header of the pixel data element: its kind of value, bytes declared (None: encapsulated), byte order."""

    kind: str
    length: int | None
    little: bool


def pixel_element(file: BinaryIO, dataset: pydicom.Dataset) -> PixelElement | None:
    """Read on to the pixel data; None where there are none."""
    implicit, little = (value is not False for value in dataset.original_encoding)
    order = "<" if little else ">"
    head = file.read(8)
    if len(head) < 8 or struct.unpack(order + "2H", head[:4]) != (0x7FE0, 0x0010):
        return None
    kind = "OW" if implicit else head[4:6].decode("latin-1")
    if not implicit:
        head = b"\0" * 4 + file.read(4)
        if kind not in ("OB", "OW", "UN") or len(head) < 8:
            return None
    (length,) = struct.unpack(order + "I", head[4:])
    return PixelElement(kind, None if length == 0xFFFFFFFF else length, little)


def syntax_of(dataset: pydicom.Dataset, name: str) -> Syntax:
    """The transfer syntax of a file.

    Raises:
        FilmError: Rule ``undecodable``: one that is not read here.
    """
    uid = str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None) or "")
    if uid not in _SYNTAXES:
        raise FilmError("undecodable", f"{name}: a transfer syntax not read here; export the film uncompressed")
    return replace(_SYNTAXES[uid], uid=uid)


def lossy_by(dataset: pydicom.Dataset, syntax: Syntax) -> bool:
    """Whether pixels were compressed with loss, by the syntax or by LossyImageCompression."""
    try:
        said = str(dataset.get("LossyImageCompression") or "").strip()
    except Exception:  # an odd value says nothing
        said = ""
    return said == "01" or (said != "00" if syntax.lossy is None else syntax.lossy)


def stored_codes(
    file: BinaryIO, size: int, element: PixelElement, header: FilmHeader, syntax: Syntax, name: str
) -> NDArray[Any]:
    """Read or decode the pixels.

    Args:
        file: Open behind the header of the pixel data.
        size: The file's bytes.
        element: That header.
        header: The film's header, checked.
        syntax: How pixels are stored.
        name: The film's name, for messages.

    Returns:
        Stored codes ``(rows, cols)``, uint8 or uint16, free to be overwritten.

    Raises:
        FilmError: Rule ``truncated`` or ``undecodable``.
    """
    native = element.length is not None
    if native == bool(syntax.plugins):
        raise FilmError("undecodable", f"{name}: pixels are not stored as {syntax.name}; export the film again")
    codes = _native(file, size, element, header, name) if native else _decoded(file.read(), header, syntax, name)
    if header.grey.bits > 8 * codes.itemsize:  # a codec of eight bits under a header of more
        codes = codes.astype(np.uint16)
    mask = 2**header.grey.bits - 1
    if header.shift and int(codes.max()) > mask:
        codes >>= codes.dtype.type(header.shift)
    if syntax.plugins and syntax.name != "RLE" and not header.grey.signed and header.grey.bits < 8 * codes.itemsize:
        np.minimum(codes, codes.dtype.type(mask), out=codes)  # a codec has no bits for overlays: this is overshoot
    return codes


def _native(file: BinaryIO, size: int, element: PixelElement, header: FilmHeader, name: str) -> NDArray[Any]:
    rows, cols, wide = header.facts.rows, header.facts.cols, header.allocated == 16
    start, needed = file.tell(), rows * cols * (2 if wide else 1)
    swapped = not element.little and (wide or element.kind == "OW")  # 8-bit pixels in words are swapped in pairs
    there = min(size - start, element.length or 0)
    if there < needed + (needed % 2 if swapped else 0):
        raise FilmError("truncated", f"{name}: {there} of {needed} bytes of pixels; copy it again from its source")
    count = (needed + 1) // 2 if wide or swapped else needed
    codes = np.fromfile(file, np.uint16 if wide or swapped else np.uint8, count)
    if swapped:
        codes.byteswap(inplace=True)
    if not wide and swapped:
        codes = codes.view(np.uint8)[:needed]
    return codes.reshape(rows, cols)


def _decoded(content: bytes, header: FilmHeader, syntax: Syntax, name: str) -> NDArray[Any]:
    facts = header.facts
    try:
        stream = b"".join(fragments(content))
    except FragmentError as error:
        raise FilmError("truncated", f"{name}: {error}; copy it again from its source") from error
    frame = stream_frame(stream)
    declared = facts.rows, facts.cols, 1
    if syntax.name != "RLE" and (frame is None or (frame.rows, frame.cols, frame.components) != declared):
        raise FilmError("undecodable", f"{name}: its {syntax.name} stream is not the image its header declares")
    fault = lossless_fault(stream) if "gdcm" in syntax.plugins else ""
    if fault:
        raise FilmError("undecodable", f"{name}: a damaged {syntax.name} stream ({fault}); copy it again")
    failures = []
    for plugin in syntax.plugins:
        try:
            codes = _by_plugin(plugin, content, stream, header, syntax)
        except Exception as error:  # decoders raise anything; the file is named and the batch goes on
            failures.append(f"{plugin} {error.__class__.__name__}")
            continue
        if codes.shape == declared[:2] and codes.dtype.kind in "iu" and codes.itemsize <= 2:
            return codes.view(np.uint8 if codes.itemsize == 1 else np.uint16)
        failures.append(f"{plugin} gave another image")
    raise FilmError(
        "undecodable",
        f"{name}: pixels cannot be decoded ({syntax.name}: {', '.join(failures)}); export the film uncompressed",
    )


def _by_plugin(plugin: str, content: bytes, stream: bytes, header: FilmHeader, syntax: Syntax) -> NDArray[Any]:
    if plugin == "openjpeg":
        return np.require(openjpeg.utils.decode(stream), requirements=["W", "C"])
    if plugin == "opencv":
        image = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError("not decoded")
        return np.require(image, requirements=["W", "C"])
    described: dict[str, Any] = {
        "rows": header.facts.rows,
        "columns": header.facts.cols,
        "samples_per_pixel": 1,
        "number_of_frames": 1,
        "photometric_interpretation": header.facts.photometric,
        "bits_allocated": header.allocated,
        "bits_stored": header.grey.bits,
        "pixel_representation": int(header.grey.signed),
        "pixel_keyword": "PixelData",
    }
    decoder = get_decoder(UID(syntax.uid))
    codes, _ = decoder.as_array(content, index=0, raw=True, decoding_plugin=plugin, **described)
    return np.require(codes, requirements=["W", "C"])
