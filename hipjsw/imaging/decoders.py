"""Which kinds of DICOM pixels can be read here."""

from __future__ import annotations

from importlib import import_module

__all__ = ["missing_decoders"]

#: What reads compressed pixels, and what it reads.
_READERS = {"cv2": "JPEG", "gdcm": "JPEG lossless", "jpeg_ls": "JPEG-LS", "openjpeg": "JPEG 2000"}


def missing_decoders() -> dict[str, str]:
    """Decoders that cannot be loaded: what each reads, by its module; empty where all films can be read."""
    missing = {}
    for module, reads in _READERS.items():
        try:
            import_module(module)
        except ImportError:
            missing[module] = reads
    return missing
