"""DICOM films: display sense, spacing, refusals; written here and written by others."""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hipjsw.imaging.dicom import read_dicom
from hipjsw.imaging.radiograph import LARGEST_PIXELS, FilmError
from hipjsw.imaging.spacing import SpacingSource

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "dicom"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real films of shared/data/dicom are absent")

PLACES_OF_LEG = ((343, 847), (429, 671), (1287, 500))  # (row, col) of tibia, calf, air on RG3
RAMP = np.arange(12 * 20, dtype=np.uint16).reshape(12, 20)
NOISE = np.random.default_rng(5).integers(0, 4096, (48, 37)).astype(np.uint16)


# Display sense


@pytest.mark.parametrize(
    ("bits", "dtype"), [(8, np.uint8), (10, np.uint16), (12, np.uint16), (15, np.uint16), (16, "u2")]
)
def test_monochrome1_is_turned_over_by_the_declared_bits_and_not_by_the_maximum(film_file, bits, dtype):
    stored = RAMP.astype(dtype) // 2 + 3
    kept = read_dicom(film_file(stored, bits))
    turned = read_dicom(film_file(stored, bits, PhotometricInterpretation="MONOCHROME1"))
    assert (kept.bits, kept.photometric, turned.photometric) == (bits, "MONOCHROME2", "MONOCHROME1")
    np.testing.assert_array_equal(kept.pixels, stored)
    np.testing.assert_array_equal(turned.pixels, 2**bits - 1 - stored.astype(int))
    assert kept.pixels.dtype == turned.pixels.dtype == np.uint16


@pytest.mark.parametrize(
    ("photometric", "shape", "slope", "turned"),
    [
        ("MONOCHROME2", "IDENTITY", 1, False),
        ("MONOCHROME2", "INVERSE", 1, True),
        ("MONOCHROME2", None, -1, True),
        ("MONOCHROME2", "INVERSE", -1, False),
        ("MONOCHROME1", "INVERSE", 1, True),
        ("MONOCHROME1", None, 1, True),
        ("MONOCHROME1", "INVERSE", -1, False),
    ],
)
def test_a_film_is_turned_over_once_or_not_at_all(film_file, photometric, shape, slope, turned):
    header = {} if shape is None else {"PresentationLUTShape": shape}
    film = read_dicom(
        film_file(RAMP, 12, PhotometricInterpretation=photometric, RescaleSlope=slope, RescaleIntercept=0, **header)
    )
    np.testing.assert_array_equal(film.pixels, 4095 - RAMP if turned else RAMP)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_signed_values_keep_their_order_and_start_at_zero(film_file, photometric):
    stored = np.array([[-2048, -1], [0, 2047]], dtype=np.int16)
    film = read_dicom(film_file(stored, 12, PhotometricInterpretation=photometric))
    expected = [[0, 2047], [2048, 4095]]
    np.testing.assert_array_equal(film.pixels, expected if photometric == "MONOCHROME2" else 4095 - np.array(expected))


@pytest.mark.parametrize(
    ("slope", "photometric"), [(0.684, "MONOCHROME2"), (2.0, "MONOCHROME1"), (-0.5, "MONOCHROME1")]
)
def test_rescale_slope_scales_the_contrast(film_file, slope, photometric):
    header = {"RescaleSlope": slope, "RescaleIntercept": 100, "PhotometricInterpretation": photometric}
    pixels = read_dicom(film_file(RAMP, 12, **header)).pixels
    assert pixels.dtype == np.float32
    # The modality LUT and the inversion by hand, but for a constant.
    sign = -1 if photometric == "MONOCHROME1" else 1
    by_hand = sign * (slope * RAMP + 100.0)
    np.testing.assert_allclose(pixels - pixels[0, 0], by_hand - by_hand[0, 0], atol=1e-3)


def test_windows_are_for_eyes(film_file):
    film = read_dicom(film_file(RAMP, 12, WindowCenter="100", WindowWidth="20"))
    np.testing.assert_array_equal(film.pixels, RAMP)


