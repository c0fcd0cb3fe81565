"""Findings: what is wrong with which film."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hipjsw.cohort.rules import RULES, Severity

__all__ = ["Finding", "write_findings"]

COLUMNS = ("film", "side", "severity", "rule", "message", "todo")


@dataclass(frozen=True, order=True)
class Finding:
    """One row of findings.csv.

    Args:
        film: Path within the cohort folder.
        rule: A name in ``hipjsw.cohort.rules.RULES``, which has its severity and what to do.
        message: What was found, with the number that shows it.
        side: The patient's side it concerns; empty for the whole film.

    Raises:
        ValueError: A rule that does not exist.
    """

    film: str
    rule: str
    message: str
    side: str = ""

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"no rule is named {self.rule!r}")

    @property
    def severity(self) -> Severity:
        """Whether the film or hip is left out for it."""
        return RULES[self.rule].severity


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings.csv, sorted by film and rule."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for f in sorted(findings):
            writer.writerow((f.film, f.side, f.severity.value, f.rule, f.message, RULES[f.rule].todo))
