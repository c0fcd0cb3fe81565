"""Folds, fat planes and strands of muscle: faint, soft, on both sides, more in the obese."""

from __future__ import annotations

import numpy as np
import pytest

from hipjsw.phantom.fold import fold_elements
from hipjsw.phantom.placement import FORMATS, Placement
from hipjsw.phantom.solid import Patch, Stroke

PLACEMENT = Placement(FORMATS["OAI"], (170.0, 195.0), 0.0, 91.0)


@pytest.mark.parametrize("size", [0.8, 1.2])
def test_folds_are_faint_soft_lines_on_both_sides(size: float) -> None:
    folds = fold_elements(PLACEMENT, size, np.random.default_rng(0))
    assert {type(fold) for fold in folds} <= {Stroke, Patch}
    assert max(abs(fold.amount) for fold in folds) <= 0.2
    assert min(fold.soft_mm for fold in folds) >= 0.3  # no edge as sharp as bone's
    columns = np.array(
        [fold.line_mm[:, 1].mean() - PLACEMENT.centre_mm[1] for fold in folds if isinstance(fold, Stroke)]
    )
    assert (columns < -10).sum() > 15
    assert (columns > 10).sum() > 15


def test_skin_folds_come_with_size() -> None:
    def share(size: float) -> float:
        drawn = [fold_elements(PLACEMENT, size, np.random.default_rng(n)) for n in range(40)]
        return float(np.mean([any(fold.name == "skin fold" for fold in folds) for folds in drawn]))

    assert share(1.2) == 1.0
    assert 0.1 < share(0.9) < 0.8