# Spacing


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"PixelSpacing": [0.2, 0.3]}, (0.2, 0.3, SpacingSource.PIXEL)),
        ({"PixelSpacing": [0.141, 0.141], "ImagerPixelSpacing": [0.143, 0.143]}, (0.141, 0.141, SpacingSource.PIXEL)),
        (
            {"PixelSpacing": [0.14, 0.14], "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.14, 0.14, SpacingSource.CALIBRATED),
        ),
        (
            {"PixelSpacing": [0.14, 0.14], "PixelSpacingCalibrationType": "GEOMETRY"},
            (0.14, 0.14, SpacingSource.CALIBRATED),
        ),
        ({"PixelSpacing": [0.14, 0.14], "PixelSpacingCalibrationType": "OTHER"}, (0.14, 0.14, SpacingSource.PIXEL)),
        ({"ImagerPixelSpacing": [0.16, 0.17]}, (0.16, 0.17, SpacingSource.IMAGER)),
        (
            {"ImagerPixelSpacing": [0.16, 0.17], "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.16, 0.17, SpacingSource.IMAGER),
        ),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.16, 0.16]}, (0.16, 0.16, SpacingSource.IMAGER)),
        ({"PixelSpacing": [0.2, 0], "ImagerPixelSpacing": [0.16, 0.16]}, (0.16, 0.16, SpacingSource.IMAGER)),
        ({"PixelSpacing": [-0.2, -0.2]}, None),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0, 0]}, None),
        ({"PixelSpacing": [200, 200]}, None),
        ({"PixelSpacing": [0.2, 0.2, 0.2]}, None),
        ({}, None),
    ],
)
def test_spacing_knows_its_tag_and_zero_is_none(film_file, header, expected):
    spacing = read_dicom(film_file(RAMP, 12, **header)).spacing
    assert (spacing and (spacing.row_mm, spacing.col_mm, spacing.source)) == expected


def test_a_given_spacing_overrules_the_header_and_says_so(film_file):
    spacing = read_dicom(film_file(RAMP, 12, PixelSpacing=[0.2, 0.3]), spacing_mm=0.15).spacing
    assert (spacing.row_mm, spacing.col_mm, spacing.source) == (0.15, 0.15, SpacingSource.GIVEN)


@pytest.mark.parametrize(
    "text", [b"abc\\def ", b"0,2\\0,2 ", b"nan\\nan ", b"inf\\inf ", b"1e400\\1e400 ", b"\\ ", b""]
)
def test_text_that_is_no_spacing_gives_none(film_file, text):
    assert read_dicom(film_file(RAMP, 12, raw={"PixelSpacing": ("DS", text)})).spacing is None


# Refusals


def refused(path, rule):
    with pytest.raises(FilmError, match=path.name) as caught:
        read_dicom(path)
    assert caught.value.rule == rule
    return str(caught.value)


def test_colour_is_refused(film_file):
    rgb = np.zeros((8, 8, 3), np.uint8)
    message = refused(
        film_file(rgb, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0), "colour"
    )
    assert "RGB" in message
    refused(film_file(RAMP, 12, PhotometricInterpretation="PALETTE COLOR"), "colour")


def test_several_frames_are_refused_and_one_frame_by_name_is_a_film(film_file):
    message = refused(film_file(np.zeros((3, 8, 8), np.uint16), 12, NumberOfFrames=3), "frames")
    assert "3 frames" in message
    np.testing.assert_array_equal(read_dicom(film_file(RAMP, 12, NumberOfFrames=1)).pixels, RAMP)


@pytest.mark.parametrize("keyword", ["PixelData", "Rows", "Columns", "BitsStored", "PhotometricInterpretation"])
def test_a_header_without_an_image_is_refused_and_says_what_is_missing(film_file, keyword):
    assert keyword in refused(film_file(RAMP, 12, **{keyword: None}), "no_pixels")


def test_a_film_too_large_is_refused_before_its_pixels_are_touched(film_file):
    assert LARGEST_PIXELS < 60_000 * 60_000
    refused(film_file(RAMP, 12, Rows=60_000, Columns=60_000), "too_large")


@pytest.mark.parametrize("content", [b"", b"no film", b"x" * 500, b"\0" * 128, b"\0" * 128 + b"DICX" + b"\0" * 64])
def test_what_is_not_dicom_is_refused(tmp_path, content):
    (tmp_path / "film.dcm").write_bytes(content)
    refused(tmp_path / "film.dcm", "not_dicom")


def test_an_absent_file_and_a_folder_are_refused(tmp_path):
    refused(tmp_path / "none.dcm", "not_dicom")
    refused(tmp_path, "not_dicom")


def test_pixels_cut_short_are_refused(film_file):
    path = film_file(RAMP, 12, PixelSpacing=[0.2, 0.2])
    path.write_bytes(path.read_bytes()[:-100])
    assert f"{RAMP.nbytes - 100} of {RAMP.nbytes} bytes" in refused(path, "truncated")


@pytest.mark.parametrize("syntax", ["rle", "jpeg", "jpegls", "j2k", "j2k_lossy"])
def test_compressed_pixels_cut_short_are_refused(film_file, syntax):
    path = film_file(NOISE, 12, syntax=syntax)
    whole = path.read_bytes()
    for cut in (9, 40, 200):
        path.write_bytes(whole[:-cut])
        refused(path, "truncated")


