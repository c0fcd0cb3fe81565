"""The pictures of labels are drawn, and show what they say."""

import numpy as np
from matplotlib.image import imread

from hipjsw.anatomy.labels import label_planes
from hipjsw.reporting.label_figure import draw_border, draw_labels


def drawn(path):
    return imread(path)[..., :3]


def redness(picture):
    return float((picture[..., 0] - picture[..., 1:].max(axis=2)).clip(0).sum())


def test_what_is_not_judged_is_red(circle_hip, tmp_path):
    landmarks = circle_hip().landmarks((60.0, 70.0))
    image = np.full((150, 140), 0.5, dtype=np.float32)
    study, partial = (
        drawn(draw_labels(image, *label_planes(landmarks, image.shape, labels), "title", tmp_path / "deep" / labels))
        for labels in ("study", "partial")
    )
    assert study.shape == partial.shape
    assert redness(partial) > 2 * redness(study)


def test_what_is_raised_is_lit(tmp_path):
    image = np.zeros((40, 40), dtype=np.float32)
    factor = np.ones((40, 40), dtype=np.float32)
    dark = drawn(draw_border(image, factor, "title", tmp_path / "even.png"))
    factor[15:25] = 11.0
    lit = drawn(draw_border(image, factor, "title", tmp_path / "raised.png"))
    assert lit.shape[0] > 100
    assert np.ptp(lit[lit.shape[0] // 2], axis=0).max() > 0.5
    assert lit.mean() > dark.mean() + 0.01


def test_the_same_labels_give_the_same_bytes(circle_hip, tmp_path):
    planes, weight = label_planes(circle_hip().landmarks((60.0, 70.0)), (150, 140), "partial")
    paths = [draw_labels(planes[1], planes, weight, "title", tmp_path / f"{n}.png") for n in range(2)]
    assert paths[0].read_bytes() == paths[1].read_bytes()
