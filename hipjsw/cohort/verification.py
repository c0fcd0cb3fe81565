"""A whole cohort examined without writing a store: what is there, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2

from hipjsw.cohort.companions import read_companions, strangers
from hipjsw.cohort.examination import ImportOptions, examine_film
from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.layout import CohortListing, FilmEntry, find_films
from hipjsw.cohort.order import Progress, in_order
from hipjsw.cohort.relations import excluded, film_relations

__all__ = ["Verification", "all_findings", "verify_cohort"]


@dataclass(frozen=True, eq=False)
class Verification:
    """What is known of a cohort after looking at every film.

    Args:
        listing: The films by their names.
        records: One a film, in the listing's order.
        findings: All that was found, of films and between them.
    """

    listing: CohortListing
    records: tuple[FilmRecord, ...]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, listing: CohortListing, records: Sequence[FilmRecord]) -> Verification:
        """Gather what is known of each film and what they say of each other."""
        findings = all_findings(listing.findings, records)
        without = excluded(findings)
        return cls(listing, tuple(_marked(r, without.get(r.entry.film)) for r in records), tuple(findings))

    @property
    def num_hips(self) -> int:
        """Hips that the films should show."""
        return sum(len(record.hips) for record in self.records)

    @property
    def num_usable(self) -> int:
        """Hips that would go into a store."""
        return sum(not hip.reason for record in self.records for hip in record.hips)

    @property
    def num_usable_films(self) -> int:
        """Films with such a hip."""
        return sum(any(not hip.reason for hip in record.hips) for record in self.records)


def verify_cohort(
    cohort: Path,
    options: ImportOptions,
    workers: int = 1,
    list_file: Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Examine every film of a cohort; nothing is written.

    Args:
        cohort: Folder, or CSV file, of the cohort.
        options: How films and points are understood.
        workers: Processes.
        list_file: BoneFinder's list of films and points, or None.
        progress: Called with films done and films in all.

    Raises:
        CohortError: No cohort there.
    """
    listing = find_films(cohort, list_file)
    listing = listing.with_findings(strangers(read_companions(listing.root), listing.films))
    work = partial(_examined, listing.root, options)
    films = listing.films
    records = tuple(in_order(work, films, workers if len(films) >= 4 else 1, progress))
    return Verification.of(listing, records)


def all_findings(named: Sequence[Finding], records: Sequence[FilmRecord]) -> list[Finding]:
    """Findings of a cohort: of its names, of each film, and between films, sorted by film and rule."""
    single = [finding for record in records for finding in record.findings]
    return sorted([*named, *single, *film_relations(records)])


def _marked(record: FilmRecord, rule: str | None) -> FilmRecord:
    """The record; where an error leaves its film out, its hips say so."""
    if rule is None or all(hip.reason for hip in record.hips):
        return record
    return replace(record, hips=tuple(hip if hip.reason else replace(hip, reason=rule) for hip in record.hips))


def _examined(root: Path, options: ImportOptions, entry: FilmEntry) -> FilmRecord:
    cv2.setNumThreads(1)
    return examine_film(root, entry, options).record
