"""What is overheard of a network's deepest level, without changing what it says."""

from functools import partial

import pytest
import torch
from torch import nn

from hipjsw.learning.activation import Softmax
from hipjsw.learning.embedding import Embedding
from hipjsw.learning.loss import CrossEntropy
from hipjsw.learning.resunet import ResUNet, seeded
from hipjsw.learning.task import SegmentationTask


@pytest.fixture
def net():
    return seeded(lambda: ResUNet(channels=(4, 8, 12), strides=(2, 2), residual_units=1), 3).eval()


@pytest.fixture
def image():
    return torch.rand(5, 1, 16, 24, generator=torch.Generator().manual_seed(2))


def hooks(net):
    return sum(len(module._forward_hooks) for module in net.modules())


def test_listening_changes_no_prediction(net, image):
    with torch.inference_mode():
        plain = net(image)
        with Embedding(net):
            assert torch.equal(net(image), plain)
        assert torch.equal(net(image), plain)


def test_the_rows_are_mean_deviation_and_quarters_of_each_deep_channel(net, image):
    deep = []
    handle = net.bottom.register_forward_hook(lambda module, given, output: deep.append(output.numpy()))
    with torch.inference_mode(), Embedding(net) as embedding:
        net(image)
        rows = embedding.rows(5).numpy()
    handle.remove()
    assert rows.shape == (5, 72)
    for n, row in enumerate(rows):
        channels = deep[0][n].reshape(12, -1)
        assert row[:12] == pytest.approx(channels.mean(axis=1), abs=1e-5)
        assert row[12:24] == pytest.approx(channels.std(axis=1), abs=1e-5)
        rows_up, cols_left = (size // 2 for size in deep[0].shape[2:])
        above_left = deep[0][n, :, :rows_up, :cols_left].reshape(12, -1).mean(axis=1)
        below_right = deep[0][n, :, rows_up:, cols_left:].reshape(12, -1).mean(axis=1)
        assert row[24::4] == pytest.approx(above_left, abs=1e-5)
        assert row[27::4] == pytest.approx(below_right, abs=1e-5)


def test_a_hip_s_row_does_not_depend_on_its_neighbours(net, image):
    with torch.inference_mode():
        with Embedding(net) as embedding:
            net(image)
            together = embedding.rows(5)
        for n in range(5):
            with Embedding(net) as embedding:
                net(image[n : n + 1])
                torch.testing.assert_close(embedding.rows(1)[0], together[n], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(together[0], together[1])


def test_the_hook_is_gone_afterwards_after_an_error_too(net, image):
    before = hooks(net)
    with Embedding(net):
        assert hooks(net) == before + 1
    assert hooks(net) == before
    with pytest.raises(RuntimeError, match="here"), Embedding(net):
        raise RuntimeError("here")
    assert hooks(net) == before
    with Embedding(net) as embedding:
        pass
    net(image)
    assert embedding.rows(5).shape == (5, 0)  # nothing was overheard outside


def test_the_last_image_is_what_counts(net, image):
    with torch.inference_mode(), Embedding(net) as embedding:
        net(image)
        net(image[:2] * 0.5)
        second = embedding.rows(2)
        net(image[:2] * 0.5)
        assert torch.equal(embedding.rows(2), second)
    assert second.shape == (2, 72)


def test_rows_carry_no_gradient(net, image):
    with Embedding(net) as embedding:
        net(image)
        assert not embedding.rows(5).requires_grad


@pytest.mark.parametrize("other", [nn.Conv2d(1, 4, 3), nn.Sequential(nn.Identity())])
def test_a_network_without_a_bottom_gives_rows_of_nothing(other):
    with torch.inference_mode(), Embedding(other) as embedding:
        other(torch.rand(3, 1, 8, 8))
        assert embedding.rows(3).shape == (3, 0)
    assert hooks(other) == 0


def test_a_name_that_is_no_level_is_passed_over():
    other = nn.Identity()
    other.bottom = 7
    with Embedding(other) as embedding:
        other(torch.rand(1, 1, 4, 4))
    assert embedding.rows(1).shape == (1, 0)


def test_the_test_step_tells_the_embedding_of_the_unmoved_look(net, image):
    task = SegmentationTask(net, Softmax(), CrossEntropy(), partial(torch.optim.SGD, lr=0.1), None).eval()
    target = torch.rand(5, 4, 16, 24)
    batch = {"image": image, "target": target, "weight": torch.ones(5, 16, 24), "row": torch.arange(5)}
    found = []
    with torch.inference_mode():
        for number in (1, 4):
            task.looks = type(task.looks)(number)
            found.append(task.test_step(batch, 0))
        with Embedding(net) as embedding:
            net(image)
            assert torch.equal(found[0]["embedding"], embedding.rows(5))
        plain = task.activation.probs(net(image))
    one, four = found
    for name in ("embedding", "masks", "dice", "target", "row"):  # more looks change nothing but the looks
        torch.testing.assert_close(one[name], four[name], atol=0, rtol=0, equal_nan=True)
    assert (one["looks"].shape, four["looks"].shape) == ((1, 5, 3, 16, 24), (4, 5, 3, 16, 24))
    assert torch.equal(one["looks"][0], task.predict_foreground(image))
    assert torch.equal(four["looks"][0], one["looks"][0])
    assert torch.equal(one["masks"], task.activation.decode(plain))
    assert torch.equal(one["target"], target[:, 1:])
    assert hooks(net) == 0
