"""hipjsw: hip joint space width, in true millimetres, from radiographs and landmark points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hipjsw.inference.measure import FilmMeasurer

__version__ = "0.1.0"

__all__ = ["__version__", "load_model"]


def load_model(
    folder: str | Path | None = None, device: str = "auto", assume_head_mm: float | None = None
) -> FilmMeasurer:
    """A trained model for films without points: ``load_model().measure("film.dcm")``.

    Args:
        folder: Of a model with a locator, as ``python -m hipjsw.export`` writes it; None for the model that comes with
            the package, which was trained on phantoms alone.
        device: ``cpu``, ``cuda``, or ``auto``: a GPU if there is one.
        assume_head_mm: Diameter of the heads of films without spacing; None leaves such films without millimetres.

    Raises:
        hipjsw.inference.model_place.ModelError: No such model, or one that cannot be used.
        ValueError: A device that is none, or is not there.
    """
    from hipjsw.inference.device import usable_device  # torch is not imported by who wants the version alone
    from hipjsw.inference.measure import FilmMeasurer
    from hipjsw.inference.model_place import DEFAULT_MODEL

    return FilmMeasurer.load(DEFAULT_MODEL if folder is None else Path(folder), usable_device(device), assume_head_mm)
