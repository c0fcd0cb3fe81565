"""Where a stored hip view lies on its film, as eight numbers that an array holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView

__all__ = ["COLUMNS", "covered", "packed", "unpacked"]

#: What the numbers are.
COLUMNS = (
    "centre_row_mm",
    "centre_col_mm",
    "spacing_row_mm",
    "spacing_col_mm",
    "film_rows_px",
    "film_cols_px",
    "mirrored",
    "pixel_mm",
)


def packed(view: HipView, film_shape: tuple[int, int]) -> NDArray[np.float64]:
    """The eight numbers of a view on a film of ``(rows, cols)`` pixels."""
    spacing = view.spacing
    return np.array(
        [*view.centre_mm, spacing.row_mm, spacing.col_mm, *film_shape, float(view.mirrored), view.pixel_mm],
        dtype=np.float64,
    )


def unpacked(
    numbers: NDArray[Any], shape: tuple[int, int], source: SpacingSource = SpacingSource.GIVEN
) -> tuple[HipView, tuple[int, int]]:
    """The view and the film's ``(rows, cols)`` that eight numbers stand for.

    Args:
        numbers: ``(8,)`` as `packed` makes them.
        shape: ``(rows, cols)`` of the view.
        source: Where the film's spacing came from.
    """
    spacing = PixelSpacing(float(numbers[2]), float(numbers[3]), source)
    view = HipView(shape, float(numbers[7]), np.array(numbers[:2], dtype=np.float64), bool(numbers[6]), spacing)
    return view, (int(numbers[4]), int(numbers[5]))


def covered(view: HipView, film_shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask ``(rows, cols)`` of the view's pixels that lie on the film."""
    rows, cols = (np.arange(n, dtype=np.float64) for n in view.shape)
    row_px = view.spacing.to_px(view.to_film_mm(np.column_stack([rows, np.zeros_like(rows)])))[:, 0]
    col_px = view.spacing.to_px(view.to_film_mm(np.column_stack([np.zeros_like(cols), cols])))[:, 1]
    on_rows = (row_px >= -0.5) & (row_px <= film_shape[0] - 0.5)
    on_cols = (col_px >= -0.5) & (col_px <= film_shape[1] - 0.5)
    return np.asarray(on_rows[:, None] & on_cols[None, :])
