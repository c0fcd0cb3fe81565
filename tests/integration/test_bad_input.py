"""Whatever a person gets wrong is one readable line and exit code 1, never a traceback as the only answer."""

import json
import shutil

import pytest


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("prepare", ["cohort={empty}", "store={new}"], "neither a folder OAI nor a folder CHECK"),
        ("prepare", ["cohort=nowhere", "store={new}"], "does not exist"),
        ("prepare", ["cohort={cohort}", "store={store}", "view=hip"], "another folder"),
        ("prepare", ["cohort={cohort}", "store={new}", "veiw=hip"], "veiw"),
        ("train", ["data=cohort"], "store=DIR"),
        ("train", ["data=cohort", "store={empty}"], "is no store"),
        ("train", ["data=cohort", "store={store}", "view=hip"], "prepared with view=coarse"),
        ("train", ["data=cohort", "store={old}"], "version 0"),
        ("train", ["data=cohort", "store={store}", "budget.steps=7", "budget.val_every=2"], "multiple of val_every"),
        ("evaluate", ["run={empty}"], "is no run"),
        ("phantom", ["out={cohort}", "subjects=3", "seed=99"], "another"),
    ],
)
def test_errors_say_what_and_what_to_do(name, options, said, workplace, door):
    folder = workplace.folder
    empty, old = folder / "empty", folder / "old-store"
    empty.mkdir(exist_ok=True)
    if not old.exists():
        shutil.copytree(workplace.store, old)
        meta = json.loads((old / "store.json").read_text())
        (old / "store.json").write_text(json.dumps(meta | {"store_version": 0}))
    places = {"empty": empty, "old": old, "new": folder / "new", "cohort": workplace.cohort, "store": workplace.store}
    done = door(name, *(option.format(**places) for option in options), cwd=folder)
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (folder / "new" / "store.json").exists()


@pytest.mark.parametrize("name", ["phantom", "prepare", "train", "evaluate"])
def test_help_says_what_the_door_does(name, workplace, door):
    done = door(name, "--help", cwd=workplace.folder)
    assert done.code == 0
    assert f"hipjsw.{name}" in done.out


def test_too_few_persons_is_said(workplace, door):
    cohort = workplace.folder / "two"
    done = door("phantom", f"out={cohort}", "subjects=2", "seed=1", cwd=workplace.folder)
    assert done.code == 0, done.err
    store = workplace.folder / "two-store"
    done = door("prepare", f"cohort={cohort}", f"store={store}", cwd=workplace.folder)
    assert done.code == 0, done.err
    run = workplace.folder / "two-run"
    done = door("train", "data=cohort", f"store={store}", f"run={run}", cwd=workplace.folder)
    assert done.code == 1
    assert "2 persons" in done.err
