"""Workspace and report: as they were written down, of designs alone, and saved with an account only.

After a change that is meant, write them down anew: ``HIPJSW_WRITE=1 pytest tests/reporting/test_workspace.py``.
"""

import json
import os
import pickle
import socket
import sys
from pathlib import Path

import pytest

from hipjsw.reporting import workspace
from hipjsw.reporting.ablation_dashboard import ablation_numbers
from hipjsw.reporting.workspace import WorkspaceError, report_spec, save_report, save_workspace, workspace_spec

pytest.importorskip("wandb_workspaces")

HERE = Path(__file__).parent


@pytest.fixture
def unplugged(monkeypatch):
    """No connection can be made."""

    def refuse(*arguments, **options):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def parts(value, **wanted):
    """Every part of a specification that says what is wanted, wherever it stands."""
    if isinstance(value, dict):
        if wanted.items() <= value.items():
            yield value
        for item in value.values():
            yield from parts(item, **wanted)
    elif isinstance(value, list):
        for item in value:
            yield from parts(item, **wanted)


@pytest.mark.parametrize("name", ["workspace", "report"])
def test_as_it_was_written_down(name, made, unplugged):
    build, designs = {"workspace": (workspace_spec, [made.LOSS, made.FOLDS]), "report": (report_spec, [made.LOSS])}[
        name
    ]
    path, spec = HERE / f"{name}.json", build("hipjsw", "team", designs)
    if os.environ.get("HIPJSW_WRITE"):
        path.write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == spec
    assert build("hipjsw", "team", [*designs, designs[0]]) == spec  # W&B's ids are random; an ablation is said once


@pytest.mark.parametrize("build", [workspace_spec, report_spec])
def test_bars_are_numbers_that_ablations_log(build, made, unplugged):
    result = made.made_result()
    bars = [bar["config"]["metrics"] for bar in parts(build("p", "e", [result.design]), viewType="Bar Chart")]
    of_arms = [metrics for metrics in bars if metrics[0].startswith("arm/")]
    assert len(of_arms) == 3
    for metrics in of_arms:
        assert [metric.split("/")[1] for metric in metrics] == [row.arm for row in result.arms]
        assert set(metrics) <= set(ablation_numbers(result))


def test_a_pooled_ablation_shows_the_folds_put_together(made, unplugged):
    bars = parts(workspace_spec("p", "e", [made.FOLDS]), viewType="Bar Chart")
    assert next(bars)["config"]["metrics"] == [f"arm/{name}/dice" for name in ("fold0", "fold1", "fold2", "pooled")]


def test_each_arm_of_the_report_has_its_own_trainings(made, unplugged):
    spec = report_spec("p", "e", [made.LOSS, made.ACTIVATION])
    grids = list(parts(spec, type="panel-grid"))
    assert len(grids) == 4
    sets = {grid["metadata"]["runSets"][0]["name"]: grid["metadata"]["runSets"] for grid in grids}
    assert [runs["filters"]["filters"][0]["value"] for runs in sets["Dice"]] == [
        ["loss:dice"],
        ["loss:dicece"],
        ["loss:ce"],
    ]
    assert [runs["name"] for runs in sets["Softmax"]] == ["Softmax", "Sigmoid"]
    (job, tag) = grids[2]["metadata"]["runSets"][0]["filters"]["filters"]
    assert (job["value"], tag["value"], tag["connector"]) == ("ablation", ["activation"], "AND")


@pytest.mark.parametrize("build", [workspace_spec, report_spec])
def test_nothing_overlaps_and_every_id_is_one_thing(build, made, unplugged):
    spec = build("p", "e", [made.LOSS, made.ACTIVATION])
    ids = [part["__id__"] for part in parts(spec) if "__id__" in part]
    assert len(ids) == len(set(ids)) > 10
    for grid in parts(spec, type="panel-grid"):
        taken = set()
        for panel in grid["metadata"]["panelBankSectionConfig"]["panels"]:
            at = panel["layout"]
            cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
            assert not cells & taken
            assert at["x"] + at["w"] <= 24
            taken |= cells


@pytest.mark.parametrize("save", [save_workspace, save_report])
def test_without_an_account_or_a_server_it_says_so(save, made, monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith(("WANDB", "NETRC"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(WorkspaceError, match=r"nobody is logged in to http://127.0.0.1:9; run `wandb login`"):
        save("p", None, [made.LOSS])
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    with pytest.raises(WorkspaceError, match=r"does not answer within 3 s; try again"):
        save("p", None, [made.LOSS])


def test_without_the_package_it_says_how_to_get_it(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    with pytest.raises(WorkspaceError, match=r"pip install 'hipjsw\[dashboard\]'"):
        workspace_spec("p", "e", [made.LOSS])
    assert workspace  # importing it needs no package


def test_saving_sends_what_was_built(run_script, server_script, folder, made):
    (folder / "given.pickle").write_bytes(pickle.dumps([made.LOSS]))
    script = """
    import pickle, re
    from hipjsw.reporting.workspace import report_spec, save_report, save_workspace, workspace_spec
    designs = pickle.loads((out / "given.pickle").read_bytes())
    urls = [save("hipjsw", "e", designs) for save in (save_workspace, save_report)]
    sent = [json.loads(content)["variables"] for _, _, content in seen if b"upsertView" in content]
    shape = lambda spec: re.sub(r'"(__id__|id)": "[^"]*"', "", json.dumps(spec))
    same = [shape(json.loads(variables["spec"])) == shape(build("hipjsw", "e", designs)["spec"])
            for variables, build in zip(sent, (workspace_spec, report_spec))]
    print(json.dumps([urls, same, [variables["displayName"] for variables in sent]]))
    """
    prelude = "import json, os, sys, time\nfrom pathlib import Path\nout = Path(sys.argv[1])"
    urls, same, names = run_script(prelude, "hang = None", server_script, script)
    assert same == [True, True]
    assert names == ["hipjsw: ablations"] * 2
    assert all("/e/hipjsw" in url for url in urls)
