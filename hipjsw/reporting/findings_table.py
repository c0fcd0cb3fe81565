"""The table of findings: rule by rule, how bad, how many, an example, what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from hipjsw.cohort.findings import Finding
from hipjsw.cohort.rules import RULES, Rule, Severity

__all__ = ["RuleCount", "counted_rules", "findings_table", "legible", "own_message"]

#: Severities, worst first.
SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
#: Longest film name and message in a cell.
_FILM, _MESSAGE = 90, 200
#: Marks that turn the direction of writing, by which one name can look like another.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class RuleCount:
    """A rule and what was found by it.

    Args:
        name: The rule's name in ``hipjsw.cohort.rules.RULES``.
        findings: Its findings, sorted, at least one.
    """

    name: str
    findings: tuple[Finding, ...]

    @property
    def rule(self) -> Rule:
        """Its severity, meaning and what to do."""
        return RULES[self.name]

    @property
    def num_films(self) -> int:
        """Films (or other files) concerned."""
        return len({finding.film for finding in self.findings})


def counted_rules(findings: Sequence[Finding]) -> list[RuleCount]:
    """Gather findings by rule, errors first, then by count, then in the order of the rules."""
    by_rule: dict[str, list[Finding]] = {name: [] for name in RULES}
    for finding in findings:
        by_rule[finding.rule].append(finding)
    rules = [RuleCount(name, tuple(sorted(found))) for name, found in by_rule.items() if found]
    return sorted(rules, key=lambda rule: (SEVERITIES.index(rule.rule.severity), -len(rule.findings)))


def findings_table(
    findings: Sequence[Finding], num_films: int, num_hips: int, usable_hips: int, usable_films: int | None = None
) -> Table:
    """Table of what was found.

    Args:
        findings: In any order.
        num_films: Films examined.
        num_hips: Hips on them.
        usable_hips: Hips that are not left out.
        usable_films: Films with such a hip; None where they are not known.

    Returns:
        A row a rule, errors first, then by count, for 80 columns or more; the caption says what the severities mean
        and what remains. Names and messages are shown as they are, without markup, control characters escaped.
    """
    table = Table(
        title=Text(_title(findings)),
        caption=Text(_caption(num_films, num_hips, usable_hips, usable_films)),
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
        leading=1,
        caption_justify="left",
    )
    table.add_column("severity", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("example", overflow="fold", ratio=5, min_width=18)
    table.add_column("what to do", overflow="fold", ratio=3, min_width=12)
    for counted in counted_rules(findings):
        first = counted.findings[0]
        style = _STYLES[counted.rule.severity]
        table.add_row(
            Text(counted.rule.severity.value, style=style),
            Text(counted.name, style=style),
            str(len(counted.findings)),
            Text(f"{legible(first.film, _FILM)}\n{legible(own_message(first), _MESSAGE)}"),
            Text(counted.rule.todo),
        )
    return table


def legible(text: str, longest: int = 300) -> str:
    """Text that shows as what it is anywhere: what has no shape of its own is escaped, what is long is cut.

    Args:
        text: A film's name or a message; may hold anything that a file system or header may hold.
        longest: Characters kept, the middle is cut out.

    Returns:
        Text without control characters, surrogates, line breaks and marks that turn the direction of writing.
    """
    if len(text) > longest:
        head = (longest - 3) // 2
        text = f"{text[:head]}...{text[len(text) - (longest - 3 - head) :]}"
    return "".join(_escaped(letter) for letter in text)


def own_message(finding: Finding) -> str:
    """A finding's message without the film's name before it, for it is shown beside the name."""
    name = finding.film.rsplit("/", 1)[-1]
    return finding.message.removeprefix(f"{finding.film}: ").removeprefix(f"{name}: ")


def _escaped(letter: str) -> str:
    if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in _TURNING:
        return " " if letter in "\n\r\t" else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
    return letter


def _title(findings: Sequence[Finding]) -> str:
    if not findings:
        return "nothing was found amiss"
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in SEVERITIES}
    words = {
        Severity.ERROR: ("error", "errors"),
        Severity.WARNING: ("warning", "warnings"),
        Severity.INFO: ("info",) * 2,
    }
    return "findings: " + ", ".join(f"{n} {words[s][n != 1]}" for s, n in counts.items() if n)


def _caption(num_films: int, num_hips: int, usable_hips: int, usable_films: int | None) -> str:
    on = f"{num_films} films" if usable_films is None else f"{usable_films} of {num_films} films"
    return (
        "An error leaves the film or hip out; a warning does not; an info is for the record. "
        f"What remains: {usable_hips} of {num_hips} hips, on {on}."
    )
