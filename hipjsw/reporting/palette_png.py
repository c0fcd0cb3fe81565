"""Pictures of few colours as small PNGs: a number a pixel and a table of colours, which may be translucent."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["palette_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Colour type of the PNG standard: a palette.
_INDEXED = 3


def palette_png(numbers: NDArray[Any], colours: Sequence[tuple[int, int, int, int]]) -> bytes:
    """Write a picture whose pixels are numbers of colours (PNG, W3C recommendation, third edition).

    Args:
        numbers: ``(rows, cols)`` place of each pixel's colour.
        colours: Red, green, blue and opacity in 0 to 255; 256 at most.

    Returns:
        A PNG with as few bits a pixel as the colours need; the same for the same picture.

    Raises:
        ValueError: No pixels, too many colours, or a number without a colour.
    """
    if numbers.ndim != 2 or not numbers.size:
        raise ValueError(f"a picture has rows and columns, not the shape {numbers.shape}")
    if not 1 <= len(colours) <= 256:
        raise ValueError(f"a palette has 1 to 256 colours, not {len(colours)}; join some that are alike")
    if numbers.min() < 0 or numbers.max() >= len(colours):
        raise ValueError(f"pixels name colours 0 to {len(colours) - 1}, got {numbers.min()} to {numbers.max()}")
    bits = next(bits for bits in (1, 2, 4, 8) if len(colours) <= 2**bits)
    table = np.array(colours, dtype=np.uint8)
    rows, cols = numbers.shape
    header = struct.pack(">IIBBBBB", cols, rows, bits, _INDEXED, 0, 0, 0)
    packed = _packed(numbers.astype(np.uint8), bits)
    lines = np.pad(packed, ((0, 0), (1, 0))).tobytes()  # each line begins with its filter: 0, none
    parts = [
        (b"IHDR", header),
        (b"PLTE", table[:, :3].tobytes()),
        (b"tRNS", table[:, 3].tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _packed(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Several pixels a byte, the first in its highest bits; each line fills whole bytes."""
    each = 8 // bits
    padded = np.pad(numbers, ((0, 0), (0, -numbers.shape[1] % each)))
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    grouped = padded.reshape(len(numbers), -1, each) << shifts
    return np.asarray(np.bitwise_or.reduce(grouped, axis=2), dtype=np.uint8)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
