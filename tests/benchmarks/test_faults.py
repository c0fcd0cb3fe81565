"""A sample of every row of the fault programme; `make faults` is the whole of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(1500)
def test_a_sample_of_every_fault_is_survived(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "faults" / "run.py"), "--sample"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    rows = re.findall(r"^\| (\d+) \| (.*) \| (\d+) \| (\d+) \| (.*) \| \d+ \|$", done.stdout, flags=re.MULTILINE)
    assert len(rows) == 17
    assert {int(row[0]) for row in rows} == {1, 2, 3, 4, 5, 6, 7, 9, 10}  # 8 is tests/integration/test_canary.py
    for _, fault, tried, survived, lost in rows:
        assert tried == survived, fault
        assert int(tried) > 0 or lost.startswith("not tried"), fault
        assert lost == "nothing" or lost.startswith("not tried"), fault
