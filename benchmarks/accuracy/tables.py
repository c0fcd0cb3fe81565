"""Results of the accuracy benchmarks: one JSON file a part, and docs/accuracy.md made of those there are.

A part is drawn between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``; all else in the document stays as it is,
and so does the place of a part that has no result.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hipjsw import __version__
from hipjsw.phantom.population import PHANTOM_VERSION

__all__ = ["Part", "Table", "counted", "machine", "render", "signed", "spread", "write_result"]


@dataclass(frozen=True)
class Table:
    """A table as it is shown.

    Args:
        caption: A line above it.
        header: Names of the columns; the first is that of the rows.
        rows: Cells, as many a row as there are columns.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"table {self.caption!r}: a row has not {len(self.header)} cells as the header has")
        words = [any(re.search("[a-z]{3}", row[nth]) for row in self.rows) for nth in range(len(self.header))]
        ruler = ["---" if nth == 0 or of_words else "---:" for nth, of_words in enumerate(words)]
        lines = ["| " + " | ".join(cells) + " |" for cells in (self.header, ruler, *self.rows)]
        return "\n".join([self.caption, "", *lines])


@dataclass(frozen=True)
class Part:
    """What one part of the benchmarks found.

    Args:
        name: Its name: that of its file and of its place in the document.
        scale: What it was measured on, in a few words.
        tables: As shown.
        numbers: The same and more, for machines; finite numbers, text, None, lists and dictionaries of them.
    """

    name: str
    scale: str
    tables: Sequence[Table]
    numbers: dict[str, Any] = field(default_factory=dict)


def machine() -> str:
    """The kind of machine: cores and processor, without its name."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.is_file() else None
    model = found.group(1).strip() if found else platform.processor() or platform.machine()
    count = os.cpu_count() or 1
    return f"{count} core{'s' if count > 1 else ''}, {model}"


def write_result(folder: Path, part: Part, command: str) -> Path:
    """Write ``folder/NAME.json``: the part, the command that made it, machine, date and versions.

    Raises:
        ValueError: A number that is not finite.
    """
    made = {
        "command": command,
        "machine": machine(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "version": __version__,
        "phantom_version": PHANTOM_VERSION,
    }
    try:
        text = json.dumps(asdict(part) | made, indent=1, allow_nan=False)
    except ValueError as error:
        raise ValueError(
            f"part {part.name}: a number is not finite; leave undefined ones out and count them"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{part.name}.json"
    path.write_text(text + "\n", encoding="utf-8")
    return path


def render(document: Path, folder: Path) -> list[str]:
    """Draw every part that has a result in ``folder`` into the document.

    Returns:
        The names of the parts drawn.

    Raises:
        ValueError: A part whose markers the document lacks, or has twice.
    """
    text = document.read_text(encoding="utf-8")
    drawn = []
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        begin, end = (f"<!-- {which}: {result['name']} -->" for which in ("begin", "end"))
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
            raise ValueError(f"{document.name}: put '{begin}' and '{end}' once where the tables of {path} shall stand")
        before, after = text.split(begin)[0], text.split(end)[1]
        text = f"{before}{begin}\n{_block(result)}\n{end}{after}"
        drawn.append(result["name"])
    document.write_text(text, encoding="utf-8")
    return drawn


def _block(result: dict[str, Any]) -> str:
    made = f"hipjsw {result['version']}, phantom {result['phantom_version']}, {result['machine']}, {result['date']}"
    tables = [Table(**table).markdown() for table in result["tables"]]
    return "\n\n".join([f"{result['scale']} `{result['command']}` ({made})", *tables])


def signed(value: float) -> str:
    """Three places and a sign, as errors are shown; what is rounded to nothing has none."""
    return f"{value:+.3f}" if round(abs(value), 3) else "0.000"


def spread(errors: Iterable[float]) -> dict[str, float]:
    """Number, bias, MAE, SD, 95th percentile of the size and worst of errors; empty of none, SD missing of one."""
    values = np.asarray(list(errors), dtype=np.float64)
    if len(values) == 0:
        return {}
    size = np.abs(values)
    found = {
        "num": len(values),
        "bias": float(values.mean()),
        "mae": float(size.mean()),
        "p95": float(np.percentile(size, 95.0)),
        "worst": float(values[size.argmax()]),
    }
    return found | ({"sd": float(values.std(ddof=1))} if len(values) > 1 else {})


def counted(reasons: Iterable[str]) -> dict[str, int]:
    """How often each reason was given, the most frequent first; their numbers do not tell them apart."""
    return dict(Counter(re.sub(r"\d+(\.\d+)?", "N", reason) for reason in reasons).most_common())
