"""Augmentation of a whole batch at once, on whatever device it lies on.

The motions are those of ``augment.Augment``, hip by hip, from the same keys. Grey values change by the same laws as its
albumentations pipeline, from draws of their own: brightness and contrast, gamma, blur, noise, in that order, cut to
[0, 1] after each. A hip comes out the same whatever else is in its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from numpy.typing import NDArray
from torch import Tensor

from hipjsw.learning.augment import Augment, digest
from hipjsw.learning.sample import WEIGHT, Key, Sample, corner, crop, unit_range
from hipjsw.learning.warp import OUTSIDE_PX, leaves

__all__ = ["BatchAugment", "Greys"]

#: Radius of the blur's kernel in standard deviations, rounded down, as PIL and albumentations have it.
KERNEL_SD = 3.5


class Greys(NamedTuple):
    """How the grey values of one hip change: gain and offset, then the power, the blur, the noise."""

    gain: float
    offset: float
    gamma: float
    blur_px: float
    noise: float
    noise_seed: int


@dataclass(frozen=True)
class BatchAugment(Augment):
    """``Augment`` made by torch, a batch at a time. Its amounts and their limits are the same.

    The resampling is exact to float32 (OpenCV's knows 32 places between two pixels). What depends on anything beyond
    the stored sample has weight 0 and is background.
    """

    def __call__(self, image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], key: Key) -> Sample:
        """One hip, as a batch of one makes it; the planes' background is what the other coverages leave."""
        corner(image, planes, size)
        stored = np.concatenate([image.astype(np.float32)[None], unit_range(planes[1:])])
        moved = self.move(torch.from_numpy(stored)[None], size, [key])
        grey, rest = self.change(moved[:, :1], moved[:, 1:], [key])
        background = (1 - rest[0, : WEIGHT - 1].sum(0, keepdim=True)).clamp(min=0)
        return grey[0, 0].numpy(), torch.cat([background, rest[0]]).numpy()

    def move(self, stored: Tensor, size: tuple[int, int], keys: Sequence[Key]) -> Tensor:
        """See ``OnBatch``."""
        if not any((self.shift, self.scale, self.rotate_deg, self.stretch)):
            return crop(stored, size)
        shape = (stored.shape[2], stored.shape[3])
        return _warped(stored, size, np.stack([self.motion(size, key).to_stored(shape, size) for key in keys]))

    def change(self, image: Tensor, planes: Tensor, keys: Sequence[Key]) -> tuple[Tensor, Tensor]:
        """See ``OnBatch``."""
        if any((self.brightness, self.contrast, self.gamma, self.blur_px, self.noise)):
            image = self._greyed(image, [self.greys(key) for key in keys])
        if self.cut:
            size = (image.shape[2], image.shape[3])
            kept = torch.from_numpy(np.stack([self.kept(size, key) for key in keys]))[:, None].to(image)
            of_planes = [kept] * planes.shape[1]
            of_planes[WEIGHT - 1] = torch.ones_like(kept)  # an end of the film is judged as it was
            image, planes = image * kept, planes * torch.cat(of_planes, 1)
        return image, planes

    def greys(self, key: Key) -> Greys:
        """How the grey values of the hip with this key change."""
        contrast, brightness, gamma, blur, noise, seed = _uniform("greys of a batch", key)
        return Greys(
            gain=1.0 + (2 * contrast - 1) * self.contrast,
            offset=(2 * brightness - 1) * self.brightness,
            gamma=1.0 + (2 * gamma - 1) * self.gamma,
            blur_px=blur * self.blur_px,
            noise=noise * self.noise,
            noise_seed=int(seed * 2**53),
        )

    def _greyed(self, image: Tensor, greys: Sequence[Greys]) -> Tensor:
        numbers = torch.tensor([grey[:5] for grey in greys], dtype=image.dtype, device=image.device)
        gain, offset, gamma, blur_px, noise = numbers[:, :, None, None, None].unbind(1)
        if self.contrast or self.brightness:
            image = (image * gain + offset).clamp_(0.0, 1.0)
        if self.gamma:
            image = image**gamma
        if self.blur_px:
            image = _blurred(image, blur_px[:, 0, 0, 0], int(KERNEL_SD * self.blur_px)).clamp_(0.0, 1.0)
        if self.noise:
            image = (image + noise * _noise(image, [grey.noise_seed for grey in greys])).clamp_(0.0, 1.0)
        return image


def _uniform(purpose: str, key: Key) -> list[float]:
    """Six numbers evenly in [0, 1) of a purpose and key, straight from a hash: cheaper than a generator."""
    drawn = digest(purpose, key, 48)
    return [int.from_bytes(drawn[n : n + 8], "big") / 2**64 for n in range(0, 48, 8)]


def _warped(stored: Tensor, size: tuple[int, int], matrices: NDArray[np.float64]) -> Tensor:
    """Samples where matrices ``(B, 2, 3)`` from (x, y, 1) in the crop to (x, y) in the stored sample say."""
    height, width = stored.shape[2:]
    rows = torch.from_numpy(matrices.astype(np.float32)).to(stored.device)[:, :, :, None, None]
    across = torch.arange(size[1], dtype=torch.float32, device=stored.device)[None, None, :]
    down = torch.arange(size[0], dtype=torch.float32, device=stored.device)[None, :, None]
    x, y = (rows[:, n, 0] * across + (rows[:, n, 1] * down + rows[:, n, 2]) for n in (0, 1))
    grid = torch.stack([x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1], -1)
    moved = F.grid_sample(stored, grid, padding_mode="border", align_corners=True)
    if any(leaves(matrix, (height, width), size) for matrix in matrices):
        reached = [(at >= -OUTSIDE_PX) & (at <= last + OUTSIDE_PX) for at, last in ((x, width - 1), (y, height - 1))]
        moved[:, 1:] *= (reached[0] & reached[1])[:, None]
    return moved


def _blurred(image: Tensor, sd_px: Tensor, radius: int) -> Tensor:
    """Each image of ``(B, 1, h, w)`` blurred by a Gaussian of its own, cut off at ``KERNEL_SD``; edges are mirrored."""
    if radius == 0:
        return image
    places = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    sd = sd_px[:, None].clamp(min=1e-6)
    kernel = torch.exp(-0.5 * (places / sd) ** 2) * (places.abs() <= torch.floor(KERNEL_SD * sd_px[:, None]))
    kernel = (kernel / kernel.sum(1, keepdim=True))[:, None]
    side_by_side = F.pad(image.transpose(0, 1), (radius,) * 4, mode="reflect")
    blurred = F.conv2d(side_by_side, kernel[:, :, :, None], groups=len(image))
    return F.conv2d(blurred, kernel[:, :, None, :], groups=len(image)).transpose(0, 1)


def _noise(image: Tensor, seeds: Sequence[int]) -> Tensor:
    """Standard normal values of the image's shape, each hip's from its own seed."""
    values = torch.empty_like(image)
    made = torch.Generator(image.device)
    for one, seed in zip(values, seeds, strict=True):
        one.normal_(generator=made.manual_seed(seed))
    return values
