"""``measurements.csv`` and ``measurements.json``, written row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from hipjsw.inference.measurement import COLUMNS, Row

__all__ = ["write_tables"]


def write_tables(out: Path, rows: Iterable[Row]) -> None:
    """Write all rows as both tables; they are gone through once and not held. Earlier tables stay until both are whole.

    Args:
        out: Folder of the results.
        rows: Rows of ``COLUMNS``.

    Raises:
        ValueError: A number that is not finite, or a column that is none.
    """
    wholes = [out / "measurements.csv", out / "measurements.json"]
    partial = [path.with_name(path.name + ".partial") for path in wholes]
    with (
        partial[0].open("w", newline="", encoding="utf-8") as table,
        partial[1].open("w", encoding="utf-8") as listed,
    ):
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        before = "["
        for row in rows:
            writer.writerow(row)
            one = json.dumps([row], indent=1, allow_nan=False, ensure_ascii=False)
            listed.write(before + one.removeprefix("[").removesuffix("\n]"))
            before = ","
        listed.write("[]\n" if before == "[" else "\n]\n")
    for path, whole in zip(partial, wholes, strict=True):
        path.replace(whole)
