"""Bytes flipped, cut, doubled and made up: a finding or an error line, no crash, no hang, bounded memory."""

from __future__ import annotations

import csv
import io
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from workplace import Workplace

#: Seconds for one input, and more memory than when it began: what a film of the largest size may take.
LONGEST_S, MOST_MB = 20, 3000
#: What is changed, and what then reads it.
Target = tuple[bytes, Callable[[bytes], object]]
SECONDS = {"sample": 1.5, "whole": 300.0}


def fuzzed(kind: str, mode: str) -> Callable[[Workplace, int, Random], Iterator[str]]:
    """A row of one kind of input; as many tries as its seconds hold."""

    def row(place: Workplace, times: int, rng: Random) -> Iterator[str]:
        del times
        yield from _in_child(KINDS[kind](place), SECONDS[mode], rng.randrange(1 << 30))

    return row


def _in_child(target: Target, seconds: float, seed: int) -> list[str]:
    """Try in a process of its own; one line a try."""
    with tempfile.TemporaryDirectory() as folder:
        result, last = Path(folder, "result"), Path(folder, "last")
        pid = os.fork()
        if pid == 0:
            try:
                _child(target, seconds, seed, result, last)
            except BaseException:
                result.write_text("the fuzzer failed: " + traceback.format_exc().replace("\n", " / ")[-600:])
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        lines = result.read_text().splitlines() if result.is_file() else []
        if status != 0:
            kept = Path(tempfile.gettempdir(), f"hipjsw-fuzz-{seed}")
            if last.is_file():
                shutil.copy(last, kept)
            lines.append(f"ended with {os.waitstatus_to_exitcode(status)}; the input is in {kept.name}")
        return [line.removeprefix("ok") for line in lines]


def _child(target: Target, seconds: float, seed: int, result: Path, last: Path) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(quiet, number)
    rng, lines = Random(seed), []
    content, act = target
    signal.signal(signal.SIGALRM, _hung)
    used = _memory_mb()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        changed = mutate(content, rng)
        last.write_bytes(changed)
        signal.alarm(LONGEST_S)
        try:
            act(changed)
            lines.append("ok")
        except (ValueError, OSError):
            lines.append("ok")  # an error with a line for the user
        except BaseException as error:
            lines.append(f"{type(error).__name__}: {error}".splitlines()[0][:200])
            shutil.copy(last, Path(tempfile.gettempdir(), f"hipjsw-fuzz-{seed}-{len(lines)}"))
        signal.alarm(0)
        if _memory_mb() - used > MOST_MB:
            lines.append(f"took {_memory_mb() - used:.0f} MB")
            break
    result.write_text("\n".join(lines))


def _hung(number: int, frame: object) -> None:
    del number, frame
    raise SystemError(f"hung for {LONGEST_S} s")


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mutate(content: bytes, rng: Random) -> bytes:
    """One to twenty changes; header and text are changed more often than what follows."""
    made = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not made:
            break
        at = rng.randrange(min(len(made), 4096) if rng.random() < 0.7 else len(made))
        kind = rng.randrange(6)
        if kind < 3:
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 3:
            made[at] = rng.choice([0, 9, 10, 34, 44, 45, 47, 48, 57, 92, 127, 255])
        elif kind == 4:
            del made[at : at + rng.choice([1, 4, 64, len(made)])]
        else:
            made[at:at] = made[at : at + rng.choice([1, 4, 64])] or b"\xff" * 4
    return bytes(made)


def _dicom(place: Workplace) -> Target:
    from hipjsw.imaging.reading import read_film

    film = min(place.folder.glob("cohort/*/*/*.dcm"), key=lambda path: path.stat().st_size)
    return film.read_bytes(), _as_file(place, "film.dcm", lambda path: read_film(path).pixels.sum())


def _points(place: Workplace) -> Target:
    from hipjsw.anatomy.points_file import read_points

    path = next(place.folder.glob("cohort/*-pointfiles/*/*.pts"))
    return path.read_bytes(), _as_file(place, "film.pts", read_points)


def _csv(place: Workplace) -> Target:
    from hipjsw.app.film_list import list_films
    from hipjsw.cohort.list_file import read_list_file

    def read(path: Path) -> None:
        list_films(path)
        read_list_file(path)

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("film", "points", "person", "visit", "spacing_mm"))
    for nth, film in enumerate(sorted(place.folder.glob("cohort/*/*/*.dcm"))[:5]):
        writer.writerow((film.name, f"{film.name}.pts", f"p{nth}", nth, 0.15))
    return text.getvalue().encode(), _as_file(place, "films.csv", read)


def _json(place: Workplace) -> Target:
    from hipjsw.cohort.store import Store

    store = place.copy(place.store, "fuzzed")
    path = store / "store.json"

    def act(content: bytes) -> None:
        path.write_bytes(content)
        Store.open(store)

    return path.read_bytes(), act


def _model(place: Workplace) -> Target:
    from hipjsw.inference.model_folder import read_model
    from hipjsw.inference.model_place import model_folder

    folder = place.copy(model_folder("default"), "fuzzed")
    path = folder / "model.json"

    def act(content: bytes) -> None:
        path.write_bytes(content)
        _ = read_model(folder).net

    return path.read_bytes(), act


def _overrides(place: Workplace) -> Target:
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from hipjsw.app.build import build_task
    from hipjsw.app.paths import conf_dir
    from hipjsw.app.plugins import register_plugins
    from hipjsw.app.schema import refuse_unknown_keys, register_schemas

    del place
    register_schemas()
    register_plugins()
    said = ["loss=dicece", "activation=softmax", "budget.steps=6", "optim.optimizer.lr=1e-3", "seed=1", "view=coarse"]

    def act(content: bytes) -> None:
        overrides = content.decode(errors="replace").split("\n")
        try:
            with initialize_config_dir(str(conf_dir()), version_base="1.3"):
                cfg = compose("train", overrides)
            refuse_unknown_keys(cfg, "train")
            if cfg.net.get("channels") is None or max(cfg.net.get("channels", [0])) <= 256:
                build_task(cfg)
        except (HydraException, OmegaConfBaseException):
            return  # said as a line by every door

    return "\n".join(said).encode(), act


def _as_file(place: Workplace, name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
    folder = place.new("fuzz")
    folder.mkdir()
    path = folder / name

    def act(content: bytes) -> None:
        path.write_bytes(content)
        read(path)

    return act


KINDS: dict[str, Callable[[Workplace], Target]] = {
    "DICOM": _dicom,
    "points": _points,
    "CSV": _csv,
    "JSON": _json,
    "model folder": _model,
    "overrides": _overrides,
}
