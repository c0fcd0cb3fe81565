"""Fragments and codestream headers, against the encoders' own."""

import cv2
import numpy as np
import openjpeg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

from hipjsw.imaging.pixel_stream import FragmentError, fragments, stream_frame

END = b"\xfe\xff\xdd\xe0\0\0\0\0"


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=2, max_size=300).filter(lambda b: len(b) % 2 == 0), st.integers(1, 5))
def test_fragments_are_what_was_encapsulated_and_a_cut_is_noticed(stream, pieces):
    content = encapsulate([stream], fragments_per_frame=min(pieces, (len(stream) + 1) // 2)) + END
    assert b"".join(fragments(content))[: len(stream)] == stream
    with pytest.raises(FragmentError):
        fragments(content[: -len(END) - 1])


@pytest.mark.parametrize("content", [b"", END, b"\xfe\xff\x00\xe0\0\0\0\0" + END, b"x" * 20])
def test_no_fragment_is_an_error(content):
    with pytest.raises(FragmentError):
        fragments(content)


def test_without_a_delimiter_the_codestream_must_have_its_end():
    table, whole = b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\x00\xe0\x04\0\0\0ab\xff\xd9"
    assert fragments(table + whole) == [b"ab\xff\xd9"]
    with pytest.raises(FragmentError):
        fragments(table + whole[:-1] + b"\0")


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]))
def test_a_jpeg_says_its_size(rows, cols, channels):
    pixels = np.zeros((rows, cols, channels), np.uint8)
    frame = stream_frame(cv2.imencode(".jpg", pixels)[1].tobytes())
    assert (frame.rows, frame.cols, frame.components, frame.bits) == (rows, cols, channels, 8)


@settings(max_examples=20, deadline=None)
@given(st.integers(32, 90), st.integers(32, 90), st.integers(2, 16))
def test_a_jpeg_2000_stream_says_its_size(rows, cols, bits):
    frame = stream_frame(openjpeg.encode(np.zeros((rows, cols), np.uint16), bits_stored=bits, use_mct=False))
    assert (frame.rows, frame.cols, frame.components, frame.bits) == (rows, cols, 1, bits)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8", b"\xff\x4f\xff\x51", b""]))
def test_any_bytes_say_a_size_or_nothing(content, start):
    frame = stream_frame(start + content)
    assert frame is None or isinstance(frame.rows, int)
