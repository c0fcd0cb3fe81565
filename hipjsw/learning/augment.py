"""Augmentation: one sample in, one changed sample out, decided by a key alone.

How a stored sample is moved is ``warp``'s; ``Augment.reach`` says how much margin is enough. Grey values are changed by
albumentations. ``batch_augment`` does the same for whole batches.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hipjsw.learning.sample import FILL, WEIGHT, Key, Sample, corner, crop, unit_range
from hipjsw.learning.warp import Warp, warp

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Augment", "Augmentation", "CentreCrop", "OnBatch", "digest", "generator"]


class Augmentation(Protocol):
    """Anything that makes a network's sample from a stored one."""

    def __call__(self, image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], key: Key) -> Sample:
        """Make a sample of the given size.

        Args:
            image: ``(H, W)`` grey values in [0, 1], floating point.
            planes: ``(5, H, W)`` in the order of ``PLANES``, or six with one more that moves with them; floating point
                in [0, 1], or uint8 in 255ths.
            size: ``(h, w)`` of the crop, no larger than the stored sample.
            key: Integers that decide all randomness, say (seed, epoch, sample). Nothing else does: neither
                global state nor the calls before nor the process.

        Returns:
            Image ``(h, w)`` and as many planes ``(h, w)``, new float32 arrays in [0, 1].

        Raises:
            ValueError: Arrays whose shape, type or size does not fit.
        """
        ...


@runtime_checkable
class OnBatch(Protocol):
    """An augmentation that can be given a whole batch: first it moves everything, then it changes what was moved."""

    def move(self, stored: Tensor, size: tuple[int, int], keys: Sequence[Key]) -> Tensor:
        """Make samples of stored ones; linear in their values.

        Args:
            stored: ``(B, 1 + K, H, W)``, float32: the image; then femur, acetabulum, joint space, weight, and maybe how
                near the bones are. The background is what the coverages leave, so beyond the sample they are 0.
            size: ``(h, w)`` of the crop, no larger than the stored sample.
            keys: Of each hip, the integers that decide all its randomness.

        Returns:
            ``(B, 1 + K, h, w)``, on the same device.
        """
        ...

    def change(self, image: Tensor, planes: Tensor, keys: Sequence[Key]) -> tuple[Tensor, Tensor]:
        """Change grey values, and what is seen at all.

        Args:
            image: ``(B, 1, h, w)`` in [0, 1].
            planes: ``(B, K, h, w)``.
            keys: As for ``move``.

        Returns:
            Image in [0, 1] and planes.
        """
        ...


@dataclass(frozen=True)
class CentreCrop:
    """No augmentation: the middle of the stored sample (an odd margin is smaller above and left)."""

    def __call__(
        self,
        image: NDArray[Any],
        planes: NDArray[Any],
        size: tuple[int, int],
        key: Key = (),  # noqa: ARG002  (the protocol's)
    ) -> Sample:
        """See ``Augmentation``; the key is not used."""
        top, left = corner(image, planes, size)
        rows, cols = slice(top, top + size[0]), slice(left, left + size[1])
        return image[rows, cols].astype(np.float32), unit_range(planes[:, rows, cols])

    def move(self, stored: Tensor, size: tuple[int, int], keys: Sequence[Key]) -> Tensor:  # noqa: ARG002
        """See ``OnBatch``; the keys are not used."""
        return crop(stored, size)

    def change(self, image: Tensor, planes: Tensor, keys: Sequence[Key]) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """See ``OnBatch``: nothing changes."""
        return image, planes


