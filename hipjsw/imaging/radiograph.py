"""A film in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from hipjsw.imaging.spacing import PixelSpacing

__all__ = ["FilmError", "Radiograph"]


class FilmError(ValueError):
    """A film that cannot be used.

    Args:
        rule: Short name of what is wrong, as in findings.csv.
        message: What, where, and what to do.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, eq=False)
class Radiograph:
    """Pixels in display sense (bone bright) and what a pixel measures.

    Args:
        pixels: ``(rows, cols)`` unsigned integers or float32.
        spacing: Pixel spacing with its source, or None where the film has no usable one.
        photometric: DICOM photometric interpretation the film was stored in.
        bits: Declared bits of a stored value.
    """

    pixels: NDArray[Any]
    spacing: PixelSpacing | None
    photometric: str
    bits: int

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        rows, cols = self.pixels.shape
        return rows, cols
