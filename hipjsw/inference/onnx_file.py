"""A model's networks as one ONNX file, for programs that have no torch.

The file maps hip views to probabilities and nothing more: finding the hip, laying its view and measuring are hipjsw's.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.inference.model import Model

__all__ = ["INPUT", "OUTPUT", "OnnxError", "require_onnx", "write_onnx"]

#: Names within the file: images ``(n, 1, rows, cols)`` in [0, 1], and probabilities ``(n, 3, rows, cols)`` of femur,
#: acetabulum and joint space; float32.
INPUT, OUTPUT = "image", "probabilities"
#: Of the standard's operators; what ONNX Runtime has known since version 1.13.
OPSET = 18
#: An example of one view would be taken for a file of one view alone.
_EXAMPLES = 2


class OnnxError(ValueError):
    """An ONNX file that cannot be made; the message says what to do."""


class _Foreground(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.net = model.net

    def forward(self, image: Tensor) -> Tensor:
        probs: Tensor = self.net(image)
        return probs[:, -len(FOREGROUND) :]


def require_onnx() -> None:
    """See that such files can be made.

    Raises:
        OnnxError: The packages that make them are not installed.
    """
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise OnnxError(f"an ONNX file needs {' and '.join(missing)}: python -m pip install 'hipjsw[onnx]'")


def write_onnx(model: Model, path: Path) -> None:
    """Write what a model's networks make of a view in one look.

    Args:
        model: The model; several networks are averaged within the file.
        path: The file.

    Raises:
        OnnxError: The packages that make such files are not installed.
    """
    require_onnx()
    example = torch.rand(_EXAMPLES, 1, model.view.rows_px, model.view.cols_px)
    with _quiet():
        program = torch.onnx.export(
            _Foreground(model).eval(),
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={"image": {0: torch.export.Dim("n", min=1)}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    _forget_paths(program.model)
    program.model.metadata_props.update(
        {
            "name": str(model.about.get("name", "")),
            "hash": model.hash,
            "pixel_mm": f"{model.view.pixel_mm:g}",
            "classes": ",".join(FOREGROUND),
        }
    )
    partial = path.with_name(f".{path.name}.partial")
    try:
        program.save(partial, external_data=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _forget_paths(model: Any) -> None:
    """The exporter notes of every node which line of which file it comes from, by absolute paths."""
    model.producer_version, model.doc_string = None, None
    for graph in (model.graph, *model.functions.values()):
        graph.metadata_props.clear()
        values = [*graph.inputs, *graph.outputs]
        for node in graph.all_nodes():
            node.metadata_props.clear()
            node.doc_string = None
            values += node.outputs
        for value in values:
            value.metadata_props.clear()
            value.doc_string = None


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells much that its user can do nothing about."""
    names = ("torch.onnx", "onnxscript", "onnx_ir", "torch.fx")
    before = {name: logging.getLogger(name).level for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
