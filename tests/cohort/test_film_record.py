"""A film's record goes through JSON and comes back as it was."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.film_entry import FilmEntry, PointsFile
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.rules import RULES
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

#: Any text a name on a disk may be, lone surrogates for bytes that are no UTF-8 too.
TEXT = st.text(st.characters(codec=None), max_size=6) | st.just("h\udcfcfte")
LENGTH = st.floats(allow_nan=False, allow_infinity=False)
PAIR = st.none() | st.tuples(LENGTH, LENGTH)
SIDE = st.sampled_from(["", "right", "left"])
RULE = st.sampled_from(sorted(RULES))

SPACING = st.builds(PixelSpacing, st.floats(0.03, 3), st.floats(0.03, 3), st.sampled_from(SpacingSource))
ENTRY = st.builds(
    FilmEntry,
    *[TEXT] * 4,
    points=st.lists(st.builds(PointsFile, TEXT, SIDE), max_size=2).map(tuple),
    side=SIDE,
    spacing_mm=st.none() | LENGTH,
)
FACTS = st.builds(
    FilmFacts,
    format=st.sampled_from(["dicom", "png"]),
    rows=st.integers(1, 9999),
    cols=st.integers(1, 9999),
    bits=st.integers(8, 16),
    syntax=TEXT,
    lossy=st.booleans(),
    pixel_spacing_mm=PAIR,
    imager_spacing_mm=PAIR,
    magnification=st.none() | LENGTH,
    notes=st.lists(st.tuples(RULE, TEXT), max_size=2).map(tuple),
)
HIP = st.builds(
    HipRecord,
    SIDE,
    TEXT,
    *[st.none() | LENGTH] * 3,
    head_mm=PAIR,
    centre_mm=PAIR,
)
RECORD = st.builds(
    FilmRecord,
    ENTRY,
    *[TEXT] * 3,
    facts=st.none() | FACTS,
    spacing=st.none() | SPACING,
    hips=st.lists(HIP, max_size=2).map(tuple),
    findings=st.lists(st.builds(Finding, TEXT, RULE, TEXT, SIDE), max_size=3).map(tuple),
)


@settings(deadline=None)
@given(RECORD)
def test_a_record_comes_back_from_json_as_it_was(record):
    line = json.dumps(record.to_json())
    assert "\n" not in line
    back = FilmRecord.from_json(json.loads(line))
    assert back == record
    assert hash(back) == hash(record), "lists have become tuples again"
    assert type(back.spacing) is type(record.spacing)
    assert json.dumps(back.to_json()) == line


@settings(deadline=None)
@given(RECORD)
def test_a_record_goes_through_its_own_plain_values_too(record):
    assert FilmRecord.from_json(record.to_json()) == record


def test_every_part_of_a_record_is_kept():
    """A field that `from_json` forgets would come back as its default."""
    plain = FilmRecord(FilmEntry("d", "s", "v", "f"))
    parts = {
        "entry": FilmEntry("d2", "s", "v", "f"),
        "facts": FilmFacts("dicom", 1, 2, 8),
        "spacing": PixelSpacing(0.1, 0.2, SpacingSource.GIVEN),
        "hips": (HipRecord("right", ""),),
        "findings": (Finding("f", "lossy", "m"),),
    }
    for field in fields(FilmRecord):
        changed = replace(plain, **{field.name: parts.get(field.name, "x")})
        assert FilmRecord.from_json(json.loads(json.dumps(changed.to_json()))) == changed != plain


GOOD = json.dumps(
    FilmRecord(
        FilmEntry("d", "s", "v", "f", (PointsFile("p"),)),
        facts=FilmFacts("dicom", 1, 2, 8, notes=(("lossy", "m"),)),
        spacing=PixelSpacing(0.1, 0.2, SpacingSource.GIVEN),
        hips=(HipRecord("right", "", head_mm=(1.0, 2.0)),),
        findings=(Finding("f", "lossy", "m"),),
    ).to_json()
)


def places(value, way=()):
    """The way to every value within plain values."""
    yield way
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*way, key))


@pytest.mark.parametrize("way", list(places(json.loads(GOOD)))[1:], ids=str)
@pytest.mark.parametrize("wrong", ["absent", 3, None, [], {}, "odd"], ids=str)
def test_damaged_content_is_a_value_error_or_a_record(way, wrong):
    content = json.loads(GOOD)
    inner = content
    for key in way[:-1]:
        inner = inner[key]
    if wrong == "absent":
        del inner[way[-1]]
    else:
        inner[way[-1]] = wrong
    try:
        record = FilmRecord.from_json(content)
    except ValueError:
        return
    assert isinstance(record, FilmRecord)


@pytest.mark.parametrize("content", [None, 3, [], {}, "x", {"entry": None}], ids=str)
def test_what_is_no_record_is_refused(content):
    with pytest.raises(ValueError, match="not a film's record"):
        FilmRecord.from_json(content)
