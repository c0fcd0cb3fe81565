"""Hips worth looking at, shown with just what was measured on them."""

from functools import partial

import numpy as np
import pytest
import torch

from hipjsw.inference.examples import probs_of_task, view_and_coverage
from hipjsw.learning.activation import Sigmoid, Softmax
from hipjsw.learning.augment import CentreCrop
from hipjsw.learning.averaging import Looks
from hipjsw.learning.data import HipDataset
from hipjsw.learning.loss import CrossEntropy
from hipjsw.learning.resunet import ResUNet, seeded
from hipjsw.learning.task import SegmentationTask


@pytest.fixture
def dataset(circle_store):
    store = circle_store((2.0, 4.0), rows_px=64, cols_px=48)
    store.images = np.random.default_rng(0).integers(0, 65536, store.planes[:, 0].shape).astype(np.uint16)
    return HipDataset(store, [2, 0], CentreCrop(), seed=0)


@pytest.mark.parametrize("activation", [Softmax(), Sigmoid()])
@pytest.mark.parametrize("number", [1, 3])
def test_what_is_shown_is_what_the_test_step_measured(dataset, activation, number):
    channels = activation.num_channels
    net = seeded(lambda: ResUNet(out_channels=channels, channels=(4, 8), strides=(2,)), 1)
    task = SegmentationTask(net, activation, CrossEntropy(), partial(torch.optim.SGD, lr=0.1), None)
    task.looks = Looks(number)
    probs_of = probs_of_task(task, dataset)
    batch = torch.utils.data.default_collate([dataset[0], dataset[1]])
    with torch.inference_mode():
        measured = task.eval().test_step(batch, 0)["looks"].mean(dim=0).numpy()
    task.train()  # as training leaves it: showing puts it right
    for position in (1, 0):
        shown = probs_of(position)
        assert shown.dtype == np.float32
        np.testing.assert_allclose(shown, measured[position], atol=1e-5)


def test_a_view_is_shown_without_its_margin_and_with_its_label(dataset):
    image, coverage = view_and_coverage(dataset, 1)
    assert image.shape == (64, 48)
    np.testing.assert_allclose(image * 65535, dataset.store.images[0, 4:-4, 4:-4], rtol=1e-6)
    np.testing.assert_allclose(coverage, dataset.store.probs(0), atol=1e-6)
