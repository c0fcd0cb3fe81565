"""One film examined: what it is, which hips are usable, what is wrong."""

import dataclasses

import numpy as np
import pydicom
import pytest

from hipjsw.anatomy.numbering import OLDER_INDEX
from hipjsw.anatomy.points_file import read_points
from hipjsw.cohort.examination import ImportOptions, examine_film
from hipjsw.cohort.layout import find_films
from hipjsw.cohort.rules import Severity

PLAIN = ImportOptions()


@pytest.fixture
def one_film(some_films):
    """A cohort of one OAI film, and the film."""
    folder = some_films(3)
    return folder, next(e for e in find_films(folder).films if e.dataset == "OAI")


@pytest.fixture
def with_points(one_film, replace_file, points_of):
    """Write the film's points changed by a function, and examine it."""
    folder, entry = one_film

    def examine(change):
        points = read_points(folder / entry.points[0].path)
        changed = change(points)
        replace_file(folder / entry.points[0].path, points_of(points if changed is None else changed))
        return examine_film(folder, entry, PLAIN)

    return examine


def reasons(seen):
    return [hip.reason for hip in seen.record.hips]


def rules(seen):
    return sorted({f.rule for f in seen.record.findings})


def test_a_plain_film_has_two_usable_hips_and_nothing_to_say(one_film):
    folder, entry = one_film
    seen = examine_film(folder, entry, PLAIN)
    assert reasons(seen) == ["", ""]
    assert seen.record.findings == ()
    assert seen.record.facts.modality == "CR"
    assert all(40 < hip.head_diameter_mm < 70 and 0 <= hip.mjsw_mm < 8 for hip in seen.record.hips)


def test_digests_know_film_points_and_pixels_apart(one_film, replace_file):
    folder, entry = one_film
    digests = lambda: dataclasses.astuple(examine_film(folder, entry, PLAIN).record)[1:4]  # noqa: E731
    before = digests()
    assert digests() == before
    points = folder / entry.points[0].path
    replace_file(points, points.read_text() + "\n")
    with_points = digests()
    assert [a == b for a, b in zip(before, with_points, strict=True)] == [True, False, True]
    header = pydicom.dcmread(folder / entry.film)
    header.StudyDescription = "OTHER WORDS"
    (folder / entry.film).unlink()
    header.save_as(folder / entry.film)
    assert [a == b for a, b in zip(with_points, digests(), strict=True)] == [False, True, True]


def test_a_film_without_points_is_left_out_but_looked_at(one_film):
    folder, entry = one_film
    seen = examine_film(folder, dataclasses.replace(entry, points=()), PLAIN)
    assert reasons(seen) == ["film_without_points"] * 2
    (finding,) = seen.record.findings
    assert (finding.film, finding.severity, finding.rule) == (entry.film, Severity.ERROR, "film_without_points")
    assert seen.record.facts is not None
    assert seen.record.pixel_digest


@pytest.mark.parametrize(
    ("which", "content", "rule"),
    [
        ("film", "not a film", "not_dicom"),
        ("film", "", "not_dicom"),
        ("points", "", "bad_points"),
        ("points", "version: 1\nn_points: 1\n{\n1 1\n}\n", "bad_points"),
        ("points", "version: 1\nn_points: 2\n{\n1 1\n}\n", "bad_points"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_its_film_out(one_film, replace_file, which, content, rule):
    folder, entry = one_film
    replace_file(folder / (entry.film if which == "film" else entry.points[0].path), content)
    seen = examine_film(folder, entry, PLAIN)
    assert reasons(seen) == [rule] * 2
    assert rules(seen) == [rule]
    assert all(hip.mjsw_mm is None for hip in seen.record.hips)


def without_spacing(path):
    header = pydicom.dcmread(path)
    del header.PixelSpacing
    del header.ImagerPixelSpacing
    path.unlink()
    header.save_as(path)


def test_a_film_without_spacing_gives_no_millimetres_unless_one_is_given(one_film):
    folder, entry = one_film
    without_spacing(folder / entry.film)
    seen = examine_film(folder, entry, PLAIN)
    assert seen.record.spacing is None
    assert reasons(seen) == ["no_spacing"] * 2
    given = examine_film(folder, entry, ImportOptions(spacing_mm=0.16896))
    assert reasons(given) == ["", ""]
    assert given.record.spacing.source == "given"
    by_the_cohort = examine_film(folder, dataclasses.replace(entry, spacing_mm=0.16896), PLAIN)
    assert [h.mjsw_mm for h in by_the_cohort.record.hips] == [h.mjsw_mm for h in given.record.hips]


def test_points_in_pixels_give_the_hips_that_points_in_mm_give(one_film, with_points):
    folder, entry = one_film
    before = examine_film(folder, entry, PLAIN).record
    seen = with_points(lambda p: p / 0.16896)
    assert reasons(seen) == ["", ""]
    assert rules(seen) == ["points_in_px"]
    for a, b in zip(before.hips, seen.record.hips, strict=True):
        assert a.mjsw_mm == pytest.approx(b.mjsw_mm, abs=1e-9)


def test_points_in_the_older_numbering_give_the_same_hips(one_film, with_points):
    folder, entry = one_film
    before = examine_film(folder, entry, PLAIN).record

    def older(points):
        old = np.empty_like(points)
        for first in (0, 80):
            old[first + np.array(OLDER_INDEX)] = points[first : first + 80]
        return old

    seen = with_points(older)
    assert rules(seen) == ["older_numbering"]
    assert [h.mjsw_mm for h in seen.record.hips] == [h.mjsw_mm for h in before.hips]


def of_the_right(part, change):
    return lambda p: p.__setitem__(part, change(p[part]))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (of_the_right(slice(2, 3), lambda p: p + 75), "step_length"),
        (of_the_right(slice(70, 75), lambda p: p[::-1].copy()), "crossing_curves"),
        (of_the_right(slice(67, 75), lambda p: p - [20_000.0, 0]), "outside_film"),
    ],
)
def test_points_that_are_no_hip_leave_that_hip_out_and_say_why(with_points, change, rule):
    seen = with_points(change)
    right, left = reasons(seen)
    assert rule in right.split(",")
    assert left == ""
    assert all(f.side == "right" for f in seen.record.findings if f.severity is Severity.ERROR)


def test_both_sides_exchanged_are_named(with_points):
    seen = with_points(lambda p: p[np.r_[80:160, 0:80]])
    assert all("sides_swapped" in reason for reason in reasons(seen))
    assert "sides_swapped" in rules(seen)


@pytest.mark.parametrize(
    "options",
    [
        {"points_spacing": "detector"},
        {"spacing_mm": -1.0},
        {"spacing_mm": 0.0},
        {"spacing_mm": 17.0},
        {"spacing_mm": float("inf")},
        {"spacing_mm": float("nan")},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ValueError, match="spacing"):
        ImportOptions(**options)


def test_a_window_shapes_grey_values_only_where_asked(one_film):
    folder, entry = one_film
    plain, shaped = (examine_film(folder, entry, ImportOptions(voi=voi)).film for voi in (False, True))
    assert not np.array_equal(plain.pixels, shaped.pixels)
    order = np.argsort(plain.pixels[::50, ::50].ravel(), kind="stable")
    assert (np.diff(shaped.pixels[::50, ::50].ravel()[order].astype(float)) >= 0).all(), "a window keeps the order"
