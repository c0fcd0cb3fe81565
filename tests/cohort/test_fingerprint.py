"""What a fingerprint counts, and that it names nobody."""

import json
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.fingerprint import cohort_fingerprint
from hipjsw.cohort.layout import FilmEntry, PointsFile
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

FACTS = FilmFacts("dicom", 2316, 1860, 12, "MONOCHROME1", True, "CR", "RLE Lossless")
SPACING = PixelSpacing(0.143, 0.143, SpacingSource.PIXEL)


def record(subject="1", dataset="OAI", visit="V00", widths=(3.0, 4.0), heads=(54.0, 56.0), reasons=("", ""), **more):
    hips = tuple(
        HipRecord(side, reason, width, head)
        for side, reason, width, head in zip(("right", "left"), reasons, widths, heads, strict=True)
    )
    entry = FilmEntry(dataset, subject, visit, f"{dataset}/{subject}-{visit}.dcm", (PointsFile("a.pts"),))
    return FilmRecord(**{"entry": entry, "facts": FACTS, "spacing": SPACING, "hips": hips} | more)


widths = st.one_of(st.none(), st.floats(0, 12))
records = st.lists(
    st.builds(
        record,
        subject=st.sampled_from("123"),
        dataset=st.sampled_from(["OAI", "CHECK", "a"]),
        visit=st.sampled_from(["V00", "V01"]),
        widths=st.tuples(widths, widths),
        heads=st.tuples(st.one_of(st.none(), st.floats(5, 200)), st.floats(30, 90)),
        reasons=st.tuples(st.sampled_from(["", "head_radius", "no_width,metal"]), st.just("")),
        facts=st.sampled_from([FACTS, replace(FACTS, bits=10, rows=100), None]),
        spacing=st.sampled_from([SPACING, None]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(records, st.randoms(use_true_random=False))
def test_order_of_the_films_does_not_matter_to_a_byte(films, order):
    shuffled = list(films)
    order.shuffle(shuffled)
    assert json.dumps(cohort_fingerprint(films)) == json.dumps(cohort_fingerprint(shuffled))


@settings(max_examples=60, deadline=None)
@given(records)
def test_cohorts_add_up_to_all_and_histograms_to_their_number(films):
    found = cohort_fingerprint(films)
    every, cohorts = found["all"], list(found["cohorts"].values())
    for name, number in every["counts"].items():
        assert number == sum(cohort["counts"][name] for cohort in cohorts)
    for key in ("mjsw_mm", "head_diameter_mm"):
        spread = every[key]
        assert spread["num"] == sum(cohort[key]["num"] for cohort in cohorts)
        assert spread["num"] == sum(spread["histogram"]) + spread["num_below"] + spread["num_above"]
        assert len(spread["edges"]) == len(spread["histogram"]) + 1
    for key in ("bits", "photometric", "formats", "syntaxes", "modalities"):
        assert sum(every["film"][key].values()) == every["counts"]["num_films_read"]
    given_spacing = sum(sum(values.values()) for values in every["spacing"]["by_source"].values())
    assert given_spacing + every["spacing"]["num_without"] == len(films)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_widths_are_those_of_usable_hips_with_the_statistics_of_the_library():
    rng = random.Random(0)
    values = [rng.gauss(3.8, 0.9) for _ in range(40)]
    films = [record(str(n), widths=(a, b)) for n, (a, b) in enumerate(zip(values[::2], values[1::2], strict=True))]
    films.append(record("x", widths=(0.1, 0.2), reasons=("misplaced", "no_width")))
    found = cohort_fingerprint(films)["all"]["mjsw_mm"]
    assert found["num"] == 40
    assert found["mean"] == pytest.approx(statistics.fmean(values), abs=1e-3)
    assert found["sd"] == pytest.approx(statistics.stdev(values), abs=1e-3)
    assert found["quantiles"]["50"] == pytest.approx(statistics.median(values), abs=6e-3)
    assert found["share_up_to_2.5"] == sum(value <= 2.5 for value in values) / 40


def test_the_limits_themselves_are_narrow():
    found = cohort_fingerprint([record(widths=(2.0, 2.5))])["all"]["mjsw_mm"]
    assert (found["share_up_to_2.0"], found["share_up_to_2.5"]) == (0.5, 1.0)
    assert found["histogram"][4:6] == [1, 1]


def test_persons_of_two_cohorts_with_one_id_are_two_and_visits_of_one_are_counted():
    films = [record("1"), record("1", visit="V01"), record("1", dataset="CHECK"), record("1")]
    counts = cohort_fingerprint(films)["all"]["counts"]
    assert (counts["num_persons"], counts["num_visits"], counts["num_persons_with_follow_up"]) == (2, 3, 1)
    assert (counts["num_films"], counts["num_hips_usable"]) == (4, 8)


def test_tags_that_differ_are_counted_among_films_with_both():
    both = replace(FACTS, pixel_spacing_mm=(0.1, 0.1), imager_spacing_mm=(0.1, 0.1))
    differ = replace(FACTS, pixel_spacing_mm=(0.100, 0.100), imager_spacing_mm=(0.1014, 0.1014))
    one = replace(FACTS, pixel_spacing_mm=(0.1, 0.1))
    found = cohort_fingerprint([record(str(n), facts=f) for n, f in enumerate((both, differ, differ, one))])
    spacing = found["all"]["spacing"]
    assert (spacing["num_both_tags"], spacing["num_both_tags_differ"]) == (3, 2)
    assert spacing["share_both_tags_differ"] == pytest.approx(2 / 3, abs=1e-4)
    assert spacing["median_ratio_of_tags"] == pytest.approx(1.014)


def test_left_out_hips_are_counted_for_each_of_their_rules():
    found = cohort_fingerprint([record(reasons=("head_radius,misplaced", "head_radius")), record("2")])
    assert found["all"]["left_out"] == {"head_radius": 2, "misplaced": 1}


def test_many_sizes_are_cut_to_the_most_common():
    films = [record(str(n), facts=replace(FACTS, rows=1000 + max(n, 20))) for n in range(120)]
    film = cohort_fingerprint(films)["all"]["film"]
    assert next(iter(film["sizes"].items())) == ("1020x1860", 21)
    assert len(film["sizes"]) == 50
    assert sum(film["sizes"].values()) + film["num_other_sizes"] == 120


def test_nothing_that_names_a_person_or_film_gets_in():
    canary = "Canary^Name"
    entry = FilmEntry("OAI", canary, canary, f"OAI/{canary}.dcm", (PointsFile(f"{canary}.pts"),))
    words = dict.fromkeys(("format", "photometric", "modality", "syntax", "calibration", "burned_in"), canary)
    facts = replace(FACTS, **words, notes=(("bad_header", canary),))
    hip = HipRecord("right", canary, 3.0, 55.0)
    film = FilmRecord(entry, canary, canary, canary, facts, SPACING, (hip, replace(hip, reason="")))
    text = json.dumps(cohort_fingerprint([film]))
    assert canary not in text
    assert '"modalities": {"other": 1}' in text


@pytest.mark.parametrize(("head", "said"), [(55.0, False), (58.5, False), (51.5, False), (59.5, True), (50.5, True)])
def test_a_cohort_whose_heads_depart_from_adults_is_remarked_on_by_name(head, said):
    films = [record(str(n), heads=(head - 1, head + 1)) for n in range(10)]
    films += [record(str(n), dataset="CHECK") for n in range(10)]
    remarks = cohort_fingerprint(films)["remarks"]
    assert len(remarks) == said
    assert all(remark.startswith("OAI: ") and "spacing" in remark and f"{head:.1f} mm" in remark for remark in remarks)


def test_one_large_person_is_no_wrong_spacing():
    assert cohort_fingerprint([record(heads=(61.0, 61.0))])["remarks"] == []


def test_a_spacing_so_wrong_that_no_hip_is_left_is_remarked_on():
    films = [record(str(n), heads=(110.0, 112.0), reasons=("head_radius", "head_radius")) for n in range(5)]
    (remark,) = cohort_fingerprint(films)["remarks"]
    assert "111.0 mm" in remark


@pytest.mark.parametrize(("width", "said"), [(2.7, True), (3.2, False), (4.9, False), (5.4, True)])
def test_widths_far_from_normal_are_remarked_on(width, said):
    remarks = cohort_fingerprint([record(str(n), widths=(width, width)) for n in range(9)])["remarks"]
    assert any("mJSW" in remark for remark in remarks) is said


def test_a_cohort_name_that_is_no_utf8_can_be_written():
    json.dumps(cohort_fingerprint([record(dataset="a\udcff")]), ensure_ascii=False).encode("utf-8")


def test_no_films_are_a_fingerprint_too():
    found = cohort_fingerprint([])
    assert found["cohorts"] == {}
    assert found["all"]["mjsw_mm"]["mean"] is None
