"""The tables of a store, and its fingerprint."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipjsw.cohort.companions import Companions
from hipjsw.cohort.durable import write_durably
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.journal import WrittenFilm, read_stats
from hipjsw.cohort.privacy import hip_id, person_id, refuse_same_ids
from hipjsw.cohort.sources import Stats

__all__ = [
    "HIPS_COLUMNS",
    "IDENTITY_COLUMNS",
    "HipLine",
    "content_hash",
    "content_of",
    "fingerprint",
    "hip_lines",
    "read_sources",
    "write_records",
    "write_sources",
    "write_tables",
]

HIPS_COLUMNS = (
    *("hip_id", "person", "dataset", "side", "row", "spacing_mm", "spacing_source", "mjsw_mm", "head_diameter_mm"),
    *("given_part", "status", "reason"),
)
IDENTITY_COLUMNS = ("hip_id", "dataset", "subject", "visit", "side", "film", "points")
TRUTH_COLUMNS = ("hip_id", "mjsw_truth_mm")


@dataclass(frozen=True)
class HipLine:
    """One hip of the tables.

    Args:
        hip_id: Its pseudonym.
        person: Its person's pseudonym.
        row: Its row in the arrays, -1 for none.
        reason: Why it is left out; empty for a usable one.
        given_part: The part that the cohort's split.csv names for its person, or empty.
        truth_mm: Its exact width, None where nobody knows it.
        film: Its film.
        hip: What was found of it.
    """

    hip_id: str
    person: str
    row: int
    reason: str
    given_part: str
    truth_mm: float | None
    film: FilmRecord
    hip: HipRecord


def hip_lines(
    films: Iterable[FilmRecord], key: bytes, companions: Companions, without: Mapping[str, str]
) -> list[HipLine]:
    """All hips of all films, in the order of the films.

    Args:
        films: The films in the order of their rows.
        key: Key of the pseudonyms.
        companions: What lies beside the films.
        without: Films that are left out for another film's sake, and by which rule.

    Raises:
        ValueError: Two hips or persons of one pseudonym.
    """
    lines: list[HipLine] = []
    row = 0
    for film in films:
        entry = film.entry
        person = person_id(key, entry.dataset, entry.subject)
        for hip in film.hips:
            names = (entry.dataset, entry.subject, entry.visit, hip.side)
            lines.append(
                HipLine(
                    hip_id=hip_id(key, *names[:3], entry.film, hip.side),
                    person=person,
                    row=-1 if hip.reason else row,
                    reason=",".join(dict.fromkeys(filter(None, [*hip.reason.split(","), without.get(entry.film, "")]))),
                    given_part=companions.given.get(names[:2], ""),
                    truth_mm=companions.truth_mm.get(names, hip.truth_mm),
                    film=film,
                    hip=hip,
                )
            )
            row += not hip.reason
    refuse_same_ids((line.person, (line.film.entry.dataset, line.film.entry.subject)) for line in lines)
    refuse_same_ids((line.hip_id, number) for number, line in enumerate(lines))
    return lines


def write_tables(folder: Path, lines: Sequence[HipLine]) -> None:
    """Write hips.csv, identities.csv and, where an exact width is known, truth.csv."""
    _write_csv(folder / "hips.csv", HIPS_COLUMNS, map(_hip_row, lines))
    _write_csv(folder / "identities.csv", IDENTITY_COLUMNS, map(_identity_row, lines))
    known = [(line.hip_id, repr(line.truth_mm)) for line in lines if line.truth_mm is not None]
    if known:
        _write_csv(folder / "truth.csv", TRUTH_COLUMNS, known)


def _hip_row(line: HipLine) -> tuple[str, ...]:
    spacing, hip = line.film.spacing, line.hip
    return (
        line.hip_id,
        line.person,
        line.film.entry.dataset,
        hip.side,
        str(line.row),
        f"{spacing.mean_mm:.6g}" if spacing else "",
        spacing.source.value if spacing else "none",
        "" if hip.mjsw_mm is None else f"{hip.mjsw_mm:.6f}",
        "" if hip.head_diameter_mm is None else f"{hip.head_diameter_mm:.6f}",
        line.given_part,
        "excluded" if line.reason else "ok",
        line.reason,
    )


def _identity_row(line: HipLine) -> tuple[str, ...]:
    entry, side = line.film.entry, line.hip.side
    points = ";".join(file.path for file in entry.points if file.side in ("", side))
    return line.hip_id, entry.dataset, entry.subject, entry.visit, side, entry.film, points


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    write_durably(path, [text.getvalue()])


def content_of(lines: Sequence[HipLine]) -> str:
    """Hash of the usable hips: their films' bytes, and all that is known of them but ids."""
    number = {person: n for n, person in enumerate(dict.fromkeys(line.person for line in lines))}
    hips = [
        (
            *(line.film.film_digest, line.film.points_digest, [file.side for file in line.film.entry.points]),
            *(line.film.entry.spacing_mm, line.hip.side, line.film.entry.dataset, number[line.person]),
            *(line.given_part, line.truth_mm, line.row),
        )
        for line in lines
        if not line.reason
    ]
    return content_hash(hips)


def fingerprint(meta: Mapping[str, Any]) -> str:
    """Hash of what a store holds and how it was made; equal fingerprints hold equal arrays.

    Args:
        meta: What ``store.json`` says.
    """
    return content_hash([meta[name] for name in ("store_version", "view", "labels", "imports", "content")])


def content_hash(content: Any) -> str:
    """Sixteen hexadecimal digits that stand for anything JSON can say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def write_records(folder: Path, records: Iterable[FilmRecord]) -> None:
    """Write records.jsonl: a line a film."""
    write_durably(folder / "records.jsonl", (json.dumps(record.to_json()) + "\n" for record in records))


def write_sources(folder: Path, keys: Sequence[str], stats: Sequence[Stats]) -> None:
    """Write sources.json: what the films' files looked like, in the films' order."""
    content = [[key, stat] for key, stat in zip(keys, stats, strict=True)]
    write_durably(folder / "sources.json", [json.dumps(content, separators=(",", ":")).replace("]],[", "]],\n["), "\n"])


def read_sources(folder: Path, records: Sequence[FilmRecord]) -> list[WrittenFilm]:
    """The films of a finished store, with what their files looked like; all unknown where the cache is damaged.

    Args:
        folder: The store's folder.
        records: Its films.
    """
    try:
        content = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
        known = [(str(key), read_stats(stats)) for key, stats in content]
        return [WrittenFilm(*seen, record) for seen, record in zip(known, records, strict=True)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
