"""What a DICOM header says of a film's pixels, read once and checked before any pixel is touched.

Messages give numbers and known code words only: text of a header may name a person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.greyscale import Greyscale, LookUp, Window
from hipjsw.imaging.radiograph import LARGEST_PIXELS, FilmError, FilmFacts
from hipjsw.imaging.spacing_tags import Header, SpacingTags

__all__ = ["FilmHeader"]

#: Modalities of projection radiographs.
MODALITIES = ("CR", "DX", "RG", "RF")

#: What is noted of a film whose columns run towards the patient's right.
MIRRORED = ("mirrored", "PatientOrientation says that columns run towards the patient's right: a mirrored film")

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
_NEEDED = ("Rows", "Columns", "BitsAllocated", "BitsStored", "PhotometricInterpretation")


@dataclass(frozen=True, eq=False)
class FilmHeader:
    """A checked header.

    Args:
        facts: What is kept of it; syntax, loss and further notes are the file's to add.
        tags: Its spacings.
        grey: How stored codes become display sense.
        allocated: Bits of a stored code, 8 or 16.
        shift: Bits below the value in a code, where the header puts its high bit higher than usual.
        padding: Least and greatest stored value of padding, or None.
    """

    facts: FilmFacts
    tags: SpacingTags
    grey: Greyscale
    allocated: int
    shift: int
    padding: tuple[int, int] | None

    @classmethod
    def of(cls, header: Header, name: str, voi: bool = False, has_pixels: bool = True) -> FilmHeader:
        """Read and check a header.

        Args:
            header: The data set, with or without pixels.
            name: The film's name, for messages.
            voi: Whether its VOI LUT or window is wanted.
            has_pixels: Whether the file has pixel data.

        Raises:
            FilmError: Not a film that is read here, or values that cannot be.
        """
        try:
            _check_image(header, name, has_pixels)
            _check(header, name)
            return _read(header, name, voi)
        except FilmError:
            raise
        except Exception as error:  # odd values raise anything; the file is named and the batch goes on
            what = error.__class__.__name__
            raise FilmError(
                "bad_header", f"{name}: its header has a value that cannot be read ({what}); export it again"
            ) from error


def _check_image(header: Header, name: str, has_pixels: bool) -> None:
    """Refuse what is no projection radiograph, or has no image.

    Args:
        header: The data set.
        name: The film's name.
        has_pixels: Whether the file has pixel data.

    Raises:
        FilmError: Rule ``modality`` or ``no_pixels``.
    """
    modality = _word(header, "Modality")
    if modality and modality not in MODALITIES:
        said = f"modality {modality}" if len(modality) == 2 and modality.isalpha() else "another modality"
        raise FilmError("modality", f"{name}: {said}, not a projection radiograph; remove it from the cohort")
    missing = [tag for tag in _NEEDED if header.get(tag) is None]
    if not has_pixels or missing:
        what = ", ".join(missing) if missing else "PixelData"
        raise FilmError("no_pixels", f"{name}: the file has no image ({what} missing); export it again")


def _check(header: Header, name: str) -> None:
    photometric, samples = _word(header, "PhotometricInterpretation"), _whole(header, "SamplesPerPixel", 1)
    if samples != 1 or photometric not in _GREY:
        said = photometric if photometric in _GREY + _COLOUR else "an unknown photometric interpretation"
        raise FilmError("colour", f"{name}: a colour image ({said}, {samples} samples); export the greyscale film")
    frames = _whole(header, "NumberOfFrames", 1)
    if frames not in (0, 1):
        raise FilmError("frames", f"{name}: {frames} frames where a film has one; export the one that is the film")
    rows, cols = _whole(header, "Rows"), _whole(header, "Columns")
    if rows * cols > LARGEST_PIXELS:
        raise FilmError("too_large", f"{name}: {rows}x{cols} pixels is larger than any hip film; check the export")
    allocated, bits = _whole(header, "BitsAllocated"), _whole(header, "BitsStored")
    if min(rows, cols) < 1 or allocated not in (8, 16) or not 1 <= bits <= allocated:
        raise FilmError(
            "bad_header", f"{name}: {rows}x{cols} pixels of {bits} bits in {allocated} make no film; export it again"
        )


def _read(header: Header, name: str, voi: bool) -> FilmHeader:
    photometric, tags = _word(header, "PhotometricInterpretation"), SpacingTags.of(header)
    grey = _greyscale(header, name, photometric, voi)
    facts = FilmFacts(
        format="dicom",
        rows=_whole(header, "Rows"),
        cols=_whole(header, "Columns"),
        bits=grey.bits,
        photometric=photometric,
        inverted=grey.inverted,
        modality=_word(header, "Modality"),
        pixel_spacing_mm=(tags.pixel.row_mm, tags.pixel.col_mm) if tags.pixel else None,
        imager_spacing_mm=(tags.imager.row_mm, tags.imager.col_mm) if tags.imager else None,
        calibration=tags.calibration,
        magnification=tags.magnification,
        burned_in=_one_of(_word(header, "BurnedInAnnotation"), ("YES", "NO")),
        laterality=_one_of(_word(header, "ImageLaterality") or _word(header, "Laterality"), ("R", "L", "B")),
        columns_towards=(towards := _one_of(_towards(header), ("L", "R"))),
        notes=(*tags.notes, *([MIRRORED] if towards == "R" else [])),
    )
    allocated = _whole(header, "BitsAllocated")
    shift = _whole(header, "HighBit", grey.bits - 1) + 1 - grey.bits
    return FilmHeader(
        facts, tags, grey, allocated, shift if 0 < shift <= allocated - grey.bits else 0, _padding(header, grey)
    )


def _greyscale(header: Header, name: str, photometric: str, voi: bool) -> Greyscale:
    signed = _whole(header, "PixelRepresentation", 0) == 1
    modality, slope, intercept = _table(header, "ModalityLUTSequence", signed), 1.0, 0.0
    if modality is None:
        slope, intercept = _number(header, "RescaleSlope", 1.0) or 1.0, _number(header, "RescaleIntercept", 0.0)
    if not (1e-6 < abs(slope) < 1e6 and abs(intercept) < 1e9):
        raise FilmError("bad_header", f"{name}: rescale slope {slope:g}, intercept {intercept:g} are no film's")
    return Greyscale(
        bits=_whole(header, "BitsStored"),
        signed=signed,
        turned=photometric == "MONOCHROME1" or _word(header, "PresentationLUTShape") == "INVERSE",
        slope=slope,
        intercept=intercept,
        modality=modality,
        voi=_voi(header, name, signed and modality is None) if voi else None,
    )


def _voi(header: Header, name: str, signed: bool) -> LookUp | Window | None:
    table = _table(header, "VOILUTSequence", signed)
    if table is not None or header.get("WindowCenter") is None or header.get("WindowWidth") is None:
        return table
    function = _word(header, "VOILUTFunction") or "LINEAR"
    centre, width = _number(header, "WindowCenter", math.nan), _number(header, "WindowWidth", math.nan)
    narrowest = 1.0 if function == "LINEAR" else 1e-9
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID") or not (abs(centre) < 1e9 and narrowest <= width < 1e9):
        raise FilmError("bad_header", f"{name}: window {centre:g}, {width:g} is none; read it without voi")
    return Window(centre, width, function)


def _table(header: Header, keyword: str, signed: bool) -> LookUp | None:
    sequence = header.get(keyword)
    if not sequence:
        return None
    count, first, bits = (int(v) for v in _shorts(sequence[0].get("LUTDescriptor"))[:3])
    content = sequence[0].get("LUTData")
    count = count % 65536 or 65536
    if isinstance(content, bytes) and bits <= 8 and len(content) in (count, count + count % 2):
        entries = np.frombuffer(content, np.uint8)[:count].astype(np.uint16)
    else:
        entries = _shorts(content)[:count]
    if len(entries) != count or not 1 <= bits <= 16:
        raise ValueError(f"a table of {len(entries)} entries of {bits} bits where {count} are declared")
    return LookUp(first - 65536 if signed and first > 32767 else first, entries, bits)


def _shorts(value: Any) -> NDArray[np.uint16]:
    """Sixteen-bit values, whether pydicom made numbers of them or left the bytes (little endian)."""
    if isinstance(value, bytes):
        return np.frombuffer(value, "<u2").astype(np.uint16)
    return (np.atleast_1d(np.asarray(value, dtype=np.int64)) & 0xFFFF).astype(np.uint16)


def _padding(header: Header, grey: Greyscale) -> tuple[int, int] | None:
    """PixelPaddingValue, to PixelPaddingRangeLimit where there is one; odd ones are passed over."""
    value = header.get("PixelPaddingValue")
    if value is None:
        return None
    limit = header.get("PixelPaddingRangeLimit")
    try:
        ends = [int(_shorts(end)[0]) for end in (value, value if limit is None else limit)]
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if grey.signed:
        ends = [end - 65536 if end > 32767 else end for end in ends]
    return min(ends), max(ends)


def _word(header: Header, keyword: str) -> str:
    return str(header.get(keyword) or "").strip().upper()


def _one_of(said: str, known: tuple[str, ...]) -> str:
    return said if said in known else ""


def _towards(header: Header) -> str:
    """First letter of where rows lead, of PatientOrientation's two values (PS3.3 C.7.6.1.1.1)."""
    said = header.get("PatientOrientation")
    rows = said[0] if not isinstance(said, str) and said else ""
    return str(rows).strip().upper()[:1]


def _first(value: Any) -> Any:
    """The value, or the first of several."""
    return value if isinstance(value, str | bytes) or not hasattr(value, "__getitem__") else value[0]


def _whole(header: Header, keyword: str, default: int | None = None) -> int:
    value = header.get(keyword)
    return default if default is not None and (value is None or value == "") else int(value)


def _number(header: Header, keyword: str, default: float) -> float:
    value = header.get(keyword)
    return default if value is None or value == "" else float(_first(value))
