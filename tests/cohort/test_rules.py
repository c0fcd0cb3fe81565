"""The table of rules: what the documentation says of them, and that each one is in use."""

import re
from pathlib import Path

import pytest

from hipjsw.cohort.rules import RULES, Severity

ROOT = Path(__file__).parents[2]


def documented():
    """Rows of the table in the how-to: cells without blanks round them."""
    text = (ROOT / "docs/how-to/prepare.md").read_text(encoding="utf-8")
    section = text.split("## What may be found\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    assert rows[0] == ("rule", "severity", "what it says", "what to do")
    return rows[2:]


def test_the_how_to_lists_every_rule_as_it_is():
    said = [(f"`{name}`", rule.severity.value, rule.meaning, rule.todo) for name, rule in RULES.items()]
    assert documented() == said


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_made_somewhere(name):
    made = [path for path in (ROOT / "hipjsw").rglob("*.py") if path.name != "rules.py"]
    assert any(re.search(rf'"{name}"', path.read_text(encoding="utf-8")) for path in made)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_is_wrong_and_what_to_do_in_a_cell_of_a_table(name):
    rule = RULES[name]
    assert isinstance(rule.severity, Severity)
    for text in (rule.meaning, rule.todo):
        assert text
        assert text == text.strip()
        assert not set(text) & set("|\n")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
