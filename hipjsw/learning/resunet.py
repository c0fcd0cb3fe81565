"""The study's network: a 2-D residual U-Net.

Its structure is that of ``monai.networks.nets.UNet`` with two spatial dimensions, PReLU and instance norm,
and so is its arithmetic: with copied weights the outputs agree. Kerfoot et al., "Left-ventricle
quantification using residual U-Net", STACOM 2018, doi:10.1007/978-3-030-12029-0_40.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor, nn

__all__ = ["ResUNet", "seeded"]


def seeded(factory: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a module whose initial weights depend on the seed alone.

    The module is built on the CPU from a generator seeded here; the global generators are left as they were.

    Args:
        factory: Builds the module.
        seed: Seed of the initial weights.

    Returns:
        What the factory built, on the CPU.
    """
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which reseeds accelerators as well
        return factory()


class ResUNet(nn.Module):
    """Residual U-Net from images to logits.

    Each level goes down by a residual unit whose first convolution is strided (the shortcut is a strided 3x3
    convolution), and up by a transposed convolution on the level's input joined with what came from below,
    followed by a residual unit of one convolution. The last convolution has neither norm nor activation.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the logits (an activation's ``num_channels``).
        channels: Feature channels of each level, top first, two or more.
        strides: Stride from one level to the next, one fewer than ``channels``.
        residual_units: Convolutions in each residual unit on the way down. 0 gives the plain U-Net: a single
            convolution a level and no shortcuts.

    Raises:
        ValueError: Fewer than two levels, strides that do not fit them, or a value that is too small.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 4,
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        strides: Sequence[int] = (2, 2, 2, 2),
        residual_units: int = 2,
    ) -> None:
        super().__init__()
        features = [int(c) for c in channels]
        steps = [int(s) for s in strides]
        if len(features) < 2 or len(steps) != len(features) - 1:
            raise ValueError(
                f"a U-Net needs two levels or more and one stride fewer than levels, "
                f"got {len(features)} channels and {len(steps)} strides"
            )
        if min(in_channels, out_channels, *features, *steps) < 1 or residual_units < 0:
            raise ValueError("channels and strides are 1 or more, residual_units is 0 or more")
        self.total_stride = prod(steps)
        """Height and width of an input must be multiples of this."""

        inputs = [in_channels, *features[:-2]]
        self.down = nn.ModuleList(
            _down(a, b, s, residual_units) for a, b, s in zip(inputs, features[:-1], steps, strict=True)
        )
        self.bottom = _down(features[-2], features[-1], 1, residual_units)
        # from the deepest level up: a level gives as many channels as the level above has on its way down
        below = [features[-1], *reversed(features[:-2])]
        skips = list(reversed(features[:-1]))
        outputs = [*skips[1:], out_channels]
        self.up = nn.ModuleList(
            _up(skip + a, b, s, residual_units, last=level == len(steps) - 1)
            for level, (skip, a, b, s) in enumerate(zip(skips, below, outputs, reversed(steps), strict=True))
        )

    def forward(self, image: Tensor) -> Tensor:
        """Compute logits.

        Args:
            image: ``(B, in_channels, H, W)``, H and W multiples of ``total_stride``.

        Returns:
            Logits ``(B, out_channels, H, W)``.

        Raises:
            ValueError: A height or width that is not a multiple of ``total_stride``.
        """
        height, width = image.shape[-2:]
        if height % self.total_stride or width % self.total_stride:
            raise ValueError(
                f"height and width must be multiples of {self.total_stride}, the product of the strides; "
                f"got {height} x {width}: pad or crop the input, or change `strides`"
            )
        x, skips = image, []
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.bottom(x)
        for up in self.up:
            x = up(torch.cat([skips.pop(), x], dim=1))
        logits: Tensor = x
        return logits


class _Residual(nn.Module):
    """Sum of a stack of convolutions and a shortcut."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.body(x) + self.shortcut(x)
        return total


def _conv(inputs: int, outputs: int, stride: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2)


def _unit(conv: nn.Module, outputs: int) -> nn.Sequential:
    """Convolution, instance norm, PReLU with one slope."""
    return nn.Sequential(conv, nn.InstanceNorm2d(outputs), nn.PReLU())


def _down(inputs: int, outputs: int, stride: int, residual_units: int) -> nn.Module:
    if residual_units == 0:
        return _unit(_conv(inputs, outputs, stride), outputs)
    body = nn.Sequential(
        *(
            _unit(_conv(inputs if n == 0 else outputs, outputs, stride if n == 0 else 1), outputs)
            for n in range(residual_units)
        )
    )
    if stride == 1 and inputs == outputs:
        return _Residual(body, nn.Identity())
    return _Residual(body, _conv(inputs, outputs, stride, size=1 if stride == 1 else 3))


def _up(inputs: int, outputs: int, stride: int, residual_units: int, *, last: bool) -> nn.Module:
    conv = nn.ConvTranspose2d(inputs, outputs, 3, stride, padding=1, output_padding=stride - 1)
    if residual_units == 0:
        return conv if last else _unit(conv, outputs)
    inner = _conv(outputs, outputs, 1)
    body = inner if last else _unit(inner, outputs)
    return nn.Sequential(_unit(conv, outputs), _Residual(body, nn.Identity()))
