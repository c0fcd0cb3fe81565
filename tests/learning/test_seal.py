"""A checkpoint's hash in its archive's comment."""

import io
import zipfile

import pytest
import torch

from hipjsw.learning.seal import broken_seal, sealed


def archive(**values):
    file = io.BytesIO()
    torch.save(values, file)
    return file.getvalue()


def test_torch_and_zip_read_a_sealed_archive():
    content = sealed(archive(a=torch.arange(5.0)))
    assert not broken_seal(content)
    assert torch.equal(torch.load(io.BytesIO(content), weights_only=True)["a"], torch.arange(5.0))
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.comment.startswith(b"sha256:")
        assert opened.testzip() is None


def test_every_single_bit_counts():
    content = sealed(archive(a=torch.arange(5.0)))
    for place in range(0, len(content), 7):
        assert broken_seal(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]), place
    for place in range(len(content)):
        assert broken_seal(content[:place]), place


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all", b"x" * 200])
def test_what_is_no_archive_is_neither_sealed_nor_whole(content):
    assert broken_seal(content)
    with pytest.raises(ValueError, match="zip archive"):
        sealed(content)
