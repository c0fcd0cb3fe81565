"""Films that are a few bytes each, and a writer of their store that is killed; run as a program it does the killing."""

import os
import random
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from hipjsw.cohort import journal
from hipjsw.cohort.companions import Companions
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.film_source import FilmSource, film_key
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.layout import FilmEntry, PointsFile
from hipjsw.cohort.order import in_order
from hipjsw.cohort.preparation import PreparedFilm, PreparedHip, PrepareOptions
from hipjsw.cohort.sources import contents, file_stats
from hipjsw.cohort.store import Store
from hipjsw.cohort.writing import prepare_cohort, write_store
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import ViewSpec

KEY = b"k" * 32
OPTIONS = PrepareOptions(ViewSpec("tiny", 16, 16, 1.6, 1, "head", "view", 0.5, 99.5), "study")


def write_film(root, number, text):
    """A film that is ``text``; one that begins with 'bad' cannot be read, 'one' shows a usable left hip only."""
    for path, content in ((f"films/{number:03d}.txt", text), (f"points/{number:03d}.pts", f"points {text}")):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def write_films(root, count):
    for number in range(count):
        write_film(root, number, {3: "bad", 5: "one"}.get(number, f"film {number}"))


def entries(root):
    for path in sorted((root / "films").iterdir()):
        points = PointsFile(f"points/{path.stem}.pts")
        yield FilmEntry("OAI", f"90{path.stem}", "V00", f"films/{path.name}", (points,))


def prepare(root, options, pause_s, entry):
    time.sleep(pause_s)
    text = (root / entry.film).read_text()
    film, points = contents(root, entry)
    record = FilmRecord(entry, film, points, film, spacing=PixelSpacing(0.1, 0.2, SpacingSource.PIXEL))
    reasons = {"right": "misplaced" if text.startswith("one") else "", "left": ""}
    if text.startswith("bad"):
        reasons = dict.fromkeys(reasons, "not_dicom")
        record = FilmRecord(entry, film, points, findings=(Finding(entry.film, "not_dicom", "it is text"),))
    rng = np.random.default_rng(list((film + points).encode()))
    hips, arrays = [], []
    for side, reason in reasons.items():
        hips.append(HipRecord(side, reason) if reason else HipRecord(side, "", *rng.random(2)))
        arrays.append(PreparedHip(side) if reason else _drawn(side, options.view.stored_shape, rng))
    record = FilmRecord(**{**vars(record), "hips": tuple(hips)})
    return PreparedFilm(record, tuple(arrays))


def _drawn(side, shape, rng):
    return PreparedHip(
        side,
        rng.integers(0, 65536, shape, dtype=np.uint16),
        rng.integers(0, 256, (4, *shape), dtype=np.uint8),
        rng.random((80, 2)),
        rng.random(8),
    )


def source(root, options=OPTIONS, pause_s=0.0, calls=None, companions=None, findings=()):
    """The films as a source; ``calls`` is filled with the names of those that are prepared and read."""
    films = list(entries(root))

    def prepared(numbers):
        if calls is not None:
            calls["prepared"] = [films[n].film for n in numbers]
        return in_order(partial(prepare, root, options, pause_s), [films[n] for n in numbers], 1)

    def read(numbers):
        if calls is not None:
            calls["read"] = [films[n].film for n in numbers]
        return (contents(root, films[n]) for n in numbers)

    return FilmSource(
        name="drawn films",
        keys=[film_key([e.dataset, e.subject, e.visit, e.film], [str(p) for p in e.points]) for e in films],
        stats=[file_stats(root, e) for e in films],
        prepare=prepared,
        companions=companions or Companions({}, None, ""),
        findings=findings,
        contents=read,
    )


def write(root, folder, pause_s=0.0):
    return write_store(folder, OPTIONS, source(root, pause_s=pause_s), KEY)


def die_at(step):
    """End the process, as by kill -9, instead of the ``step``-th sync or renaming."""
    left = step

    def dying(call):
        def instead(*args, **kwargs):
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return call(*args, **kwargs)

        return instead

    for name in ("fsync", "rename", "replace", "unlink", "rmdir", "link"):
        setattr(os, name, dying(getattr(os, name)))


def in_child(work, kill_after_s=None):
    """Do work in a process of its own, killed after a while; whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 1:
        raise SystemExit("the child failed")
    return status == 0


def same(folder, wanted):
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    if found != {path.name: path.read_bytes() for path in wanted.iterdir()}:
        raise SystemExit(f"{sorted(found)}: other bytes than of the uninterrupted store")
    if [p.name for p in folder.parent.iterdir() if p.name.startswith(folder.name + ".")]:
        raise SystemExit("something was left lying about")


def random_kills(cohort, wanted, out, kills, seed):
    chance = random.Random(seed)
    for _ in range(kills):
        in_child(lambda: write(cohort, out, 0.002), chance.uniform(0.002, 0.06))
    write(cohort, out)
    same(out, wanted)


def cohort_kills(cohort, wanted, out, kills, seed):
    """The same with films on disk and two processes."""
    chance = random.Random(seed)
    options = PrepareOptions(ViewSpec(**Store.open(wanted).meta["view"]), "study")
    for _ in range(kills):
        in_child(lambda: prepare_cohort(cohort, out, options, 2), chance.uniform(0.2, 6.0))
    prepare_cohort(cohort, out, options, 2)
    same(out, wanted)


def step_kills(cohort, wanted, out, stride, before):
    """Kill at every ``stride``-th step, from the same beginning (``before``: a store to be brought up to date)."""
    step = 0
    while True:
        for path in (out, *(p for p in out.parent.iterdir() if p.name.startswith(out.name + "."))):
            shutil.rmtree(path, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, out)

        def attempt(step=step):
            die_at(step)
            write(cohort, out)

        whole = in_child(attempt)
        write(cohort, out)
        same(out, wanted)
        if whole:
            print(step)
            return
        step += stride


if __name__ == "__main__":
    journal.FILMS_PER_COMMIT = 3
    what, cohort, wanted, out, *rest = sys.argv[1:]
    places = (Path(cohort), Path(wanted), Path(out))
    if what == "steps":
        step_kills(*places, int(rest[0]), Path(rest[1]) if rest[1:] else None)
    else:
        {"random": random_kills, "cohort": cohort_kills}[what](*places, int(rest[0]), int(rest[1]))
