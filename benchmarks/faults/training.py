"""Faults of a training: it is killed, stopped, its checkpoints are spoilt, its numbers overflow."""

from __future__ import annotations

import pickle
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import torch
from doors import launch
from workplace import Workplace, differs

from hipjsw.learning.checkpoint import PlainCheckpoints, usable


def killed(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """kill -9 at random moments from first step to last file, every fifth time while a checkpoint is written."""
    run, kills = place.new("killed"), 0
    while kills < times:
        going = place.train(run)
        if kills % 5 == 4:
            going.wait(lambda run=run: any((run / "checkpoints").glob(".*.partial")))
        else:
            going.wait(lambda run=run: (run / "run.json").is_file())
            end = time.monotonic() + rng.random() * 0.9 * place.seconds
            going.wait(lambda end=end: time.monotonic() > end)
        if going.poll() is None:
            going.kill()
            kills += 1
            if kills < times:
                yield ""
                continue
            yield place.finish(run)
        elif going.code != 0:
            yield f"exit code {going.code}: {going.text()[-300:]}"
            return
        else:
            lost = differs(run, place.whole)
            if lost:
                yield lost
            run = place.new("killed")


def terminated(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """SIGTERM between two epochs: exit code 143, and the same command continues."""
    for _ in range(times):
        run, rows = place.new("terminated"), rng.choice([2, 3])
        going = place.train(run)
        history = run / "history.csv"
        going.wait(lambda n=rows, h=history: h.is_file() and len(h.read_text().splitlines()) >= n)
        going.send(signal.SIGTERM)
        code = going.wait()
        yield place.finish(run) if code == 143 else f"exit code {code} instead of 143"


def other_workers(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """Loading processes change nothing."""
    del rng
    for workers in range(1, times + 1):
        run = place.new("workers")
        done = place.train(run, f"num_workers={workers}")
        yield differs(run, place.whole) if done.wait() == 0 else f"exit code {done.code}: {done.text()[-300:]}"


def spoilt(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """A checkpoint truncated or with one bit flipped at a random place."""
    for nth in range(times):
        name = ("last", "best")[nth % 2]
        folder = place.new("spoilt")
        folder.mkdir()
        for path in (place.whole / "checkpoints").glob(f"{name}*"):
            shutil.copy(path, folder)
        target = folder / f"{name}.ckpt"
        spoil(target, rng, cut=nth % 4 > 1)
        read = usable(target)
        yield "" if read is not None and read != target else f"not noticed in {name}.ckpt"
        shutil.rmtree(folder)


def spoilt_and_continued(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """The last checkpoint of a run that was cut short is spoilt: it goes on from the one before."""
    for nth in range(times):
        run = place.new("going-on")
        going = place.train(run)
        going.wait(lambda r=run: (r / "checkpoints" / "last-before.ckpt").is_file())
        going.kill()
        spoil(run / "checkpoints" / "last.ckpt", rng, cut=nth % 2 == 0)
        done = place.train(run)
        if done.wait() != 0 or "last-before.ckpt is used" not in done.text():
            yield f"exit code {done.code}, not said: {done.text()[-300:]}"
        else:
            yield differs(run, place.whole)


def spoil(path: Path, rng: Random, cut: bool) -> None:
    """Truncate a file or flip one of its bits."""
    content = bytearray(path.read_bytes())
    at = rng.randrange(len(content))
    if cut:
        del content[at:]
    else:
        content[at] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def malicious(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """A pickle that runs a program, in place of a checkpoint and of a model's weights."""
    from hipjsw.inference.model_folder import read_model
    from hipjsw.inference.model_place import model_folder

    del rng
    for nth in range(times):
        canary = place.new("canary")
        read: Callable[[], object]
        if nth % 2 == 0:
            folder = place.copy(place.whole / "checkpoints", "evil")
            for path in folder.iterdir():
                torch.save({"state_dict": {}, "evil": Canary(canary)}, path)
            read = partial(PlainCheckpoints().load_checkpoint, folder / ("last.ckpt", "best.ckpt")[nth // 2 % 2])
        else:
            folder = place.copy(model_folder("default"), "evil")
            next(folder.glob("*.safetensors")).write_bytes(pickle.dumps(Canary(canary)))
            read = partial(read_model, folder)
        try:
            read()
            yield "was read"
        except ValueError:
            yield "a program ran" if canary.exists() else ""


def overflow(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """A learning rate at which numbers overflow: the run stops, says where, and has no bad checkpoint."""
    del rng
    for nth in range(times):
        run = place.new("overflow")
        done = place.train(run, f"optim.optimizer.lr=1e{(30, 20, 12)[nth % 3]}")
        code, said = done.wait(), done.text()
        if code != 1 or "at step" not in said or "with the hips h" not in said or "Traceback" in said:
            yield f"exit code {code}: {said[-300:]}"
            continue
        states = [torch.load(p, weights_only=True)["state_dict"] for p in (run / "checkpoints").glob("*.ckpt")]
        finite = all(bool(torch.isfinite(value).all()) for state in states for value in state.values())
        yield "" if finite else "a checkpoint holds NaN"


def again(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """A run is made again from what it recorded."""
    del rng
    for _ in range(times):
        done = launch("train", f"replay={place.whole}", f"run={place.new('replay')}", "logger=none", cwd=place.folder)
        yield "" if done.wait() == 0 and "the replay is equal" in done.text() else done.text()[-300:]
