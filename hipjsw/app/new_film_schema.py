"""What the doors of new films may be told, as dataclasses: `hipjsw.export` and `hipjsw.measure`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

__all__ = ["ExportConfig", "MeasureFilmsConfig"]


@dataclass
class ExportConfig:
    """Root of ``python -m hipjsw.export``."""

    run: str = MISSING
    ensemble: list[str] = field(default_factory=list)
    results: str | None = None
    locator: str | None = "default"
    out: str = MISSING
    name: str | None = None
    licence: str | None = None
    notes: str | None = None
    half: bool = False
    onnx: bool = False
    looks: int | None = None
    region: str | None = None


@dataclass
class MeasureFilmsConfig:
    """Root of ``python -m hipjsw.measure``."""

    images: str = MISSING
    model: str = "default"
    out: str = "measured"
    spacing_mm: float | None = None
    assume_head_mm: float | None = None
    device: str = "auto"
    shard: str | None = None
    workers: int | None = None
    overlays: bool = True
    dicom: bool = True
    points: bool = False
    verbose: bool = False
