"""Whether a W&B server can be used: is a key configured, and does it answer in time."""

from __future__ import annotations

import configparser
import netrc
import os
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["answers", "has_key", "settings_files", "within"]

#: W&B's own servers; a key for the oldest name of theirs serves all.
CLOUD = (".wandb.ai", ".coreweave.com")


def settings_files() -> dict[str, str]:
    """What W&B's own settings files say, the working folder's before the user's."""
    home = Path(os.environ.get("WANDB_CONFIG_DIR", "~/.config/wandb")).expanduser()
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read([home / "settings", Path("wandb") / "settings"], encoding="utf-8")
        return dict(parser["default"]) if parser.has_section("default") else {}
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}


def has_key(server: str, files: Mapping[str, str]) -> bool:
    """Whether a key is configured for a server: in the environment, in W&B's settings files or in netrc."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE") or files.get("api_key"):
        return True
    given = os.environ.get("NETRC")
    hosts = {urlsplit(server).netloc}
    if (urlsplit(server).hostname or "").endswith(CLOUD):
        hosts.add("api.wandb.ai")
    for path in [Path(given)] if given else [Path("~/.netrc"), Path("~/_netrc")]:
        try:
            entries = netrc.netrc(path.expanduser())
        except (OSError, netrc.NetrcParseError):
            continue
        if any(host in entries.hosts for host in hosts):
            return True
    return False


def answers(server: str, timeout_s: float) -> bool:
    """Whether anything speaks HTTP there. A name that does not resolve and a silent server end in time."""
    return within(timeout_s, lambda: _knock(server, timeout_s)) is True


def _knock(server: str, timeout_s: float) -> bool:
    if urlsplit(server).scheme not in ("http", "https"):
        return False
    try:
        with urllib.request.urlopen(server, timeout=timeout_s):
            return True
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except urllib.error.URLError as error:
        # a certificate unknown here may be known to W&B
        return isinstance(error.reason, ssl.SSLCertVerificationError)


def within(timeout_s: float, act: Callable[[], Any]) -> Any:
    """What ``act`` returns (True for None) or raises, or None if it takes longer."""
    result: list[Any] = []

    def work() -> None:
        try:
            value = act()
            result.append(True if value is None else value)
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return result[0] if result else None
