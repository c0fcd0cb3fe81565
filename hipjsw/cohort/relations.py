"""What films say of each other: copies, copies under another person's name, several films of a visit, follow-ups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from hipjsw.cohort.film_entry import FilmEntry
from hipjsw.cohort.film_record import FilmRecord
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.rules import RULES, Severity

__all__ = ["excluded", "film_relations"]

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

#: Other films that a message names; of more it says their number.
_MOST_NAMED = 3


def film_relations(records: Sequence[FilmRecord]) -> list[Finding]:
    """Compare the films of a cohort, whatever order they come in.

    Films without a pixel digest could not be read, and nothing is said of them. Of a person's identical films one is
    kept: the first by visit and name of those with a usable hip, else the first. Films that are left out here count
    for nothing else.

    Args:
        records: The films of all data sets.

    Returns:
        ``duplicate_film`` and ``two_identities`` for each film that is to be left out, ``several_films`` for a visit
        and ``follow_up`` for a person on the first film, ``shared_id`` for an id on its first film.
    """
    readable = sorted((record for record in records if record.pixel_digest), key=lambda record: record.entry.place)
    alike = _grouped((record.pixel_digest, record) for record in readable)
    findings = [finding for same in alike.values() if len(same) > 1 for finding in _copies(same)]
    out = excluded(findings)
    kept = [record.entry for record in readable if record.entry.film not in out]
    for films in _grouped(((film.dataset, film.subject, film.visit), film) for film in kept).values():
        findings += _of_one_visit(films)
    for films in _grouped(((film.dataset, film.subject), film) for film in kept).values():
        if (visits := len({film.visit for film in films})) > 1:
            findings.append(Finding(films[0].film, "follow_up", f"the first film of a person with {visits} visits"))
    for films in _grouped((film.subject, film) for film in kept).values():
        if len(datasets := sorted({film.dataset for film in films})) > 1:
            message = f"its person's id is there in {', '.join(datasets)}"
            findings.append(Finding(films[0].film, "shared_id", message))
    return sorted(findings)


def excluded(findings: Iterable[Finding]) -> dict[str, str]:
    """The films that an error leaves out as a whole, each with its rule: the first in the order of `RULES`.

    An error of one side leaves out a hip, no film.
    """
    order = {rule: number for number, rule in enumerate(RULES)}
    errors = [f for f in findings if f.severity is Severity.ERROR and not f.side]
    return {f.film: f.rule for f in sorted(errors, key=lambda f: (f.film, -order[f.rule]))}


def _copies(same: Sequence[FilmRecord]) -> list[Finding]:
    """Findings on films with identical pixels, two or more, in order."""
    names = [record.entry.film for record in same]
    if len({(record.entry.dataset, record.entry.subject) for record in same}) > 1:
        return [
            Finding(name, "two_identities", f"its pixels are those of {_named(n for n in names if n != name)}")
            for name in names
        ]
    usable = [record.entry.film for record in same if any(not hip.reason for hip in record.hips)]
    first = (usable or names)[0]
    return [Finding(name, "duplicate_film", f"its pixels are those of {first}") for name in names if name != first]


def _of_one_visit(films: Sequence[FilmEntry]) -> list[Finding]:
    """A finding if two films of one visit show the same side."""
    sides = {side: [f.film for f in films if f.side in ("", side)] for side in ("right", "left")}
    several = {name for names in sides.values() if len(names) > 1 for name in names}
    if not several:
        return []
    first, *others = [film.film for film in films if film.film in several]
    return [Finding(first, "several_films", f"of the same visit as {_named(others)}")]


def _named(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _MOST_NAMED
    return ", ".join(every[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _grouped(pairs: Iterable[tuple[Key, Item]]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = {}
    for key, item in pairs:
        groups.setdefault(key, []).append(item)
    return groups
