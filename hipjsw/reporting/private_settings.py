"""What W&B is told not to keep."""

from typing import Any

__all__ = ["PRIVATE"]

#: Without these, W&B keeps the host's name, the command line, paths, the packages and the code.
PRIVATE: dict[str, Any] = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "docker": "",
    "email": "",
    "host": "",
    "program": "",
    "program_abspath": "",
    "program_relpath": "",
    "save_code": False,
    "username": "",
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_executable": "python",
    "x_save_requirements": False,
}
