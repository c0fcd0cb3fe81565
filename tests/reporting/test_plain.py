"""Values for the dashboard: one type a column, and no paths."""

from __future__ import annotations

import pytest

from hipjsw.reporting.plain import NO_PATH, one_type, plain_value, without_paths


def test_columns_have_one_type():
    assert one_type([1, 2.5, None]) == [1.0, 2.5, None]
    assert one_type([1, "a", float("inf")]) == ["1", "a", None]
    assert one_type([]) == []
    assert plain_value(float("nan")) is None


@pytest.mark.parametrize(
    "text", ["/home/me", "~/data", "~me/data", "C:\\data", "store=/home/me", "file:///x", "\\\\host\\x"]
)
def test_absolute_paths_are_left_out(text):
    assert without_paths({"a": [text, {"b": text}]}) == {"a": [NO_PATH, {"b": NO_PATH}]}


@pytest.mark.parametrize("text", ["dice", "a/b", "1600/200", "https://example.org/x", "~", "1 / 2", ""])
def test_other_text_stays(text):
    assert without_paths({"a": text, 1: 2.5}) == {"a": text, "1": 2.5}
