"""Saving, and places moved apart."""

import re

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hipjsw.reporting.style import interval_text, save, spread


def small_figure():
    figure = Figure(figsize=(3, 2), layout="constrained")
    axes = figure.subplots()
    axes.scatter(np.arange(5), np.arange(5), clip_on=True)
    axes.fill_between([0, 4], [0, 1], [1, 2], alpha=0.2)
    axes.set_title("width")
    return figure


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    one, other = (save(small_figure(), tmp_path / name / f"a{suffix}") for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert one.with_suffix(".png").read_bytes() == other.with_suffix(".png").read_bytes()


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".SVG", b"<?xml")]
)
def test_the_suffix_says_the_format_and_a_png_lies_beside(tmp_path, suffix, magic):
    path = save(small_figure(), tmp_path / "deep" / f"a{suffix}")
    assert path.read_bytes().startswith(magic)
    assert {p.name for p in path.parent.iterdir()} == {f"a{suffix}", "a.png"}
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_nothing_says_when_or_with_what_it_was_drawn(tmp_path, suffix):
    said = save(small_figure(), tmp_path / f"a{suffix}").read_bytes()
    assert not re.search(rb"dc:date|CreationDate|Software|Producer|dc:creator|" + matplotlib.__version__.encode(), said)
    assert str(tmp_path).encode() not in said


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.csv"])
def test_another_suffix_is_refused_and_nothing_written(tmp_path, name):
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf"):
        save(small_figure(), tmp_path / "deep" / name)
    assert list(tmp_path.iterdir()) == []


def test_settings_are_left_as_they_were(tmp_path):
    before = dict(matplotlib.rcParams)
    save(small_figure(), tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before


@given(st.lists(st.floats(-10, 10), max_size=8), st.floats(0.01, 3))
def test_places_are_moved_apart_as_little_as_can_be(places, gap):
    moved = spread(places, gap)
    order = np.argsort(places, kind="stable")
    assert len(moved) == len(places)
    assert (np.diff(np.array(moved)[order]) >= gap - 1e-9).all()
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)
    if (np.diff(np.sort(places)) >= gap).all():
        np.testing.assert_allclose(moved, places, atol=1e-9)


def test_two_places_part_by_the_same_and_others_stay():
    assert spread([1.0, 5.0, 1.2], 1.0) == pytest.approx([0.6, 5.0, 1.6])


@pytest.mark.parametrize(
    ("interval", "said"),
    [((2.02, 2.584), "2.02 to 2.58"), ((-0.1, 0.25), "−0.10 to 0.25"), ((-0.4, -0.3), "−0.40 to −0.30")],
)
def test_interval_in_words(interval, said):
    assert interval_text(interval) == said
