"""A run made again from what it recorded: equal, or told that it is not."""

import json
import shutil

import pytest
import torch


@pytest.fixture(scope="module")
def run(workplace, tiny, door):
    folder = workplace.folder / "to be replayed"
    done = door(
        "train",
        "data=cohort",
        f"store={workplace.store}",
        f"run='{folder}'",
        "logger=none",
        *tiny,
        cwd=workplace.folder,
    )
    assert done.code == 0, done.err
    return folder


def test_a_replay_is_equal_to_the_last_bit_and_what_differs_is_said(run, workplace, door):
    command = ("train", f"replay='{run}'", "logger=none")
    done = door(*command, cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "the replay is equal" in done.out
    again = run.with_name(f"{run.name}-replay")
    assert (again / "metrics.json").read_bytes() == (run / "metrics.json").read_bytes()
    assert (again / "test_hips.csv").read_bytes() == (run / "test_hips.csv").read_bytes()
    metrics = json.loads((again / "metrics.json").read_text())
    first = min(key for key, value in metrics.items() if isinstance(value, float))
    (again / "metrics.json").write_text(json.dumps(metrics | {first: metrics[first] + 1e-12}))
    for name in ("best.ckpt", "best-copy.ckpt"):
        path = again / "checkpoints" / name
        state = torch.load(path, weights_only=True)
        next(iter(state["state_dict"].values())).view(-1)[0] += 1e-3
        torch.save(state, path)
    done = door(*command, cwd=workplace.folder)
    assert done.code == 3, done.err
    said = " ".join(done.out.split())
    assert "the replay is NOT equal" in said
    assert "apart by up to 0.001" in said
    assert f"1 differ, e.g. {first}" in said
    assert "losses and validation Dice yes" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("replay=nowhere",), "is no run"),
        (("replay={run}", "run={run}"), "the run that is to be replayed"),
        (("-m", "replay={run}", "seed=0,1"), "leave -m out"),
        (("replay={cut}",), "is not finished"),
    ],
)
def test_what_cannot_be_replayed_is_said(run, workplace, door, tmp_path, options, message):
    shutil.copytree(run, tmp_path / "cut")
    (tmp_path / "cut" / "metrics.json").unlink()
    given = [option.format(run=f"'{run}'", cut=f"'{tmp_path / 'cut'}'") for option in options]
    done = door("train", *given, f"runs_dir={tmp_path}", "logger=none", cwd=workplace.folder)
    assert done.code == 1
    assert message in done.out + done.err
