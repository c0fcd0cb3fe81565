"""The frame round a film: found where it is one, and never taken from the patient or the air beside him."""

import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hipjsw.anatomy.landmarks import split_sides
from hipjsw.imaging.frame import film_area
from hipjsw.imaging.radiograph import Radiograph
from hipjsw.imaging.reading import read_film
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.film import place, render
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.views import draw_view, hip_view

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_real = pytest.mark.skipif(not DATA.is_dir(), reason="the real films of shared/data are absent")


def film(pixels, padding=None):
    return Radiograph(pixels, None, "MONOCHROME2", 12, padding=padding)


def patient(shape=(480, 600), seed=0):
    """A grey body with curved flanks in black air, and noise where there is body."""
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(float)
    half = shape[1] * (0.33 + 0.06 * np.sin(rows / shape[0] * 5.0))
    depth = np.clip(1 - ((cols - shape[1] / 2) / half) ** 2, 0, None)
    noise = np.random.default_rng(seed).normal(0, 40, shape)
    return np.where(depth > 0, 300 + 2800 * np.sqrt(depth) + noise, 0).clip(0, 4095).astype(np.uint16)


def framed(pixels, widths, grey, lean=0.0):
    """Draw a frame; widths are left, right, top, bottom; lean in columns a row. Returns pixels and the frame."""
    rows, cols = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    left, right, top, bottom = widths
    shift = lean * (rows - pixels.shape[0] / 2)
    frame = (cols < left + shift) if left else np.zeros(pixels.shape, bool)
    if right:
        frame |= cols >= pixels.shape[1] - right + shift
    frame |= (rows < top) | (rows >= pixels.shape[0] - bottom)
    return np.where(frame, grey, pixels).astype(pixels.dtype), frame


# Synthetic films


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("widths", [(60, 0, 0, 0), (0, 44, 0, 0), (0, 0, 80, 0), (0, 0, 0, 52), (60, 44, 40, 52)])
@pytest.mark.parametrize("lean", [0.0, 0.05, -0.03])
def test_a_white_frame_is_found_to_its_edge(widths, lean, step):
    pixels, frame = framed(patient(), widths, 4095, lean)
    found = ~film_area(film(pixels), step)
    truth = frame[::step, ::step]
    assert found.shape == truth.shape
    assert (found & truth).sum() > 0.97 * truth.sum()
    near = sum(2 * 3 * n for n in truth.shape)  # three pixels on all four sides
    assert (found & ~truth).sum() <= near


def test_a_black_mask_over_the_patient_is_found():
    pixels, frame = framed(np.maximum(patient(), 200), (70, 30, 20, 44), 0)
    found = ~film_area(film(pixels), 2)
    assert (found & frame[::2, ::2]).sum() > 0.97 * frame[::2, ::2].sum()


def test_letters_in_a_frame_and_scatter_on_it_do_not_hide_it():
    pixels, frame = framed(patient(), (90, 0, 0, 0), 4095)
    scatter = np.where(frame, np.random.default_rng(1).integers(-80, 1, frame.shape), 0)
    pixels = (pixels + scatter).clip(0, 4095).astype(np.uint16)
    pixels[200:240, 30:60] = 100
    found = ~film_area(film(pixels), 2)
    assert (found & frame[::2, ::2]).sum() > 0.9 * frame[::2, ::2].sum()


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("turned", [False, True])
def test_air_beside_the_patient_is_film_black_or_white(turned, step):
    pixels = 4095 - patient() if turned else patient()
    assert film_area(film(pixels), step) is None
    assert film_area(film(np.ascontiguousarray(pixels.T)), step) is None


def test_a_saturated_patient_is_film():
    pixels = np.minimum(patient().astype(int) * 3, 4095).astype(np.uint16)
    assert (pixels[:, 300] == 4095).mean() > 0.95
    assert film_area(film(pixels), 2) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (15, 15)])
def test_a_film_too_small_to_tell_is_all_film(shape):
    assert film_area(film(np.arange(np.prod(shape)).reshape(shape).astype(np.uint16)), 1) is None


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint16, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 4095)),
    st.integers(1, 5),
)
def test_any_pixels_give_a_mask_of_their_shape_or_none(pixels, step):
    area = film_area(film(pixels, (0.0, 0.0)), step)
    assert area is None or (area.shape == pixels[::step, ::step].shape and area.any() and not area.all())


