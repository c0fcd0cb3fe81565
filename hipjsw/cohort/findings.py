"""Findings: what is wrong with which film."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from pathlib import Path

__all__ = ["Finding", "Severity", "write_findings"]


class Severity(StrEnum):
    """An error excludes the film or hip, a warning does not, info is for the record."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One row of findings.csv.

    Args:
        film: Path within the cohort folder.
        severity: Whether the film is left out for it.
        rule: Short name of what is wrong.
        message: What, where and what to do.
    """

    film: str
    severity: Severity
    rule: str
    message: str


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings.csv, sorted by film and rule."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Finding)])
        writer.writerows(astuple(f) for f in sorted(findings, key=lambda f: (f.film, f.rule, f.message)))
