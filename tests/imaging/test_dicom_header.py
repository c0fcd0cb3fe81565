"""Tables, windows and padding of a header, against pydicom."""

import struct

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_windowing

from hipjsw.imaging.dicom import read_dicom
from hipjsw.imaging.radiograph import FilmError

RAMP = np.arange(12 * 20, dtype=np.uint16).reshape(12, 20)


# Tables and windows


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
def test_a_modality_table_stands_in_place_of_the_slope(film_file, photometric, syntax):
    entries = (np.arange(200) ** 2 // 10).astype(np.uint16)
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [200, 20, 12], entries.tolist()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "US"
    header = {"ModalityLUTSequence": [table], "PhotometricInterpretation": photometric}
    path = film_file(RAMP, 12, syntax=syntax, **header)
    oracle = entries[np.clip(RAMP.astype(int) - 20, 0, 199)].astype(int)
    np.testing.assert_array_equal(read_dicom(path).pixels, 4095 - oracle if photometric == "MONOCHROME1" else oracle)


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_window_is_applied_where_it_is_asked_for(film_file, function, photometric):
    header = {"WindowCenter": [1500, 9], "WindowWidth": [900, 9], "RescaleSlope": "10", "RescaleIntercept": "-50"}
    if function:
        header["VOILUTFunction"] = function
    path = film_file(RAMP, 12, PhotometricInterpretation=photometric, **header)
    data = pydicom.dcmread(path)
    oracle = apply_windowing(apply_modality_lut(RAMP, data), data)
    shown = read_dicom(path, voi=True).pixels / 65535
    low, high = -50, 10 * 4095 - 50
    expected = (oracle - low) / (high - low)
    np.testing.assert_allclose(shown, 1 - expected if photometric == "MONOCHROME1" else expected, atol=2e-5)


def test_a_voi_table_is_applied_where_it_is_asked_for(film_file):
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [256, 0, 8], bytes(range(255, -1, -1))
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    path = film_file(RAMP, 12, VOILUTSequence=[table])
    np.testing.assert_array_equal(read_dicom(path, voi=True).pixels, 255 - RAMP)
    np.testing.assert_array_equal(read_dicom(path).pixels, RAMP)


def test_a_window_that_is_none_is_refused_only_where_it_is_asked_for(film_file):
    path = film_file(RAMP, 12, WindowCenter="100", WindowWidth="0")
    assert read_dicom(path).shape == RAMP.shape
    with pytest.raises(FilmError, match="window") as caught:
        read_dicom(path, voi=True)
    assert caught.value.rule == "bad_header"


# Padding


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_padding_is_kept_in_display_sense(film_file, inverted, signed):
    stored = (RAMP.astype(int) - (2048 if signed else 0)).astype(np.int16 if signed else np.uint16)
    low, high = (-2048, -2040) if signed else (0, 8)
    vr = {"raw": {k: ("SS" if signed else "US", struct.pack("<h" if signed else "<H", v))
                  for k, v in (("PixelPaddingValue", low), ("PixelPaddingRangeLimit", high))}}  # fmt: skip
    film = read_dicom(film_file(stored, 12, PhotometricInterpretation=f"MONOCHROME{2 - inverted}", **vr))
    assert film.padding == ((4087, 4095) if inverted else (0, 8))
    assert read_dicom(film_file(stored, 12)).padding is None


# Sides


@pytest.mark.parametrize(
    ("said", "towards"),
    [
        (["L", "F"], "L"),
        (["LF", "F"], "L"),
        (["R", "F"], "R"),
        (["A", "F"], ""),
        ("L", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_columns_that_run_towards_the_right_are_noted(film_file, said, towards):
    header = {} if said is None else {"PatientOrientation": said}
    facts = read_dicom(film_file(RAMP, 12, **header)).facts
    assert facts.columns_towards == towards
    assert ("mirrored" in [rule for rule, _ in facts.notes]) == (towards == "R")


@pytest.mark.parametrize(
    ("header", "side"),
    [
        ({"ImageLaterality": "R", "Laterality": "L"}, "R"),
        ({"Laterality": "L"}, "L"),
        ({"ImageLaterality": "B"}, "B"),
        ({"ImageLaterality": "U"}, ""),
        ({}, ""),
    ],
)
def test_the_side_that_a_header_says(film_file, header, side):
    assert read_dicom(film_file(RAMP, 12, **header)).facts.laterality == side
