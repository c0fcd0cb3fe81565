"""Widths that people read off the films: their CSV, a template of it, and what the prediction is against it.

A reading is a third reference beside label and exact truth, and never mixed with them.
"""

from __future__ import annotations

import logging
import math
import re
from itertools import combinations
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from hipjsw.cohort.csv_table import Table, read_table
from hipjsw.cohort.store import Store
from hipjsw.inference.evaluation import Metrics, persons_of
from hipjsw.statistics.agreement import compare

__all__ = ["READING_COLUMNS", "ReaderError", "read_reader", "reader_metrics", "reader_template", "with_readings"]

READING_COLUMNS = ("hip_id", "mjsw_reader_mm", "reader", "place", "verdict")
VERDICTS = ("measured", "unmeasurable")
#: Who read where the CSV does not say.
NOBODY = "reader"
#: No joint space is wider.
WIDEST_MM = 20.0

_REQUIRED = ("mjsw_mm",)
_OPTIONAL = ("hip_id", "film", "side", "reader", "place", "verdict")
_READER = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MOST_SAID = 5

log = logging.getLogger(__name__)


class ReaderError(ValueError):
    """A reader's CSV that cannot be used; the message names line and column."""


class _CellError(ValueError):
    """One cell that cannot be used: its column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"column {column}: {why}")


def read_reader(path: Path, store: Store) -> pd.DataFrame:
    """Read widths from a CSV (commas, semicolons or tabs; a decimal comma where cells are not parted by commas).

    A line without a width and without a verdict was not read and is passed over; hips that are not among the store's
    usable ones are passed over too. Both are counted in the log.

    Args:
        path: Columns ``mjsw_mm`` (0 for bone on bone) and ``hip_id``, or ``film`` (as in the store's identities.csv,
            or the file's name if only one film has it) and ``side`` (the patient's: right, left). Optional ``reader``,
            ``place`` (0 lateral edge to 1 medial end), ``verdict`` (measured, unmeasurable).
        store: The store whose hips were read.

    Returns:
        ``READING_COLUMNS``, a row a hip and reader in the file's order; ``mjsw_reader_mm`` NaN where the reader found
        the hip unmeasurable, ``place`` NaN where it is not said.

    Raises:
        ReaderError: A missing column, cells that are no such numbers or words, a negative width, a hip twice by one
            reader, widths that look like pixels, or no reading at all.
        CohortError: A file that cannot be read or has no such columns.
    """
    table = read_table(path, _REQUIRED, _OPTIONAL)
    ids = _ids_of_films(path, table, store)
    faults = [f"line {number}: {why}" for number, why in table.faults]
    known, seen = set(store.hips["hip_id"]), dict[tuple[str, str], int]()
    rows: list[tuple[str, float, str, float, str]] = []
    unread = unknown = 0
    for number, cells in table.rows:
        try:
            reading = _reading(cells, ids, table.delimiter)
            if reading is None:
                unread += 1
            elif reading[0] not in known:
                unknown += 1
            else:
                first = seen.setdefault((reading[0], reading[2]), number)
                if first != number:
                    raise _CellError("hip_id", f"read in line {first} already; name a second reading's reader anew")
                rows.append(reading)
        except _CellError as error:
            faults.append(f"line {number}, {error}")
    result = pd.DataFrame(rows, columns=list(READING_COLUMNS))
    _refuse_faults(path, faults, result, unknown)
    if unknown or unread:
        log.warning("%s: %d readings; passed over: %d of hips not in the store, %d lines without a reading",
                    path.name, len(rows), unknown, unread)  # fmt: skip
    return result


def _refuse_faults(path: Path, faults: list[str], readings: pd.DataFrame, unknown: int) -> None:
    widths = readings["mjsw_reader_mm"].dropna()
    if len(widths) and (widths > WIDEST_MM).all():
        raise ReaderError(
            f"{path.name}, column mjsw_mm: all {len(widths)} widths are above {WIDEST_MM:.0f}, which looks like pixels; "
            "multiply them by the film's pixel size in mm"
        )
    for hip, width in zip(readings["hip_id"], readings["mjsw_reader_mm"], strict=True):
        if width > WIDEST_MM:
            faults.append(f"hip {hip}, column mjsw_mm: {width:g} mm is wider than any joint space")
    if faults:
        more = f"; and {len(faults) - _MOST_SAID} more" if len(faults) > _MOST_SAID else ""
        raise ReaderError(f"{path.name}: {'; '.join(faults[:_MOST_SAID])}{more}. Mend these lines and try again")
    if readings.empty:
        raise ReaderError(
            f"{path.name} has no reading of a hip of the store ({unknown} of other hips); fill in mjsw_mm, and name "
            "hips by the pseudonyms of this store"
        )


def _reading(
    cells: dict[str, str], ids: dict[tuple[str, str], str] | None, delimiter: str
) -> tuple[str, float, str, float, str] | None:
    """One line as ``READING_COLUMNS``; None where nobody has read it."""
    text, verdict = cells["mjsw_mm"], cells.get("verdict", "").casefold()
    if not text and not verdict:
        return None
    if verdict and verdict not in VERDICTS:
        raise _CellError("verdict", f"{verdict!r} is none of {', '.join(VERDICTS)}")
    if bool(text) == (verdict == "unmeasurable"):
        raise _CellError("verdict", f"{verdict!r} with {'a' if text else 'no'} width; leave one of them out")
    width = _number("mjsw_mm", text, delimiter) if text else math.nan
    place = _number("place", cells["place"], delimiter) if cells.get("place") else math.nan
    if width < 0:
        raise _CellError("mjsw_mm", f"{width:g} is negative; bone on bone is 0")
    if not (math.isnan(place) or 0 <= place <= 1):
        raise _CellError("place", f"{place:g} is not between 0 (lateral edge) and 1 (medial end)")
    reader = cells.get("reader") or NOBODY
    if not _READER.fullmatch(reader):
        raise _CellError("reader", f"{reader!r} has more than letters, digits, - and _, or over 32; give a short code")
    return _hip(cells, ids), width, reader, place, verdict or "measured"


def _number(column: str, text: str, delimiter: str) -> float:
    try:
        number = float(text if delimiter == "," else text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _CellError(column, f"{text!r} is no number")
    return number


def _hip(cells: dict[str, str], ids: dict[tuple[str, str], str] | None) -> str:
    """The hip's pseudonym; empty, which no hip has, for a film that the store does not have."""
    if ids is None:
        if not cells["hip_id"]:
            raise _CellError("hip_id", "is empty; name the hip")
        return cells["hip_id"]
    side = cells["side"].casefold()
    if side not in ("right", "left"):
        raise _CellError("side", f"{cells['side']!r} is neither right nor left (of the patient)")
    if not cells["film"]:
        raise _CellError("film", "is empty; name the film")
    return ids.get((cells["film"], side), "")


def _ids_of_films(path: Path, table: Table, store: Store) -> dict[tuple[str, str], str] | None:
    """Pseudonyms by film and side, films by their whole path and by a name that is the only one; None by hip_id."""
    if "hip_id" in table.columns:
        return None
    if absent := [name for name in ("film", "side") if name not in table.columns]:
        raise ReaderError(
            f"{path.name} has not the column{'s' * (len(absent) > 1)} {', '.join(absent)}; name hips by hip_id, "
            "or by film and side"
        )
    identities = _identities(store)
    films = {film: PurePosixPath(film).name for film in identities["film"]}
    names = list(films.values())
    alone = {name for name in names if names.count(name) == 1} if len(names) < 2 else _once(names)
    ids: dict[tuple[str, str], str] = {}
    for hip, film, side in identities[["hip_id", "film", "side"]].itertuples(index=False):
        ids[film, side] = hip
        if films[film] in alone and (films[film] == film or films[film] not in films):
            ids[films[film], side] = hip
    return ids
