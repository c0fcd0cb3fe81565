"""Stored codes of every transfer syntax, against what was written and against pydicom."""

from dataclasses import replace

import cv2
import numpy as np
import pydicom
import pytest

from hipjsw.imaging import dicom_pixels
from hipjsw.imaging.dicom import read_dicom

LOSSLESS = ("explicit", "implicit", "big", "rle", "jpeg", "jpegls", "j2k")
RAMP = np.arange(12 * 20, dtype=np.uint16).reshape(12, 20)
NOISE = np.random.default_rng(5).integers(0, 4096, (48, 37)).astype(np.uint16)


@pytest.mark.parametrize(
    ("syntax", "dtype"),
    [(s, t) for s in LOSSLESS for t in (np.uint8, np.uint16, np.int16) if (s, t) != ("jpegls", np.int16)],
)
def test_every_lossless_syntax_gives_the_pixels_that_were_written(film_file, syntax, dtype):
    bits = 8 if dtype == np.uint8 else 12
    stored = (NOISE >> (4 if dtype == np.uint8 else 0)).astype(dtype)
    if dtype == np.int16:
        stored -= 2048
    path = film_file(stored, bits, syntax=syntax)
    film = read_dicom(path)
    assert film.facts.syntax != ""
    assert not film.facts.lossy
    np.testing.assert_array_equal(film.pixels, stored.astype(int) + (2048 if dtype == np.int16 else 0))
    if syntax != "j2k":  # pydicom needs a further package for it, or takes Pillow
        np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array, stored)


@pytest.mark.parametrize("shape", [(7, 9), (1, 3), (5, 5)])
@pytest.mark.parametrize("syntax", ["explicit", "big"])
def test_an_odd_number_of_bytes_is_read(film_file, syntax, shape):
    stored = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(read_dicom(film_file(stored, 8, syntax=syntax)).pixels, stored)


def test_a_lossy_film_says_so(film_file):
    film = read_dicom(film_file(NOISE, 12, syntax="j2k_lossy", LossyImageCompression="01"))
    assert film.facts.lossy
    assert [rule for rule, _ in film.facts.notes] == ["lossy"]
    again = read_dicom(film_file(RAMP, 12, LossyImageCompression="01"))  # lossy once, stored plainly since
    assert again.facts.lossy


def test_decoders_agree(film_file, monkeypatch):
    for syntax in ("j2k", "jpegls"):
        path = film_file(NOISE, 12, syntax=syntax)
        ours = read_dicom(path).pixels
        with monkeypatch.context() as patch:
            swapped = {uid: replace(s, plugins=s.plugins and ("gdcm",)) for uid, s in dicom_pixels._SYNTAXES.items()}
            patch.setattr(dicom_pixels, "_SYNTAXES", swapped)
            patch.setattr(dicom_pixels, "lossless_fault", lambda stream: "")
            np.testing.assert_array_equal(read_dicom(path).pixels, ours)


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
def test_a_headless_film_is_read(film_file, syntax):
    path = film_file(RAMP, 12, syntax=syntax, headless=True, Modality="CR")
    assert path.read_bytes()[:2] == b"\x08\0"
    np.testing.assert_array_equal(read_dicom(path).pixels, RAMP)


@pytest.mark.parametrize("inverted", [False, True])
def test_bits_above_the_declared_ones_do_not_count(film_file, inverted):
    overlay = np.random.default_rng(1).integers(0, 16, RAMP.shape).astype(np.uint16) << 12
    header = {"PhotometricInterpretation": "MONOCHROME1" if inverted else "MONOCHROME2"}
    pixels = read_dicom(film_file(RAMP | overlay, 12, **header)).pixels
    np.testing.assert_array_equal(pixels, 4095 - RAMP if inverted else RAMP)
    bright = RAMP * 17
    high = read_dicom(film_file((bright << 4) | 5, 12, HighBit=15, **header)).pixels
    np.testing.assert_array_equal(high, 4095 - bright if inverted else bright)


def test_negative_values_with_foreign_bits_are_read_by_their_own(film_file):
    stored = np.array([[-2048, -1], [0, 2047]], np.int16)
    foreign = (stored & 0x0FFF) | 0x5000
    np.testing.assert_array_equal(read_dicom(film_file(foreign, 12)).pixels, [[0, 2047], [2048, 4095]])


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_jpeg_of_eight_bits_under_a_header_of_twelve_is_read(film_file, photometric):
    stored = np.add.outer(np.arange(16), np.arange(24))
    path = film_file(stored.astype(np.uint16), 12, PhotometricInterpretation=photometric)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    data.PixelData = pydicom.encaps.encapsulate([cv2.imencode(".jpg", stored.astype(np.uint8))[1].tobytes()])
    data["PixelData"].VR = "OB"
    data.save_as(path)
    shown = read_dicom(path).pixels.astype(int)
    np.testing.assert_allclose(shown, 4095 - stored if photometric == "MONOCHROME1" else stored, atol=3)
