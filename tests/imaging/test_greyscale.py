"""Display sense: order, range and turning over, against arithmetic in wide integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.imaging.greyscale import Greyscale, LookUp, Window

depths = st.integers(1, 16)


def all_codes(bits):
    return np.arange(2**bits, dtype=np.uint8 if bits <= 8 else np.uint16)


def stored_values(bits, signed):
    values = np.arange(2**bits)
    return np.where(values >= 2 ** (bits - 1), values - 2**bits, values) if signed else values


@settings(max_examples=60, deadline=None)
@given(depths, st.booleans(), st.booleans(), st.sampled_from([1.0, -1.0, 0.5, -3.0]))
def test_every_code_is_shown_as_arithmetic_has_it(bits, signed, turned, slope):
    grey = Greyscale(bits, signed, turned, slope)
    values = stored_values(bits, signed) * slope * (-1 if turned else 1)
    np.testing.assert_allclose(grey.shown(all_codes(bits)), values - values.min())
    assert grey.inverted == (turned != (slope < 0))


@settings(max_examples=40, deadline=None)
@given(depths, st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_foreign_bits_change_nothing(bits, signed, turned, seed):
    codes = all_codes(bits).astype(np.uint16)
    foreign = np.random.default_rng(seed).integers(0, 65536, codes.shape).astype(np.uint16)
    dirty = codes | (foreign & np.uint16(65535 - (2**bits - 1)))
    grey = Greyscale(bits, signed, turned)
    np.testing.assert_array_equal(grey.shown(dirty), grey.shown(codes))


def test_a_plain_film_is_shown_in_place():
    codes = np.arange(4096, dtype=np.uint16)
    assert np.shares_memory(Greyscale(12, turned=True).shown(codes), codes)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.booleans(), st.integers(-50, 50), st.integers(1, 16), st.integers(0, 9))
def test_a_table_holds_its_ends_and_is_turned_over_by_its_own_bits(bits, turned, first, out_bits, seed):
    entries = np.random.default_rng(seed).integers(0, 2**out_bits, 100).astype(np.uint16)
    shown = Greyscale(bits, turned=turned, modality=LookUp(first, entries, out_bits)).shown(all_codes(bits))
    expected = entries[np.clip(np.arange(2**bits) - first, 0, 99)].astype(int)
    np.testing.assert_array_equal(shown, 2**out_bits - 1 - expected if turned else expected)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_window_rises_from_black_to_white_about_its_centre(function, turned):
    shown = Greyscale(12, turned=turned, voi=Window(2000, 500, function)).shown(all_codes(12)).astype(int)
    shown = 65535 - shown if turned else shown
    assert (np.diff(shown) >= 0).all()
    assert shown[2000] == pytest.approx(65535 / 2, abs=80)
    assert shown[0] < 10
    assert shown[-1] > 65525
    if function != "SIGMOID":
        assert (shown[:1749] == 0).all()
        assert (shown[2251:] == 65535).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 16), st.booleans(), st.booleans(), st.data())
def test_padding_is_where_its_values_are_shown(bits, signed, turned, data):
    values = stored_values(bits, signed)
    low, high = sorted(data.draw(st.lists(st.integers(int(values.min()), int(values.max())), min_size=2, max_size=2)))
    grey = Greyscale(bits, signed, turned)
    shown = grey.shown(all_codes(bits))
    least, greatest = grey.padding(low, high)
    np.testing.assert_array_equal((shown >= least) & (shown <= greatest), (values >= low) & (values <= high))
