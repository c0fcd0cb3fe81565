"""findings.csv."""

import csv

from hipjsw.cohort.findings import Finding, Severity, write_findings


def test_findings_are_written_in_order_and_read_back_whatever_they_hold(tmp_path):
    findings = [
        Finding("b.dcm", Severity.ERROR, "no_spacing", 'a "quoted", message\nof two lines'),
        Finding("a.dcm", Severity.WARNING, "z", "z"),
        Finding("a.dcm", Severity.INFO, "a", "über"),
    ]
    write_findings(tmp_path / "findings.csv", findings)
    with (tmp_path / "findings.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["film", "severity", "rule", "message"],
        ["a.dcm", "info", "a", "über"],
        ["a.dcm", "warning", "z", "z"],
        ["b.dcm", "error", "no_spacing", 'a "quoted", message\nof two lines'],
    ]


def test_no_findings_are_a_header(tmp_path):
    write_findings(tmp_path / "findings.csv", [])
    assert (tmp_path / "findings.csv").read_text().splitlines() == ["film,severity,rule,message"]
