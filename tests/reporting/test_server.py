"""Which server and key are found, and that asking a server ends in time."""

from __future__ import annotations

import os
import socket
import time

import pytest

from hipjsw.reporting.dashboard import resolve_mode
from hipjsw.reporting.server import answers, within


@pytest.mark.parametrize(
    ("environ", "settings", "netrc", "expected"),
    [
        ({}, "", "", ["offline", False]),  # no key: the server is not even asked
        ({"WANDB_API_KEY": "k"}, "", "", ["online", True]),
        ({}, "", "machine wandb.test login user password k", ["online", True]),
        ({}, "", "machine api.wandb.ai login user password k", ["offline", False]),  # not this server's
        ({}, "", "machine elsewhere login user password k", ["offline", False]),
        ({}, "[default]\napi_key = k", "", ["online", True]),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "", "", ["offline", False]),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "disabled"}, "", "", ["disabled", False]),
        ({"WANDB_API_KEY": "k"}, "[default]\nmode = offline", "", ["offline", False]),
        ({"WANDB_API_KEY": "k"}, "not a settings file", "", ["online", True]),
    ],
)
def test_auto(monkeypatch, tmp_path, environ, settings, netrc, expected):
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)
    environ = environ | {"WANDB_BASE_URL": "https://wandb.test", "WANDB_CONFIG_DIR": str(tmp_path)}
    for name, value in (environ | {"NETRC": str(tmp_path / "netrc")}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings").write_text(settings)
    (tmp_path / "netrc").write_text(netrc)
    asked = []
    monkeypatch.setattr("hipjsw.reporting.dashboard.answers", lambda *where: asked.append(where) or True)
    assert [resolve_mode("auto"), bool(asked)] == expected
    assert resolve_mode("disabled") == "disabled"
    assert resolve_mode("offline") == "offline"


def test_unknown_mode():
    with pytest.raises(ValueError, match="must be one of auto, online, offline, disabled, got 'on'"):
        resolve_mode("on")


def test_silent_and_absent_servers_do_not_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.3)
        assert time.monotonic() - began < 1.0
    assert not answers("http://127.0.0.1:9", 0.3)
    assert not answers("file:///etc/hostname", 0.3)
    assert not answers("no address", 0.3)


def test_within():
    assert within(1.0, lambda: None) is True
    assert within(1.0, lambda: 3) == 3
    assert isinstance(within(1.0, lambda: 1 / 0), ZeroDivisionError)
    assert within(0.05, lambda: time.sleep(0.3)) is None
