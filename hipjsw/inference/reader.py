"""Widths that people read off the films: their CSV, a template of it, and what the prediction is against it.

A reading is a third reference beside label and exact truth, and never mixed with them.
"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from itertools import combinations
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hipjsw.cohort.csv_table import Table, read_table
from hipjsw.cohort.split import PARTS
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
#: Stands for the hips of a name that several films have.
_SEVERAL = "?"

Reading = tuple[str, float, str, float, str]

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
    rows: list[tuple[int, Reading]] = []
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
                rows.append((number, reading))
        except _CellError as error:
            faults.append(f"line {number}, {error}")
    _refuse_faults(path, faults, rows, unknown)
    if unknown or unread:
        log.warning("%s: %d readings; passed over: %d of hips not in the store, %d lines without a reading",
                    path.name, len(rows), unknown, unread)  # fmt: skip
    return pd.DataFrame([reading for _, reading in rows], columns=list(READING_COLUMNS))


def _refuse_faults(path: Path, faults: list[str], rows: list[tuple[int, Reading]], unknown: int) -> None:
    widths = {number: reading[1] for number, reading in rows if not math.isnan(reading[1])}
    wide = [number for number, width in widths.items() if width > WIDEST_MM]
    if wide and len(wide) == len(widths):
        raise ReaderError(
            f"{path.name}, column mjsw_mm: all {len(wide)} widths are above {WIDEST_MM:.0f}, which looks like pixels; "
            "multiply them by the film's pixel size in mm"
        )
    faults += [f"line {n}, column mjsw_mm: {widths[n]:g} mm is wider than any joint space" for n in wide]
    if faults:
        more = f"; and {len(faults) - _MOST_SAID} more" if len(faults) > _MOST_SAID else ""
        raise ReaderError(f"{path.name}: {'; '.join(faults[:_MOST_SAID])}{more}. Mend these lines and try again")
    if not rows:
        raise ReaderError(
            f"{path.name} has no reading of a hip of the store ({unknown} of other hips); fill in mjsw_mm, and name "
            "hips by the pseudonyms of this store"
        )


def _reading(cells: dict[str, str], ids: dict[tuple[str, str], str] | None, delimiter: str) -> Reading | None:
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
    hip = ids.get((cells["film"], side), "")
    if hip == _SEVERAL:
        raise _CellError("film", "several films have this name; give its path as in identities.csv")
    return hip


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
    times = Counter(PurePosixPath(film).name for film in dict.fromkeys(identities["film"]))
    names, paths = dict[tuple[str, str], str](), dict[tuple[str, str], str]()
    for hip, film, side in zip(*(identities[column] for column in ("hip_id", "film", "side")), strict=True):
        name = PurePosixPath(film).name
        names[name, side] = hip if times[name] == 1 else _SEVERAL
        paths[film, side] = hip
    return names | paths


def _identities(store: Store) -> pd.DataFrame:
    path = store.folder / "identities.csv"
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)[["hip_id", "film", "side"]]
    except (OSError, ValueError, KeyError) as error:
        raise ReaderError(
            f"{path} is missing or damaged, and leads from a film to its hips; name hips by hip_id instead"
        ) from error


def reader_template(store: Store, part: str, films: bool = False) -> pd.DataFrame:
    """A table for a reader to fill in, without any width that is known, so that the reading is blind.

    Args:
        store: A store with a split.
        part: ``train``, ``val`` or ``test``.
        films: Whether to say each hip's film and side. Such a table names films and stays with the cohort.

    Returns:
        A row a hip of the part, in dealing order: ``hip_id``, with ``films`` also ``film`` and ``side``, and empty
        ``mjsw_mm``, ``reader``, ``place``, ``verdict``.

    Raises:
        ValueError: Another part.
        ReaderError: Films asked for, and the store has no identities.csv.
        StoreError: A store without a split.
    """
    if part not in PARTS:
        raise ValueError(f"part is one of {', '.join(PARTS)}, not {part!r}")
    table = pd.DataFrame({"hip_id": store.hips.loc[store.rows(part), "hip_id"].to_list()})
    if films:
        table = table.merge(_identities(store), on="hip_id", how="left", validate="one_to_one")
    return table.assign(mjsw_mm="", reader="", place="", verdict="")


def with_readings(table: pd.DataFrame, readings: pd.DataFrame, reader: str | None = None) -> pd.DataFrame:
    """The rows of ``hip_rows`` with one reader's ``mjsw_reader_mm``, NaN where there is none.

    Args:
        table: Rows of ``evaluation.hip_rows``.
        readings: What ``read_reader`` gave.
        reader: Whose; may be None if there is just one.

    Raises:
        ValueError: No such reader, or several and none named.
    """
    there = readings["reader"].drop_duplicates().to_list()
    if reader is None and len(there) == 1:
        reader = there[0]
    if reader not in there:
        raise ValueError(f"readings are of {', '.join(there)}, not of {reader!r}; name one of them")
    own = readings[readings["reader"] == reader].set_index("hip_id")["mjsw_reader_mm"]
    return table.assign(mjsw_reader_mm=table["hip_id"].map(own).astype(float))


def reader_metrics(table: pd.DataFrame, readings: pd.DataFrame, store: Store, split: str) -> Metrics:
    """Flat metrics of the prediction against each reader, and of the readers against each other.

    - ``<split>/mjsw_reader/<reader>/...``: ``agreement.Comparison.flat``, ``num_left_out`` (read, and not measured) and
      ``num_unmeasurable`` (the reader found no width).
    - ``<split>/readers/<first>_<second>/...``: the first less the second, on the hips of ``table`` that both read.

    Args:
        table: Rows of ``evaluation.hip_rows``.
        readings: What ``read_reader`` gave.
        store: The store they are of.
        split: First part of the names.
    """
    persons = persons_of(table, store)
    readers = readings["reader"].drop_duplicates().to_list()
    widths = {name: with_readings(table, readings, name)["mjsw_reader_mm"].to_numpy() for name in readers}
    result: Metrics = {}
    for name, width in widths.items():
        own = readings[(readings["reader"] == name) & readings["hip_id"].isin(table["hip_id"])]
        key = f"{split}/mjsw_reader/{name}"
        numbers = _compared(table["mjsw_pred_mm"].to_numpy(), width, persons)
        result |= {f"{key}/{what}": number for what, number in numbers.items()}
        result[f"{key}/num_left_out"] = int(np.isfinite(width).sum()) - int(numbers["num_compared"])
        result[f"{key}/num_unmeasurable"] = int((own["verdict"] == "unmeasurable").sum())
    for first, second in combinations(readers, 2):
        numbers = _compared(widths[first], widths[second], persons)
        result |= {f"{split}/readers/{first}_{second}/{what}": number for what, number in numbers.items()}
    return result


def _compared(
    measured_mm: NDArray[np.float64], reference_mm: NDArray[np.float64], persons: NDArray[np.object_]
) -> Metrics:
    both = np.isfinite(measured_mm) & np.isfinite(reference_mm)
    found = compare(measured_mm[both], reference_mm[both], persons[both])
    return {"num_compared": 0} if found is None else found.flat()
