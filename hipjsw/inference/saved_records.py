"""Saved probabilities measured again: records without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.inference.measuring import HipRecord, Measurer
from hipjsw.inference.saved import SavedError, SavedProbs
from hipjsw.learning.hip_output import HipOutput

__all__ = ["measure_saved"]


def measure_saved(saved: SavedProbs, measurer: Measurer, rows: Sequence[int]) -> list[HipRecord]:
    """Measure the averaged probabilities of hips; spread, typicality and Dice are those kept beside them.

    Masks for the study's estimator are the likeliest class of the averaged probabilities. Those of the unmoved look
    were not kept, so pixels without a class or with several are not known.

    Args:
        saved: What was kept.
        measurer: How to measure.
        rows: Rows in the store of the hips wanted, in that order.

    Raises:
        SavedError: A hip that was not kept.
    """
    places = {int(row): place for place, row in enumerate(saved.hips["row"])}
    missing = [row for row in rows if row not in places]
    if missing:
        raise SavedError(
            f"{saved.folder} lacks {len(missing)} of {len(rows)} hips; evaluate again with save_probs=true"
        )
    view = measurer.store.view
    inner = slice(view.margin_px, view.margin_px + view.rows_px), slice(view.margin_px, view.margin_px + view.cols_px)
    records = []
    for row in rows:
        kept = saved.hips.iloc[places[row]]
        probs = np.asarray(saved.probs[places[row]], dtype=np.float32)
        winner = np.concatenate([1.0 - probs.sum(axis=0, keepdims=True), probs]).argmax(axis=0)
        output = HipOutput(
            row=row,
            dice=kept[[f"dice_{name}" for name in FOREGROUND]].to_numpy(dtype=np.float64),
            looks=probs[None],
            masks=np.stack([winner == n for n in (1, 2, 3)]),
            target=measurer.store.planes[row, :3][:, *inner].astype(np.float32) / np.float32(255),
            embedding=np.empty(0, dtype=np.float32),
        )
        record = measurer(output)
        spread, typicality = (None if np.isnan(kept[n]) else float(kept[n]) for n in ("spread_mm", "typicality"))
        records.append(replace(record, spread_mm=spread, typicality=typicality, unlabelled=None, multiple=None))
    return records
