"""Faults of the data: too little, too few, changed, another version, two at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random

import numpy as np
from doors import launch
from workplace import ARRAYS, QUIET, TINY, Workplace, differs, run_door

from hipjsw.cohort.store import Store


def amiss(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """One case after the other."""
    del rng
    cases = (_batch_of_one, _other_version, _two_prepare, _few, _one_person, _changed_film, _absent_class, _two_train)
    for nth in range(times):
        yield cases[nth % len(cases)](place)


def _trains(place: Workplace, *options: str) -> str:
    run = place.new("data")
    done = place.train(run, *options)
    if done.wait() != 0:
        return f"exit code {done.code}: {done.text()[-300:]}"
    metrics = json.loads((run / "metrics.json").read_text())
    return "" if np.isfinite([v for v in metrics.values() if isinstance(v, float)]).all() else "a metric is not finite"


def _batch_of_one(place: Workplace) -> str:
    return _trains(place, "budget.batch_size=1")


def _few(place: Workplace) -> str:
    return _trains(place, "budget.batch_size=64", "budget.steps=2", "budget.val_every=1")


def _refused(place: Workplace, store: object, words: str) -> str:
    run = place.new("data")
    done = place.train(run, f"store={store}")
    code, said = done.wait(), done.text()
    return "" if code == 1 and words in said and "Traceback" not in said else f"exit code {code}: {said[-300:]}"


def _other_version(place: Workplace) -> str:
    store = place.copy(place.store, "version")
    path = store / "store.json"
    content = json.loads(path.read_text())
    key = next(name for name in content if "version" in name)
    path.write_text(json.dumps(content | {key: 9999}))
    return _refused(place, store, "9999")


def _one_person(place: Workplace) -> str:
    cohort, store = place.new("cohort"), place.new("store")
    for door, *options in (
        ("phantom", f"out={cohort}", "subjects=1", "seed=3", "workers=1"),
        ("prepare", f"cohort={cohort}", f"store={store}", "workers=1"),
    ):
        done = run_door(door, *options, cwd=place.folder)
        if done.code != 0:
            return f"exit code {done.code}: {done.text()[-300:]}"
    return _refused(place, store, "person")


def _changed_film(place: Workplace) -> str:
    cohort = place.copy(place.folder / "cohort", "cohort")
    store = place.new("store")
    options = (f"cohort={cohort}", f"store={store}", "workers=1")
    first = run_door("prepare", *options, cwd=place.folder)
    before = (store / "store.json").read_bytes()
    film = sorted(cohort.glob("*/*/*.dcm"))[0]
    content = bytearray(film.read_bytes())
    content[-1000:] = bytes(1000)
    film.write_bytes(bytes(content))
    second = run_door("prepare", *options, cwd=place.folder)
    if (first.code, second.code) != (0, 0):
        return f"exit codes {first.code}, {second.code}: {second.text()[-300:]}"
    return "" if (store / "store.json").read_bytes() != before else "the change was not noticed"


def _absent_class(place: Workplace) -> str:
    store = place.copy(place.store, "absent")
    opened = Store.open(store)
    planes = np.memmap(store / "planes.u8", dtype=np.uint8, mode="r+", shape=opened.planes.shape)
    planes[:, 2] = 0  # no joint space anywhere
    planes.flush()
    del planes, opened
    run = place.new("data")
    done = launch(
        *("train", "data=cohort", f"store={store}", f"run={run}", *TINY, *QUIET, "loss=dice"), cwd=place.folder
    )
    if done.wait() != 0:  # a store that is not what was written may be refused, by a word
        said = done.text()
        return "" if "Traceback" not in said and "error:" in said else f"exit code {done.code}: {said[-300:]}"
    metrics = json.loads((run / "metrics.json").read_text())
    dice = metrics.get("test/dice/joint_space", 0.0)  # 0 where some is predicted, undefined where none is
    finite = np.isfinite([value for value in metrics.values() if isinstance(value, float)]).all()
    return "" if dice == 0.0 and finite else f"a Dice of nothing: {dice}"


def _at_once(start: Callable[[], object]) -> list[str]:
    going = [start(), start()]
    return [f"{one.wait()}: {one.text()[-200:]}" for one in going if one.wait() != 0]  # type: ignore[attr-defined]


def _two_prepare(place: Workplace) -> str:
    store = place.new("store")
    options = ("prepare", f"cohort={place.folder / 'cohort'}", f"store={store}", "workers=1")
    bad = _at_once(lambda: launch(*options, cwd=place.folder))
    if len(bad) == 2:
        return f"none of two succeeded: {bad}"
    for path in (place.store / n for n in ARRAYS):
        if (store / path.name).read_bytes() != path.read_bytes():
            return f"{path.name} is another"
    return ""


def _two_train(place: Workplace) -> str:
    run = place.new("data")
    bad = _at_once(lambda: place.train(run))
    if len(bad) == 2:
        return f"none of two succeeded: {bad}"
    return differs(run, place.whole)
