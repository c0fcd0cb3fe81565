"""Whether a lossless JPEG stream is sound in all its headers, so that a decoder without checks may have it."""

from __future__ import annotations

import numpy as np

__all__ = ["lossless_fault"]

_FRAME, _TABLES, _SCAN, _RESTART = 0xC3, 0xC4, 0xDA, 0xDD
_APPLICATION = (*range(0xE0, 0xF0), 0xFE)


def lossless_fault(stream: bytes) -> str:
    """What is wrong with a stream of one grey image in one scan (ITU T.81, process 14).

    Args:
        stream: The whole JPEG stream.

    Returns:
        The fault in a few words; empty for a sound stream.
    """
    at, frame, tables, restart = 2, b"", set[int](), 0
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4], "big")
        segment = stream[at + 4 : at + 2 + length]
        if len(segment) != length - 2:
            return "a segment is cut"
        at += 2 + length
        if marker == _FRAME and not frame:
            frame = segment
        elif marker == _TABLES:
            found = _tables(segment)
            if not found:
                return "its code table"
            tables |= found
        elif marker == _RESTART:
            restart = int.from_bytes(segment, "big")
        elif marker == _SCAN:
            return _scan_fault(segment, frame, tables) or _data_fault(stream[at:], restart > 0)
        elif marker not in _APPLICATION:
            return "a marker"
    return "no scan"


def _tables(segment: bytes) -> set[int]:
    """Ids of the code tables of a segment; empty if one of them is none."""
    found, at = set(), 0
    while at + 17 <= len(segment):
        counts = segment[at + 1 : at + 17]
        values = segment[at + 17 : at + 17 + sum(counts)]
        room = sum(count << (16 - bits) for bits, count in enumerate(counts, start=1))
        if segment[at] > 3 or not values or len(values) != sum(counts) or room >= 1 << 16:
            return set()
        if len(set(values)) != len(values) or max(values) > 16:
            return set()
        found.add(segment[at])
        at += 17 + len(values)
    return found if at == len(segment) else set()


def _scan_fault(scan: bytes, frame: bytes, tables: set[int]) -> str:
    if len(frame) != 9 or not 2 <= frame[0] <= 16 or frame[5] != 1 or frame[7:] != b"\x11\0":
        return "its frame header"
    if len(scan) != 6 or scan[0] != 1 or scan[1] != frame[6] or scan[2] & 15 or scan[2] >> 4 not in tables:
        return "its scan header"
    return "" if 1 <= scan[3] <= 7 and scan[4] == 0 and scan[5] == 0 else "its predictor"


def _data_fault(data: bytes, restarts: bool) -> str:
    """Entropy-coded data hold no marker but restarts, and end with the end of the image."""
    end = data.rfind(b"\xff\xd9")
    if end < 1 or data[end + 2 :].strip(b"\0"):
        return "no end"
    codes = np.frombuffer(data[:end], np.uint8)
    after = codes[1:][codes[:-1] == 0xFF]
    allowed = (after == 0) | ((after >= 0xD0) & (after <= 0xD7) if restarts else False)
    return "" if codes[-1] != 0xFF and allowed.all() else "a marker in its data"
