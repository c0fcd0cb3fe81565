"""What PNG, JPEG, TIFF and NPY files say of their image, and whether they are whole, without decoding any pixel."""

from __future__ import annotations

import io
import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from hipjsw.imaging.pixel_stream import jpeg_frame
from hipjsw.imaging.radiograph import FilmError

__all__ = ["IMAGE_SYNTAXES", "ImageHeader", "image_header"]

_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_ANOTHER = "another compression"
_TIFF_SYNTAXES = {1: "uncompressed", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate"}
#: Every name that an image's compression may have.
IMAGE_SYNTAXES = (
    "PNG",
    "JPEG",
    "NPY",
    *(f"TIFF, {name}" for name in (*_TIFF_SYNTAXES.values(), "another compression")),
)


@dataclass(frozen=True)
class ImageHeader:
    """An image before it is decoded.

    Args:
        rows: Rows.
        cols: Columns.
        bits: Bits of a channel.
        syntax: The compression by name.
        lossy: Whether it loses.
        white_is_zero: Whether small values are bright (TIFF).
    """

    rows: int
    cols: int
    bits: int
    syntax: str
    lossy: bool = False
    white_is_zero: bool = False


def image_header(content: bytes, kind: str, size: int, name: str) -> ImageHeader:
    """Read an image's header.

    Args:
        content: The file's bytes (NPY: the first ones will do).
        kind: ``png``, ``jpeg``, ``tiff`` or ``npy``.
        size: The file's bytes by number.
        name: The film's name, for messages.

    Raises:
        FilmError: Rule ``truncated``, ``frames``, ``colour`` or ``undecodable``.
    """
    try:
        if kind == "npy":
            return _npy(content, size)
        return {"png": _png, "jpeg": _jpeg, "tiff": _tiff}[kind](content)
    except _CutShortError as error:
        raise FilmError("truncated", f"{name}: the file ends too early; copy it again from its source") from error
    except _RefusedError as error:
        raise FilmError(error.rule, f"{name}: {error}") from error
    except Exception as error:  # damaged headers raise anything; the file is named and the batch goes on
        raise FilmError("undecodable", f"{name}: a damaged {kind.upper()} header; export the film again") from error


class _CutShortError(ValueError):
    pass


class _RefusedError(ValueError):
    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def _png(content: bytes) -> ImageHeader:
    if len(content) < 33:
        raise _CutShortError
    cols, rows, bits = struct.unpack_from(">IIB", content, 16)
    at = 8
    while True:
        if at + 12 > len(content):
            raise _CutShortError
        length, kind = struct.unpack_from(">I4s", content, at)
        if at + 12 + length > len(content):
            raise _CutShortError
        if kind == b"acTL":
            raise _RefusedError("frames", "several frames where a film has one; export the one that is the film")
        check = struct.unpack_from(">I", content, at + 8 + length)[0]
        if zlib.crc32(memoryview(content)[at + 4 : at + 8 + length]) != check:
            raise _RefusedError("undecodable", "a damaged PNG file; copy it again from its source")
        if kind == b"IEND":
            return ImageHeader(rows, cols, max(bits, 8), "PNG")
        at += 12 + length


def _jpeg(content: bytes) -> ImageHeader:
    frame = jpeg_frame(content)
    if frame is None:
        raise _CutShortError if b"\xff\xda" not in content else _RefusedError("undecodable", "a damaged JPEG file")
    if content.find(b"\xff\xd9", frame.start) < 0:
        raise _CutShortError
    return ImageHeader(frame.rows, frame.cols, frame.bits, "JPEG", lossy=True)


def _tiff(content: bytes) -> ImageHeader:
    order = "<" if content[:2] == b"II" else ">"
    if len(content) < 8:
        raise _CutShortError
    tags, following = _directory(content, order, struct.unpack_from(order + "I", content, 4)[0])
    if following:
        raise _RefusedError("frames", "several pages where a film has one; export the one that is the film")
    (rows, *_), (cols, *_) = tags[257], tags[256]
    compression, photometric = tags.get(259, [1])[0], tags.get(262, [1])[0]
    for start, length in zip(tags.get(273, tags.get(324, [])), tags.get(279, tags.get(325, [])), strict=False):
        if start + length > len(content):
            raise _CutShortError
    syntax = _TIFF_SYNTAXES.get(compression, _ANOTHER)
    bits = max(tags.get(258, [1]))
    return ImageHeader(rows, cols, max(bits, 8), f"TIFF, {syntax}", compression in (6, 7), photometric == 0)


def _directory(content: bytes, order: str, start: int) -> tuple[dict[int, list[int]], int]:
    """The whole-number tags of one image file directory, and the place of the next."""
    if start + 2 > len(content):
        raise _CutShortError
    (count,) = struct.unpack_from(order + "H", content, start)
    if start + 6 + 12 * count > len(content):
        raise _CutShortError
    tags = {}
    for n in range(count):
        at = start + 2 + 12 * n
        tag, kind, number = struct.unpack_from(order + "HHI", content, at)
        length = _TIFF_SIZES.get(kind, 0) * number
        place = at + 8 if length <= 4 else struct.unpack_from(order + "I", content, at + 8)[0]
        if place + length > len(content):
            raise _CutShortError
        if kind in (1, 3, 4):
            tags[tag] = list(struct.unpack_from(f"{order}{number}{'BxHI'[kind - 1]}", content, place))
    (following,) = struct.unpack_from(order + "I", content, start + 2 + 12 * count)
    return tags, following


def _npy(content: bytes, size: int) -> ImageHeader:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject or dtype.kind not in "biuf":
        raise _RefusedError("undecodable", "a NPY file of no numbers; write grey values")
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 2, 3, 4))):
        raise _RefusedError("frames", f"a NPY array of {len(shape)} axes where a film has two (row, column)")
    if file.tell() + math.prod(shape) * dtype.itemsize > size:
        raise _CutShortError
    return ImageHeader(shape[0], shape[1], min(8 * dtype.itemsize, 64), "NPY")
