"""The dashboard: what is kept and sent, that nothing identifies anybody, and that nothing waits or raises.

W&B keeps state in its process and in the environment, so every run is made in a process of its own, whose folder,
user, machine, arguments and config hold the word ``canary``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from hipjsw.reporting.dashboard import BUDGET_S
from hipjsw.reporting.plain import NO_PATH

REPOSITORY = Path(__file__).parents[2]

PRELUDE = """
import json, os, socket, sys, time
from pathlib import Path
socket.gethostname = lambda: "canary-machine"
out = Path(sys.argv[1])
began = time.monotonic()
from hipjsw.reporting.dashboard import finish, log_results, resolve_mode, start_run

def start(name, mode, config=None):
    config = config or {"loss": "dice"}
    return start_run(out / name, "hipjsw", None, "sweep", name, config, ["demo"], mode, "id-" + name)
"""

RESULTS = """
picture = out / "worst.png"
from matplotlib.figure import Figure
Figure(figsize=(2, 1)).savefig(picture)
rows = [{"hip": "3fa2", "person": "canary", "mjsw_mm": 3, "reason": None}, {"hip": "91c0", "mjsw_mm": 2.5},
        {"hip": "77b1", "mjsw_mm": float("nan"), "reason": "no femur"}]
log_results(run, {"test/dice/mean": 0.9, "test/mjsw/sd_mm": float("nan")}, rows, {"worst": picture})
"""


def of_type(found, kind):
    return [record[kind] for record in found if record["type"] == kind]


def test_offline_run_holds_the_results_and_names_nobody(run_script, folder, records):
    config = '{"loss": "dice", "store": "/canary/store", "deep": [{"path": Path("canary")}]}'
    script = f"""
    run = start("one", "offline", {config})
    run.log({{"train/loss": 0.5, "trainer/global_step": 7}})
    """
    run_script(PRELUDE, script, RESULTS, "finish(run); print(json.dumps(run.settings.mode))")
    (log,) = folder.glob("one/wandb/*/run-*.wandb")
    found = records(log)
    (run,) = of_type(found, "run")
    assert {"run_id": "id-one", "project": "hipjsw", "run_group": "sweep", "display_name": "one"}.items() <= run.items()
    assert run["config"]["update"]["store"] == NO_PATH
    assert run["config"]["update"]["loss"] == "dice"
    history = {key: value for row in of_type(found, "history") for key, value in row["item"].items()}
    assert history["train/loss"] == 0.5
    assert history["figures/worst.width"] == 200
    summary = {key: value for row in of_type(found, "summary") for key, value in row["update"].items()}
    assert summary["test/dice/mean"] == 0.9
    assert "test/mjsw/sd_mm" not in summary  # undefined
    table = json.loads((log.parent / "files" / history["test/hips.path"]).read_text())
    assert table["columns"] == ["hip", "mjsw_mm", "reason"]
    assert table["data"] == [["3fa2", 3.0, None], ["91c0", 2.5, None], ["77b1", None, "no femur"]]
    assert [record["exit_code"] for record in of_type(found, "exit")] == [0]  # a slow run also says its seconds
    assert not {"environment", "stats", "output_raw", "artifact"} & {record["type"] for record in found}
    assert "host" not in run
    kept = [log, *(path for path in (log.parent / "files").rglob("*") if path.is_file())]
    assert len(kept) == 3
    for path in kept:
        content = path.read_bytes()
        for word in (b"canary", str(REPOSITORY).encode(), sys.prefix.encode()):
            assert word not in content, (path.name, word)
    assert not (folder / "canary-home" / ".local").exists()  # no copies staged in the user's home


def test_online_run_sends_the_results_and_names_nobody(run_script, server_script):
    script = """
    run = start("one", "auto")
    mode = run.settings.mode
    """
    end = """
    finish(run)
    text = repr(seen)
    print(json.dumps({"mode": mode, "sent": [path for path, *_ in seen], "canary": text.count("canary"),
                      "folder": text.count(str(out)), "dice": "test/dice/mean" in text}))
    """
    said = run_script(PRELUDE, "hang = None", server_script, script, RESULTS, end)
    assert said["mode"] == "online"
    assert said["dice"]
    assert any("media/table/" in path for path in said["sent"])
    assert any("media/images/" in path for path in said["sent"])
    assert said["canary"] == said["folder"] == 0


def test_server_that_falls_silent_does_not_hold_the_end(run_script, server_script):
    script = """
    run = start("one", "online")
    run.log({"a": 1})
    began = time.monotonic()
    finish(run)
    print(json.dumps([run.settings.mode, time.monotonic() - began]))
    """
    mode, wait_s = run_script(PRELUDE, "hang = 'stream'", server_script, script)
    assert mode == "online"
    assert wait_s < 5.5


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_unreachable_server_falls_back_in_time(run_script, folder, mode):
    script = f"""
    run = start("one", "{mode}")
    found = [run.settings.mode, run.id]
    finish(run)
    print(json.dumps([*found, time.monotonic() - began]))
    """
    found = run_script(PRELUDE, script, WANDB_BASE_URL="http://127.0.0.1:9", WANDB_API_KEY="a" * 40)
    assert found[:2] == ["offline", "id-one"]
    assert found[2] <= BUDGET_S
    assert len(list(folder.glob("one/wandb/offline-run-*"))) == 1


def test_server_that_hangs_falls_back_in_time(run_script, server_script):
    script = """
    began = time.monotonic()
    run = start("one", "online")
    found = [run.settings.mode, run.id]
    finish(run)
    print(json.dumps([*found, time.monotonic() - began]))
    """
    began = time.monotonic()
    mode, run_id, wait_s = run_script(PRELUDE, "hang = 'always'", server_script, script)
    assert (mode, run_id) == ("offline", "id-one-offline")
    assert wait_s <= BUDGET_S + 0.5
    assert time.monotonic() - began < 10  # error reports would hold the process 10 s at its end


def test_two_runs_of_one_process_are_two(run_script, folder, records):
    script = """
    one, two = start("one", "offline"), start("two", "offline")
    one.log({"a": 1}); two.log({"a": 2})
    finish(one); finish(two)
    print(json.dumps([one.id, two.id]))
    """
    assert run_script(PRELUDE, script) == ["id-one", "id-two"]
    for name, value in (("one", 1), ("two", 2)):
        (log,) = folder.glob(f"{name}/wandb/*/run-*.wandb")
        assert [row["item"]["a"] for row in of_type(records(log), "history")] == [value]


def test_without_wandb(run_script):
    script = """
    run = start("one", "auto")
    log_results(run, {"a": 1}, [{"b": 2}], {"c": out / "none.png"})
    finish(run)
    print(json.dumps([run, resolve_mode("online"), resolve_mode("offline")]))
    """
    assert run_script("import sys; sys.modules['wandb'] = None", PRELUDE, script) == [None, "disabled", "disabled"]


def test_failures_are_warnings(run_script):
    script = """
    import logging
    class Said(logging.Handler):
        said = []
        def emit(self, record): self.said.append(record.getMessage())
    logging.getLogger("hipjsw").addHandler(Said())
    (out / "file").write_text("")
    none = start("file", "offline")  # a file where the folder should be
    wrong = start("two", "sometimes")
    run = start("one", "offline")
    log_results(run, {"a": 1}, [{"b": object()}], {"c": out / "missing.png"})
    finish(run); finish(run); finish(none)
    print(json.dumps([none, wrong, len(Said.said), Said.said]))
    """
    none, wrong, num, said = run_script(PRELUDE, script)
    assert none is wrong is None
    assert num == 3
    assert "must be one of" in said[1]
    assert "pictures did not reach W&B" in said[2]
