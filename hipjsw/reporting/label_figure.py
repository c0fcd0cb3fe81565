"""Pictures of what a hip's labels say: classes in colour over the view, what is not judged shaded, what is raised lit.

``python -m hipjsw.reporting.label_figure docs/images`` draws those of the documentation, from a phantom.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hipjsw.anatomy.labels import CLASSES, label_planes
from hipjsw.anatomy.landmarks import Side
from hipjsw.anatomy.weights import BorderWeight, border_weight
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.film import place
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.views import draw_views

__all__ = ["draw_border", "draw_labels", "main"]

#: Colours of femur, acetabulum and joint space.
COLOURS = np.array([[0.30, 0.62, 1.00], [1.00, 0.62, 0.20], [0.35, 0.90, 0.45]])
_OPACITY, _HATCH_PX, _DPI = 0.42, 8, 110
#: A phantom's person and seed whose hip shows everything: wall, foramen, shaft.
_SEED, _PERSON = 5, 3
#: The part of the view that shows the joint.
_JOINT = slice(100, 320), slice(90, 310)
_VIEW = ViewSpec("picture", 448, 384, 0.4, 0, "head", "view", 0.5, 99.5)


def draw_labels(image: NDArray[Any], planes: NDArray[Any], weight: NDArray[Any], title: str, path: Path) -> Path:
    """Draw a label map and, red and hatched, what of it is not judged.

    Args:
        image: ``(rows, cols)`` the view, 0 to 1.
        planes: ``(4, rows, cols)`` the label map.
        weight: ``(rows, cols)`` in [0, 1].
        title: What stands above.
        path: PNG to write.

    Returns:
        The path.
    """
    colour = np.repeat(np.asarray(image, dtype=np.float64)[..., None], 3, axis=2)
    for plane, shade in zip(planes[1:], COLOURS, strict=True):
        share = _OPACITY * plane[..., None]
        colour = colour * (1 - share) + share * shade
    rows, cols = np.indices(weight.shape)
    hatch = np.where((rows + cols) % _HATCH_PX < 2, 0.75, 0.25)[..., None] * (1.0 - weight)[..., None]
    colour = colour * (1 - hatch) + hatch * np.array([0.85, 0.10, 0.15])
    figure, axes = _axes(title)
    axes.imshow(colour.clip(0.0, 1.0), interpolation="nearest")
    for name, shade in zip(CLASSES[1:], COLOURS, strict=True):
        axes.plot([], [], "s", color=shade, label=name.replace("_", " "))
    if (weight < 1).any():
        axes.plot([], [], "s", color=(0.85, 0.10, 0.15), label=f"not judged ({np.mean(weight < 0.5):.0%} of pixels)")
    axes.legend(loc="lower left", fontsize=8, framealpha=0.85)
    return _saved(figure, path)


def draw_border(image: NDArray[Any], factor: NDArray[Any], title: str, path: Path) -> Path:
    """Draw how much each pixel is raised, over the view; arguments as `draw_labels`, ``factor`` 1 and more."""
    figure, axes = _axes(title)
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    raised = np.clip((factor - 1.0) / max(float(factor.max()) - 1.0, 1e-9), 0.0, 1.0)
    shown = axes.imshow(factor, cmap="inferno", vmin=1, alpha=np.minimum(1.4 * raised, 0.85), interpolation="nearest")
    figure.colorbar(shown, ax=axes, shrink=0.75, label="factor in the loss")
    return _saved(figure, path)


def _axes(title: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6.0, 6.6), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.axis("off")
    return figure, axes


def _saved(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI, format="png", metadata={"Software": None})
    return path


def main(folder: Path) -> None:
    """Draw ``labels_study.png``, ``labels_partial.png`` and ``labels_border.png`` into a folder."""
    person = draw_person(_SEED, _PERSON)
    hip = draw_views(place(_SEED, person, person.visits[0]), _VIEW)[Side.RIGHT]
    titles = {
        "study": "every pixel is judged",
        "partial": "bone without an outline is not judged",
    }
    for labels, title in titles.items():
        planes, weight = label_planes(hip.landmarks, hip.view.shape, labels)
        draw_labels(hip.image, planes, weight, f"labels={labels}: {title}", folder / f"labels_{labels}.png")
    border = BorderWeight()
    factor = border_weight(hip.labels, border.w0, border.sigma_px)
    title = f"weight=border: 1 + {border.w0:g} exp(-(d1 + d2)² / 2·({border.sigma_px:g} px)²)"
    draw_border(hip.image[_JOINT], factor[_JOINT], title, folder / "labels_border.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images"))
