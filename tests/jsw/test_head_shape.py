"""The ellipse along a head's margin, against ellipses drawn as exact coverage."""

import numpy as np
import pytest

from hipjsw.anatomy.coverage import polygon_coverage
from hipjsw.jsw.head_shape import head_ellipse

SHAPE, CENTRE = (128, 128), np.array([63.2, 64.7])


def head(height, width, neck=True, off=(0.0, 0.0)):
    """Coverage of an ellipse ``height`` by ``width`` pixels, with a neck downwards and laterally as a right hip has."""
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    outline = CENTRE + off + np.column_stack([height / 2 * np.sin(angle), width / 2 * np.cos(angle)])
    plane = polygon_coverage(outline, SHAPE)
    if neck:
        stem = CENTRE + off + np.array([[-8.0, -10.0], [20.0, 8.0], [70.0, -40.0], [40.0, -70.0]])
        plane = np.maximum(plane, polygon_coverage(stem, SHAPE))
    return plane.astype(np.float32)


@pytest.mark.parametrize("neck", [False, True])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (58, 70), (72, 60), (50, 66)])
def test_height_and_width_are_the_ellipses(height, width, neck):
    found = head_ellipse(head(height, width, neck), CENTRE, (height + width) / 4)
    assert found.size_px == pytest.approx((height, width), rel=0.01)
    assert found.centre_px == pytest.approx(CENTRE, abs=0.3)
    assert found.diameter_px == found.size_px.mean()


def test_a_centre_and_a_radius_that_are_off_change_little():
    plane = head(60, 70, off=(2.5, -3.0))
    found = head_ellipse(plane, CENTRE, 30.0)
    assert found.size_px == pytest.approx((60, 70), rel=0.01)
    assert found.centre_px == pytest.approx(CENTRE + np.array([2.5, -3.0]), abs=0.3)


def test_a_spur_on_the_margin_is_passed_over():
    plane = head(60, 70)
    plane[32:40, 70:76] = 1.0
    assert head_ellipse(plane, CENTRE, 32.5).size_px == pytest.approx((60, 70), rel=0.02)


@pytest.mark.parametrize("plane", [np.zeros(SHAPE), np.ones(SHAPE), head(20, 20)], ids=["none", "all", "small"])
def test_without_a_margin_there_is_none(plane):
    assert head_ellipse(plane, CENTRE, 32.0) is None


def test_a_short_arc_is_no_ellipse():
    """Bone medially, from 60 degrees on: the centre would hang on small errors of the margin."""
    plane, (rows, cols) = head(64, 64, neck=False), np.indices(SHAPE)
    plane[np.degrees(np.arctan2(cols - CENTRE[1], CENTRE[0] - rows)) > 60] = 1.0
    assert head_ellipse(plane, CENTRE, 32.0) is None