def test_mirroring_the_film_mirrors_the_mask():
    pixels, _ = framed(patient(), (60, 24, 0, 40), 4095, 0.02)
    area = film_area(film(pixels), 1)
    for turn in (np.fliplr, np.flipud, np.transpose):  # but for the pixel that an edge between two pixels takes
        assert (film_area(film(np.ascontiguousarray(turn(pixels))), 1) != turn(area)).mean() < 0.004


def test_declared_padding_counts_where_it_reaches_a_border():
    pixels, frame = framed(patient() + 500, (0, 120, 0, 0), 1500)
    pixels[100:140, 200:240] = 1500
    assert film_area(film(pixels), 1) is None  # a grey like any other ...
    area = film_area(film(pixels, (1500.0, 1500.0)), 1)
    assert (~area & frame).sum() == frame.sum()  # ... but for its declaration
    assert (~area & ~frame).mean() < 0.001  # and not the patch within the film


# Phantoms: their collimation is known


@cache
def phantom(index, look):
    person = draw_person(11, index)
    drawn = place(11, person, person.visits[0], look)
    kind = drawn.placement.format
    stored = render(drawn, noise=True)
    shown = 2**kind.bits - 1 - stored if kind.inverted else stored
    return drawn, Radiograph(shown, kind.spacing, "MONOCHROME2", kind.bits)


@pytest.mark.parametrize(("index", "look"), [(35, "realistic"), (55, "realistic"), (35, "wide"), (55, "wide")])
def test_white_collimation_of_a_phantom_is_found(index, look):
    drawn, shown = phantom(index, look)
    truth = drawn.collimation.beyond(drawn.raster)[::4, ::4] > 0.5
    assert drawn.collimation.grey == 1.0
    found = ~film_area(shown, 4)
    assert (found & truth).sum() > 0.95 * truth.sum()
    assert (found & ~truth).mean() < 0.02


@pytest.mark.parametrize(("index", "look"), [(31, "realistic"), (29, "wide"), (31, "wide")])
def test_a_phantom_without_collimation_is_all_film(index, look):
    drawn, shown = phantom(index, look)
    assert drawn.collimation is None
    assert film_area(shown, 4) is None


def test_a_white_frame_in_the_view_leaves_bone_as_bright_as_it_was():
    drawn, shown = phantom(55, "wide")
    spec = ViewSpec("hip", 384, 384, 0.4, 64, "head", "view", 0.5, 99.5)
    shares: list[float] = []
    for marks in split_sides(drawn.points_mm).values():
        view = hip_view(drawn, marks, spec)
        through, inside = view.normalised(shown, spec)
        straight, _ = draw_view(drawn, view, spec, noise=False)
        frame = drawn.collimation.beyond(drawn.raster) > 0.5
        covered, _ = view.sample(frame.astype(np.float32))
        shares.append(float(covered.mean()))
        seen = inside & (covered < 0.01)
        assert np.abs(through - straight)[seen].mean() < 0.08
        assert abs(np.median(through[seen]) - np.median(straight[seen])) < 0.03
    assert max(shares) > 0.02  # one of the two views shows frame


# Real films


@needs_real
@pytest.mark.parametrize(("name", "left", "right"), [("RG2_RLE.dcm", 47 / 440, None), ("RG3_RLE.dcm", 0.25, 0.28)])
def test_real_unexposed_plate_is_frame_and_the_patient_is_film(name, left, right):
    share = film_area(read_film(DATA / "dicom" / name), 4).mean(axis=0)
    cols = len(share)
    assert share[: int((left - 0.03) * cols)].mean() < 0.1
    if right is None:  # scatter frays this film's right blade: too little of it is straight, and it stays film
        right = 0.0
    else:
        assert share[int((1 - right + 0.1) * cols) :].mean() < 0.25
    assert share[int((left + 0.05) * cols) : int((1 - right - 0.05) * cols)].min() > 0.98


@needs_real
def test_real_films_without_a_frame_are_all_film():
    for path in sorted((DATA / "radiographs").glob("IMG*.jpg")):
        area = film_area(read_film(path), 2)
        if path.stem == "IMG0000097":  # a white blade across the top
            assert not area[:40, 160:].any()
            assert area[60:].all()
        else:
            assert area is None or area.mean() > 0.98
    for name in ("RG1_J2KI.dcm", "CR-MONO1-10-chest", "dx_image.dcm"):
        area = film_area(read_film(DATA / "dicom" / name), 2)
        assert area is None or area.mean() > 0.98


def test_it_is_cheap():
    pixels, _ = framed(patient((1860, 2316)), (200, 150, 100, 300), 4095, 0.01)
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        film_area(film(pixels), 4)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.05  # seen: 0.004
