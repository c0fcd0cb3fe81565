"""findings.html: what was found in a cohort, as one page that needs nothing but itself.

Names and messages come from files of any origin: everything is escaped, and the page's own policy lets no script but
its own run and nothing load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any

from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.rules import RULES, Severity
from hipjsw.reporting.findings_table import SEVERITIES, RuleCount, counted_rules, own_message
from hipjsw.reporting.markup import (
    chip,
    counted_words,
    image,
    number,
    policy_hash,
    rule_name,
    table_head,
    table_row,
    text,
    tile,
)

__all__ = ["LARGEST_PAGE_BYTES", "MOST_ROWS", "worst_films", "write_findings_page"]

#: No page is larger, whatever the cohort.
LARGEST_PAGE_BYTES = 15_000_000
#: Findings that are listed; findings.csv has all.
MOST_ROWS = 2000
#: Pictures of films are left out beyond this many bytes of PNG, so is a picture of the fingerprint that is larger.
_MOST_FILM_BYTES, _MOST_FINGERPRINT_BYTES = 4_500_000, 1_500_000
_MOST_FILMS = 100
#: Films shown for each rule.
_FEW = {Severity.ERROR: 4, Severity.WARNING: 3, Severity.INFO: 0}
#: Findings told beside a film's picture.
_MOST_SAID = 6
#: Longest names and remarks on the page.
_NAME, _REMARK = 150, 400
#: Cohorts and remarks that are shown.
_MOST_COHORTS = 40
#: Rules whose findings name a folder, a points file or a line, and no film that could be shown.
_NO_FILM = frozenset({"empty_folder", "points_without_film", "listed_but_missing", "bad_row"})
_NONE = "–"


def worst_films(findings: Sequence[Finding], limit: int = 40) -> list[str]:
    """Choose the films to show: a few of each rule, those of errors first.

    Args:
        findings: In any order.
        limit: Most films.

    Returns:
        Names of films, each once: the worst film of each error's rule, then the next ones, then those of warnings. A
        smaller limit gives the beginning of the same list.
    """
    num_errors: dict[str, int] = {}
    for finding in findings:
        num_errors[finding.film] = num_errors.get(finding.film, 0) + (finding.severity is Severity.ERROR)
    chosen: dict[str, None] = {}
    for severity in (Severity.ERROR, Severity.WARNING):
        films = [
            sorted({f.film for f in counted.findings}, key=lambda film: (-num_errors[film], film))
            for counted in counted_rules(findings)
            if counted.rule.severity is severity and counted.name not in _NO_FILM
        ]
        for _ in range(_FEW[severity]):
            for left in films:
                new = next((film for film in left if film not in chosen), None)
                if new is not None:
                    chosen[new] = None
    return list(chosen)[: max(limit, 0)]


def write_findings_page(
    path: Path,
    records: Sequence[FilmRecord],
    findings: Sequence[Finding],
    thumbnails: Mapping[str, bytes],
    fingerprint: Mapping[str, Any],
    fingerprint_png: bytes | None,
) -> None:
    """Write the page; the same for the same input, and smaller than ``LARGEST_PAGE_BYTES``.

    Args:
        path: HTML file to write; its folder is made.
        records: The films examined.
        findings: In any order.
        thumbnails: PNG by film name, as in ``Finding.film``; shown in the order of ``worst_films``.
        fingerprint: What ``cohort_fingerprint`` gives; empty for none.
        fingerprint_png: A picture of it, None for none.
    """
    rules = counted_rules(findings)
    parts = [
        *_summary(records, findings),
        *_rules(rules),
        *_fingerprint(fingerprint, fingerprint_png),
        *_films(findings, thumbnails),
        *_list(rules, len(findings)),
    ]
    own = files("hipjsw.reporting")
    style, script = (own.joinpath(f"findings_page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    policy = f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'"
    page = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Findings of the cohort</title>',
        f"<style>{style}</style>\n</head>\n<body>\n<main>",
        *parts,
        f"</main>\n<script>{script}</script>\n</body>\n</html>\n",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(page), encoding="utf-8", newline="\n")


def _summary(records: Sequence[FilmRecord], findings: Sequence[Finding]) -> Iterable[str]:
    hips = [hip for record in records for hip in record.hips]
    used = sum(not hip.reason for hip in hips)
    used_films = sum(any(not hip.reason for hip in record.hips) for record in records)
    persons = {(record.entry.dataset, record.entry.subject) for record in records}
    yield "<h1>Findings of the cohort</h1>"
    yield "<p>An error leaves the film or hip out, a warning does not, an info is for the record.</p>"
    yield (
        '<p class="private"><strong>Do not share this page:</strong> it names films and shows them. '
        "It stays with the cohort, like findings.csv.</p>"
    )
    yield '<dl class="tiles">'
    yield tile("films", len(records), f"of {counted_words(len(persons), 'person')}; {number(used_films)} used")
    yield tile("hips used", used, f"of {number(len(hips))}")
    yield tile("hips left out", len(hips) - used, "each with its reason below")
    for severity, what in zip(SEVERITIES, ("errors", "warnings", "info"), strict=True):
        films = [finding.film for finding in findings if finding.severity is severity]
        yield tile(
            what, len(films), f"on {counted_words(len(set(films)), 'film')}" if films else "none", severity.value
        )
    yield "</dl>"


def _rules(rules: Sequence[RuleCount]) -> Iterable[str]:
    yield '<h2 id="rules">What was found, and what to do</h2>'
    if not rules:
        yield "<p>Nothing was found amiss.</p>"
        return
    yield table_head(("severity", "rule", "findings", "films", "what it says", "what to do", "example"))
    for counted in rules:
        rule, first = counted.rule, counted.findings[0]
        yield table_row(
            {
                "severity": chip(rule.severity),
                "rule": f'<a href="#list" data-rule="{counted.name}">{rule_name(counted.name)}</a>',
                "findings": number(len(counted.findings)),
                "films": number(counted.num_films),
                "what it says": escape(rule.meaning),
                "what to do": escape(rule.todo),
                "example": f'<div><span class="name">{text(first.film, _NAME)}</span> {text(own_message(first))}</div>',
            }
        )
    yield "</tbody></table>"


def _fingerprint(fingerprint: Mapping[str, Any], png: bytes | None) -> Iterable[str]:
    if not fingerprint and png is None:
        return
    yield '<h2 id="fingerprint">What the cohort is like</h2>'
    remarks = list(fingerprint.get("remarks", ()))[:_MOST_COHORTS]
    if remarks:
        yield '<ul class="remarks">' + "".join(f"<li>{text(remark, _REMARK)}</li>" for remark in remarks) + "</ul>"
    cohorts = dict(list(fingerprint.get("cohorts", {}).items())[:_MOST_COHORTS])
    if cohorts:
        yield table_head(("cohort", "films", "persons", "hips", "used", *_WIDTHS))
        for name, described in cohorts.items():
            counts = described["counts"]
            numbers = {
                "films": counts["num_films"],
                "persons": counts["num_persons"],
                "hips": counts["num_hips"],
                "used": counts["num_hips_usable"],
            }
            yield table_row(
                {"cohort": text(name, _NAME)} | {k: number(v) for k, v in numbers.items()} | _widths(described)
            )
        yield "</tbody></table>"
    if png is not None and len(png) <= _MOST_FINGERPRINT_BYTES:
        words = "Diagrams of spacings, film sizes, bits, joint space widths and head diameters by cohort"
        yield f'<div class="picture">{image(png, words)}</div>'


_WIDTHS = ("mJSW (mm)", "mJSW up to 2.5 mm", "head diameter (mm)")


def _widths(described: Mapping[str, Any]) -> dict[str, str]:
    width, head = described["mjsw_mm"], described["head_diameter_mm"]
    share = width["share_up_to_2.5"]
    cells = (_mean(width, 2), _NONE if share is None else f"{100 * share:.1f} %", _mean(head, 1))
    return dict(zip(_WIDTHS, cells, strict=True))


def _mean(distribution: Mapping[str, Any], digits: int) -> str:
    mean, sd = distribution["mean"], distribution["sd"]
    if mean is None:
        return _NONE
    return f"{mean:.{digits}f}" + ("" if sd is None else f" (SD {sd:.{digits}f})")


def _films(findings: Sequence[Finding], thumbnails: Mapping[str, bytes]) -> Iterable[str]:
    by_film: dict[str, list[Finding]] = {name: [] for name in thumbnails}
    for finding in findings:
        if finding.film in by_film:
            by_film[finding.film].append(finding)
    order = [name for name in worst_films(findings, len(findings)) if name in thumbnails]
    order += sorted(thumbnails.keys() - set(order))
    sizes = accumulate(len(thumbnails[name]) for name in order)
    fit = [name for name, size in zip(order, sizes, strict=True) if size <= _MOST_FILM_BYTES][:_MOST_FILMS]
    cards = [_card(name, thumbnails[name], by_film[name]) for name in fit]
    if not cards:
        return
    yield '<h2 id="films">Films to look at</h2>'
    yield '<p class="soft">A few films of each error, then of each warning; blue is the femur, orange the roof.</p>'
    yield f'<ul class="films">{"".join(cards)}</ul>'


def _card(name: str, png: bytes, findings: Sequence[Finding]) -> str:
    found = sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f))
    said = [f"<p>{chip(f.severity)} {rule_name(f.rule)} {text(own_message(f))}</p>" for f in found[:_MOST_SAID]]
    if len(found) > _MOST_SAID:
        said.append(f'<p class="soft">and {len(found) - _MOST_SAID} more</p>')
    shown = text(name, _NAME)
    worst = found[0].severity.value if found else ""
    return (
        f'<li class="{worst}">{image(png, f"film {shown}")}'
        f'<div class="said"><span class="name">{shown}</span>{"".join(said)}</div></li>'
    )


def _list(rules: Sequence[RuleCount], total: int) -> Iterable[str]:
    yield "<h2>All findings</h2>"
    if not rules:
        yield "<p>None.</p>"
        return
    most = _most_for_each([len(counted.findings) for counted in rules], MOST_ROWS)
    listed = [finding for counted in rules for finding in counted.findings[:most]]
    if len(listed) < total:
        yield (
            f"<p>{number(len(listed))} of {number(total)} findings are listed, up to {number(most)} of each rule; "
            "<strong>findings.csv</strong> has all.</p>"
        )
    yield _filters(rules)
    columns = ("severity", "rule", "film", "side", "what was found")
    yield table_head(columns, "list")
    for f in listed:
        cells = (
            chip(f.severity),
            rule_name(f.rule),
            f'<span class="name">{text(f.film, _NAME)}</span>',
            text(f.side, 10),
            text(own_message(f)),
        )
        data = f' data-severity="{f.severity.value}" data-rule="{f.rule}"'
        yield table_row(dict(zip(columns, cells, strict=True)), data)
    yield "</tbody></table>"


def _most_for_each(counts: Sequence[int], most: int) -> int:
    """Largest number of rows that every rule may have so that all have ``most`` at most."""
    low, high = 0, max(counts)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(min(count, middle) for count in counts) <= most else (low, middle - 1)
    return low


def _filters(rules: Sequence[RuleCount]) -> str:
    """Controls of the list; hidden until the script that they need has run."""
    present = {counted.rule.severity for counted in rules}
    boxes = "".join(
        f'<label><input type="checkbox" value="{s.value}" checked> {s.value}</label>'
        for s in SEVERITIES
        if s in present
    )
    options = "".join(f'<option value="{name}">{name}</option>' for name in RULES if name in {r.name for r in rules})
    return (
        '<div class="filters" id="filters" hidden>'
        '<label>with the words <input type="search" id="words" autocomplete="off"></label>'
        f'<label>of the rule <select id="rule"><option value="">any</option>{options}</select></label>{boxes}'
        '<span class="soft" id="shown" role="status"></span></div>'
    )
