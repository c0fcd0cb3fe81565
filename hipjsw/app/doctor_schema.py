"""What `hipjsw.doctor` may be told."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DoctorConfig"]


@dataclass
class DoctorConfig:
    """Root of ``python -m hipjsw.doctor``."""

    runs_dir: str = "runs"
    data_dir: str = "data"
