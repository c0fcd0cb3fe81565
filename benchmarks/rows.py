"""Rows of the one table that all benchmarks share."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure.

    Args:
        what: What was measured.
        figure: The figure with its unit.
        ratio: Against what, within the same run; empty where there is nothing to compare with.
        aim: What was wanted; empty where nothing was.
        met: Whether it was reached; None without an aim.
    """

    what: str
    figure: str
    ratio: str = ""
    aim: str = ""
    met: bool | None = None


def write_rows(path: Path | None, rows: Sequence[Row]) -> None:
    """Leave the rows for whoever asked for them."""
    if path is not None:
        path.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")


def read_rows(path: Path) -> list[Row]:
    return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def lines_of(part: str, rows: Sequence[Row], title: str = "") -> list[str]:
    """The rows in Markdown, under the name of their part."""
    said = {None: "", True: "met", False: "**missed**"}
    lines = [f"| **{part}** | | {title} | |"]
    for row in rows:
        aim = f"{row.aim}: {said[row.met]}" if row.aim else ""
        lines.append(f"| {row.what} | {row.figure} | {row.ratio} | {aim} |")
    return lines


def machine(device: str = "cpu") -> str:
    """Kind of machine and versions; torch is imported here, or it would count as memory of what is measured."""
    import torch

    kind = torch.cuda.get_device_name() if device == "cuda" else f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{kind}, {torch.get_num_threads()} threads, torch {torch.__version__}"
