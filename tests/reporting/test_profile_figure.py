"""What the profile plot draws: places, widths, intervals."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from hipjsw.jsw.profile import Unmeasurable
from hipjsw.reporting import style
from hipjsw.reporting.profile_figure import ProfilePicture, draw_profiles

LABEL = np.array([3.0, 4.0, 5.0])
EXACT = np.array([3.1, 4.1, 5.1, 5.2])


@pytest.fixture
def picture(circle_width):
    width = circle_width(interval_mm=(3.3, 4.4), quality=0.9)
    band = np.stack([width.profile_mm - 0.4, width.profile_mm + 0.3])
    return ProfilePicture("hip 3fa2c9", replace(width, band_mm=band), LABEL, EXACT)


def bare(picture):
    return replace(picture, width=replace(picture.width, interval_mm=None, band_mm=None, quality=None))


def line_of(axes, count):
    (line,) = [line for line in axes.lines if len(line.get_xdata()) == count]
    return line.get_xydata()


def test_profile_lies_over_mm_of_the_sourcil_and_percent_of_it(picture, tmp_path, drawn):
    path = draw_profiles([picture], tmp_path / "deep" / "a.png")
    (axes,) = drawn[0].axes
    width = picture.width
    places, widths = line_of(axes, len(width.profile_mm)).T
    np.testing.assert_array_equal(widths, width.profile_mm)
    steps = np.linalg.norm(np.diff(width.roof_mm, axis=0), axis=1)
    np.testing.assert_allclose(np.diff(places), steps, atol=1e-3)
    (percent,) = axes.child_axes
    np.testing.assert_allclose(percent.get_xlim(), (0, 100), atol=1e-9)
    assert axes.get_xlim() == (0, pytest.approx(places[-1]))
    assert "mm" in axes.get_xlabel()
    assert "%" in percent.get_xlabel()
    assert imread(path).shape[1] == pytest.approx(8.4 * style.DPI, abs=1)


def test_compared_profiles_are_laid_end_to_end(picture, tmp_path, drawn):
    draw_profiles([picture], tmp_path / "a.png")
    length = picture.width.length_mm
    for profile in (LABEL, EXACT):
        places, widths = line_of(drawn[0].axes[0], len(profile)).T
        np.testing.assert_allclose(places, np.linspace(0, length, len(profile)))
        np.testing.assert_array_equal(widths, profile)


def test_minimum_stands_at_its_place_with_its_interval(picture, tmp_path, drawn, texts):
    draw_profiles([picture], tmp_path / "a.png")
    (axes,) = drawn[0].axes
    place = picture.width.place * picture.width.length_mm
    (point,) = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(point, [[place, picture.width.mjsw_mm]])
    segments = [np.asarray(s) for c in axes.collections if hasattr(c, "get_segments") for s in c.get_segments()]
    assert any(np.allclose(s, [[place, 3.3], [place, 4.4]]) for s in segments)
    assert f"mJSW {picture.width.mjsw_mm:.2f} mm (3.30 to 4.40), label 3.00, exact 3.10" in texts(drawn[0])


def test_band_is_drawn_place_by_place(picture, tmp_path, drawn):
    draw_profiles([picture], tmp_path / "a.png")
    (axes,) = drawn[0].axes
    (band,) = [c for c in axes.collections if not hasattr(c, "get_segments")]
    corners = {(round(x, 6), round(y, 6)) for x, y in band.get_paths()[0].vertices}
    places = np.linspace(0, picture.width.length_mm, len(picture.width.profile_mm))
    for bound in picture.width.band_mm:
        assert {(round(x, 6), round(y, 6)) for x, y in zip(places, bound, strict=True)} <= corners


def test_thirds_mean_and_percentile_are_named(picture, tmp_path, drawn, texts):
    draw_profiles([picture], tmp_path / "a.png")
    said, width = texts(drawn[0]), picture.width
    for name in ("lateral", "central", "medial", "mean"):
        assert f"{name} {getattr(width, f'{name}_mm'):.2f}" in said
    assert f"P5 {width.p5_mm:.2f}" in said


def test_without_interval_nothing_says_95(picture, tmp_path, drawn, texts):
    draw_profiles([bare(picture)], tmp_path / "a.png")
    said = texts(drawn[0])
    assert "95" not in said
    assert "(" not in drawn[0].axes[0].get_title(loc="left")
    assert "minimum" in said
    assert "nan" not in said.lower()


def test_an_unmeasurable_hip_says_why_beside_the_others_profiles(picture, tmp_path, drawn, texts):
    poor = replace(picture, width=Unmeasurable("no joint found"))
    draw_profiles([poor], tmp_path / "a.png")
    draw_profiles([replace(poor, label_mm=None, exact_mm=None)], tmp_path / "b.png")
    for figure in drawn:
        (axes,) = figure.axes
        said = texts(figure)
        assert "not measurable" in said
        assert "no joint found" in said
        assert "prediction" not in said
        assert axes.get_xlim() == (0, 100)
        assert "mm" not in axes.get_xlabel()
    np.testing.assert_allclose(line_of(drawn[0].axes[0], 3), np.column_stack([[0, 50, 100], LABEL]))
    assert not drawn[1].axes[0].lines


def test_hips_share_one_scale_of_widths(picture, circle_width, tmp_path, drawn):
    wide = ProfilePicture("wide", circle_width(roof_radius_mm=34.0))
    draw_profiles([picture, wide, replace(picture, width=Unmeasurable("cut"))], tmp_path / "a.png")
    tops = {axes.get_ylim() for axes in drawn[0].axes}
    assert len(drawn[0].axes) == 3
    assert len(tops) == 1
    low, high = tops.pop()
    assert low == 0
    assert high > wide.width.profile_mm.max()


def test_no_hips_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no hips"):
        draw_profiles([], tmp_path / "a.png")


@pytest.mark.parametrize("profile", [np.array([3.0, np.nan]), np.array([3.0]), np.ones((2, 2))])
def test_a_profile_that_is_none_is_refused(picture, profile):
    with pytest.raises(ValueError, match="label_mm of 'hip 3fa2c9'"):
        replace(picture, label_mm=profile)


def test_same_hips_give_the_same_vectors(picture, tmp_path):
    one, other = (draw_profiles([picture, bare(picture)], tmp_path / name / "a.svg") for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert (tmp_path / "one" / "a.png").is_file()


def test_bone_on_bone_is_drawn_at_zero_without_warnings(circle_width, tmp_path, drawn):
    width = circle_width(offset_mm=(0.0, 0.0), roof_radius_mm=25.0, interval_mm=(0.0, 0.4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_profiles([ProfilePicture("hip", width)], tmp_path / "a.png")
    assert (line_of(drawn[0].axes[0], len(width.profile_mm))[:, 1] == 0).all()
