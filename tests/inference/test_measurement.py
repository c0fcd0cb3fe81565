"""Rows of measurements: what they hold, and what they hold not without a spacing."""

from types import SimpleNamespace

import numpy as np
import pytest

import hipjsw
from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.inference.locate import FoundHip
from hipjsw.inference.measure import MeasuredFilm
from hipjsw.inference.measurement import COLUMNS, STATUSES, failed_row, film_rows, summary
from hipjsw.jsw.profile import Unmeasurable, measure_curves

SPACING = PixelSpacing(0.2, 0.2, SpacingSource.IMAGER)
SHAPE = (1500, 1800)


@pytest.fixture
def width(circle_hip):
    hip = circle_hip(roof_radius_mm=30.0, offset_mm=(0.4, -0.6))
    angle = np.deg2rad(np.linspace(-80, 80, 801))
    head = hip.radius_mm * np.column_stack([-np.cos(angle), np.sin(angle)])
    return measure_curves(hip.sourcil(401), head, np.zeros(2))


def hip(side, width, col_px=500.0, typicality=0.5):
    found = FoundHip(side, (700.0, col_px), (260.0, 260.0), 0.87654)
    known = {"centre_px": np.array([701.234, col_px]), "diameter_mm": 52.0, "typicality": typicality}
    return SimpleNamespace(side=side, width=width, found=found, **known)


def film(*hips, spacing=SPACING, guess=SPACING):
    return MeasuredFilm(tuple(hips), spacing, guess)


def test_a_measured_hip_has_a_whole_row(width):
    rows = film_rows("a.dcm", SHAPE, film(hip(Side.RIGHT, width), hip(Side.LEFT, width, 1400.0)), "abc")
    assert [row["side"] for row in rows] == ["right", "left"]
    for row in rows:
        assert tuple(row) == COLUMNS
        assert row["status"] == "measured"
        assert row["mjsw_mm"] == pytest.approx(width.mjsw_mm, abs=1e-4)
        assert row["mjsw_px"] == pytest.approx(width.mjsw_mm / 0.2, abs=1e-3)
        assert row["mjsw_per_head"] == pytest.approx(width.mjsw_mm / 52.0, abs=1e-5)
        assert (row["spacing_mm"], row["spacing_source"]) == (0.2, "imager_pixel_spacing")
        assert (row["head_center_row_px"], row["head_diameter_px"], row["confidence"]) == (701.23, 260.0, 0.8765)
        assert (row["model_hash"], row["version"]) == ("abc", hipjsw.__version__)
        thirds = [row[f"{part}_mm"] for part in ("lateral", "central", "medial")]
        assert np.mean(thirds) == pytest.approx(row["mean_mm"], abs=0.02)


def test_without_spacing_no_column_in_millimetres_holds_anything(width):
    guess = PixelSpacing(0.31, 0.31, SpacingSource.NONE)
    right, left = film_rows("a.png", SHAPE, film(hip(Side.RIGHT, width), spacing=None, guess=guess), "abc")
    assert right["status"] == "measured"
    assert {key for key, value in right.items() if key.endswith("_mm") and value is not None} == set()
    assert right["mjsw_px"] == pytest.approx(width.mjsw_mm / 0.31, abs=1e-3)
    assert right["spacing_source"] == left["spacing_source"] == "none"


@pytest.mark.parametrize(
    ("facts", "sides", "said"),
    [
        ({}, "right", ""),
        ({"laterality": "R"}, "right", ""),
        ({"laterality": "L"}, "right", "looks like a right hip, and the header says left: check the side"),
        ({"laterality": "R"}, "left", "looks like a left hip, and the header says right: check the side"),
        ({"laterality": "L"}, "right left", ""),
        ({"laterality": "B"}, "right", ""),
        ({"columns_towards": "L"}, "right left", ""),
        ({"columns_towards": "R"}, "right left", "the header says that the film is mirrored: check the side"),
    ],
)
def test_a_header_that_contradicts_the_sides_is_spoken_of(facts, sides, said, width):
    hips = [hip(Side(side), width, 500.0 if side == "right" else 1400.0) for side in sides.split()]
    rows = film_rows("a", SHAPE, film(*hips), "", FilmFacts("dicom", *SHAPE, 12, **facts))
    for row in rows:
        if row["status"] == "measured":
            assert row["reason"] == said
        else:
            assert row["reason"]
            assert "header" not in row["reason"]


@pytest.mark.parametrize(
    ("row_mm", "said"), [(0.3, ""), (0.36, "1.20 times as wide as high"), (0.25, "1.20 times as high")]
)
def test_a_squeezed_picture_is_spoken_of(row_mm, said, width):
    guess = PixelSpacing(row_mm, 0.3, SpacingSource.NONE)
    row, _ = film_rows("a.png", SHAPE, film(hip(Side.RIGHT, width), spacing=None, guess=guess), "")
    assert row["status"] == "measured"
    assert said in row["reason"]
    assert bool(row["reason"]) == bool(said)


def test_a_hip_beside_one_that_is_unlike_all_known_says_so(width):
    odd = hip(Side.LEFT, Unmeasurable("unlike"), 1400.0, typicality=1.2)
    right, left = film_rows("a", SHAPE, film(hip(Side.RIGHT, width), odd), "")
    assert right["reason"] == "the left hip is unlike those the network knows: look at the film"
    assert left["reason"] == "unlike"


def test_a_hip_without_width_says_why():
    row, _ = film_rows("a", SHAPE, film(hip(Side.RIGHT, Unmeasurable("broken roof"))), "")
    assert (row["status"], row["reason"], row["mjsw_mm"], row["mjsw_px"]) == ("unmeasurable", "broken roof", None, None)
    assert row["head_diameter_mm"] == 52.0


@pytest.mark.parametrize(
    ("side", "col_px", "status"),
    [
        (Side.RIGHT, 500.0, "not_found"),
        (Side.RIGHT, 1300.0, "absent"),
        (Side.LEFT, 1300.0, "not_found"),
        (Side.LEFT, 500.0, "absent"),
    ],
)
def test_the_other_hip_is_missed_only_where_the_film_could_show_it(side, col_px, status, width):
    rows = film_rows("a", SHAPE, film(hip(side, width, col_px)), "")
    (other,) = (row for row in rows if row["side"] != side.value)
    assert other["status"] == status
    assert other["reason"]


def test_a_film_without_hips_misses_both():
    rows = film_rows("a", SHAPE, film(), "")
    assert [row["status"] for row in rows] == ["not_found"] * 2
    assert summary([*rows, failed_row("b", "no film", "h")]) == dict.fromkeys(STATUSES, 0) | {
        "not_found": 2,
        "failed": 1,
    }


def test_a_film_that_cannot_be_read_has_one_row():
    row = failed_row("b.dcm", "no film", "h")
    assert tuple(row) == COLUMNS
    assert (row["film"], row["side"], row["reason"], row["model_hash"]) == ("b.dcm", "", "no film", "h")
