"""Lossless JPEG streams: a sound one passes, and no damage of its headers does."""

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames

from hipjsw.imaging.lossless_jpeg import lossless_fault


@pytest.fixture
def stream(film_file):
    pixels = np.random.default_rng(0).integers(0, 4096, (40, 36)).astype(np.uint16)
    data = pydicom.dcmread(film_file(pixels, 12, syntax="jpeg"))
    return next(generate_frames(data.PixelData, number_of_frames=1))


def changed(stream, place, value):
    return stream[:place] + bytes([value]) + stream[place + 1 :]


def test_a_sound_stream_has_no_fault(stream):
    assert lossless_fault(stream) == ""
    assert lossless_fault(stream + b"\0") == ""


@pytest.mark.parametrize(
    ("marker", "offset", "value", "fault"),
    [
        (0xC3, 4, 127, "frame"),  # precision, at which GDCM crashed
        (0xC3, 9, 3, "frame"),  # components
        (0xC3, 11, 0x22, "frame"),  # sampling
        (0xC4, 4, 0x10, "table"),  # class
        (0xC4, 5, 200, "table"),  # counts
        (0xC4, 21, 99, "table"),  # a value
        (0xDA, 4, 2, "scan"),
        (0xDA, 5, 9, "scan"),
        (0xDA, 7, 9, "predictor"),
        (0xDA, 9, 1, "predictor"),
        (0xDA, 11, 0xFF, "marker"),
    ],
)
def test_a_damaged_header_is_a_fault(stream, marker, offset, value, fault):
    assert fault in lossless_fault(changed(stream, stream.index(bytes([0xFF, marker])) + offset, value))


def test_a_cut_stream_is_a_fault(stream):
    for length in range(0, len(stream) - 1, 13):
        assert lossless_fault(stream[:length])
