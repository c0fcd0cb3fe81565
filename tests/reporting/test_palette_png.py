"""PNGs with a palette, held against another decoder."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hipjsw.reporting.palette_png import palette_png

shapes = st.tuples(st.integers(1, 9), st.integers(1, 19))


def colours_of(count, seed=0):
    rng = np.random.default_rng(seed)
    return [tuple(int(v) for v in row) for row in rng.integers(0, 256, (count, 4))]


@given(st.data(), shapes, st.integers(1, 256))
def test_another_decoder_reads_every_pixel_as_it_was(data, shape, count):
    numbers = data.draw(arrays(np.int64, shape, elements=st.integers(0, count - 1)))
    colours = colours_of(count)
    png = palette_png(numbers, colours)
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    expected = np.array(colours, np.uint8)[numbers]
    if decoded.shape[2] == 3:  # every colour that is there is opaque
        decoded = np.dstack([decoded, np.full(shape, 255, np.uint8)])
    np.testing.assert_array_equal(decoded[..., [2, 1, 0, 3]], expected)
    assert png == palette_png(numbers, colours)


@pytest.mark.parametrize(("count", "bits"), [(1, 1), (2, 1), (3, 2), (15, 4), (17, 8), (256, 8)])
def test_a_pixel_has_as_few_bits_as_the_colours_need(count, bits):
    assert palette_png(np.zeros((3, 5), int), colours_of(count))[24] == bits


@pytest.mark.parametrize(
    ("numbers", "count", "words"),
    [
        (np.zeros(4, int), 2, "rows and columns"),
        (np.zeros((0, 4), int), 2, "rows and columns"),
        (np.zeros((2, 2), int), 257, "1 to 256 colours"),
        (np.zeros((2, 2), int), 0, "1 to 256 colours"),
        (np.full((2, 2), 2), 2, "name colours 0 to 1"),
        (np.full((2, 2), -1), 2, "name colours 0 to 1"),
    ],
)
def test_what_makes_no_picture_is_refused(numbers, count, words):
    with pytest.raises(ValueError, match=words):
        palette_png(numbers, colours_of(count))
