"""What the risk-coverage plot draws: the curves, the calibration, errors over intervals."""

import warnings

import numpy as np
import pytest

from hipjsw.reporting.risk_coverage_figure import draw_risk_coverage

COVERAGE = np.linspace(0.05, 1.0, 20)
MAE = np.linspace(0.1, 0.29, 20)
P95 = np.linspace(0.3, 0.68, 20)


def panel(figure, title):
    (axes,) = [axes for axes in figure.axes if axes.get_title().startswith(title)]
    return axes


def named(axes):
    return {line.get_label(): line.get_xydata() for line in axes.lines if not line.get_label().startswith("_")}


def test_curves_lie_over_the_share_of_hips_kept(tmp_path, drawn):
    path = draw_risk_coverage(COVERAGE, MAE, tmp_path / "deep" / "a.png", p95_mm=P95)
    (axes,) = drawn[0].axes
    assert set(named(axes)) == {"mean", "95th percentile"}
    np.testing.assert_allclose(named(axes)["mean"], np.column_stack([100 * COVERAGE, MAE]))
    np.testing.assert_allclose(named(axes)["95th percentile"], np.column_stack([100 * COVERAGE, P95]))
    assert path.is_file()


def test_errors_at_ninety_percent_and_at_all_are_marked_and_said(tmp_path, drawn):
    draw_risk_coverage(COVERAGE, MAE, tmp_path / "a.png")
    (axes,) = drawn[0].axes
    (marked,) = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(marked, [[90, MAE[17]], [100, MAE[19]]])
    assert [text.get_text() for text in axes.texts] == [f"{MAE[17]:.2f}", "0.29"]


def test_calibration_is_level_against_share_held(tmp_path, drawn):
    nominal, actual = np.array([0.5, 0.8, 0.95]), np.array([0.55, 0.82, 0.94])
    interval = np.stack([actual - 0.04, actual + 0.03])
    draw_risk_coverage(COVERAGE, MAE, tmp_path / "a.png", nominal=nominal, actual=actual, actual_interval=interval)
    axes = panel(drawn[0], "Calibration")
    (points,) = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points, 100 * np.column_stack([nominal, actual]))
    ideal = named(axes)["ideal"]
    np.testing.assert_array_equal(ideal[:, 0], ideal[:, 1])
    (bars,) = axes.collections
    ends = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, 100 * interval.T)
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_xlim()[0] <= 50


def test_errors_above_half_the_width_are_counted(tmp_path, drawn, texts):
    width = np.array([1.0, 1.0, 2.0, np.nan, 1.0])
    error = np.array([-0.6, 0.4, 0.9, 0.1, np.nan])
    draw_risk_coverage(COVERAGE, MAE, tmp_path / "a.png", width_mm=width, error_mm=error)
    axes = panel(drawn[0], "Error and interval")
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[0.5, 0.6], [0.5, 0.4], [1.0, 0.9]])
    assert "33.3 % lie above" in texts(drawn[0])
    assert "(2 without)" in axes.get_title()


def test_counts_stand_in_the_title(tmp_path, drawn, texts):
    draw_risk_coverage(COVERAGE, MAE, tmp_path / "a.png", num_hips=20, num_left_out=3)
    draw_risk_coverage([1.0], [0.2], tmp_path / "b.png", num_hips=1)
    draw_risk_coverage(COVERAGE, MAE, tmp_path / "c.png")
    assert "20 hips, 3 left out" in texts(drawn[0])
    assert "1 hip" in texts(drawn[1])
    assert "left out" not in texts(drawn[1])
    assert "hip:" not in texts(drawn[2])


def test_no_hips_one_hip_and_no_intervals(tmp_path, drawn, texts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_risk_coverage([], [], tmp_path / "a.png", p95_mm=[], width_mm=[], error_mm=[], nominal=[], actual=[])
        draw_risk_coverage([1.0], [0.0], tmp_path / "b.png", p95_mm=[0.0], width_mm=[0.4], error_mm=[0.0])
        draw_risk_coverage([1.0], [0.1], tmp_path / "c.png", width_mm=[np.nan], error_mm=[0.1])
        draw_risk_coverage([0.5], [0.1], tmp_path / "d.png")  # a curve that ends early
    assert "no hips" in texts(drawn[0])
    assert "no intervals" in texts(drawn[0])
    assert "no intervals" in texts(drawn[2])
    assert not any("nan" in texts(figure).lower() for figure in drawn)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"p95_mm": [0.1]}, r"lengths \[1, 20\]"),
        ({"nominal": [0.5]}, "nominal and actual belong together"),
        ({"nominal": [0.5], "actual": [0.5, 0.6]}, "got 1 and 2"),
        ({"nominal": [0.5], "actual": [0.5], "actual_interval": [0.4, 0.6, 0.7]}, r"\(2, 1\)"),
        ({"actual_interval": [[0.4], [0.6]]}, "needs nominal and actual"),
        ({"error_mm": [0.5]}, "width_mm and error_mm"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, more, match):
    with pytest.raises(ValueError, match=match):
        draw_risk_coverage(COVERAGE, MAE, tmp_path / "a.png", **more)
    assert list(tmp_path.iterdir()) == []


def test_same_numbers_give_the_same_vectors(tmp_path):
    more = {"nominal": [0.5, 0.9], "actual": [0.52, 0.88], "width_mm": P95, "error_mm": MAE, "num_hips": 20}
    one, other = (draw_risk_coverage(COVERAGE, MAE, tmp_path / n / "a.svg", **more) for n in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert one.with_suffix(".png").is_file()
