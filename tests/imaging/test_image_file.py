"""Films as image files: values as written, whatever the container; what is no film says why."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hipjsw.imaging import image_file
from hipjsw.imaging.image_file import read_image
from hipjsw.imaging.radiograph import FilmError
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

RNG = np.random.default_rng(4)
WIDE = RNG.integers(0, 65536, (31, 43)).astype(np.uint16)
BYTE = RNG.integers(0, 256, (31, 43)).astype(np.uint8)
SMOOTH = np.clip(np.add.outer(np.arange(31) * 3, np.arange(43) * 2), 0, 255).astype(np.uint8)


def write(path, image, ending, **options):
    if ending == "npy":
        with path.open("wb") as file:
            np.save(file, image)
    elif ending == "tiff":
        tifffile.imwrite(path, image, **options)
    else:
        path.write_bytes(cv2.imencode(f".{ending}", image)[1].tobytes())
    return path


def refused(path, kind, rule):
    with pytest.raises(FilmError, match=path.name) as caught:
        read_image(path, kind)
    assert caught.value.rule == rule
    return str(caught.value)


# What is read


@pytest.mark.parametrize("image", [BYTE, WIDE], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize("kind", ["png", "tiff", "npy"])
def test_grey_values_are_as_written_and_have_no_millimetres(tmp_path, kind, image):
    film = read_image(write(tmp_path / "film", image, kind), kind)
    np.testing.assert_array_equal(film.pixels, image)
    assert film.pixels.dtype == np.uint16
    assert film.spacing is None
    assert (film.facts.format, film.facts.rows, film.facts.cols, film.bits) == (kind, 31, 43, image.itemsize * 8)
    assert (film.facts.lossy, film.facts.notes, film.facts.pixel_spacing_mm) == (False, (), None)


def test_a_jpeg_is_nearly_as_written_and_says_that_it_lost(tmp_path):
    film = read_image(write(tmp_path / "film", SMOOTH, "jpg"), "jpeg")
    assert np.abs(film.pixels.astype(int) - SMOOTH).max() < 6
    assert film.facts.lossy
    assert [rule for rule, _ in film.facts.notes] == ["lossy"]


def test_a_resolution_in_dots_is_no_spacing_and_a_given_one_is(tmp_path):
    path = write(tmp_path / "film", WIDE, "tiff", resolution=(254, 254), resolutionunit="INCH")
    assert read_image(path, "tiff").spacing is None
    assert read_image(path, "tiff", 0.17).spacing == PixelSpacing(0.17, 0.17, SpacingSource.GIVEN)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), 100.0])
def test_a_given_spacing_that_is_none_is_a_film_error(tmp_path, bad):
    with pytest.raises(FilmError) as caught:
        read_image(write(tmp_path / "film", WIDE, "npy"), "npy", bad)
    assert caught.value.rule == "no_spacing"


@pytest.mark.parametrize("kind", ["png", "tiff", "npy"])
def test_three_equal_channels_are_grey_and_different_ones_are_colour(tmp_path, kind):
    grey = np.repeat(BYTE[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_image(write(tmp_path / "film", grey, kind), kind).pixels, BYTE)
    colour = grey.copy()
    colour[3, 4, 2] ^= 1
    refused(write(tmp_path / "film", colour, kind), kind, "colour")


@pytest.mark.parametrize("kind", ["png", "npy"])
def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_refused(tmp_path, kind):
    image = np.repeat(BYTE[..., None], 4, axis=2)
    image[..., 3] = 255
    np.testing.assert_array_equal(read_image(write(tmp_path / "film", image, kind), kind).pixels, BYTE)
    image[0, 0, 3] = 254
    assert "transparent" in refused(write(tmp_path / "film", image, kind), kind, "colour")


@pytest.mark.parametrize("image", [BYTE, WIDE], ids=["8 bit", "16 bit"])
def test_a_tiff_whose_zero_is_white_is_turned_over_by_its_depth(tmp_path, image):
    film = read_image(write(tmp_path / "film", image, "tiff", photometric="miniswhite"), "tiff")
    np.testing.assert_array_equal(film.pixels, np.iinfo(image.dtype).max - image)
    assert (film.facts.inverted, film.photometric) == (True, "MONOCHROME1")


@pytest.mark.parametrize("options", [{"byteorder": ">"}, {"rowsperstrip": 4}, {"compression": "zlib"}])
def test_tiffs_in_other_forms_are_read(tmp_path, options):
    path = write(tmp_path / "film", WIDE, "tiff", **options)
    np.testing.assert_array_equal(read_image(path, "tiff").pixels, WIDE)


@pytest.mark.parametrize("dtype", [np.int16, np.int64, ">u2", ">f4", np.float64, np.float16, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_numbers_keep_their_order(tmp_path, dtype, order):
    image = np.asarray(BYTE > 90 if dtype is bool else BYTE // 2, dtype=dtype, order=order)
    film = read_image(write(tmp_path / "film", image, "npy"), "npy")
    assert film.pixels.dtype in (np.uint16, np.float32)
    np.testing.assert_array_equal(film.pixels, image)


def test_negative_whole_numbers_start_at_zero(tmp_path):
    film = read_image(write(tmp_path / "film", BYTE.astype(np.int32) - 100, "npy"), "npy")
    np.testing.assert_array_equal(film.pixels, BYTE.astype(int) - 100 - (int(BYTE.min()) - 100))


# What is refused


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(tmp_path, bad):
    image = BYTE.astype(float)
    image[3, 3] = bad
    refused(write(tmp_path / "film", image, "npy"), "npy", "bad_header")


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 5), (5, 31, 43)])
def test_an_array_of_other_axes_is_refused(tmp_path, shape):
    refused(write(tmp_path / "film", np.zeros(shape), "npy"), "npy", "frames")


def test_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "film", np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    refused(tmp_path / "film.npy", "npy", "undecodable")
    refused(write(tmp_path / "film", np.array([["a", "b"]]), "npy"), "npy", "undecodable")


@pytest.mark.parametrize(("kind", "ending"), [("png", "png"), ("jpeg", "jpg"), ("tiff", "tiff"), ("npy", "npy")])
def test_a_file_cut_anywhere_is_refused_and_nearly_always_as_cut(tmp_path, kind, ending):
    whole = write(tmp_path / "film", SMOOTH, ending).read_bytes()
    rules = []
    for length in [*range(8, len(whole) - 1, max(len(whole) // 60, 1)), len(whole) - 2]:
        (tmp_path / "film").write_bytes(whole[:length])
        with pytest.raises(FilmError) as caught:
            read_image(tmp_path / "film", kind)
        rules.append(caught.value.rule)
    assert set(rules) <= {"truncated", "undecodable"}
    assert np.mean([rule == "truncated" for rule in rules]) > 0.8


def test_a_film_of_one_value_is_flat(tmp_path):
    refused(write(tmp_path / "film", np.full((20, 30), 9, np.uint8), "png"), "png", "flat")


def test_several_pages_are_refused(tmp_path):
    refused(write(tmp_path / "film", np.stack([WIDE, WIDE]), "tiff", photometric="minisblack"), "tiff", "frames")


def test_a_size_beyond_any_film_is_refused_before_a_pixel_is_touched(tmp_path, monkeypatch):
    monkeypatch.setattr(image_file.cv2, "imdecode", None)  # would raise
    huge = bytearray(write(tmp_path / "film", BYTE, "png").read_bytes())
    huge[16:24] = struct.pack(">II", 60000, 60000)
    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    (tmp_path / "film").write_bytes(huge)
    refused(tmp_path / "film", "png", "too_large")
    jpeg = bytearray(write(tmp_path / "film", BYTE, "jpg").read_bytes())
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 60000, 60000)
    (tmp_path / "film").write_bytes(jpeg)
    refused(tmp_path / "film", "jpeg", "too_large")
    with (tmp_path / "film").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (20000, 20000)})
        file.truncate(400_000_200)  # a hole, not 400 MB
    refused(tmp_path / "film", "npy", "too_large")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 70), st.integers(2, 70), st.sampled_from(["png", "tiff", "npy"]), st.booleans())
def test_any_size_is_read_as_written(tmp_path, rows, cols, kind, wide):
    image = np.arange(rows * cols).reshape(rows, cols).astype(np.uint16 if wide else np.uint8)
    np.testing.assert_array_equal(read_image(write(tmp_path / "film", image, kind), kind).pixels, image)
