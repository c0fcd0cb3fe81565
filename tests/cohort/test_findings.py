"""findings.csv, and the rules it is written by."""

import csv

import pytest

from hipjsw.cohort.findings import Finding, write_findings
from hipjsw.cohort.rules import RULES, Severity


def test_findings_are_written_in_order_and_read_back_whatever_they_hold(tmp_path):
    findings = [
        Finding("b.dcm", "no_spacing", 'a "quoted", message\nof two lines'),
        Finding("a.dcm", "metal", "z", "left"),
        Finding("a.dcm", "lossy", "über"),
    ]
    write_findings(tmp_path / "findings.csv", findings)
    with (tmp_path / "findings.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["film", "side", "severity", "rule", "message", "todo"],
        ["a.dcm", "", "info", "lossy", "über", RULES["lossy"].todo],
        ["a.dcm", "left", "warning", "metal", "z", RULES["metal"].todo],
        ["b.dcm", "", "error", "no_spacing", 'a "quoted", message\nof two lines', RULES["no_spacing"].todo],
    ]


def test_no_findings_are_a_header(tmp_path):
    write_findings(tmp_path / "findings.csv", [])
    assert (tmp_path / "findings.csv").read_text().splitlines() == ["film,side,severity,rule,message,todo"]


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no_such_rule"):
        Finding("a.dcm", "no_such_rule", "what")


def test_the_severity_is_the_rules():
    assert {Finding("a", rule, "").severity for rule in RULES} == set(Severity)
    assert all(Finding("a", name, "").severity is rule.severity for name, rule in RULES.items())
