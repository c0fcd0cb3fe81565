"""Faults of the disk: it is full while something is written. A small memory disk stands for it; mounting needs root."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from doors import Launched
from workplace import ARRAYS, Workplace, differs, run_door


class CannotMountError(RuntimeError):
    """This machine lets nobody mount a disk."""


@contextmanager
def disk(place: Workplace, megabytes: float) -> Iterator[Path]:
    """A disk of its own, so large."""
    folder = place.new("disk")
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={int(megabytes * 1024)}k", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def larger(folder: Path) -> None:
    """Make room."""
    _mount("-o", "remount,size=512m", str(folder))


def _mount(*options: str) -> None:
    try:
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CannotMountError("no mount here") from error
    if done.returncode:
        raise CannotMountError(done.stderr.strip())


def hashes(folder: Path) -> dict[str, str]:
    """Of all files that are not half written."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".partial"))
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def full(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """Full while a store, a checkpoint, the results, an evaluation or a report of films is written."""
    cases = (_checkpoint, _store, _films, _evaluation, _checkpoint)
    for nth in range(times):
        yield cases[nth % len(cases)](place, rng.uniform(0.5, 1.5) if nth >= len(cases) else 1.0)


def _said(done: Launched) -> str:
    """What is wrong with how a full disk was told; empty if nothing."""
    text = done.text()
    if done.code in (0, None):
        return f"a full disk was not told, exit code {done.code}"
    if "No space left on device" not in text or "Traceback" in text:
        return f"no clear error, exit code {done.code}: {text[-300:]}"
    return ""


def _checkpoint(place: Workplace, share: float) -> str:
    size = sum(path.stat().st_size for path in (place.whole / "checkpoints").iterdir()) / 2**20
    with disk(place, 0.7 * share * size) as folder:
        run = folder / "run"
        done = place.train(run)
        done.wait()
        wrong = _said(done)
        kept = hashes(run / "checkpoints")
        larger(folder)
        for name, digest in kept.items():
            if hashes(run / "checkpoints").get(name) != digest:
                return f"{name} changed"
        done = place.train(run)
        return wrong or (differs(run, place.whole) if done.wait() == 0 else f"not continued: {done.text()[-300:]}")


def _store(place: Workplace, share: float) -> str:
    size = sum(path.stat().st_size for path in place.store.rglob("*") if path.is_file()) / 2**20
    options = (f"cohort={place.folder / 'cohort'}", "workers=1")
    with disk(place, 0.5 * share * size) as folder:
        done = run_door("prepare", *options, f"store={folder / 'store'}", cwd=place.folder)
        wrong = _said(done)
        larger(folder)
        done = run_door("prepare", *options, f"store={folder / 'store'}", cwd=place.folder)
        if done.code != 0:
            return wrong or f"not continued: {done.text()[-300:]}"
        equal = all((folder / "store" / n).read_bytes() == (place.store / n).read_bytes() for n in ARRAYS)
        return wrong or ("" if equal else "the store is another")


def _films(place: Workplace, share: float) -> str:
    options = (f"images={place.folder / 'cohort'}", "device=cpu", "workers=1")
    with disk(place, 1.2 * share) as folder:
        done = run_door("measure", *options, f"out={folder / 'out'}", cwd=place.folder)
        wrong = _said(done)
        larger(folder)
        done = run_door("measure", *options, f"out={folder / 'out'}", cwd=place.folder)
        if done.code not in (0, 3):
            return wrong or f"not continued: {done.text()[-300:]}"
        rows = len((folder / "out" / "measurements.csv").read_text().splitlines()) - 1
        failed = (folder / "out" / "measurements.csv").read_text().count("No space")
        return wrong or ("" if rows >= 9 and not failed else f"{rows} rows, {failed} failed")


def _evaluation(place: Workplace, share: float) -> str:
    with disk(place, 0.02 * share) as folder:
        options = (f"run={place.whole}", f"out={folder / 'out'}")
        before = hashes(place.whole)
        done = run_door("evaluate", *options, cwd=place.folder)
        wrong = _said(done)
        larger(folder)
        done = run_door("evaluate", *options, cwd=place.folder)
        if done.code != 0:
            return wrong or f"not continued: {done.text()[-300:]}"
        return wrong or ("" if hashes(place.whole) == before else "the run was changed")