@dataclass(frozen=True)
class Augment:
    """Random shift, scale and turn of the sample, then random grey values of the image.

    Every amount is drawn evenly between its bounds, and none depends on whether another is switched on. 0
    switches a part off; with all of them 0 the result is exactly ``CentreCrop``'s. There are no flips: a view
    shows every hip like a right one.

    Args:
        shift: Largest shift along rows and along columns, as a share of the crop's height and width.
        scale: Content is scaled by 1 - scale to 1 + scale.
        rotate_deg: Largest turn either way, in degrees.
        stretch: Rows are stretched by 1 - stretch to 1 + stretch, and columns by one over it.
        brightness: Largest value added or taken away (the image's range is 1).
        contrast: Grey values are multiplied by 1 - contrast to 1 + contrast.
        gamma: Grey values are raised to the power 1 - gamma to 1 + gamma.
        blur_px: Largest standard deviation of the Gaussian blur, in pixels.
        noise: Largest standard deviation of the Gaussian noise (the image's range is 1).
        cut: Largest share of the crop that is cut off at each of its four sides, about half of the time at each: 0 in
            the image, background in the planes, judged as it was.

    Raises:
        ValueError: A negative amount, or one so large that nothing would be left.
    """

    shift: float = 0.0
    scale: float = 0.0
    rotate_deg: float = 0.0
    stretch: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    cut: float = 0.0

    def __post_init__(self) -> None:
        limits = dict.fromkeys(vars(self), 1.0) | {"rotate_deg": 180.0, "blur_px": math.inf, "cut": 0.5}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) < limit:
                raise ValueError(f"{name} must be 0 or more and below {limit}, got {getattr(self, name)}")

    def __call__(self, image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], key: Key) -> Sample:
        """See ``Augmentation``."""
        moved_image, moved_planes = warp(image, planes, size, self.motion(size, key))
        amounts = (self.brightness, self.contrast, self.gamma, self.blur_px, self.noise)
        if any(amounts):
            moved_image = _change_greys(moved_image, amounts, key)
        if self.cut:
            self._cut_off(moved_image, moved_planes, key)
        return moved_image, moved_planes

    def _cut_off(self, image: NDArray[np.float32], planes: NDArray[np.float32], key: Key) -> None:
        """Let the film end early, in place."""
        gone = ~self.kept((image.shape[0], image.shape[1]), key)
        image[gone] = 0.0
        coverages = [plane for plane in range(len(planes)) if plane != WEIGHT]
        for plane in coverages:
            planes[plane][gone] = FILL[plane]

    def kept(self, size: tuple[int, int], key: Key) -> NDArray[np.bool_]:
        """Which pixels ``(h, w)`` of the sample with this key are not cut off."""
        rows, cols = size
        above, below, before, behind = np.maximum(generator("cut", key).uniform(-self.cut, self.cut, 4), 0.0)
        kept = np.zeros(size, dtype=bool)
        kept[round(above * rows) : rows - round(below * rows), round(before * cols) : cols - round(behind * cols)] = (
            True
        )
        return kept

    def motion(self, size: tuple[int, int], key: Key) -> Warp:
        """How the content of the sample with this key moves, for a crop of ``(h, w)`` pixels."""
        row, col, scale, turn = generator("motion", key).uniform(-1.0, 1.0, 4)
        return Warp(
            shift_px=(row * self.shift * size[0], col * self.shift * size[1]),
            scale=1.0 + scale * self.scale,
            rotate_deg=turn * self.rotate_deg,
            stretch=1.0 + self.stretch * generator("stretch", key).uniform(-1.0, 1.0) if self.stretch else 1.0,
        )

    def reach(self, size: tuple[int, int]) -> tuple[int, int]:
        """Smallest stored ``(H, W)`` from which no motion of this augmentation brings in a border (stretching: enough).

        Args:
            size: ``(h, w)`` of the crop.
        """
        turn = math.radians(min(self.rotate_deg, 90.0))
        half = [((n - 1) / 2 + self.shift * n) / (1 - self.stretch) for n in size]
        stored = []
        for n, along, across in zip(size, half, half[::-1], strict=True):
            worst = min(turn, math.atan2(across, along))  # where along * cos + across * sin is largest
            far = (along * math.cos(worst) + across * math.sin(worst)) / (1 - self.scale)
            stored.append(n + 2 * math.ceil(far - (n - 1) / 2 - 1e-9))
        return stored[0], stored[1]


def generator(purpose: str, key: Key) -> np.random.Generator:
    """A generator of its own for every purpose and key (numpy's would take (1, 2) and (1, 2, 0) for one)."""
    return np.random.default_rng(int.from_bytes(digest(purpose, key, 16), "big"))


def digest(purpose: str, key: Key, size: int) -> bytes:
    """So many bytes that depend on purpose and key alone."""
    text = ",".join([purpose, *(str(int(k)) for k in key)])
    return hashlib.blake2b(text.encode(), digest_size=size).digest()


def _change_greys(image: NDArray[np.float32], amounts: tuple[float, ...], key: Key) -> NDArray[np.float32]:
    pipeline, positions = _grey_pipeline(amounts)
    # Compose would hand one seed to every transform and so tie their draws together: each gets its own
    seeds = generator("greys", key).integers(2**32, size=4)
    for transform, position in zip(pipeline.transforms, positions, strict=True):
        transform.set_random_seed(int(seeds[position]))
    changed: NDArray[np.float32] = pipeline(image=image)["image"]
    return np.clip(changed, 0.0, 1.0)


@lru_cache(maxsize=8)
def _grey_pipeline(amounts: tuple[float, ...]) -> tuple[Any, list[int]]:
    """The albumentations pipeline of the amounts that are not 0, and which of the four parts each is."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # or importing it asks the network for a newer version
    import albumentations as albu

    brightness, contrast, gamma, blur_px, noise = amounts
    parts = {}
    if brightness or contrast:
        parts[0] = albu.RandomBrightnessContrast(brightness_limit=brightness, contrast_limit=contrast, p=1.0)
    if gamma:
        parts[1] = albu.RandomGamma(gamma_limit=(100 * (1 - gamma), 100 * (1 + gamma)), p=1.0)
    if blur_px:
        parts[2] = albu.GaussianBlur(blur_limit=0, sigma_limit=(0.0, blur_px), p=1.0)
    if noise:
        parts[3] = albu.GaussNoise(std_range=(0.0, noise), p=1.0)
    return albu.Compose(list(parts.values())), list(parts)
