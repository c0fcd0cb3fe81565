"""Where the configuration lies."""

from __future__ import annotations

from pathlib import Path

import hipjsw

__all__ = ["conf_dir"]


def conf_dir() -> Path:
    """The folder conf/: inside the package (a wheel carries it there) or beside it (a checkout)."""
    package = Path(hipjsw.__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return folder
    raise FileNotFoundError("conf/ is neither in the hipjsw package nor beside it; install the package again")
