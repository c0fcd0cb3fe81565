"""One process at a time."""

import subprocess
import sys

import pytest

from hipjsw.app.lock import BusyError, only_one

HOLD = """
import sys, time
from pathlib import Path
from hipjsw.app.lock import only_one
with only_one(Path(sys.argv[1]), wait=False):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_refused_and_a_killed_one_lets_go(tmp_path):
    folder = tmp_path / "run"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="another process"), only_one(folder, wait=False):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with only_one(folder, wait=True):
        pass
