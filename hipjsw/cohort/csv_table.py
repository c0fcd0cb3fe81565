"""Tables that people write: CSV in whatever form spreadsheets save it, each bad line a fault of its own."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipjsw.cohort.film_entry import CohortError

__all__ = ["Table", "file_lines", "read_table"]

#: A longer file or line is no table that a person keeps, and is not taken apart.
LONGEST_FILE_BYTES = 64 * 2**20
LONGEST_LINE = 32_768
#: Lines that one quoted cell may go over.
_MOST_LINES = 20
_DELIMITERS = (",", ";", "\t")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Table:
    """A table as text.

    Args:
        columns: Its columns among those asked for.
        rows: Number of the line in the file (from 1) and the cells by column, without blanks round them.
        faults: Number of a line that cannot be used, and why.
        delimiter: What stands between cells.
    """

    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]
    faults: list[tuple[int, str]]
    delimiter: str = ","


def read_table(
    path: Path, required: Sequence[str], optional: Sequence[str] = (), aliases: Mapping[str, str] | None = None
) -> Table:
    """Read a CSV with commas, semicolons or tabs, with or without a byte order mark.

    Names of columns are taken in any case; columns that nobody asked for are passed over. Bytes that are no UTF-8 stay
    in the cells as lone surrogates, as in names of files.

    Args:
        path: The file.
        required: Columns that must be there.
        optional: Columns that may be there.
        aliases: Other names of columns.

    Raises:
        CohortError: No readable file, a column that is absent or there twice.
    """
    lines = file_lines(path)
    first = next((n for n, line in enumerate(lines) if line.strip() and not line.lower().startswith("sep=")), None)
    if first is None:
        raise CohortError(f"{path.name} is empty; its first line names the columns: {', '.join(required)}")
    delimiter, header = _header(lines[first], required, aliases or {})
    known = [name for name in header if name in {*required, *optional}]
    if absent := [name for name in required if name not in known]:
        raise CohortError(
            f"{path.name} has not the column{'s' * (len(absent) > 1)} {', '.join(absent)}; its first line names the "
            f"columns: {', '.join(required)}" + (f", and if you like {', '.join(optional)}" if optional else "")
        )
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise CohortError(f"{path.name} has the column {twice[0]} more than once; remove all but one")
    rows: list[tuple[int, dict[str, str]]] = []
    faults: list[tuple[int, str]] = []
    for number, cells in _records(lines, first + 1, delimiter, header, known):
        if isinstance(cells, str):
            faults.append((number, cells))
        else:
            padded = [*cells, *[""] * (len(header) - len(cells))]
            rows.append((number, {n: c.strip() for n, c in zip(header, padded, strict=False) if n in known}))
    return Table(tuple(known), rows, faults, delimiter)


def file_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8 or UTF-16, whatever ends them; other bytes become lone surrogates.

    Raises:
        CohortError: A file that cannot be read, or is too large to be a table.
    """
    try:
        if not path.is_file():
            raise CohortError(f"{path.name} is not there, or is no file; give one that is")
        if path.stat().st_size > LONGEST_FILE_BYTES:
            raise CohortError(f"{path.name} has more than {LONGEST_FILE_BYTES >> 20} MiB and is no table of films")
        content = path.read_bytes()
        text = content.decode("utf-16") if content[:2] in _UTF16 else content.decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise CohortError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from error
    except UnicodeError as error:
        raise CohortError(f"{path.name} is damaged UTF-16; save it as CSV in UTF-8") from error
    return re.split(r"\r\n|\n|\r", text)


def _header(line: str, required: Sequence[str], aliases: Mapping[str, str]) -> tuple[str, list[str]]:
    """The delimiter that finds most of the required columns, then most columns, and the columns' names."""
    found = []
    for delimiter in _DELIMITERS:
        cells = _parse([line], delimiter) if len(line) <= LONGEST_LINE else None
        names = [cell.strip().casefold() for cell in cells or []]
        names = [aliases.get(name, name) for name in names]
        found.append((len(set(required) & set(names)), len(names), delimiter, names))
    _, _, delimiter, names = max(found, key=lambda f: f[:2])
    return delimiter, names


def _records(
    lines: Sequence[str], start: int, delimiter: str, header: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[int, list[str] | str]]:
    """Number and cells of each record, or what is wrong with it; records of blanks are passed over.

    A quoted cell that nobody asked for may go over some lines; any other quote that does not end costs its own line.
    """
    n = start
    while n < len(lines):
        number, taken = n + 1, 1
        cells: list[str] | None = None
        fault = "its quotes do not end"
        if len(lines[n]) > LONGEST_LINE:
            fault = f"it has {len(lines[n])} characters"
        elif '"' not in lines[n]:
            cells = lines[n].split(delimiter)
        else:
            cells, taken = _quoted(lines, n, delimiter, header, known)
        n += taken
        while cells is not None and len(cells) > len(header) and not cells[-1].strip():
            cells.pop()
        if cells is not None and len(cells) > len(header):
            yield number, f"it has {len(cells)} cells where the first line has {len(header)}"
        elif cells is None:
            yield number, fault
        elif any(cell.strip() for cell in cells):
            yield number, cells


def _quoted(
    lines: Sequence[str], n: int, delimiter: str, header: Sequence[str], known: Sequence[str]
) -> tuple[list[str] | None, int]:
    if (cells := _parse(lines[n : n + 1], delimiter)) is not None:
        return cells, 1
    quotes = lines[n].count('"')
    for taken, line in enumerate(lines[n + 1 : n + _MOST_LINES], 2):
        quotes += line.count('"')
        cells = _parse(lines[n : n + taken], delimiter) if quotes % 2 == 0 else None
        if cells is not None:
            used = (cell for name, cell in zip(header, cells, strict=False) if name in known)
            plain = len(cells) == len(header) and not any("\n" in cell for cell in used)
            return (cells, taken) if plain else (None, 1)
    return None, 1


def _parse(lines: Sequence[str], delimiter: str) -> list[str] | None:
    """The cells of one record, None where the lines are not just one."""
    try:
        records = list(csv.reader([line + "\n" for line in lines], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None
