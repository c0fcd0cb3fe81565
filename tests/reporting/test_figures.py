"""What the figures show: arrays and positions as well as files."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.image import imread
from scipy import ndimage

from hipjsw.anatomy.labels import label_coverage
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.reporting import hip_figure, style
from hipjsw.reporting.figures import HipPicture, contrast_map, draw_curves, draw_hip, draw_hips
from hipjsw.reporting.picture import outlines

PIXEL_MM = 0.8
SIZE = 160


@pytest.fixture
def picture(circle_hip):
    hip = circle_hip(offset_mm=(0.4, 1.0))
    landmarks = hip.landmarks(centre=(0.42 * SIZE, 0.52 * SIZE), scale=1 / PIXEL_MM)
    coverage = label_coverage(landmarks, (SIZE, SIZE))[1:]
    probs = np.stack([ndimage.gaussian_filter(plane, 0.7) for plane in coverage])
    noise = np.random.default_rng(0).normal(scale=0.02, size=(SIZE, SIZE))
    image = (0.2 + 0.5 * coverage[0] + 0.4 * coverage[1] + noise).clip(0, 1)
    width = measure_probabilities(probs, PIXEL_MM)
    assert isinstance(width, JointSpaceWidth)
    return HipPicture(image, probs, coverage, PIXEL_MM, width, hip.mjsw_mm, hip.mjsw_mm, 0.97, "3fa2c9")


def test_contrast_is_warm_where_only_predicted_and_cold_where_only_labelled():
    probs, coverage = np.zeros((3, 2, 3)), np.zeros((3, 2, 3))
    probs[0, 0, 0] = 1.0  # femur predicted only
    coverage[1, 0, 1] = 1.0  # acetabulum labelled only
    probs[2, 0, 2], coverage[0, 0, 2] = 1.0, 1.0  # joint space predicted where the label has femur
    probs[:2, 1, 0] = coverage[:2, 1, 0] = 0.5  # agreed
    probs[:, 1, 1] = 1.0  # independent classes may exceed 1 together
    bones, space = contrast_map(probs, coverage)
    np.testing.assert_array_equal(bones, [[1, -1, -1], [0, 1, 0]])
    np.testing.assert_array_equal(space, [[0, 0, 1], [0, 1, 0]])


def test_contrast_of_broken_probabilities_is_finite():
    assert np.isfinite(contrast_map(np.full((3, 2, 2), np.nan), np.ones((3, 2, 2)))).all()


def test_outline_of_a_square_is_where_its_coverage_is_half():
    plane = np.zeros((10, 12))
    plane[3:6, 4:9] = 1.0
    (contour,) = outlines(plane)
    np.testing.assert_allclose([contour.min(axis=0), contour.max(axis=0)], [[2.5, 3.5], [5.5, 8.5]])
    assert outlines(np.zeros((4, 4))) == []
    (edge,) = outlines(np.ones((4, 4)))  # closed at the view's edge
    np.testing.assert_allclose([edge.min(), edge.max()], [-0.5, 3.5])


def test_witness_points_are_view_pixels(picture):
    roof, head = picture.witness_px
    np.testing.assert_allclose(np.linalg.norm(roof - head) * PIXEL_MM, picture.width.mjsw_mm)
    np.testing.assert_allclose(roof * PIXEL_MM, picture.width.roof_witness_mm)
    at_roof, at_head = (
        ndimage.map_coordinates(picture.probs[k], p[:, None], order=1)[0] for k, p in ((1, roof), (0, head))
    )
    assert 0.2 < at_roof < 0.8
    assert 0.2 < at_head < 0.8


def test_window_lies_in_the_view_and_holds_the_joint(picture):
    top, bottom, left, right = picture.window_px()
    assert bottom - top == pytest.approx(right - left)
    assert top >= -0.5
    assert right <= SIZE - 0.5
    roof, head = picture.witness_px
    for row, col in (roof, head):
        assert top < row < bottom
        assert left < col < right


def test_drawn_points_are_the_witness_points(picture, tmp_path, drawn):
    path = draw_hip(picture, tmp_path / "deep" / "hip.png")
    axes = [ax for part in drawn[0].subfigs for ax in part.axes]
    film, joint = axes[:2]
    for ax in (film, joint):
        (line,) = [line for line in ax.lines if line.get_marker() == "o"]
        np.testing.assert_allclose(line.get_xydata()[:, ::-1], picture.witness_px)
    assert path == tmp_path / "deep" / "hip.png"
    height, width = imread(path).shape[:2]
    inches = (hip_figure.ROW_SIZE[0], hip_figure.ROW_SIZE[1] + hip_figure.LEGEND_INCH)
    np.testing.assert_allclose([width, height], np.multiply(inches, style.DPI), atol=2)
    maps = [np.asarray(ax.images[0].get_array()) for ax in axes[2:4]]
    np.testing.assert_allclose(maps, contrast_map(picture.probs, picture.coverage))


def test_says_what_is_seen(picture, tmp_path, drawn, texts):
    draw_hip(picture, tmp_path / "hip.png")
    said = texts(drawn[0])
    for part in ("3fa2c9", f"{picture.width.mjsw_mm:.2f} mm", f"label {picture.label_mm:.2f} mm", "exact", "0.970"):
        assert part in said
    for part in (
        "predicted\nonly",
        "label\nonly",
        "predicted femur",
        "head margin, sourcil",
        "10 mm",
        "joint space width (mm)",
    ):
        assert part in said
    assert str(tmp_path) not in said


def test_unmeasurable_hip_without_truth_or_dice(picture, tmp_path, drawn, texts):
    poor = replace(
        picture,
        probs=np.zeros_like(picture.probs),
        width=Unmeasurable("no joint space found"),
        truth_mm=None,
        label_mm=float("nan"),
        dice_mean=float("nan"),
    )
    assert poor.witness_px is None
    draw_hip(poor, tmp_path / "a.png")
    draw_hip(replace(poor, coverage=np.zeros_like(poor.coverage), truth_mm=float("nan")), tmp_path / "b.png")
    for figure in drawn:
        said = texts(figure)
        assert "not measurable: no joint space found" in said
        assert "nan" not in said
        assert "exact" not in said
        assert "width (mm)" not in said
        assert "sourcil" not in said
        assert ribbons(figure) == []


def ribbons(figure):
    """Axes' titles of the ribbons of a figure's hips; the bar of their colours is none."""
    meshes = [mesh for part in figure.subfigs[:-1] for mesh in part.findobj(QuadMesh)]
    return [mesh.axes.get_title() for mesh in meshes if mesh.axes.get_title()]


def test_the_joint_space_is_a_ribbon_of_its_width(picture, tmp_path, drawn, texts):
    draw_hip(picture, tmp_path / "hip.png")
    assert ribbons(drawn[0]) == ["the joint"]
    joint = next(ax for part in drawn[0].subfigs for ax in part.axes if ax.get_title() == "the joint")
    (ribbon,) = [mesh for mesh in joint.collections if isinstance(mesh, QuadMesh)]
    across = np.linalg.norm(np.diff(ribbon.get_coordinates(), axis=0)[0], axis=1) * PIXEL_MM
    np.testing.assert_allclose(across, picture.width.profile_mm)
    assert texts(drawn[0]).count("joint space width (mm)") == 1


def test_an_interval_is_said_beside_the_width_and_above(picture, tmp_path, drawn, texts):
    sure = replace(picture, width=replace(picture.width, mjsw_mm=2.314, interval_mm=(2.02, 2.58)))
    draw_hip(sure, tmp_path / "hip.png")
    assert texts(drawn[0]).count("2.31 mm (2.02 to 2.58)") == 2
    draw_hip(picture, tmp_path / "hip.png")
    assert picture.measured == f"{picture.width.mjsw_mm:.2f} mm"
    assert " to " not in texts(drawn[1])


def test_one_measured_hip_of_several_shows_the_colours(picture, tmp_path, drawn, texts):
    poor = replace(picture, width=Unmeasurable("film cut"))
    draw_hips([("good", picture), ("poor", poor)], tmp_path / "hips.png")
    assert ribbons(drawn[0]) == ["the joint"]
    assert texts(drawn[0]).count("joint space width (mm)") == 1


def test_same_hip_gives_the_same_vectors(picture, tmp_path):
    one, other = (draw_hip(picture, tmp_path / name / "hip.svg") for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert one.with_suffix(".png").is_file()


def test_several_hips_are_rows(picture, tmp_path, drawn, texts):
    pictures = [(name, replace(picture, caption=f"hip{name}")) for name in ("best", "median", "worst")]
    path = draw_hips(pictures, tmp_path / "hips.png")
    said = texts(drawn[0])
    assert all(f"{name}: hip hip{name}" in said for name, _ in pictures)
    assert imread(path).shape[0] > 2.5 * imread(draw_hip(picture, tmp_path / "one.png")).shape[0]
    with pytest.raises(ValueError, match="no hips"):
        draw_hips([], tmp_path / "none.png")


def history(num, **missing):
    names = ["train/loss", "val/loss", *(f"val/dice/{k}" for k in ("mean", "femur", "acetabulum", "joint_space"))]
    rows = [{"step": 10.0 * k, "lr": 1e-3} | dict.fromkeys(names, 1 / (k + 1)) for k in range(num)]
    return [row | missing for row in rows]


def test_curves_show_every_column_and_the_best(tmp_path, drawn):
    rows = history(5)
    rows[3]["val/dice/mean"] = 0.9999
    rows[0]["val/dice/mean"] = 0.1
    rows[1]["val/loss"] = float("nan")
    path = draw_curves(rows, tmp_path / "curves.png")
    lines = {line.get_label(): line for ax in drawn[0].axes for line in ax.lines}
    assert {"training", "validation", "mean", "femur", "acetabulum", "joint space"} <= set(lines)
    assert lines["best mean 0.9999"].get_xdata() == [30.0]
    assert len(lines["validation"].get_xdata()) == 4
    assert imread(path).shape[:2] == (5 * style.DPI, 12 * style.DPI)


@pytest.mark.parametrize("rows", [[], history(1), history(3, **{"val/dice/mean": float("nan")}), [{"step": 1.0}]])
def test_curves_of_little(rows, tmp_path):
    assert draw_curves(rows, tmp_path / "curves.png").is_file()


def test_no_global_state_and_no_warnings(picture, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_hip(picture, tmp_path / "hip.png")
    assert dict(matplotlib.rcParams) == before
