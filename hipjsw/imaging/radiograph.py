"""A film in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from hipjsw.imaging.spacing import PixelSpacing

__all__ = ["LARGEST_PIXELS", "FilmError", "FilmFacts", "Radiograph", "refuse_flat"]

#: A larger film is refused before its pixels are touched (a 0.1 mm pelvis film has 17 million pixels).
LARGEST_PIXELS = 100_000_000


class FilmError(ValueError):
    """A film that cannot be used.

    Args:
        rule: Short name of what is wrong, as in findings.csv.
        message: What, where, and what to do.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class FilmFacts:
    """What a film's file says of it, nothing of which names a person; plain values, so that JSON can hold them.

    Args:
        format: ``dicom``, ``png``, ``jpeg``, ``tiff`` or ``npy``.
        rows: Rows of the image.
        cols: Columns of the image.
        bits: Declared bits of a stored value.
        photometric: DICOM photometric interpretation (``MONOCHROME2`` for other formats).
        inverted: Whether stored values were turned over to make bone bright.
        modality: CR, DX, RG, RF; empty for other formats.
        syntax: Transfer syntax by name, or the format's compression.
        lossy: Whether pixels were compressed with loss.
        pixel_spacing_mm: (row, column) of PixelSpacing where it is usable, else None.
        imager_spacing_mm: (row, column) of ImagerPixelSpacing where it is usable, else None.
        calibration: PixelSpacingCalibrationType, or empty.
        magnification: EstimatedRadiographicMagnificationFactor, or None.
        burned_in: BurnedInAnnotation: ``YES``, ``NO`` or empty.
        laterality: ImageLaterality, else Laterality: ``R``, ``L``, ``B`` or empty.
        columns_towards: The patient's side towards which columns run, by PatientOrientation: ``L`` as films are looked
            at, ``R`` on a mirrored one, or empty.
        notes: (rule, message) of what was odd and yet usable, rules of ``hipjsw.cohort.rules``.
    """

    format: str
    rows: int
    cols: int
    bits: int
    photometric: str = "MONOCHROME2"
    inverted: bool = False
    modality: str = ""
    syntax: str = ""
    lossy: bool = False
    pixel_spacing_mm: tuple[float, float] | None = None
    imager_spacing_mm: tuple[float, float] | None = None
    calibration: str = ""
    magnification: float | None = None
    burned_in: str = ""
    laterality: str = ""
    columns_towards: str = ""
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Radiograph:
    """Pixels in display sense (bone bright) and what a pixel measures.

    Args:
        pixels: ``(rows, cols)`` unsigned integers or float32.
        spacing: Pixel spacing with its source, or None where the film has no usable one.
        photometric: DICOM photometric interpretation the film was stored in.
        bits: Declared bits of a stored value.
        facts: What the file says of the film; None for a film that was not read from a file.
        padding: Least and greatest value, in display sense, of what the file declares to be padding and no film.
    """

    pixels: NDArray[Any]
    spacing: PixelSpacing | None
    photometric: str
    bits: int
    facts: FilmFacts | None = None
    padding: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        rows, cols = self.pixels.shape
        return rows, cols


def refuse_flat(pixels: NDArray[Any], name: str) -> None:
    """Refuse a film whose pixels are all alike.

    Args:
        pixels: ``(rows, cols)``, at least one.
        name: The film's name, for the message.

    Raises:
        FilmError: Rule ``flat``.
    """
    first = pixels.flat[0]
    if (pixels[::16, ::16] == first).all() and (pixels == first).all():
        raise FilmError("flat", f"{name}: all pixels are alike; export it again")
