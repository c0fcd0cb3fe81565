"""Door: a trained run as a model for use, ``python -m hipjsw.export run=DIR out=DIR``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig

from hipjsw.app.door import open_door
from hipjsw.app.ensemble import read_members
from hipjsw.app.exporting import model_of_runs
from hipjsw.app.runs import RunError
from hipjsw.inference.model import Model
from hipjsw.inference.model_folder import read_model, write_model
from hipjsw.inference.model_place import DEFAULT, DEFAULT_MODEL, LOCATOR, is_model
from hipjsw.inference.onnx_file import require_onnx, write_onnx
from hipjsw.reporting.model_card import model_card

CARD, ONNX = "MODEL_CARD.md", "model.onnx"


def main(cfg: DictConfig) -> None:
    """Make a model of the runs, write it, read it again and describe it."""
    if cfg.onnx:
        require_onnx()
    notes = "" if cfg.notes is None else Path(cfg.notes).read_text(encoding="utf-8")
    runs = read_members([Path(folder) for folder in (cfg.run, *cfg.ensemble)])
    out = Path(cfg.out)
    model = model_of_runs(
        runs,
        cfg.name or out.name,
        cfg.licence,
        None if cfg.results is None else Path(cfg.results),
        cfg.looks,
        cfg.region,
    )
    finds_alone = cfg.locator is None or model.about["labels"] == "head"
    locator = None if finds_alone else _locator(str(cfg.locator), str(model.about["name"]), cfg.licence)
    found = write_model(model, out, half=bool(cfg.half))
    if locator is not None:
        write_model(locator, out / LOCATOR, half=bool(cfg.half))
    written = read_model(out)
    if cfg.onnx:
        for folder in (out, *([] if locator is None else [out / LOCATOR])):
            write_onnx(read_model(folder), folder / ONNX)
    (out / CARD).write_text(model_card(replace(written, hash=found), notes), encoding="utf-8")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"the model: {out} ({size / 1e6:.1f} MB, hash {found[:12]}); what it is and is not: {out / CARD}")


def _locator(said: str, name: str, licence: str | None) -> Model:
    """The model that finds hips: a trained run, a model on disk, or the one that comes with the package.

    Raises:
        RunError: A run or model that was trained for something else.
        ModelError: A model that cannot be used.
    """
    folder = DEFAULT_MODEL / LOCATOR if said == DEFAULT else Path(said)
    if is_model(folder):
        model = read_model(folder)
    else:
        (run,) = read_members([folder])
        model = model_of_runs([run], f"{name}, locator", licence)
    if model.view.centre != "film" or model.about.get("labels") != "head":
        raise RunError(
            f"{folder} sees view={model.view.name} labels={model.about.get('labels')}; hips are found by what was "
            "trained with view=locate labels=head"
        )
    return model


if __name__ == "__main__":
    open_door(main, "export")
