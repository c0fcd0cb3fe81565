"""The findings of a cohort as files to look at: a table, a page with thumbnails, the cohort's fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipjsw.cohort.examination import ImportOptions, examine_film
from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.findings import Finding, write_findings
from hipjsw.cohort.fingerprint import cohort_fingerprint
from hipjsw.cohort.order import Progress
from hipjsw.reporting.findings_page import worst_films, write_findings_page
from hipjsw.reporting.fingerprint_figure import draw_fingerprint
from hipjsw.reporting.thumbnail import film_thumbnail, placeholder

__all__ = ["FindingsReport", "write_findings_report"]


@dataclass(frozen=True)
class FindingsReport:
    """The files of a report."""

    table: Path
    page: Path
    fingerprint: Path
    picture: Path


def write_findings_report(
    folder: Path,
    root: Path,
    records: Sequence[FilmRecord],
    findings: Sequence[Finding],
    options: ImportOptions,
    progress: Progress | None = None,
) -> FindingsReport:
    """Write findings.csv, findings.html, fingerprint.json and fingerprint.png.

    Args:
        folder: Where to; made if absent.
        root: The folder the films' paths start from, for thumbnails.
        records: The films.
        findings: What was found.
        options: How films and points were understood.
        progress: Called with thumbnails drawn and thumbnails in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = FindingsReport(
        *(folder / name for name in ("findings.csv", "findings.html", "fingerprint.json", "fingerprint.png"))
    )
    write_findings(files.table, findings)
    fingerprint = cohort_fingerprint(records)
    files.fingerprint.write_text(json.dumps(fingerprint, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw_fingerprint(fingerprint, files.picture)
    pictures = _thumbnails(root, records, worst_films(findings), options, progress)
    write_findings_page(files.page, records, findings, pictures, fingerprint, files.picture.read_bytes())
    return files


def _thumbnails(
    root: Path,
    records: Sequence[FilmRecord],
    wanted: Sequence[str],
    options: ImportOptions,
    progress: Progress | None,
) -> Mapping[str, bytes]:
    """PNGs of films by their names; a name that is no film's has none."""
    by_name = {record.entry.film: record for record in records}
    found: dict[str, bytes] = {}
    for done, name in enumerate(wanted, start=1):
        if name in by_name:
            found[name] = _thumbnail(root, by_name[name], options)
        if progress is not None:
            progress(done, len(wanted))
    return found


def _thumbnail(root: Path, record: FilmRecord, options: ImportOptions) -> bytes:
    seen = examine_film(root, record.entry, options)
    if seen.film is None:
        return placeholder(next((f.message for f in seen.record.findings), "no picture"))
    spacing, placed = seen.record.spacing, [hip.landmarks for hip in seen.hips if hip.landmarks is not None]
    curves = [] if spacing is None else [spacing.to_px(landmarks.points) for landmarks in placed]
    return film_thumbnail(seen.film, curves)
