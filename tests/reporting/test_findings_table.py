"""The table of findings as it is printed."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from hipjsw.cohort.findings import Finding
from hipjsw.cohort.rules import RULES
from hipjsw.reporting.findings_table import counted_rules, findings_table, legible, own_message


def printed(findings, width=100, **remaining):
    stream = io.StringIO()
    counts = {"num_films": 7, "num_hips": 14, "usable_hips": 12} | remaining
    Console(file=stream, width=width).print(findings_table(findings, **counts))
    return stream.getvalue()


def test_errors_come_first_then_what_is_found_more_often():
    findings = [Finding("a.dcm", "follow_up", "x")] * 9 + [Finding("a.dcm", "metal", "x")] * 5
    findings += [Finding("a.dcm", "truncated", "x"), Finding("b.dcm", "colour", "x"), Finding("c.dcm", "colour", "x")]
    assert [(rule.name, len(rule.findings)) for rule in counted_rules(findings)] == [
        ("colour", 2),
        ("truncated", 1),
        ("metal", 5),
        ("follow_up", 9),
    ]
    text = printed(findings)
    places = [text.index(word) for word in ("colour", "truncated", "metal", "follow_up")]
    assert places == sorted(places)
    assert "3 errors, 5 warnings, 9 info" in text


@pytest.mark.parametrize("width", [80, 100])
def test_every_rule_is_shown_whole_with_what_to_do(width):
    for name, rule in RULES.items():
        text = printed([Finding("OAI/V00/OAI-9000001-V00-20040115.dcm", name, "µ" * 90)], width)
        assert max(map(len, text.splitlines())) <= width
        assert name in text
        assert text.count("µ") == 90
        assert all(word in text for word in rule.todo.split() if len(word) <= 12)


def test_caption_says_what_the_severities_mean_and_what_remains():
    words = " ".join(printed([], usable_films=6).split())
    assert "An error leaves the film or hip out; a warning does not" in words
    assert "12 of 14 hips, on 6 of 7 films" in words
    assert "nothing was found amiss" in words


def test_names_are_neither_markup_nor_commands_to_the_terminal():
    text = printed([Finding("[red]a\x1b[2J\udcff\u202egnp.dcm", "colour", "[bold]two\nlines[/bold] é")], width=160)
    assert "[red]a" in text
    assert "[bold]two lines[/bold] é" in text
    assert "\x1b" not in text
    assert "\\x1b" in text
    text.encode("utf-8")


def test_a_message_does_not_repeat_the_name_that_stands_before_it():
    assert own_message(Finding("OAI/V00/a.dcm", "colour", "a.dcm: a colour image")) == "a colour image"
    assert own_message(Finding("OAI/V00/a.dcm", "colour", "OAI/V00/a.dcm: red")) == "red"
    assert own_message(Finding("OAI/V00/a.dcm", "colour", "b.dcm: a colour image")) == "b.dcm: a colour image"


def test_example_is_the_first_film_whatever_the_order():
    findings = [Finding(f"{letter}.dcm", "colour", f"message {letter}") for letter in "cab"]
    assert printed(findings) == printed(findings[::-1])
    assert "message a" in printed(findings)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.integers(10, 40))
def test_legible_text_can_be_written_stays_on_its_line_and_is_short_enough_before_escaping(text, longest):
    shown = legible(text, longest)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 6 * longest


@pytest.mark.parametrize("name", ["hüfte 漢字 🦴.dcm", "a b'c\"d<e>.dcm"])
def test_ordinary_names_are_shown_as_they_are(name):
    assert legible(name) == name


def test_what_is_long_keeps_its_beginning_and_its_end():
    assert legible("a" * 50 + "z" * 50, 11) == "aaaa...zzzz"
