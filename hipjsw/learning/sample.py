"""A sample: an image ``(H, W)`` and planes ``(5, H, W)`` that belong to it.

The planes are those of ``PLANES``: the four coverages, then the weight; a sixth may follow, how much a pixel is raised
in the loss. A sample is stored with a margin round the crop the network sees (192 x 192 for 128 x 128, say), so that a
shift, a turn or a smaller scale brings in real film and not a border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import CLASSES

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FILL", "PLANES", "WEIGHT", "Key", "Sample", "corner", "crop", "unit_range"]

#: What each plane of a sample is.
PLANES = (*CLASSES, "weight")
#: Where the weight stands.
WEIGHT = PLANES.index("weight")
#: What each plane holds outside the stored sample: background, not to be judged, not raised.
FILL = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

Sample = tuple[NDArray[np.float32], NDArray[np.float32]]
Key = tuple[int, ...]


def corner(image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the crop's first pixel in the stored sample, once all shapes are known to fit."""
    if image.ndim != 2 or planes.shape not in [(n, *image.shape) for n in (len(PLANES), len(FILL))]:
        raise ValueError(
            f"a sample is (H, W) and ({len(PLANES)} or {len(FILL)}, H, W), got image {image.shape} and planes "
            f"{planes.shape}"
        )
    if image.dtype.kind != "f" or not (planes.dtype.kind == "f" or planes.dtype == np.uint8):
        raise ValueError(f"image must be float, planes float or uint8, got {image.dtype}, {planes.dtype}")
    height, width = image.shape
    if not (0 < size[0] <= height and 0 < size[1] <= width):
        raise ValueError(f"a crop of {size} does not fit into a stored sample of {image.shape}")
    return (height - size[0]) // 2, (width - size[1]) // 2


def crop(stored: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle ``(B, C, h, w)`` of stored ``(B, C, H, W)``; an odd margin is smaller above and left."""
    top, left = ((n - m) // 2 for n, m in zip(stored.shape[2:], size, strict=True))
    return stored[:, :, top : top + size[0], left : left + size[1]]


def unit_range(planes: NDArray[Any]) -> NDArray[np.float32]:
    """Copy as float32 in [0, 1]."""
    scale = np.float32(255.0 if planes.dtype == np.uint8 else 1.0)
    return planes.astype(np.float32) / scale
