"""Pictures of test hips for a page: each part stands there once, however often it is shown, and all within a limit."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.inference.kept_examples import Examples
from hipjsw.reporting.palette_png import palette_png
from hipjsw.reporting.picture import WINDOW_MM, contrast_map, outlines
from hipjsw.reporting.style import CONTRAST

__all__ = ["ExampleShelf", "HipParts"]

#: Places of outlines are whole numbers of this many parts of a pixel.
_FINE = 10
#: Outlines are drawn with as few corners as stay this near to them, in pixels.
_NEAR_PX = 0.12
#: Outlines of an island with fewer corners are noise.
_LEAST_CORNERS = 3
#: Bytes of the element round a part.
_AROUND = 24
#: Bytes that the page spends on showing a hip, with all that is said of it.
_SHOWN = 4000
#: Grey levels are multiples of this: finer ones are noise that swells the page.
_GREY_STEP = 4
#: Steps of the contrast from none to full, in either direction.
_STEPS = 7
_JOINT_SPACE = FOREGROUND.index("joint_space")


@dataclass(frozen=True)
class HipParts:
    """Names of the parts of one picture on the page, and how they are to be shown.

    Args:
        image: The film view.
        label: Outlines of the label.
        predicted: Outlines of the prediction and, where it was measured, the two witness points.
        contrast: Prediction less label of bones and of the joint space.
        whole: View box of everything.
        joint: View box round the joint.
    """

    image: str
    label: str
    predicted: str
    contrast: tuple[str, str]
    whole: str
    joint: str


class ExampleShelf:
    """Parts of pictures, each kept once."""

    def __init__(self, limit_bytes: int) -> None:
        """Begin an empty shelf.

        Args:
            limit_bytes: What its parts, and what is said of them, may take on the page.
        """
        self._limit, self._size = limit_bytes, 0
        self._names: dict[str, str] = {}

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return self._limit - self._size

    def put(self, examples: Examples, place: int, spare: int = 0) -> HipParts | None:
        """Keep the parts of one hip.

        Args:
            examples: What a run kept.
            place: Which of its hips.
            spare: Bytes that must be left afterwards.

        Returns:
            Names of the parts; None where they do not fit any more, and nothing is kept.
        """
        if self.left - _SHOWN < spare:
            return None
        rows, cols = examples.image.shape[1:]
        label, probs = examples.label[place] / 255.0, examples.probs[place] / 255.0
        drawn = "".join(_path(plane, name) for plane, name in zip(probs, FOREGROUND, strict=True))
        parts = [
            _image(_film_png(examples.image[place]), rows, cols, "film"),
            "".join(_path(plane, "true") for plane in label),
            drawn + _witness(examples.witness_px[place]),
            *(_image(_contrast_png(one), rows, cols, "map") for one in contrast_map(probs, label)),
        ]
        more = _SHOWN + sum(len(part) + _AROUND for part in dict.fromkeys(parts) if part not in self._names)
        if self.left - more < spare:
            return None
        self._size += more
        film, true, predicted, bones, joint = (
            self._names.setdefault(part, f"part{len(self._names)}") for part in parts
        )
        window = _window(label[_JOINT_SPACE], examples.pixel_mm)
        return HipParts(film, true, predicted, (bones, joint), f"0 0 {_FINE * cols} {_FINE * rows}", window)

    def markup(self) -> str:
        """All parts, unseen, for the pictures of the page to use."""
        parts = "".join(f'<g id="{name}">{part}</g>' for part, name in self._names.items())
        return f'<svg class="shelf" width="0" height="0" aria-hidden="true"><defs>{parts}</defs></svg>'


def _image(png: bytes, rows: int, cols: int, kind: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    size = f'width="{_FINE * cols}" height="{_FINE * rows}"'
    return f'<image class="{kind}" {size} href="data:image/png;base64,{data}"/>'


def _film_png(image: NDArray[np.uint8]) -> bytes:
    """The film in grey."""
    coarse = np.minimum(image // _GREY_STEP * _GREY_STEP + _GREY_STEP // 2, 255).astype(np.uint8)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
    _, encoded = cv2.imencode(".png", coarse, options)
    return encoded.tobytes()


def _contrast_png(difference: NDArray[np.float64]) -> bytes:
    """Warm where only the prediction has it, cold where only the label; clear where they agree."""
    return palette_png(np.rint(difference * _STEPS).astype(np.int64) + _STEPS, _contrast_colours())


@cache
def _contrast_colours() -> tuple[tuple[int, int, int, int], ...]:
    """Full colour at either end, more and more opaque from the middle on."""
    colours = []
    for step in range(-_STEPS, _STEPS + 1):
        red, green, blue, _ = (round(255 * float(part)) for part in colormaps[CONTRAST](0.88 if step > 0 else 0.12))
        colours.append((red, green, blue, round(255 * abs(step) / _STEPS)))
    return tuple(colours)


def _path(plane: NDArray[Any], kind: str) -> str:
    """Outlines of a plane at 0.5; nothing for an empty one."""
    rings = [cv2.approxPolyDP(line[:-1, None].astype(np.float32), _NEAR_PX, True)[:, 0] for line in outlines(plane)]
    places = "".join(_ring(ring) for ring in rings if len(ring) >= _LEAST_CORNERS)
    return f'<path class="o {kind}" d="{places}"/>' if places else ""


def _ring(ring: NDArray[Any]) -> str:
    """A closed line by its first corner and the steps to the others; a pixel's centre lies half a pixel within it."""
    corners = np.rint((ring[:, ::-1] + 0.5) * _FINE).astype(int)
    (x, y), steps = corners[0], np.diff(corners, axis=0)
    return f"M{x} {y}l{_pairs(steps)}z"


def _pairs(steps: NDArray[np.int_]) -> str:
    return " ".join(f"{x} {y}" for x, y in steps.tolist()).replace(" -", "-")


def _witness(points_px: NDArray[np.float32]) -> str:
    """The two points of the minimum and the line between; nothing where the hip could not be measured."""
    if not np.isfinite(points_px).all():
        return ""
    (y1, x1), (y2, x2) = np.rint((points_px.astype(np.float64) + 0.5) * _FINE).astype(int).tolist()
    line = f'<path class="o least" d="M{x1} {y1}L{x2} {y2}"/>'
    return f'{line}<path class="o ends" d="M{x1} {y1}h0M{x2} {y2}h0"/>'


def _window(joint_space: NDArray[Any], pixel_mm: float) -> str:
    """A view box round the joint, cut to the view; the middle of the view where the label has no joint space."""
    sides = np.array(joint_space.shape, dtype=np.float64)
    half = min(WINDOW_MM / pixel_mm, *(sides / 2))
    points = np.argwhere(joint_space > 0.5)
    middle = (points.min(axis=0) + points.max(axis=0) + 1) / 2 if len(points) else sides / 2
    corner = np.clip(middle - half, 0.0, sides - 2 * half)
    row, col, side = (round(_FINE * float(value)) for value in (*corner, 2 * half))
    return f"{col} {row} {side} {side}"
