"""All benchmarks one after the other, and their one table: `make bench`.

    python benchmarks/bench.py [--only training measure] [--quick] [--out docs/performance.md]

Each is a process of its own. Run it on a machine that does nothing else: ratios are within one benchmark, but what runs
beside it does not fall on all of its parts alike. `--quick` is a look at everything in a few minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rows import Row, lines_of, machine, read_rows

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- begin: bench -->", "<!-- end: bench -->"
#: Name of a part, its script, what a full and a quick run of it are given.
PARTS: dict[str, tuple[str, list[str], list[str]]] = {
    "training": ("training.py", ["--rounds", "40"], ["--rounds", "2", "--no-compile"]),
    "equal steps": ("equal_steps.py", ["--steps", "720", "--seeds", "1"], ["--steps", "8", "--seeds", "1"]),
    "measuring films": ("measure.py", ["--films", "40", "--repeats", "2"], ["--films", "4", "--repeats", "1"]),
    "preparing films": ("prepare.py", ["--films", "200"], ["--films", "24"]),
    "many hips": ("scaling.py", ["--hips", "1000", "10000"], ["--hips", "100", "1000"]),
}


def run(script: str, options: list[str], folder: Path) -> list[Row]:
    """The rows of one benchmark; a row that says so where it failed."""
    rows = folder / "rows.json"
    rows.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, HERE / script, *options, "--rows", rows], check=False)
    return read_rows(rows) if rows.is_file() else [Row(f"{script} failed", f"exit code {done.returncode}")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    said = parser.parse_args()
    page = f"{BEGIN}\n{END}" if said.out is None else said.out.read_text(encoding="utf-8")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    parts, failed = parts_of(page[len(before) : page.index(END)]), False
    with tempfile.TemporaryDirectory() as folder:
        for name in said.only:
            script, full, quick = PARTS[name]
            print(f"\n{name}: benchmarks/{script}", flush=True)
            began, options = time.monotonic(), quick if said.quick else full
            rows = run(script, options, Path(folder))
            failed |= any("failed" in row.what for row in rows)
            took = f"{(time.monotonic() - began) / 60:.0f} minutes"
            title = f"`{' '.join([script, *options])}`, {datetime.now(UTC).date()}, {took}"
            parts[name] = lines_of(name, rows, title)
    lines = [line for name in PARTS for line in parts.get(name, [])]
    text = "\n".join([f"{machine()}", "", "| | | against what | aim |", "|---|---:|---|---|", *lines])
    print(f"\n{text}")
    if said.out is not None:
        said.out.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")
    sys.exit(1 if failed else 0)


def parts_of(table: str) -> dict[str, list[str]]:
    """The lines of each part of an earlier table: what is not run again stays."""
    parts: dict[str, list[str]] = {}
    name = None
    for line in table.splitlines():
        name = next((part for part in PARTS if line.startswith(f"| **{part}**")), name)
        if name is not None and line.startswith("|"):
            parts.setdefault(name, []).append(line)
    return parts


if __name__ == "__main__":
    main()
