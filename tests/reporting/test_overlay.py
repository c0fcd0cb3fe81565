"""Overlays lie where the joint is, whatever the view's size; sheets keep their order."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hipjsw.jsw.contour import JointContours
from hipjsw.jsw.profile import Unmeasurable, measure_curves
from hipjsw.reporting.overlay import SIDE_PX, contact_sheet, draw_overlay, png_bytes

CENTRE = np.array([60.0, 64.0])


@pytest.fixture
def measured(circle_hip):
    """Factory of a hip on a black view of 128x128 pixels of 0.8 mm."""

    def make(width_mm=4.0, known=True, pixel_mm=0.8, shape=(128, 128)):
        hip = circle_hip(roof_radius_mm=26.0 + width_mm)
        angle = np.deg2rad(np.linspace(-80, 80, 801))
        head = CENTRE * pixel_mm + hip.radius_mm * np.column_stack([-np.cos(angle), np.sin(angle)])
        sourcil = CENTRE * pixel_mm + hip.sourcil(401)
        width = measure_curves(sourcil, head, CENTRE * pixel_mm) if known else Unmeasurable("no roof")
        contours = JointContours(CENTRE, hip.radius_mm / pixel_mm, head / pixel_mm, sourcil / pixel_mm)
        image = np.zeros(shape, np.float32)
        view = SimpleNamespace(pixel_mm=pixel_mm)
        return SimpleNamespace(image=image, width=width, contours=contours if known else None, view=view)

    return make


def coloured(picture):
    return np.argwhere(picture.max(axis=2).astype(int) - picture.min(axis=2) > 40)


@pytest.mark.parametrize(("pixel_mm", "shape"), [(0.8, (128, 128)), (0.4, (256, 256))])
def test_what_is_drawn_lies_between_head_and_roof(measured, pixel_mm, shape):
    hip = measured(pixel_mm=pixel_mm, shape=shape)
    picture = draw_overlay(hip)
    assert picture.shape == (SIDE_PX, SIDE_PX, 3)
    times = SIDE_PX / shape[0]
    far_mm = np.linalg.norm((coloured(picture) + 0.5) / times - 0.5 - CENTRE, axis=1) * pixel_mm
    assert far_mm.min() > 26.0 - 1.0
    assert far_mm.max() < 30.0 + 1.0
    assert np.ptp(far_mm) > 3.0


def test_wide_and_narrow_spaces_have_other_colours(measured):
    wide, narrow = (draw_overlay(measured(width)) for width in (6.0, 1.5))
    place = tuple(np.rint((CENTRE - [26.5 / 0.8, 0]) * 4).astype(int))
    assert np.abs(wide[place].astype(int) - narrow[place]).max() > 40


def test_a_bare_picture_and_one_without_a_joint_hold_the_film_alone(measured):
    assert len(coloured(draw_overlay(measured(), bare=True))) == 0
    assert len(coloured(draw_overlay(measured(known=False)))) == 0


def test_words_stand_at_the_top(measured):
    picture = draw_overlay(measured(), ["mJSW 3.41 mm", "ü"])
    assert (picture[:45] > 200).any()
    assert not (draw_overlay(measured())[:45] > 200).any()


def test_a_sheet_keeps_the_order_and_wastes_no_column():
    pictures = [np.full((64, 48, 3), 50 * n, np.uint8) for n in range(1, 5)]
    sheet = contact_sheet(pictures, columns=3)
    assert sheet.shape == (2 * 260, 3 * 260, 3)
    assert [int(sheet[100, 100 + 260 * n, 0]) for n in range(3)] == [50, 100, 150]
    assert int(sheet[360, 100, 0]) == 200
    assert contact_sheet(pictures[:1]).shape == (260, 260, 3)


def test_a_png_comes_back(measured):
    picture = draw_overlay(measured())
    assert np.array_equal(cv2.imdecode(np.frombuffer(png_bytes(picture), np.uint8), cv2.IMREAD_COLOR), picture)
