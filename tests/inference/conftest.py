"""A store of hips whose roof and head are circles, without films."""

import numpy as np
import pandas as pd
import pytest

from hipjsw.anatomy.labels import label_coverage
from hipjsw.imaging.view import ViewSpec
from hipjsw.learning.hip_output import HipOutput


class CircleStore:
    """Hips ``widths_mm`` in every other row of the arrays, two a person; the exact width is the circles' own."""

    def __init__(self, hips, folder="store", rows_px=128, cols_px=112):
        self.view = ViewSpec("coarse", rows_px, cols_px, 0.8, 4, "head", "view", 0.5, 99.5)
        self.folder, self.fingerprint = folder, "f00"
        shape = self.view.stored_shape
        rows = [2 * n for n in range(len(hips))]
        self.planes = np.zeros((2 * len(hips), 4, *shape), np.uint8)
        self.landmarks_px = np.full((2 * len(hips), 80, 2), np.nan)
        for row, hip in zip(rows, hips, strict=True):
            landmarks = hip.landmarks((shape[0] / 2, shape[1] / 2), 1 / 0.8)
            self.planes[row, :3] = np.round(255 * label_coverage(landmarks, shape)[1:])
            self.planes[row, 3] = 255
            self.landmarks_px[row] = landmarks.points
        self.hips = pd.DataFrame(
            {
                "hip_id": [f"h{row}" for row in rows],
                "person": [f"p{n // 2}" for n in range(len(hips))],
                "row": rows,
                "mjsw_mm": [hip.mjsw_mm for hip in hips],
                "mjsw_truth_mm": [hip.mjsw_mm for hip in hips],
                "spacing_mm": [0.1 + 0.01 * (n % 3) for n in range(len(hips))],
            },
            index=rows,
        )

    def probs(self, row):
        """The label's own coverage as what a network without error would say, ``(3, rows, cols)``."""
        margin = self.view.margin_px
        inner = slice(margin, margin + self.view.rows_px), slice(margin, margin + self.view.cols_px)
        return self.planes[row, :3][:, *inner].astype(np.float32) / np.float32(255)

    def output(self, row, looks=1, embedding=(), moved_px=0):
        """What a network says of a hip: equal looks, or looks each moved further down by so many pixels."""
        probs = self.probs(row)
        rest = np.concatenate([1 - probs.sum(0, keepdims=True), probs]).argmax(0)
        return HipOutput(
            row=row,
            dice=np.array([0.9, 0.8, 0.7]),
            looks=np.stack([np.roll(probs, moved_px * n, axis=1) for n in range(looks)]),
            masks=np.stack([rest == n for n in (1, 2, 3)]),
            target=probs,
            embedding=np.asarray(embedding, dtype=np.float32),
        )


@pytest.fixture
def circle_store(circle_hip):
    """Factory of a ``CircleStore`` of hips of such widths; the roof is moved a little medially and upwards."""

    def make(widths_mm=(2.0, 4.0, 6.0), **more):
        hips = [circle_hip(roof_radius_mm=26.0 + width, offset_mm=(0.3, -0.5)) for width in widths_mm]
        return CircleStore(hips, **more)

    return make
