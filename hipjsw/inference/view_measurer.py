"""Hip views measured by a trained network, without a store and without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hipjsw.inference.measuring import HipRecord, Judgement, measure_looks
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.learning.averaging import Looks
from hipjsw.learning.embedding import Embedding
from hipjsw.learning.task import SegmentationTask

__all__ = ["ViewMeasurer"]


@dataclass(frozen=True, eq=False)
class ViewMeasurer:
    """Measures views.

    Args:
        task: The trained network.
        judgement: What its run knows of its own errors.
        pixel_mm: Pixel size of the views.
        looks: How often each is looked at.
        region: What the minimum is taken over.
    """

    task: SegmentationTask
    judgement: Judgement
    pixel_mm: float
    looks: Looks
    region: str = "sourcil"

    def __call__(self, images: Sequence[NDArray[Any]]) -> list[JointSpaceWidth | Unmeasurable]:
        """Measure some views of one size, as one batch.

        Args:
            images: ``(rows, cols)`` each, in [0, 1], medial towards larger columns.

        Returns:
            The width of each with its interval, or why it has none.
        """
        if not len(images):
            return []
        self.task.eval()
        stacked = torch.from_numpy(np.stack(images).astype(np.float32))[:, None].to(self.task.device)
        with torch.inference_mode():
            with Embedding(self.task.net) as embedding:
                unmoved = self.task.predict_foreground(stacked)
                features = embedding.rows(len(images)).cpu().numpy()
            looks = self.looks(self.task.predict_foreground, stacked, unmoved).float().cpu().numpy()
        return [self._measured(looks[:, n], row) for n, row in enumerate(features)]

    def _measured(self, looks: NDArray[np.float32], embedding: NDArray[np.float32]) -> JointSpaceWidth | Unmeasurable:
        width, spread_mm, _ = measure_looks(looks, self.pixel_mm, self.region)
        known = embedding if embedding.size else None
        record = HipRecord(-1, np.full(3, np.nan), width, spread_mm=spread_mm, embedding=known)
        return self.judgement([record])[0].width
