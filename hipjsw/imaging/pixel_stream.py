"""The compressed pixels of a DICOM file: fragments and the codestream in them, looked at before a decoder is let in."""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["FragmentError", "StreamFrame", "fragments", "jpeg_frame", "stream_frame"]

_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
#: Frame headers of JPEG (all but DHT, JPG and DAC) and of JPEG-LS.
_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
#: Markers without a length.
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}


class FragmentError(ValueError):
    """Encapsulated pixel data that end too early, or are none."""


@dataclass(frozen=True)
class StreamFrame:
    """What a codestream says of its image.

    Args:
        rows: Rows.
        cols: Columns.
        components: Samples of a pixel.
        bits: Precision of a sample.
        start: Place of the compressed data in the stream.
    """

    rows: int
    cols: int
    components: int
    bits: int
    start: int = 0


def fragments(content: bytes) -> list[bytes]:
    """The fragments of encapsulated pixel data, the offset table left out.

    Args:
        content: What follows the header of the pixel data element.

    Raises:
        FragmentError: Ends within a fragment, or has none.
    """
    found: list[bytes] = []
    at = 0
    while len(content) - at >= 8:
        tag, (length,) = content[at : at + 4], struct.unpack_from("<I", content, at + 4)
        if tag == _DELIMITER:
            return _but_the_table(found)
        if tag != _ITEM or at + 8 + length > len(content):
            raise FragmentError(f"fragment {len(found)} is cut short or none")
        found.append(content[at + 8 : at + 8 + length])
        at += 8 + length
    # Without its delimiter the data may have been cut between fragments: the codestream's own end must be there.
    if not found or not found[-1].rstrip(b"\0").endswith(b"\xff\xd9"):
        raise FragmentError("the last fragment is not there")
    return _but_the_table(found)


def _but_the_table(found: list[bytes]) -> list[bytes]:
    if len(found) < 2 or not any(found[1:]):
        raise FragmentError("no fragment")
    return found[1:]


def stream_frame(stream: bytes) -> StreamFrame | None:
    """What a JPEG, JPEG-LS or JPEG 2000 codestream says of its image; None if it is none of them."""
    if stream[:2] == b"\xff\xd8":
        return jpeg_frame(stream)
    at = stream[:1024].find(b"\xff\x4f\xff\x51")
    if at < 0 or len(stream) < at + 45:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", stream, at + 8)
    tile_width, tile_height = struct.unpack_from(">2I", stream, at + 24)
    components = int.from_bytes(stream[at + 40 : at + 42], "big")
    if min(tile_width, tile_height) < 1:
        return None
    return StreamFrame(bottom - top, right - left, components, (stream[at + 42] & 0x7F) + 1)


def jpeg_frame(stream: bytes) -> StreamFrame | None:
    """The frame header of a JPEG or JPEG-LS stream; None if its segments do not lead to one and to a scan."""
    at, frame = 2, None
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker, (length,) = stream[at + 1], struct.unpack_from(">H", stream, at + 2)
        if marker == 0xFF or marker in _BARE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_MARKERS and at + 10 <= len(stream):
            bits, rows, cols, components = struct.unpack_from(">BHHB", stream, at + 4)
            frame = StreamFrame(rows, cols, components, bits)
        if marker == 0xDA:
            return None if frame is None else StreamFrame(frame.rows, frame.cols, frame.components, frame.bits, at)
        if marker == 0xD9 or length < 2:
            return None
        at += 2 + length
    return None
