"""Spacing tags: whatever stands in them, what is usable is used and what is odd is said."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.imaging.spacing import PLAUSIBLE_MM, SpacingSource
from hipjsw.imaging.spacing_tags import SpacingTags

TAGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def rules(tags):
    return [rule for rule, _ in tags.notes]


@pytest.mark.parametrize("present", range(8))
def test_the_first_tag_of_the_three_is_believed(present):
    header = {tag: [0.1 + 0.1 * n] * 2 for n, tag in enumerate(TAGS) if present >> n & 1}
    tags = SpacingTags.of(header)
    sources = (SpacingSource.PIXEL, SpacingSource.IMAGER, SpacingSource.SCANNED)
    expected = [source for tag, source in zip(TAGS, sources, strict=True) if tag in header]
    assert (tags.believed and tags.believed.source) == (expected[0] if expected else None)


@pytest.mark.parametrize("tag", TAGS)
def test_the_first_value_is_between_rows_and_the_second_between_columns(tag):
    believed = SpacingTags.of({tag: [0.1, 0.2]}).believed
    assert (believed.row_mm, believed.col_mm) == (0.1, 0.2)


@pytest.mark.parametrize(
    ("imager", "said"), [(0.2, False), (0.20019, False), (0.20021, True), (0.2028, True), (0.1972, True)]
)
def test_tags_that_differ_by_more_than_a_thousandth_are_named_with_both_values(imager, said):
    tags = SpacingTags.of({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [imager, imager]})
    assert rules(tags) == (["spacing_mismatch"] if said else [])
    if imager == 0.2028:
        assert "0.2\\0.2" in tags.notes[0][1]
        assert "0.2028\\0.2028" in tags.notes[0][1]
        assert "1.4 %" in tags.notes[0][1]


def test_tags_that_differ_in_one_direction_only_differ():
    assert rules(SpacingTags.of({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.19, 0.21]})) == [
        "spacing_mismatch"
    ]


@pytest.mark.parametrize(
    "value", [[0, 0], [0.2, 0], [-0.2, -0.2], [math.nan, 0.2], [math.inf] * 2, 0.2, [0.2], [0.2] * 3, "Doe^J", [1, "x"]]
)
def test_what_is_no_spacing_is_said_without_its_text_and_the_next_tag_is_used(value):
    tags = SpacingTags.of({"PixelSpacing": value, "ImagerPixelSpacing": [0.16, 0.16]})
    assert rules(tags) == ["bad_spacing"]
    assert tags.notes[0][1].startswith("PixelSpacing ")
    assert "Doe" not in tags.notes[0][1]
    assert (tags.pixel, tags.believed) == (None, tags.imager)


@pytest.mark.parametrize(("value", "kept"), [("1.2", 1.2), (0, None), (-1, None), (math.nan, None), ("x", None)])
def test_a_magnification_is_recorded_and_changes_nothing(value, kept):
    tags = SpacingTags.of({"PixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": value})
    assert tags.magnification == kept
    assert tags.believed.row_mm == 0.2


anything = st.one_of(
    st.none(),
    st.text(),
    st.binary(),
    st.floats(),
    st.integers(),
    st.lists(st.one_of(st.floats(), st.text()), max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*TAGS, "PixelSpacingCalibrationType"]), anything))
def test_any_values_give_a_plausible_spacing_or_none(header):
    tags = SpacingTags.of(header)
    low, high = PLAUSIBLE_MM
    for spacing in (tags.pixel, tags.imager, tags.scanned, tags.believed):
        assert spacing is None or (low <= spacing.row_mm <= high and low <= spacing.col_mm <= high)
    assert set(rules(tags)) <= {"bad_spacing", "spacing_mismatch"}
