"""Offline runs: all of them are found, one command sends them, and attempts of one run follow each other."""

import subprocess
from pathlib import Path

import pytest

from hipjsw.reporting.offline_runs import SEND, next_step, offline_runs, sync_command

#: Attempts are processes of their own, as in life: W&B writes the end of its file a little after the run is finished.
PRELUDE = """
import json, os, subprocess, sys
from pathlib import Path
out = Path(sys.argv[1])
from hipjsw.reporting.dashboard import finish, log_results, start_run
from hipjsw.reporting.offline_runs import next_step, sync_command

def attempt(name, steps, place="runs/{}"):
    run = start_run(out / place.format(name), "hipjsw", None, "group", name, {}, ["demo"], "offline", name)
    for step in steps:
        run.log({"val/dice/mean": step / 1000, "trainer/global_step": step})
    finish(run)
"""


def lay(folder, name, sent=False):
    """A run's folder as W&B leaves it."""
    folder = folder / name
    folder.mkdir(parents=True)
    run_id = name.rsplit("-", 1)[1]
    (folder / f"run-{run_id}.wandb").write_bytes(b"")
    if sent:
        (folder / f"run-{run_id}.wandb.synced").write_bytes(b"")
    return folder


@pytest.fixture
def runs_dir(tmp_path):
    return tmp_path / "my runs"


def test_runs_that_wait_are_found_and_no_others(runs_dir):
    one = [lay(runs_dir / "one/wandb", f"offline-run-2026010{day}_101010-one") for day in (2, 1)]
    lay(runs_dir / "two/wandb", "offline-run-20260101_101010-two", sent=True)
    lay(runs_dir / "three/wandb", "run-20260101_101010-three")
    (runs_dir / "four/wandb/offline-run-20260101_101010-four").mkdir(parents=True)  # without a file
    loss = lay(runs_dir / "sweeps/loss/wandb", "offline-run-20260101_101010-loss")
    assert offline_runs(runs_dir) == [*one[::-1], loss]
    assert offline_runs(runs_dir / "none") == []


def test_the_command_names_what_waits(runs_dir, monkeypatch):
    monkeypatch.chdir(runs_dir.parent)
    assert sync_command(Path("my runs")) is None
    lay(runs_dir / "one/wandb", "offline-run-20260101_101010-one")
    assert sync_command(runs_dir) == f"{SEND} 'my runs/'*/wandb/offline-run-*"
    lay(runs_dir / "sweeps/loss/wandb", "offline-run-20260101_101010-loss")
    assert sync_command(Path("my runs")).endswith(
        "'my runs/'*/wandb/offline-run-* 'my runs/'sweeps/*/wandb/offline-run-*"
    )
    assert sync_command(runs_dir, [Path("else where")]).endswith(" 'else where'")


@pytest.mark.parametrize("words", [(), ("sweeps",)])
def test_a_shell_makes_of_the_command_what_waits(runs_dir, words):
    for name in ("one", "sweeps/loss", "sweeps/other") if words else ("one", "two"):
        lay(runs_dir / name / "wandb", f"offline-run-20260101_101010-{Path(name).name}")
    command = sync_command(runs_dir)
    patterns = command.removeprefix(f"{SEND} ")
    assert command == f"{SEND} {patterns}"
    done = subprocess.run(["sh", "-c", f"printf '%s\\n' {patterns}"], capture_output=True, text=True, check=True)
    assert sorted(Path(line).resolve() for line in done.stdout.splitlines()) == offline_runs(runs_dir.resolve())


@pytest.mark.parametrize("num", [1, 12])
def test_steps_go_on_where_an_attempt_ended(run_script, folder, records, num):
    run_script(PRELUDE, f"print(json.dumps(attempt('one', range({num}))))")
    start = next_step(folder / "runs/one", "one")
    run_script(PRELUDE, "print(json.dumps(attempt('one', range(7))))")
    first, second = (
        [record["history"]["step"]["num"] for record in records(log) if record["type"] == "history"]
        for log in sorted(folder.glob("runs/one/wandb/*/*.wandb"))
    )
    assert first == list(range(num))
    assert first[-1] < start <= first[-1] + 2
    assert second == list(range(start, start + 7))
    assert next_step(folder / "runs/one", "one") > second[-1]


def test_an_attempt_that_was_cut_short_counts(run_script, folder):
    run_script(PRELUDE, "print(json.dumps(attempt('one', range(40))))")
    (log,) = folder.glob("runs/one/wandb/*/*.wandb")
    whole = log.read_bytes()
    for share in (0.0, 0.3, 0.6, 1.0):
        log.write_bytes(whole[: int(len(whole) * share)])
        assert 40 * share - 10 <= next_step(folder / "runs/one", "one") <= 41
    assert next_step(folder / "runs/one", "one") >= 40
    assert next_step(folder / "runs/one", "on") == next_step(folder / "none", "one") == 0
    log.parent.rename(f"{log.parent}-1")  # what W&B calls the second of two attempts within one second
    assert next_step(folder / "runs/one", "one") >= 40


def test_the_command_sends_all_in_order_and_names_nobody(run_script, server_script):
    first = "attempt('one', [60, 120, 180]), attempt('two', [60]), attempt('three', [0], 'runs/sweeps/{}')"
    run_script(PRELUDE, first, "print(0)")
    run_script(PRELUDE, "attempt('one', [180, 240]); print(0)")
    script = """
    (out / "bin").mkdir()
    (out / "bin" / "wandb").write_text(f"#!{sys.executable}\\nfrom wandb.cli.cli import cli\\ncli()\\n")
    (out / "bin" / "wandb").chmod(0o755)
    command = sync_command(out / "runs")
    path = os.pathsep.join([str(out / "bin"), os.environ["PATH"]])
    done = subprocess.run(command, shell=True, cwd=out, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = {}
    for url, _, content in seen:
        if url.endswith("/file_stream"):
            rows = json.loads(content).get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
            said.setdefault(url.split("/")[-2], []).extend(json.loads(row) for row in rows)
    print(json.dumps([said, repr(seen).count("canary"), sync_command(out / "runs")]))
    """
    unnamed = {"WANDB_USERNAME": "", "WANDB_USER_EMAIL": ""}  # whoever sets these wants to be named
    said, canary, after = run_script(PRELUDE, "hang = None", server_script, script, **unnamed)
    assert {name: [row["trainer/global_step"] for row in rows] for name, rows in said.items()} == {
        "one": [60, 120, 180, 180, 240],
        "two": [60],
        "three": [0],
    }
    steps = [row["_step"] for row in said["one"]]
    assert steps == sorted(set(steps))
    assert canary == 0
    assert after is None  # what was sent does not wait any more
