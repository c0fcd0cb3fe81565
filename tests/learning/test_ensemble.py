"""Several networks as one: the mean of what each says, and the same judge for it as for any network."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from hipjsw.learning.activation import Sigmoid, Softmax
from hipjsw.learning.averaging import Looks
from hipjsw.learning.embedding import Embedding
from hipjsw.learning.ensemble import Averaged, Ensemble
from hipjsw.learning.ensemble_task import ensemble_task
from hipjsw.learning.loss import CrossEntropy
from hipjsw.learning.resunet import ResUNet, seeded
from hipjsw.learning.task import SegmentationTask
from hipjsw.statistics.typicality import fit_typicality


def task(seed, activation=None, channels=(8, 16)):
    activation = Softmax() if activation is None else activation
    strides = (2,) * (len(channels) - 1)
    net = seeded(lambda: ResUNet(1, activation.num_channels, channels, strides, residual_units=1), seed)
    return SegmentationTask(net, activation, CrossEntropy(), partial(torch.optim.SGD, lr=0.1)).eval()


def images(count=3, seed=0):
    return torch.rand(count, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def batch(count=3):
    target = torch.rand(count, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    target = target / target.sum(1, keepdim=True)
    return {
        "image": images(count),
        "target": target,
        "weight": torch.ones(count, 16, 16),
        "row": torch.arange(count),
    }


@torch.inference_mode()
def judged(one):
    one.looks = Looks(3)
    return one.test_step(batch(), 0)


@pytest.mark.parametrize(
    ("activation", "probs"), [(Softmax(), partial(softmax, axis=1)), (Sigmoid(), expit)], ids=["softmax", "sigmoid"]
)
@torch.inference_mode()
def test_it_says_the_mean_of_probabilities(activation, probs):
    members = [task(seed, activation) for seed in (1, 2, 3)]
    each = [probs(member(images()).double().numpy()) for member in members]
    together = ensemble_task(members).eval()
    np.testing.assert_allclose(together.predict_foreground(images()), np.mean(each, axis=0)[:, -3:], atol=1e-6)
    assert not np.allclose(each[0], each[1], atol=1e-2)
    masks = together.activation.decode(together.activation.probs(together(images())))
    mean = torch.from_numpy(np.mean(each, axis=0))
    assert (masks == activation.decode(mean)).float().mean() > 0.999


def test_a_network_and_its_exact_copy_are_the_network():
    alone, twice = judged(task(1)), judged(ensemble_task([task(1), task(1)]).eval())
    for name in ("looks", "masks", "dice", "target", "row"):
        torch.testing.assert_close(twice[name], alone[name], rtol=0, atol=0, equal_nan=True)
    # its description is the network's, twice over; distance from known hips is the same
    assert twice["embedding"].shape == (3, 2 * alone["embedding"].shape[1])
    rng = np.random.default_rng(0)
    known, new = rng.normal(size=(40, 6)), rng.normal(size=(5, 6))
    persons = np.arange(40)
    one, two = (fit_typicality(np.tile(known, (1, n)), persons).distance(np.tile(new, (1, n))) for n in (1, 2))
    np.testing.assert_allclose(one, two)


def test_each_member_describes_the_hip():
    members = [task(1), task(2, channels=(8, 16, 12))]  # the second's deepest level is smaller
    together = ensemble_task(members)
    rows = []
    with torch.inference_mode():
        for one in (*members, together):
            with Embedding(one.net) as embedding:
                one(images())
                rows.append(embedding.rows(3).numpy())
    means = [row[:, : row.shape[1] // 6] for row in rows]
    np.testing.assert_allclose(means[2], np.concatenate(means[:2], axis=1), atol=1e-6)


def test_members_without_a_deepest_level_describe_nothing():
    net = torch.nn.Conv2d(1, 4, 3, padding=1)
    plain = SegmentationTask(net, Softmax(), CrossEntropy(), partial(torch.optim.SGD, lr=0.1))
    together = ensemble_task([plain, task(1)]).eval()
    assert judged(together)["embedding"].shape == (3, 0)


def test_nothing_is_held_of_what_was_seen():
    together = ensemble_task([task(1), task(2)]).eval()
    judged(together)
    assert not together.net._deep


def test_channels_that_have_no_mean_are_refused():
    with pytest.raises(ValueError, match="3 and 4 channels have no mean"):
        ensemble_task([task(1), task(1, Sigmoid())])
    with pytest.raises(ValueError, match="no mean"):
        Ensemble([], [])


def test_it_is_not_trained():
    averaged = Averaged(Sigmoid())
    assert averaged.num_channels == 3
    target = batch()["target"]
    torch.testing.assert_close(averaged.select(target), target[:, 1:])
    with pytest.raises(NotImplementedError, match="judged and not trained"):
        averaged.nll(torch.zeros(1, 3, 2, 2), torch.zeros(1, 4, 2, 2))
