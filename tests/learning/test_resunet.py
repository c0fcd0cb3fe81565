"""The network against MONAI's, and its initialisation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hipjsw.learning.resunet import ResUNet, seeded


def copy_in_order(source: nn.Module, target: nn.Module) -> None:
    """Copy parameters in the order in which the modules stand; shapes must match."""
    theirs, ours = list(source.parameters()), list(target.parameters())
    assert [p.shape for p in theirs] == [p.shape for p in ours]
    with torch.no_grad():
        for a, b in zip(theirs, ours, strict=True):
            b.copy_(a)


@pytest.mark.parametrize("residual_units", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("channels", "strides"),
    [
        ((16, 32, 64, 128, 256), (2, 2, 2, 2)),
        ((8, 16, 24), (2, 2)),
        ((8, 12), (2,)),
        ((8, 8, 16, 16), (1, 3, 2)),
    ],
)
def test_equals_monai(residual_units, channels, strides):
    from monai.networks.nets import UNet

    torch.manual_seed(residual_units)
    theirs = UNet(2, 2, 4, channels, strides, num_res_units=residual_units).eval()
    ours = ResUNet(2, 4, channels, strides, residual_units).eval()
    copy_in_order(theirs, ours)
    assert list(ours.state_dict()) == [name for name, _ in ours.named_parameters()]  # no running statistics
    image = torch.randn(2, 2, 48, 96)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), theirs(image), rtol=0, atol=1e-5)


def test_gradients_equal_monai():
    from monai.networks.nets import UNet

    theirs = UNet(2, 1, 4, (4, 8, 16), (2, 2), num_res_units=2).double()
    ours = ResUNet(1, 4, (4, 8, 16), (2, 2)).double()
    copy_in_order(theirs, ours)
    image = torch.randn(2, 1, 16, 16, dtype=torch.float64)
    for net in (theirs, ours):
        net(image).square().mean().backward()
    for a, b in zip(theirs.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(b.grad, a.grad)


@pytest.mark.parametrize(("residual_units", "expected"), [(2, 1_625_849), (0, 660_860)])
def test_parameter_count(residual_units, expected):
    net = ResUNet(residual_units=residual_units)
    assert sum(p.numel() for p in net.parameters()) == expected


@pytest.mark.parametrize("size", [(120, 128), (128, 120), (8, 8)])
def test_size_that_does_not_divide(size):
    net = ResUNet()
    assert net.total_stride == 16
    with pytest.raises(ValueError, match="multiples of 16"):
        net(torch.zeros(1, 1, *size))


def test_samples_do_not_mix():
    net = seeded(lambda: ResUNet(channels=(4, 8, 16), strides=(2, 2)), 0)
    batch = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        alone = torch.cat([net(sample[None]) for sample in batch])
        torch.testing.assert_close(net(batch), alone, rtol=0, atol=1e-5)


def test_seeded_depends_on_the_seed_alone():
    def weights(seed):
        return torch.cat(
            [p.flatten() for p in seeded(lambda: ResUNet(channels=(4, 8), strides=(2,)), seed).parameters()]
        )

    torch.manual_seed(1)
    first, drawn = weights(7), torch.rand(3)
    torch.manual_seed(1)
    torch.testing.assert_close(torch.rand(3), drawn, rtol=0, atol=0)  # the global generator was left alone
    torch.manual_seed(2)
    assert torch.equal(weights(7), first)
    assert not torch.equal(weights(8), first)


def test_seeded_builds_on_the_cpu():
    with torch.device("meta"):
        net = seeded(lambda: nn.Linear(2, 2), 0)
    assert net.weight.device.type == "cpu"


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": (8,), "strides": ()},
        {"channels": (8, 16), "strides": (2, 2)},
        {"residual_units": -1},
        {"out_channels": 0},
        {"channels": (8, 16), "strides": (0,)},
    ],
)
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=r"U-Net needs|or more"):
        ResUNet(**wrong)
