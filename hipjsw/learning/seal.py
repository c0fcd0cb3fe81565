"""A hash that a checkpoint carries in itself: in its archive's comment, where torch and any unzip still read the file.

The comment is ``sha256:`` and the hash, in hexadecimal digits, of every byte before it.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile

__all__ = ["broken_seal", "sealed"]

_MARK = b"sha256:"
_DIGITS = 64
#: The record that ends an archive without a comment: its signature, its length in bytes.
_END, _END_BYTES = b"PK\x05\x06", 22


def sealed(archive: bytes) -> bytes:
    """The archive with its hash.

    Args:
        archive: A zip archive without a comment, as ``torch.save`` writes it.

    Raises:
        ValueError: It is none.
    """
    if not _ends_without_comment(archive):
        raise ValueError("only a zip archive without a comment can be sealed")
    body = archive[:-2] + struct.pack("<H", len(_MARK) + _DIGITS) + _MARK
    return body + hashlib.sha256(body).hexdigest().encode()


def broken_seal(content: bytes) -> str:
    """Why a file is not what was written; empty if it is.

    Files that were written before there were seals are judged by the checksums of what their archive holds.

    Args:
        content: The whole file.
    """
    body, said = content[:-_DIGITS], content[-_DIGITS:]
    if body.endswith(_MARK):
        return "" if hashlib.sha256(body).hexdigest().encode() == said else "its hash is another"
    if not _ends_without_comment(content):
        return "its end is missing or not what was written"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            spoilt = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        return f"its archive cannot be read ({type(error).__name__})"
    return "a part of it has another checksum" if spoilt else ""


def _ends_without_comment(content: bytes) -> bool:
    return content[-_END_BYTES:].startswith(_END) and content.endswith(b"\0\0")