def test_a_stream_of_another_size_than_the_header_declares_is_refused(film_file):
    for syntax in ("jpeg", "jpegls", "j2k"):
        path = film_file(NOISE, 12, syntax=syntax)
        data = pydicom.dcmread(path)
        data.Rows = 47
        data.save_as(path)
        refused(path, "undecodable")


@pytest.mark.parametrize(("bits", "allocated"), [(20, 16), (0, 16), (12, 32), (12, 12), (9, 8)])
def test_bits_that_cannot_be_are_refused(film_file, bits, allocated):
    refused(film_file(RAMP, 12, BitsStored=bits, BitsAllocated=allocated), "bad_header")


@pytest.mark.parametrize("modality", ["MR", "CT", "US", "SR", "OT", "a made-up text"])
def test_another_modality_is_refused_and_a_missing_one_is_not(film_file, modality):
    message = refused(film_file(RAMP, 12, Modality=modality), "modality")
    assert "made-up" not in message
    for kept in ("CR", "DX", "RG", "RF"):
        assert read_dicom(film_file(RAMP, 12, Modality=kept)).facts.modality == kept
    assert read_dicom(film_file(RAMP, 12)).facts.modality == ""


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_film_of_one_value_is_flat(film_file, photometric):
    flat = np.full((40, 50), 7, np.uint16)
    refused(film_file(flat, 12, PhotometricInterpretation=photometric), "flat")
    flat[17, 23] = 8
    assert read_dicom(film_file(flat, 12)).shape == (40, 50)


def test_a_deflated_file_is_not_inflated(film_file):
    path = film_file(RAMP, 12)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"[:20]))
    deflated = path.read_bytes()
    at = deflated.index(b"1.2.840.10008.1.2.1.")
    path.write_bytes(deflated[:at] + b"1.2.840.10008.1.2.1.99" + deflated[at + 20 :])
    refused(path, "undecodable")


@pytest.mark.parametrize(
    ("keyword", "vr", "content"),
    [
        ("PixelSpacing", "DS", b"0.2 "),
        ("RescaleSlope", "DS", b"abc "),
        ("RescaleSlope", "DS", b"1\\2 "),
        ("NumberOfFrames", "IS", b"abc "),
        ("SamplesPerPixel", "US", b""),
        ("Rows", "US", struct.pack("<2H", 12, 12)),
    ],
)
def test_an_odd_header_value_is_a_film_error_or_passed_over(film_file, keyword, vr, content):
    path = film_file(RAMP, 12, raw={keyword: (vr, content)})
    with contextlib.suppress(FilmError):
        read_dicom(path)


@pytest.mark.parametrize(
    ("element", "damaged"),
    [
        (b"\x28\0\x10\0US\x02\0\x0c\0", b"\x28\0\x10\0ZZ\x02\0\x0c\0"),  # Rows of an unknown kind
        (b"\x28\0\x10\0US\x02\0\x0c\0", b"\x28\0\x10\0UL\x02\0\x0c\0"),  # ... of four bytes, cut to two
    ],
)
def test_a_damaged_element_is_a_film_error(film_file, element, damaged):
    path = film_file(RAMP, 12)
    assert path.read_bytes().count(element) == 1
    path.write_bytes(path.read_bytes().replace(element, damaged))
    with pytest.raises(FilmError, match=path.name):
        read_dicom(path)


@pytest.mark.parametrize("slope", [b"nan ", b"inf ", b"1e300 "])
def test_pixels_are_always_finite(film_file, slope):
    with np.errstate(all="ignore"):
        try:
            film = read_dicom(film_file(RAMP, 12, raw={"RescaleSlope": ("DS", slope)}))
        except FilmError:
            return
    assert np.isfinite(film.pixels).all()


def test_a_file_damaged_anywhere_is_a_film_error_or_a_film(film_file):
    path = film_file(RAMP, 12, PixelSpacing=[0.2, 0.2])
    whole = path.read_bytes()
    header = whole.index(RAMP.tobytes())
    rng = np.random.default_rng(0)
    versions = [whole[:length] for length in range(0, len(whole), 7)]
    for _ in range(300):
        damaged = bytearray(whole)
        for at in rng.integers(128, header, 2):
            damaged[at] = rng.integers(256)
        versions.append(bytes(damaged))
    escaped = set()
    for content in versions:
        path.write_bytes(content)
        try:
            read_dicom(path)
        except FilmError:
            continue
        except Exception as error:  # every other kind is what this test counts
            escaped.add(type(error).__name__)
    assert escaped == set()


# Films nobody here wrote


