"""Faults of W&B: nobody there, a black hole, a server that refuses, its service killed in mid-run."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from workplace import Workplace, differs

#: Longer than without W&B at most, besides what the machine's own unevenness makes of it.
LONGER_S = 5.0
KEY = "0" * 40
ANSWERS = {"refusing": b"HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "black hole": None}


@contextmanager
def server(kind: str) -> Iterator[int]:
    """The port of a server of a kind; nobody listens at that of ``unreachable``."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    if kind == "unreachable":
        listening.close()
        yield port
        return
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            held.append(one)
            if ANSWERS[kind] is not None:
                one.recv(1 << 16)
                one.sendall(ANSWERS[kind] or b"")
                one.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield port
    finally:
        listening.close()
        for one in held:
            one.close()


def amiss(place: Workplace, times: int, rng: Random) -> Iterator[str]:
    """Training ends with the same metrics, and its offline run can be sent."""
    del rng
    for nth in range(times):
        kind = ("unreachable", "black hole", "refusing", "killed")[nth % 4]
        yield _killed(place) if kind == "killed" else _served(place, kind)


def _served(place: Workplace, kind: str) -> str:
    run = place.new("wandb")
    with server(kind) as port:
        url = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        going = place.train(run, "logger=wandb", "logger.mode=online", WANDB_BASE_URL=url, WANDB_API_KEY=KEY)
        code = going.wait()
        took = time.monotonic() - began
    if code != 0:
        return f"exit code {code}: {going.text()[-300:]}"
    began = time.monotonic()
    alone = place.train(place.new("alone"))
    alone.wait()
    longer = took - (time.monotonic() - began)
    logs = list(run.glob("wandb/*/*.wandb"))
    if not logs:
        return "no offline run is left"
    return differs(run, place.whole) or ("" if longer <= LONGER_S else f"{longer:.1f} s longer")


def _killed(place: Workplace) -> str:
    run = place.new("wandb")
    going = place.train(run, "logger=wandb", "logger.mode=offline")
    going.wait(lambda: (run / "history.csv").is_file())
    for pid in _service_of(going.pid):
        os.kill(pid, signal.SIGKILL)
    code = going.wait()
    return differs(run, place.whole) if code == 0 else f"exit code {code}: {going.text()[-300:]}"


def _service_of(group: int) -> list[int]:
    """Processes of W&B's service in a process group or session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(path.name)
            if "wandb-core" in (path / "cmdline").read_text() and os.getsid(pid) == group:
                found.append(pid)
        except (OSError, ValueError):
            continue
    return found
