"""What films say of each other, whatever order they come in."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.film_entry import FilmEntry
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.relations import excluded, film_relations

GOOD = (HipRecord("right", ""), HipRecord("left", "no_width"))
BAD = (HipRecord("right", "bad_points"), HipRecord("left", "bad_points"))


def record(film, person="1", visit="V00", digest="own", dataset="OAI", side="", hips=GOOD):
    entry = FilmEntry(dataset, person, visit, film, side=side)
    return FilmRecord(entry, pixel_digest=film if digest == "own" else digest, hips=hips)


def said(records):
    return [(f.film, f.rule) for f in film_relations(records)]


def test_all_copies_but_the_first_are_left_out_and_name_it():
    records = [record(film, digest="d") for film in ("c", "a", "b")]
    assert said(records) == [("b", "duplicate_film"), ("c", "duplicate_film")]
    assert all(f.message.endswith(" a") for f in film_relations(records))


def test_the_copy_that_can_be_used_is_kept():
    records = [record("a", digest="d", hips=BAD), record("b", digest="d"), record("c", digest="d")]
    assert said(records) == [("a", "duplicate_film"), ("c", "duplicate_film")]


def test_a_copy_under_another_visit_is_no_follow_up():
    assert said([record("b", visit="V06", digest="d"), record("a", digest="d")]) == [("b", "duplicate_film")]


@pytest.mark.parametrize("other", [{"person": "2"}, {"dataset": "CHECK"}])
def test_one_film_of_two_persons_is_nobodys(other):
    records = [record("a", digest="d"), record("b", digest="d"), record("c", digest="d", **other)]
    assert said(records) == [(film, "two_identities") for film in "abc"]


def test_two_films_of_a_visit_are_said_once_for_the_visit():
    records = [record("a"), record("b"), record("c", visit="V06"), record("d", person="2")]
    assert said(records) == [("a", "follow_up"), ("a", "several_films")]


def test_films_of_one_side_each_are_a_visit():
    right, left = record("a", side="right"), record("b", side="left")
    assert said([right, left]) == []
    assert said([right, left, record("c", side="left")]) == [("b", "several_films")]
    assert said([right, record("c")]) == [("a", "several_films")]


def test_a_copy_that_is_left_out_makes_no_second_film_of_a_visit():
    assert said([record("a", digest="d"), record("b", digest="d")]) == [("b", "duplicate_film")]


def test_a_person_with_visits_is_one_finding_with_their_number():
    (finding,) = film_relations([record(v, visit=v) for v in ("V10", "V00", "V06")])
    assert (finding.film, finding.rule) == ("V00", "follow_up")
    assert "3 visits" in finding.message


def test_an_id_in_two_cohorts_is_said_once_and_no_message_has_the_id():
    records = [record("a", "98765"), record("b", "98765", dataset="CHECK"), record("c", "98765", "V06")]
    assert sorted(said(records)) == [("a", "follow_up"), ("b", "shared_id")]
    assert not any("98765" in f.message for f in film_relations(records))


def test_a_message_names_a_few_films_and_the_number_of_the_rest():
    findings = film_relations([record(f"film{n}", str(n), digest="d") for n in range(9)])
    assert findings[0].message.endswith("film1, film2, film3 and 5 more")


RECORD = st.builds(
    record,
    film=st.uuids().map(str),
    person=st.sampled_from("12"),
    visit=st.sampled_from(["V00", "V06"]),
    digest=st.sampled_from(["", "x", "y", "z", "own"]),
    dataset=st.sampled_from(["OAI", "CHECK"]),
    side=st.sampled_from(["", "right", "left"]),
    hips=st.sampled_from([GOOD, BAD, ()]),
)
RECORDS = st.lists(RECORD, max_size=9, unique_by=lambda r: r.entry.film)


@settings(deadline=None)
@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_films_changes_nothing(records, random):
    shuffled = random.sample(records, len(records))
    assert film_relations(shuffled) == film_relations(records)


@settings(deadline=None)
@given(RECORDS)
def test_of_what_is_kept_no_two_are_alike_and_nothing_more_is_left_out(records):
    out = excluded(film_relations(records))
    kept = [r for r in records if r.entry.film not in out]
    digests = [r.pixel_digest for r in kept if r.pixel_digest]
    assert len(digests) == len(set(digests))
    assert excluded(film_relations(kept)) == {}
    for digest in {r.pixel_digest for r in records} - {""}:
        persons = {(r.entry.dataset, r.entry.subject) for r in records if r.pixel_digest == digest}
        assert sum(r.pixel_digest == digest for r in kept) == (len(persons) == 1)


@settings(deadline=None)
@given(RECORDS)
def test_of_films_that_were_not_read_nothing_is_said(records):
    assert film_relations([replace(r, pixel_digest="") for r in records]) == []
    readable = [r for r in records if r.pixel_digest]
    assert film_relations(readable) == film_relations(records)


@given(st.lists(st.integers(0, 99), unique=True))
def test_a_plain_cohort_has_nothing_to_be_said_of(persons):
    assert film_relations([record(f"{n}.dcm", str(n), dataset="OAI" if n % 2 else "CHECK") for n in persons]) == []


def test_errors_of_a_whole_film_leave_it_out_by_the_first_rule():
    findings = [
        Finding("a", "two_identities", ""),
        Finding("a", "truncated", ""),
        Finding("b", "outside_film", "", "left"),
        Finding("c", "several_films", ""),
        Finding("d", "lossy", ""),
    ]
    assert excluded(findings) == excluded(findings[::-1]) == {"a": "truncated"}