@needs_real
def test_four_lossless_syntaxes_of_a_hip_give_the_same_pixels_and_the_lossy_one_nearly():
    films = {name: read_dicom(REAL / f"RG2_{name}.dcm") for name in ("RLE", "JPLL", "JLSL", "J2KR", "J2KI")}
    for name in ("JPLL", "JLSL", "J2KR"):
        np.testing.assert_array_equal(films[name].pixels, films["RLE"].pixels)
    lossy = films["J2KI"].pixels.astype(float) - films["RLE"].pixels
    assert 0 < np.abs(lossy).mean() < 5
    assert films["J2KI"].pixels.max() == 937


@needs_real
def test_a_real_hip_has_its_spacing_and_bright_bone():
    film = read_dicom(REAL / "RG2_RLE.dcm")
    assert film.shape == (2140, 1760)
    assert (film.spacing.row_mm, film.spacing.col_mm, film.spacing.source) == (0.2, 0.2, SpacingSource.PIXEL)
    assert (film.photometric, film.bits) == ("MONOCHROME2", 10)

    def mean(row, col, half=15):
        return film.pixels[row - half : row + half, col - half : col + half].mean()

    shaft, head, thigh, air = mean(1069, 1174), mean(835, 887), mean(1304, 991), mean(678, 1304)
    assert min(shaft, head) > thigh + 50 > air + 100


@needs_real
def test_a_real_monochrome1_leg_without_spacing_has_bright_bone_and_no_millimetres():
    for name in ("RG3_RLE", "RG3_J2KI"):
        film = read_dicom(REAL / f"{name}.dcm")
        assert (film.photometric, film.spacing) == ("MONOCHROME1", None)
        tibia, calf, air = (film.pixels[r - 9 : r + 9, c - 9 : c + 9].mean() for r, c in PLACES_OF_LEG)
        assert tibia > calf + 50 > air + 100


@needs_real
def test_a_real_chest_of_fifteen_bits_and_zero_spacing_is_turned_over_by_its_bits():
    film = read_dicom(REAL / "RG1_J2KI.dcm")
    stored = pydicom.dcmread(REAL / "RG1_J2KI.dcm").pixel_array
    assert (film.photometric, film.bits, film.spacing) == ("MONOCHROME1", 15, None)
    np.testing.assert_array_equal(film.pixels, 32767 - stored.astype(int))


@needs_real
def test_real_spacings():
    dog = read_dicom(REAL / "dx_image.dcm")
    assert (dog.spacing.row_mm, dog.spacing.col_mm) == (pytest.approx(1.2), pytest.approx(1.2012))
    assert not np.array_equal(dog.pixels, pydicom.dcmread(REAL / "dx_image.dcm").pixel_array)
    # The lower edge of this film is unexposed: dark once the film is the right way round.
    assert dog.pixels[-10:].mean() < 0.2 * dog.pixels.mean()
    small = read_dicom(REAL / "CR_6154.dcm")
    assert (small.spacing.source, small.pixels.dtype) == (SpacingSource.IMAGER, np.float32)
    stored = pydicom.dcmread(REAL / "CR_6154.dcm").pixel_array.astype(float)
    scaled = -0.684 * (stored - stored.flat[0])
    np.testing.assert_allclose(small.pixels - small.pixels.flat[0], scaled, rtol=2e-3, atol=0.01)


@needs_real
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("RG2_JPLY.dcm", "undecodable"),
        ("RG3_JPLY.dcm", "undecodable"),
        ("malformed_j2k_966.dcm", "undecodable"),
        ("331_DDH_10.dcm", "colour"),
        ("chrJapMulti.dcm", "no_pixels"),
        ("CR000000_becken_frontal_header_only.dcm", "no_pixels"),
        ("NEMA_WG04_README.txt", "not_dicom"),
        ("examples_overlay.dcm", "modality"),
    ],
)
def test_real_files_that_cannot_be_used_say_why(name, rule):
    refused(REAL / name, rule)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bits=st.integers(2, 16), seed=st.integers(0, 99), inverted=st.booleans(), signed=st.booleans())
def test_any_bit_depth_keeps_order_and_range(film_file, bits, seed, inverted, signed):
    low = -(2 ** (bits - 1)) if signed else 0
    stored = np.random.default_rng(seed).integers(low, low + 2**bits, (9, 8))
    photometric = "MONOCHROME1" if inverted else "MONOCHROME2"
    path = film_file(stored.astype(np.int16 if signed else np.uint16), bits, PhotometricInterpretation=photometric)
    pixels = read_dicom(path).pixels.astype(int)
    np.testing.assert_array_equal(pixels, (low + 2**bits - 1 - stored) if inverted else stored - low)
