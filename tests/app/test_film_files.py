"""Files of one film: their names, and curves that lie on the film where the hip does."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from hipjsw.anatomy.landmarks import Side
from hipjsw.anatomy.points_file import read_points
from hipjsw.app.film_files import (
    CURVE_POINTS,
    CURVES,
    overlay_name,
    remove_files,
    said_of,
    write_curves,
    write_overlays,
    write_reports,
)
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView
from hipjsw.inference.locate import FoundHip
from hipjsw.inference.measure import MeasuredFilm, MeasuredHip
from hipjsw.jsw.contour import JointContours
from hipjsw.jsw.profile import Unmeasurable

SPACING = PixelSpacing(0.2, 0.25, SpacingSource.PIXEL)
HEAD_MM = np.array([150.0, 90.0])
RADIUS_MM, ROOF_MM = 26.0, 30.0


def hip(side, contours=True):
    """A head of ``RADIUS_MM`` at ``HEAD_MM`` on the film, seen in a view of which it is not the middle."""
    view = HipView((128, 128), 0.8, HEAD_MM + np.array([3.0, -4.0]), side is Side.LEFT, SPACING)
    centre = view.from_film_mm(HEAD_MM)
    found = FoundHip(side, tuple(SPACING.to_px(HEAD_MM)), (260.0, 208.0), 0.9)
    angle = np.deg2rad(np.linspace(-70, 60, 301))
    arc = np.column_stack([-np.cos(angle), np.sin(angle)]) / 0.8
    joint = JointContours(centre, RADIUS_MM / 0.8, centre + RADIUS_MM * arc, centre + ROOF_MM * arc[60:200])
    image = np.zeros((128, 128), np.float32)
    probs = np.zeros((3, 128, 128), np.float32)
    return MeasuredHip(found, Unmeasurable("no matter"), view, image, probs, joint if contours else None)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("side", Side)
def test_curves_lie_on_the_film_where_head_and_roof_do(tmp_path, side, known):
    measured = MeasuredFilm((hip(side),), SPACING if known else None, SPACING)
    write_curves(tmp_path, "a/b.dcm", measured)
    (path,) = (tmp_path / CURVES).iterdir()
    assert path.name.endswith(f"-{side.value}-{'mm' if known else 'px'}.pts")
    points = read_points(path)
    assert len(points) == sum(CURVE_POINTS)
    away = (points if known else SPACING.to_mm(points)) - HEAD_MM
    radii = np.split(np.linalg.norm(away, axis=1), [CURVE_POINTS[0]])
    for radius, expected in zip(radii, (RADIUS_MM, ROOF_MM), strict=True):
        np.testing.assert_allclose(radius, expected, atol=0.01)
    lateral = -1 if side is Side.RIGHT else 1  # a right hip's outer side lies at smaller columns
    for curve in np.split(away[:, 1] * lateral, [CURVE_POINTS[0]]):
        assert curve[0] > 0 > curve[-1]
        assert (np.diff(curve) < 0).all()


def test_what_an_earlier_measurement_wrote_of_a_film_goes_and_nothing_else_does(tmp_path):
    measured = MeasuredFilm((hip(Side.RIGHT), hip(Side.LEFT)), SPACING, SPACING)
    rows = [{"side": side.value, "status": "unmeasurable", "reason": "no matter"} for side in Side]
    for name in ("a.dcm", "b.dcm"):
        write_curves(tmp_path, name, measured)
        write_curves(tmp_path, name, replace(measured, spacing=None))
        write_overlays(tmp_path, name, measured, rows)
    (tmp_path / "notes.txt").touch()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    remove_files(tmp_path, "a.dcm")
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert len(before - after) == 8
    assert all(path.name.startswith("a.dcm") for path in before - after)
    remove_files(tmp_path / "nothing", "a.dcm")


@pytest.mark.parametrize("keyword", ["PatientBirthDate", "StudyDate", "PatientSex"])
def test_a_header_that_cannot_be_copied_costs_the_report_alone(tmp_path, keyword):
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = ComputedRadiographyImageStorage, "1.2.3"
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2", "1.2.1"
    header.Rows, header.Columns = 1200, 900
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setattr(header, keyword, "00000000")
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    why = write_reports(
        tmp_path, tmp_path / "a.dcm", "a.dcm", MeasuredFilm((hip(Side.RIGHT),), SPACING, SPACING), "0" * 64
    )
    assert "cannot be copied" in why
    assert "00000000" not in why


def test_a_hip_without_curves_has_no_file(tmp_path):
    write_curves(tmp_path, "a", MeasuredFilm((hip(Side.RIGHT, contours=False), hip(Side.LEFT)), SPACING, SPACING))
    assert [path.name.split("-")[-2] for path in (tmp_path / CURVES).iterdir()] == ["left"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"status": "failed", "reason": "cut"}, "failed: cut"),
        ({"mjsw_mm": 3.456, "mjsw_ci_low_mm": 3.0, "mjsw_ci_high_mm": 4.0}, "mJSW 3.46 mm (3.00 to 4.00)"),
        ({"mjsw_mm": 3.456, "mjsw_ci_low_mm": None}, "mJSW 3.46 mm"),
        ({"mjsw_mm": None, "mjsw_px": 12.34, "mjsw_per_head": 0.0712}, "mJSW 12.3 px, 7.1 % of the head"),
    ],
)
def test_one_line_on_a_hip(row, said):
    assert said_of({"status": "measured", "reason": ""} | row) == said


@pytest.mark.parametrize("name", ["a/b.dcm", "../../x", "ü" * 300, "a b", "", "CON"])
def test_pictures_have_names_that_every_disk_takes_and_none_leaves_the_folder(name):
    made = overlay_name(name, "left")
    assert Path(made).name == made
    assert len(made) < 120
    assert made.isascii()
    assert made != overlay_name(name + "x", "left")
    assert made != overlay_name(name, "right")
