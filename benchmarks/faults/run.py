"""The fault programme: every promise of docs/reliability.md under fire, one table.

    python benchmarks/faults/run.py [--sample] [--only WORDS] [--seed N] [--out docs/reliability.md]

What is tried is the command line's own doors, on a tiny phantom cohort of nine persons. `--sample` tries each fault a
few times; rows that are tests of the suite are left out there, for the suite runs them.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import dashboard
import data
import training
from doors import preload
from fuzz import KINDS, fuzzed
from storage import CannotMountError, full
from workplace import Workplace, make

ROOT = Path(__file__).resolve().parents[2]
Tried = Callable[[Workplace, int, Random], Iterator[str]]


@dataclass(frozen=True)
class Row:
    """A fault.

    Args:
        promise: Number of the promise in docs/reliability.md.
        fault: What happens.
        tried: Tries it so often; of each try what was lost, empty if nothing.
        times: How often.
        sample: How often in the sample; 0 leaves it to the suite.
    """

    promise: int
    fault: str
    tried: Tried
    times: int
    sample: int


def tests(*names: str) -> Tried:
    """A row of the suite's own tests."""

    def row(place: Workplace, times: int, rng: Random) -> Iterator[str]:
        del times, rng
        report = place.new("junit")
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *names]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("skipped") is None:
                bad = case.find("failure") is not None or case.find("error") is not None
                yield str(case.get("name")) if bad else ""

    return row


ROWS = (
    Row(1, "kill -9 while training, then the same command", training.killed, 20, 2),
    Row(1, "SIGTERM while training, then the same command", training.terminated, 3, 1),
    Row(1, "another number of loading processes", training.other_workers, 2, 1),
    Row(1, "batches of one and of many in evaluation", tests("tests/integration/test_training_laws.py::"
        "test_a_batch_of_one_measures_what_a_batch_of_many_does"), 1, 0),
    Row(2, "a checkpoint truncated or a bit flipped", training.spoilt, 100, 12),
    Row(2, "the same in a run that was cut short, then the same command", training.spoilt_and_continued, 4, 1),
    Row(2, "a checkpoint of a later version, one from before hashes", tests("tests/learning/test_checkpoint.py"), 1, 0),
    Row(3, "disk full: checkpoint, store, films' report, evaluation", full, 10, 1),
    Row(4, "W&B unreachable, black hole, refusing, its service killed", dashboard.amiss, 4, 1),
    Row(4, "ids distinct, offline runs found and sent", tests("tests/reporting/test_dashboard.py",
        "tests/reporting/test_offline_runs.py"), 1, 0),
    Row(5, "numbers overflow in training", training.overflow, 3, 1),
    Row(6, "data: batch of one, another version, two at once, too few, one person, changed, no joint space", data.amiss,
        8, 2),
    Row(6, "a store prepared by two processes and killed twenty times", tests("tests/cohort/test_writing.py::"
        "test_a_cohort_prepared_by_two_processes_and_killed_twenty_times_is_the_same"), 1, 0),
    *(Row(7, f"fuzzed {kind}", fuzzed(kind, "whole"), 1, 1) for kind in KINDS),
    Row(8, "canary names, ids and paths", tests("tests/integration/test_canary.py", "tests/cohort/test_privacy.py"),
        1, 0),
    Row(9, "a pickle that runs a program", training.malicious, 4, 2),
    Row(9, "names that are HTML, names that leave the folder", tests("tests/reporting/test_markup.py",
        "tests/reporting/test_measure_page.py", "tests/reporting/test_findings_page.py",
        "tests/app/test_film_files.py", "tests/app/test_film_list.py"), 1, 0),
    Row(10, "a run replayed from what it recorded", training.again, 2, 1),
)  # fmt: skip


def tried(row: Row, place: Workplace, sample: bool, seed: int) -> tuple[list[str], str]:
    """What was lost in each try, and why there are none."""
    times = row.sample if sample else row.times
    act = row.tried
    if sample and row.fault.startswith("fuzzed"):
        act = fuzzed(row.fault.removeprefix("fuzzed "), "sample")
    try:
        return list(act(place, times, Random(seed))), ""
    except CannotMountError as error:
        return [], f"not tried: {error}"


def table(results: Sequence[tuple[Row, list[str], str, float]]) -> str:
    """The table in Markdown."""
    lines = ["| promise | fault | tried | survived | lost | seconds |", "|---:|---|---:|---:|---|---:|"]
    for row, lost, why, seconds in results:
        survived = sum(not one for one in lost)
        said = why or next((one for one in lost if one), "nothing")
        said = said.replace("|", "/").replace("\n", " ")[:160]
        lines.append(f"| {row.promise} | {row.fault} | {len(lost)} | {survived} | {said} | {seconds:.0f} |")
    return "\n".join(lines)


def write(path: Path, text: str, command: str) -> None:
    """Put the table between its marks; rows that were not tried this time stay."""
    before, rest = path.read_text(encoding="utf-8").split("<!-- begin: faults -->")
    there, after = rest.split("<!-- end: faults -->")
    new, old = ({line.split(" | ")[1]: line for line in part.splitlines() if " | " in line} for part in (text, there))
    known = ["fault", *(row.fault for row in ROWS)]
    lines = [new.get(name) or old.get(name) for name in known]
    lines.insert(1, "|---:|---|---:|---:|---|---:|")
    text = "\n".join(line for line in lines if line)
    said = f"`{command}`, {time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPU cores ({platform.machine()})."
    path.write_text(f"{before}<!-- begin: faults -->\n{said}\n\n{text}\n<!-- end: faults -->{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--only", default="", help="faults whose words hold this")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--fuzz-seconds", type=float, default=300.0)
    parser.add_argument("--out", type=Path)
    said = parser.parse_args()
    import fuzz

    fuzz.SECONDS["whole"] = said.fuzz_seconds
    if said.sample:  # beside other tests no clock can be trusted
        dashboard.LONGER_S = float("inf")
    preload()
    logging.disable(logging.WARNING)  # of what is tried in this process
    rows = [row for row in ROWS if said.only in row.fault and (row.sample or not said.sample)]
    folder = Path(tempfile.mkdtemp(prefix="hipjsw-faults-"))
    results = []
    try:
        place = make(folder)
        for number, row in enumerate(rows, 1):
            print(f"[{number}/{len(rows)}] {row.fault} ...", file=sys.stderr, flush=True)
            began = time.monotonic()
            lost, why = tried(row, place, said.sample, said.seed)
            results.append((row, lost, why, time.monotonic() - began))
            for one in filter(None, lost):
                print(f"    lost: {one}", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = table(results)
    print(text)
    if said.out is not None:
        write(said.out, text, "make faults")
    if any(any(lost) for _, lost, _, _ in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
