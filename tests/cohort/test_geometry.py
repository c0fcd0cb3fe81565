"""A view's place as eight numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.cohort.geometry import COLUMNS, covered, packed, unpacked
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView

place = st.floats(-50, 400)
step = st.floats(0.05, 1.0)


@given(place, place, step, step, st.integers(1, 400), st.integers(1, 400), st.booleans(), step)
def test_numbers_hold_all_of_a_view(row, col, row_mm, col_mm, rows, cols, mirrored, pixel_mm):
    spacing = PixelSpacing(row_mm, col_mm, SpacingSource.PIXEL)
    view = HipView((40, 50), pixel_mm, np.array([row, col]), mirrored, spacing)
    numbers = packed(view, (rows, cols))
    assert numbers.shape == (len(COLUMNS),)
    again, shape = unpacked(numbers, (40, 50), SpacingSource.PIXEL)
    assert shape == (rows, cols)
    np.testing.assert_array_equal(packed(again, shape), numbers)
    _, inside = view.sample(np.zeros((rows, cols), dtype=np.uint16))
    np.testing.assert_array_equal(covered(view, (rows, cols)), inside)
