"""What the agreement plot draws: hips, whiskers, limits, groups and counts."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hipjsw.reporting import figures
from hipjsw.reporting.agreement_figure import draw_agreement
from hipjsw.reporting.style import GROUPS

REFERENCE = np.array([2.0, 3.0, 4.0, 5.0, np.nan, 4.0])
PRED = np.array([2.5, 2.5, 4.5, 4.5, 4.0, np.nan]) + 0.1
LIMIT = 1.96 * np.std([0.5, -0.5, 0.5, -0.5], ddof=1)


def marks(axes):
    """Offsets of the marks of each group that is drawn."""
    return [np.asarray(c.get_offsets()) for c in axes.collections if not hasattr(c, "get_segments")]


def whiskers(axes):
    return np.array([s for c in axes.collections if hasattr(c, "get_segments") for s in c.get_segments()])


def spans(axes):
    """Lower and upper edge of each shaded stretch."""
    return sorted((patch.get_y(), patch.get_y() + patch.get_height()) for patch in axes.patches)


def test_says_bias_limits_and_counts(tmp_path, drawn, texts):
    draw_agreement(PRED, REFERENCE, "label", tmp_path / "agreement.png")
    said = texts(drawn[0])
    assert "4 hips, 2 left out" in said
    assert "bias\n+0.10 mm" in said
    assert f"upper 95 % limit\n+{0.1 + LIMIT:.2f} mm" in said
    assert f"lower 95 % limit\n−{LIMIT - 0.1:.2f} mm" in said
    scatter, bland = drawn[0].axes
    np.testing.assert_allclose(marks(scatter)[0], np.column_stack([REFERENCE, PRED])[:4])
    np.testing.assert_allclose(marks(bland)[0][0], [2.3, 0.6])
    lines = sorted(line.get_ydata()[0] for line in bland.lines if line.get_color() != "0.4")
    np.testing.assert_allclose(lines, [0.1 - LIMIT, 0.1, 0.1 + LIMIT])


def test_whiskers_stand_at_their_hips_in_both_panels(tmp_path, drawn):
    low, high = PRED - 0.3, PRED + 0.2
    low[1] = np.nan
    high[0] += 4.0
    draw_agreement(PRED, REFERENCE, "label", tmp_path / "a.png", low_mm=low, high_mm=high)
    scatter, bland = drawn[0].axes
    np.testing.assert_allclose(
        whiskers(scatter), [[[REFERENCE[n], low[n]], [REFERENCE[n], high[n]]] for n in (0, 2, 3)]
    )
    mean = (PRED + REFERENCE) / 2
    ends = np.stack([low, high]) - REFERENCE
    np.testing.assert_allclose(whiskers(bland), [[[mean[n], ends[0, n]], [mean[n], ends[1, n]]] for n in (0, 2, 3)])
    assert max(bland.get_ylim()) > np.nanmax(ends[:, [0, 2, 3]])


def test_an_interval_that_misses_its_width_is_drawn_as_it_is(tmp_path, drawn):
    draw_agreement([3.0, 3.0], [3.0, 3.1], "label", tmp_path / "a.png", low_mm=[3.2, 2.0], high_mm=[3.4, 2.5])
    np.testing.assert_allclose(whiskers(drawn[0].axes[0])[:, :, 1], [[3.2, 3.4], [2.0, 2.5]])


def test_intervals_of_bias_and_limits_are_shaded_and_said(tmp_path, drawn, texts):
    intervals = {"bias_mm": (-0.05, 0.25), "high_mm": (1.0, 1.6)}
    draw_agreement(PRED, REFERENCE, "label", tmp_path / "a.png", intervals=intervals)
    np.testing.assert_allclose(spans(drawn[0].axes[1]), [(-0.05, 0.25), (1.0, 1.6)])
    said = texts(drawn[0])
    assert "bias\n+0.10 mm\n(−0.05 to 0.25)" in said
    assert f"lower 95 % limit\n−{LIMIT - 0.1:.2f} mm\n(" not in said
    draw_agreement(PRED, REFERENCE, "label", tmp_path / "b.png")
    assert spans(drawn[1].axes[1]) == []


def test_words_beside_close_limits_do_not_overlap(tmp_path, drawn):
    near = np.linspace(2, 5, 20)
    pred = near + 0.01 * (-1.0) ** np.arange(20)
    pred[0] += 3.0  # one far hip sets the scale
    reference = np.tile(near, 30)
    draw_agreement(np.concatenate([pred, np.tile(near, 29)]), reference, "label", tmp_path / "a.png")
    figure = drawn[0]
    beside = [text for text in figure.axes[1].texts if " mm" in text.get_text()]
    boxes = sorted((text.get_window_extent() for text in beside), key=lambda box: box.y0)
    assert len(boxes) == 3
    assert all(upper.y0 >= lower.y1 for lower, upper in pairwise(boxes))


def test_groups_have_colours_marks_and_counts(tmp_path, drawn, texts):
    oa = pd.Categorical(["none", "severe", "none", None, "mild", "mild"], ["none", "mild", "severe"], ordered=True)
    draw_agreement(PRED, REFERENCE, "label", tmp_path / "a.png", groups=oa)
    (legend,) = drawn[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["none (n = 2)", "severe (n = 1)", "unknown (n = 1)"]
    drawn_marks = marks(drawn[0].axes[0])
    np.testing.assert_allclose(drawn_marks[0], np.column_stack([REFERENCE, PRED])[[0, 2]])
    np.testing.assert_allclose(drawn_marks[1], np.column_stack([REFERENCE, PRED])[[1]])
    colours = [to_hex(c.get_facecolor()[0]) for c in drawn[0].axes[0].collections]
    assert len(set(colours)) == 3
    assert len({handle.get_marker() for handle in legend.legend_handles}) == 3
    assert "2 left out" in texts(drawn[0])


def test_a_group_has_its_colour_whether_or_not_others_have_hips(tmp_path, drawn):
    classes = ["none", "mild", "severe"]
    for groups in (["none", "mild", "severe"], ["none", "severe", "severe"]):
        draw_agreement([2, 3, 4], [2, 3, 4], "label", tmp_path / "a.png", groups=pd.Categorical(groups, classes))
    colours = [
        {text.get_text().split(" (")[0]: handle.get_color() for text, handle in zip(t, h, strict=True)}
        for t, h in ((f.legends[0].get_texts(), f.legends[0].legend_handles) for f in drawn)
    ]
    assert colours[0]["severe"] == colours[1]["severe"]


def test_names_come_in_order_and_those_too_many_share_a_mark(tmp_path, drawn):
    names = [f"site {n}" for n in (7, 3, 1, 5, 2, 6, 4)] + [""]
    draw_agreement(np.arange(2, 10), np.arange(2, 10), "label", tmp_path / "a.png", groups=names)
    said = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert said == [*(f"site {n} (n = 1)" for n in range(1, len(GROUPS) + 1)), "others (n = 3)"]


@pytest.mark.parametrize("num", [0, 1, 2])
def test_few_hips(num, tmp_path, drawn, texts):
    more = {"low_mm": [2.8] * num, "high_mm": [3.3] * num, "intervals": {"bias_mm": (-1, 1)}, "groups": ["a"] * num}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw_agreement([3.0] * num, [3.0] * num, "exact truth", tmp_path / "few.png", **more).is_file()
    said = texts(drawn[0])
    assert f"{num} hip{'' if num == 1 else 's'}" in said
    assert ("limit" in said) == (num == 2)
    assert "nan" not in said


def test_nothing_measured_is_drawn_and_counted(tmp_path, drawn, texts):
    nothing = [np.nan] * 3
    draw_agreement(nothing, [3.0] * 3, "label", tmp_path / "a.png", low_mm=nothing, high_mm=nothing, groups=list("abc"))
    assert "0 hips, 3 left out" in texts(drawn[0])
    assert drawn[0].legends == []


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"low_mm": [1.0, 2.0]}, "both low_mm and high_mm"),
        ({"low_mm": [1.0], "high_mm": [2.0]}, "lengths 2, 2, 1, 1, 2"),
        ({"groups": ["a"]}, "lengths"),
        ({"intervals": {"mae_mm": (0.0, 1.0)}}, "not of mae_mm"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, more, match):
    with pytest.raises(ValueError, match=match):
        draw_agreement([1.0, 2.0], [1.0, 2.0], "label", tmp_path / "a.png", **more)
    with pytest.raises(ValueError, match="lengths 2, 1"):
        draw_agreement([1.0, 2.0], [1.0], "label", tmp_path / "a.png")


def test_same_hips_give_the_same_vectors(tmp_path):
    more = {"low_mm": PRED - 0.3, "high_mm": PRED + 0.2, "groups": list("aabbcc"), "intervals": {"bias_mm": (0, 0.2)}}
    one, other = (draw_agreement(PRED, REFERENCE, "label", tmp_path / n / "a.svg", **more) for n in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert one.with_suffix(".png").is_file()


def test_callers_find_it_where_it_was():
    assert figures.draw_agreement is draw_agreement
