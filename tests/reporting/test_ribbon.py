"""The ribbon lies in the joint space, is as wide as the profile, and its colours say so."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from hipjsw.reporting.ribbon import draw_ribbon, draw_witness, width_bar
from hipjsw.reporting.width_colours import WIDTH_MAP, WIDTH_RANGE_MM

PIXEL_MM = 0.4


def axes():
    return Figure().subplots()


def test_across_the_ribbon_is_the_profile(circle_width):
    width = circle_width()
    corners = draw_ribbon(axes(), width, PIXEL_MM).get_coordinates()
    assert corners.shape == (2, len(width.profile_mm), 2)
    np.testing.assert_allclose(np.linalg.norm(corners[0] - corners[1], axis=1) * PIXEL_MM, width.profile_mm)
    np.testing.assert_allclose(corners[0, :, ::-1] * PIXEL_MM, width.roof_mm)
    np.testing.assert_allclose(corners[1, :, ::-1] * PIXEL_MM, width.foot_mm)


def test_colours_are_the_widths_beside_them(circle_width):
    width = circle_width()
    values = np.asarray(draw_ribbon(axes(), width, PIXEL_MM).get_array()).ravel()
    assert (values >= np.minimum(width.profile_mm[1:], width.profile_mm[:-1])).all()
    assert (values <= np.maximum(width.profile_mm[1:], width.profile_mm[:-1])).all()


@pytest.mark.parametrize("width_mm", [0.5, 3.0, 5.5])
def test_an_even_joint_has_the_one_colour_of_its_width(circle_width, width_mm):
    ribbon = draw_ribbon(axes(), circle_width((0.0, 0.0), 26.0 + width_mm), PIXEL_MM, opacity=1.0)
    wanted = matplotlib.colormaps[WIDTH_MAP](width_mm / WIDTH_RANGE_MM[1])
    np.testing.assert_allclose(
        ribbon.to_rgba(ribbon.get_array()).reshape(-1, 4), [wanted] * (len(ribbon.get_array().T)), atol=0.02
    )


def test_the_same_width_has_the_same_colour_on_every_hip(circle_width):
    narrow, wide = (draw_ribbon(axes(), circle_width(roof_radius_mm=r), PIXEL_MM) for r in (28.0, 36.0))
    assert (narrow.norm.vmin, narrow.norm.vmax) == (wide.norm.vmin, wide.norm.vmax) == WIDTH_RANGE_MM
    assert np.asarray(wide.get_array()).max() > WIDTH_RANGE_MM[1]


def test_lightness_alone_tells_the_widths_apart():
    red, green, blue, _ = matplotlib.colormaps[WIDTH_MAP](np.linspace(0, 1, 64)).T ** 2.2
    lightness = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert (np.diff(lightness) < 0).all()  # narrow is bright


def test_witness_points_are_marked(circle_width):
    width, ax = circle_width(), axes()
    draw_witness(ax, width, PIXEL_MM, 2.0, "#F0E442")
    (line,) = ax.lines
    np.testing.assert_allclose(line.get_xydata()[:, ::-1] * PIXEL_MM, [width.roof_witness_mm, width.head_witness_mm])
    assert to_rgba(line.get_color()) == to_rgba("#F0E442")


def test_bar_is_in_mm_of_the_ribbon():
    figure = Figure()
    ax = figure.subplots()
    width_bar(figure, ax)
    assert ax.get_xlim() == WIDTH_RANGE_MM
    assert "mm" in ax.get_xlabel()
