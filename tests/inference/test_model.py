"""What a model says of views, against the networks called by hand."""

import numpy as np
import pytest
import torch

from hipjsw.imaging.view import ViewSpec
from hipjsw.inference.measuring import Judgement
from hipjsw.inference.model import Member, Model
from hipjsw.learning.activation import Sigmoid, Softmax
from hipjsw.learning.architecture import Architecture
from hipjsw.learning.averaging import Looks
from hipjsw.learning.embedding import Embedding
from hipjsw.learning.resunet import seeded

VIEW = ViewSpec("small", 32, 48, 0.8, 4, "head", "view", 0.5, 99.5)
IMAGES = np.random.default_rng(0).uniform(size=(3, 32, 48)).astype(np.float32)


def member(seed=0, activation="softmax"):
    channels = {"softmax": 4, "sigmoid": 3}[activation]
    arguments = {"in_channels": 1, "out_channels": channels, "channels": [4, 8, 8], "strides": [2, 2]}
    architecture = Architecture("resunet", arguments | {"residual_units": 1}, activation)
    net = seeded(lambda: architecture.build()[0], seed)
    with torch.no_grad():
        for number, value in enumerate(net.parameters()):
            value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(seed * 99 + number)) * 0.3)
    return Member(architecture, dict(net.state_dict()))


def model(*members, looks=1):
    return Model(members, VIEW, looks, "sourcil", Judgement())


def by_hand(one):
    net, _ = one.architecture.build()
    net.load_state_dict(one.weights)
    return net.eval()


@pytest.mark.parametrize(("activation", "meaning"), [("softmax", Softmax()), ("sigmoid", Sigmoid())])
def test_one_network_says_what_it_says_alone(activation, meaning):
    one = member(activation=activation)
    net, batch = by_hand(one), torch.from_numpy(IMAGES)[:, None]
    with torch.inference_mode(), Embedding(net) as embedding:
        probs = meaning.probs(net(batch))[:, -3:]
        features = embedding.rows(3)
    seen = model(one).see(IMAGES)
    np.testing.assert_allclose(seen.looks, probs.numpy()[None], atol=1e-6)
    np.testing.assert_allclose(seen.embedding, features.numpy(), atol=1e-6)


def test_several_networks_say_their_mean():
    first, second = member(1), member(2)
    alone = [model(one).see(IMAGES) for one in (first, second)]
    seen = model(first, second).see(IMAGES)
    np.testing.assert_allclose(seen.looks, (alone[0].looks + alone[1].looks) / 2, atol=1e-6)
    assert seen.embedding.shape == (3, 2 * alone[0].embedding.shape[1])


def test_further_looks_are_those_of_training_time():
    one = member()
    net, batch = by_hand(one), torch.from_numpy(IMAGES)[:, None]
    with torch.inference_mode():
        expected = Looks(3)(lambda image: Softmax().probs(net(image))[:, -3:], batch)
    np.testing.assert_allclose(model(one, looks=3).see(IMAGES).looks, expected.numpy(), atol=1e-6)
    assert model(one, looks=3).see(IMAGES, looks=1).looks.shape == (1, 3, 3, 32, 48)


def test_a_glance_is_not_done_again():
    one, passes = model(member(), looks=3), []
    whole = one.see(IMAGES)
    glance = one.see(IMAGES, looks=1)
    one.net.register_forward_hook(lambda *_: passes.append(1))
    again = one.see(IMAGES, glance=glance)
    assert len(passes) == 2
    assert np.array_equal(again.looks, whole.looks)
    assert np.array_equal(again.embedding, whole.embedding)


def test_a_view_says_the_same_alone_and_among_others():
    one = model(member())
    every = one.see(IMAGES).looks
    for number in range(3):
        np.testing.assert_allclose(one.see(IMAGES[number : number + 1]).looks[:, 0], every[:, number], atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 32, 32), (32, 48), (1, 1, 32, 48)])
def test_views_of_another_size_are_refused(shape):
    with pytest.raises(ValueError, match="looks at"):
        model(member()).see(np.zeros(shape, np.float32))
