"""Films of any format, told by their content and not by their name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hipjsw.imaging.dicom import is_dicom, read_dicom
from hipjsw.imaging.image_file import read_image
from hipjsw.imaging.radiograph import FilmError, Radiograph

__all__ = ["FORMATS", "film_format", "read_film"]

#: Endings in use, by format; DICOM films often have none, or end in a part of a UID.
FORMATS: dict[str, tuple[str, ...]] = {
    "dicom": ("", ".dcm", ".dicom", ".dic", ".ima"),
    "png": (".png",),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "tiff": (".tif", ".tiff"),
    "npy": (".npy",),
}
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\x93NUMPY", "npy"),
)


def film_format(head: bytes) -> str | None:
    """Format of a film by its first 256 bytes: a key of `FORMATS`, or None."""
    if head[128:132] == b"DICM":
        return "dicom"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "dicom" if is_dicom(head) else None)


def read_film(path: Path, spacing_mm: float | None = None, voi: bool = False) -> Radiograph:
    """Read one film.

    Args:
        path: A DICOM, PNG, JPEG, TIFF or NPY file, whatever its name.
        spacing_mm: Spacing in mm; overrules a DICOM header's. Other formats have no spacing but this.
        voi: Whether to apply a DICOM header's VOI LUT or first window (for eyes).

    Returns:
        The film, bone bright, with its facts.

    Raises:
        FilmError: What the file is instead of a film that can be used, by rule.
    """
    try:
        with path.open("rb") as file:
            kind = film_format(file.read(256))
    except OSError as error:
        raise FilmError("unreadable", f"{path.name}: cannot be opened; see its permissions and links") from error
    if kind is None:
        raise FilmError("not_dicom", f"{path.name}: neither DICOM, PNG, JPEG, TIFF nor NPY; replace or remove it")
    film = read_dicom(path, spacing_mm, voi) if kind == "dicom" else read_image(path, kind, spacing_mm)
    ending = _ending(path)
    if film.facts is None or ending in FORMATS[kind]:
        return film
    said = f"the content is {kind.upper()}, the name ends in {ending or 'nothing'}"
    return replace(film, facts=replace(film.facts, notes=(*film.facts.notes, ("wrong_suffix", said))))


def _ending(path: Path) -> str:
    """The name's ending in small letters; the last number of a UID is none."""
    ending = path.suffix.lower()
    return "" if ending[1:].isdigit() else ending
