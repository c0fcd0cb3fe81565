"""The page of findings: what is on it, and what cannot get into it."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.fingerprint import cohort_fingerprint
from hipjsw.cohort.layout import FilmEntry
from hipjsw.cohort.rules import RULES, Severity
from hipjsw.reporting.findings_page import LARGEST_PAGE_BYTES, MOST_ROWS, worst_films, write_findings_page
from hipjsw.reporting.markup import policy_hash
from hipjsw.reporting.thumbnail import placeholder

EVIL = "OAI/<script>alert(1)</script>\"'><img src=x onerror=y>&amp; ü漢字\udcff\u202e\x1b\x00.dcm"
PNG = placeholder("x", 24)


def record(name="OAI/a.dcm", reasons=("", "")):
    hips = tuple(HipRecord(side, reason, 3.9, 55.0) for side, reason in zip(("right", "left"), reasons, strict=True))
    return FilmRecord(FilmEntry("OAI", name, "V00", name), hips=hips)


@pytest.fixture(scope="session")
def written(read_page):
    """Write a page and read it."""

    def make(path, findings=(), records=None, thumbnails=None, png=PNG):
        records = [record()] if records is None else records
        write_findings_page(
            path / "deep" / "findings.html", records, findings, thumbnails or {}, cohort_fingerprint(records), png
        )
        return read_page(path / "deep" / "findings.html")

    return make


def rows_of(page):
    return [attributes for attributes in page.all("tr") if "data-severity" in attributes]


def every_rule(num=1):
    return [Finding(f"OAI/{rule}-{n}.dcm", rule, f"of {rule}") for rule in RULES for n in range(num)]


def test_page_of_every_rule_says_what_each_means_and_what_to_do(written, tmp_path):
    page = written(tmp_path, every_rule())
    for name, rule in RULES.items():
        assert name in page.text
        assert rule.meaning in page.text
        assert rule.todo in page.text
        assert f"OAI/{name}-0.dcm" in page.text
    assert "it names films" in page.text
    assert "An error leaves the film or hip out, a warning does not" in page.text


def test_summary_counts_hips_used_and_left_out_and_findings_by_severity(written, tmp_path):
    records = [record("a"), record("b", ("no_width", "")), record("c", ("truncated", "truncated"))]
    findings = [Finding("b", "no_width", "x"), Finding("c", "truncated", "x"), Finding("c", "metal", "x")]
    page = written(tmp_path, findings, records)
    tiles = re.findall(r"<dt>(.*?)</dt><dd class=\"number\">(.*?)</dd><dd class=\"note\">(.*?)</dd>", page.source)
    assert tiles == [
        ("films", "3", "of 3 persons; 2 used"),
        ("hips used", "3", "of 6"),
        ("hips left out", "3", "each with its reason below"),
        ("errors", "2", "on 2 films"),
        ("warnings", "1", "on 1 film"),
        ("info", "0", "none"),
    ]


def test_hostile_names_and_messages_are_words_only(written, tmp_path):
    findings = [Finding(EVIL, "truncated", EVIL + "</td></table>", EVIL)]
    entry = FilmEntry(EVIL, EVIL, EVIL, EVIL)
    records = [FilmRecord(entry, hips=(HipRecord("right", EVIL, 9.9, 99.0),))]
    page = written(tmp_path, findings, records, {EVIL: PNG})
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert len(page.all("img")) == 2
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>\"'><img src=x onerror=y>&amp; ü漢字\\udcff\\u202e\\x1b\\x00.dcm" in page.text


@settings(max_examples=30, deadline=None)
@given(words=st.text(st.characters(exclude_categories=()), max_size=40))
def test_any_name_leaves_the_page_as_it_is(written, tmp_path_factory, words):
    folder = tmp_path_factory.mktemp("page")
    plain, other = (
        written(folder, [Finding(word, "colour", word, word)], [record(word)], {word: PNG}) for word in ("a", words)
    )
    assert [tag for tag, _ in other.elements] == [tag for tag, _ in plain.elements]


def test_page_needs_nothing_but_itself_and_its_policy_admits_nothing_else(written, tmp_path):
    page = written(tmp_path, every_rule(), thumbnails={"OAI/colour-0.dcm": PNG})
    assert not page.all("link")
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert all(link["href"].startswith("#") for link in page.all("a"))
    assert not re.search(r"https?:|url\(|@import|fetch|XMLHttp|innerHTML|eval\(", page.source)
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    style, script = (re.search(f"<{tag}>(.*?)</{tag}>", page.source, re.DOTALL)[1] for tag in ("style", "script"))
    assert policy == (
        f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'"
    )
    assert not [attributes for _, attributes in page.elements if "style" in attributes]


def test_links_and_script_find_what_they_look_for(written, tmp_path):
    page = written(tmp_path, every_rule())
    names = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    asked = set(re.findall(r'getElementById\("(\w+)"\)', page.source))
    assert asked == {"list", "filters", "words", "rule", "shown"}
    assert asked | {link["href"][1:] for link in page.all("a")} <= names
    assert {option["value"] for option in page.all("option")} == {"", *RULES}
    assert {row["data-rule"] for row in rows_of(page)} == set(RULES)


def test_images_and_controls_have_words_for_who_cannot_see(written, tmp_path):
    page = written(tmp_path, every_rule(), thumbnails={"OAI/colour-0.dcm": PNG})
    assert all(image["alt"] for image in page.all("img"))
    assert page.all("html") == [{"lang": "en"}]
    assert all(head["scope"] == "col" for head in page.all("th"))
    assert not re.search(r"(?<!label>)(?<!label><)<input(?! type=\"(?:checkbox|search)\")", page.source)


def test_nothing_found_is_a_page_too(written, tmp_path):
    page = written(tmp_path, [], records=[], png=None)
    assert "Nothing was found amiss" in page.text
    assert page.all("img") == []


def test_cohort_of_15000_films_stays_small_and_points_to_the_csv(written, tmp_path):
    films = [f"OAI/V00/{n:05d}{'<&' * 80}.dcm" for n in range(15_000)]
    findings = [Finding(name, "follow_up", '"' * 400) for name in films]
    findings += [Finding(name, "film_without_points", "'" * 400) for name in films[::2]]
    findings += [Finding(films[n], "metal", "<" * 400) for n in range(30)]
    noise = np.random.default_rng(0).bytes(110_000)
    big = dict.fromkeys(films[:200], noise)
    page = written(tmp_path, findings, [record(name) for name in films], big, png=noise * 13)
    assert len(page.source.encode()) < LARGEST_PAGE_BYTES
    assert 0.9 * MOST_ROWS < len(rows_of(page)) <= MOST_ROWS
    assert sum(row["data-rule"] == "metal" for row in rows_of(page)) == 30
    assert rows_of(page)[0]["data-severity"] == "error"
    assert "of 22,530 findings are listed" in page.text
    assert "findings.csv has all" in page.text


def test_no_row_is_left_out_where_all_fit(written, tmp_path):
    findings = [Finding(f"{n}.dcm", "metal", "x") for n in range(MOST_ROWS)]
    page = written(tmp_path, findings)
    assert len(rows_of(page)) == MOST_ROWS
    assert "are listed" not in page.text


def test_same_input_gives_the_same_bytes_whatever_the_order(written, tmp_path):
    findings = every_rule(2)
    pictures = {f"OAI/colour-{n}.dcm": PNG for n in range(2)}
    one = written(tmp_path / "a", findings, thumbnails=pictures).source
    other = written(tmp_path / "b", findings[::-1], thumbnails=dict(reversed(pictures.items()))).source
    assert one == other


def test_cards_are_in_the_order_of_worst_films_with_their_findings(written, tmp_path):
    findings = every_rule(3)
    names = worst_films(findings, 12)
    page = written(tmp_path, findings, thumbnails=dict.fromkeys(sorted(names), PNG), png=None)
    assert [image["alt"].removeprefix("film ") for image in page.all("img")] == names


def test_remarks_and_numbers_of_the_fingerprint_are_on_the_page(written, tmp_path):
    hips = (HipRecord("right", "", 2.25, 70.0),)
    records = [FilmRecord(FilmEntry("MINE", str(n), "V00", f"{n}"), hips=hips) for n in range(20)]
    page = written(tmp_path, [], records)
    assert "MINE: mean femoral head diameter 70.0 mm" in page.text
    assert "2.25 (SD 0.00)" in page.text
    assert "100.0 %" in page.text


findings_lists = st.lists(
    st.builds(
        Finding,
        film=st.sampled_from([f"{letter}.dcm" for letter in "abcdefghijklmnop"]),
        rule=st.sampled_from(sorted(RULES)),
        message=st.just("x"),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(findings_lists, st.integers(0, 50), st.randoms(use_true_random=False))
def test_worst_films_are_few_each_once_in_any_order_and_a_beginning_of_more(findings, limit, order):
    films = worst_films(findings, limit)
    assert len(films) == len(set(films)) <= limit
    assert films == worst_films(findings, 1000)[:limit]
    shuffled = list(findings)
    order.shuffle(shuffled)
    assert films == worst_films(shuffled, limit)
    said = {finding.film for finding in findings if finding.severity is not Severity.INFO}
    assert set(films) <= said


def test_every_rule_of_errors_is_seen_before_any_has_a_second_film():
    findings = every_rule(6)
    shown = worst_films(findings, 1000)
    rules = [film.split("/")[1].rsplit("-", 1)[0] for film in shown]
    severities = [RULES[rule].severity for rule in rules]
    errors = [rule for rule, severity in zip(rules, severities, strict=True) if severity is Severity.ERROR]
    assert rules[: len(errors)] == errors
    num_rules = len(set(errors))
    assert len(set(errors[:num_rules])) == num_rules
    assert errors == errors[:num_rules] * 4
    assert not [rule for rule, severity in zip(rules, severities, strict=True) if severity is Severity.INFO]


def test_the_film_with_more_errors_is_shown_first():
    findings = [Finding(film, "colour", "x") for film in "abcdef"] + [Finding("e", "no_width", "x")]
    assert worst_films(findings, 1) == ["e"]


@pytest.mark.parametrize("rule", ["empty_folder", "points_without_film", "listed_but_missing", "bad_row"])
def test_what_is_no_film_is_not_asked_for(rule):
    assert worst_films([Finding("a", rule, "x")]) == []
