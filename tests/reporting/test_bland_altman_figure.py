"""Differences over means: places of dots and lines, and the numbers beside them."""

import re

import numpy as np
import pandas as pd
import pytest

from hipjsw.reporting.bland_altman_figure import Widths, bland_altman_svgs, limits_words, widths_of
from hipjsw.statistics.agreement import agreement


def widths(measured, reference, colour=0):
    return Widths("arm", np.array(measured, float), np.array(reference, float), 0, colour)


def dots(svg):
    found = re.search(r'<path class="c\d dots(?: small)?" d="(.*?)"', svg)
    return [tuple(map(float, place.split())) for place in re.findall(r"M([^h]*)h0", found[1])] if found else []


def line(svg, kind):
    return [float(y) for y in re.findall(rf'<line class="{kind}" x1="[\d.]+" y1="([\d.]+)"', svg)]


def test_dots_bias_and_limits_share_one_scale():
    rng = np.random.default_rng(0)
    reference = rng.uniform(1, 5, 50)
    measured = reference + rng.normal(0.1, 0.2, 50)
    (svg,) = bland_altman_svgs([widths(measured, reference)], "exact truth")
    found = agreement(measured, reference)
    (zero,), (bias,), limits = line(svg, "zero"), line(svg, "bias"), line(svg, "limit")
    places = np.array(dots(svg))
    assert len(places) == 50
    slope = np.polyfit(measured - reference, places[:, 1], 1)[0]
    assert slope < 0
    for value, y in ((found.bias_mm, bias), (found.low_mm, limits[0]), (found.high_mm, limits[1])):
        assert y - zero == pytest.approx(slope * value, abs=0.2)
    assert np.corrcoef(places[:, 0], (measured + reference) / 2)[0, 1] > 0.9999


def test_several_share_their_axes():
    one, other = bland_altman_svgs([widths([1, 2, 3], [1, 2, 3]), widths([2, 2.5, 3], [1, 2, 3.4], 1)], "label")
    assert re.findall(r'class="tick"[^>]*>(.*?)<', one) == re.findall(r'class="tick"[^>]*>(.*?)<', other)
    assert line(one, "zero") == line(other, "zero")


def test_what_lies_far_off_is_counted_and_stays_within():
    reference = np.full(1000, 3.0)
    measured = reference + 0.1 * np.resize([-1, 1], 1000)
    measured[0] = 60.0
    (svg,) = bland_altman_svgs([widths(measured, reference)], "label")
    assert "1 farther off" in svg
    assert all(0 <= y <= 232 for _, y in dots(svg))


@pytest.mark.parametrize(("pairs", "words"), [([], "no hip has both widths"), ([(1.0, 1.0)], "bias +0.000 mm, 1 hip")])
def test_few_hips_have_no_limits(pairs, words):
    one = widths([m for m, _ in pairs], [r for _, r in pairs])
    (svg,) = bland_altman_svgs([one], "label")
    assert limits_words(one) == words
    assert line(svg, "limit") == []
    assert ("no hip has both widths" in svg) == (not pairs)


def test_hips_without_one_of_the_widths_are_left_out_and_counted():
    hips = pd.DataFrame({"mjsw_pred_mm": [1.0, np.nan, 2.0, 3.0], "mjsw_truth_mm": [1.5, 2.0, np.nan, 2.0]})
    one = widths_of(hips, "arm", "mjsw_truth_mm")
    assert (one.measured.tolist(), one.reference.tolist(), one.num_left_out) == ([1.0, 3.0], [1.5, 2.0], 2)
    assert limits_words(one) == "bias +0.250 mm, limits −1.83 to +2.33 mm, 2 hips, 2 left out"
    assert widths_of(hips, "arm", "mjsw_label_mm").num_left_out == 4
