"""Augmentation: one sample in, one changed sample out, decided by a key alone.

A sample is an image ``(H, W)`` and planes ``(5, H, W)`` in the order of ``PLANES``: the four coverages, then
the weight; a sixth may follow, how much a pixel is raised in the loss. It is stored with a margin round the
crop the network sees (192 x 192 for 128 x 128, say), so that a shift, a turn or a smaller scale brings in real
film and not a border. ``Augment.reach`` says how much margin is enough.

Geometry is one linear resampling of image and planes together, done here: albumentations' ``Affine`` shifts
by whole pixels, returns the stored size and fills every plane with the same value. Grey values are changed by
albumentations.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.labels import CLASSES

__all__ = ["PLANES", "Augment", "Augmentation", "CentreCrop", "Sample", "Warp", "warp"]

#: What each plane of a sample is.
PLANES = (*CLASSES, "weight")
#: Where the weight stands.
WEIGHT = PLANES.index("weight")
#: What each plane holds outside the stored sample: background, not to be judged, not raised.
FILL = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

Sample = tuple[NDArray[np.float32], NDArray[np.float32]]


class Augmentation(Protocol):
    """Anything that makes a network's sample from a stored one."""

    def __call__(
        self, image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], key: tuple[int, ...]
    ) -> Sample:
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


@dataclass(frozen=True)
class CentreCrop:
    """No augmentation: the middle of the stored sample (an odd margin is smaller above and left)."""

    def __call__(
        self,
        image: NDArray[Any],
        planes: NDArray[Any],
        size: tuple[int, int],
        key: tuple[int, ...] = (),  # noqa: ARG002  (the protocol's)
    ) -> Sample:
        """See ``Augmentation``; the key is not used."""
        top, left = _corner(image, planes, size)
        rows, cols = slice(top, top + size[0]), slice(left, left + size[1])
        return image[rows, cols].astype(np.float32), _unit_range(planes[:, rows, cols])


@dataclass(frozen=True)
class Warp:
    """How the content of a crop moves: turned and scaled about the crop's centre, then shifted.

    The crop's centre is ``((h - 1) / 2, (w - 1) / 2)`` in ``(row, col)``: between the middle pixels if h and
    w are even.

    Args:
        shift_px: ``(row, col)`` by which content moves down and to the right, in pixels of the crop.
        scale: Factor by which content grows.
        rotate_deg: Angle by which content turns, counter-clockwise as seen.
        stretch: Factor by which turned content then grows along rows, and shrinks along columns.
    """

    shift_px: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    rotate_deg: float = 0.0
    stretch: float = 1.0

    def to_stored(self, stored: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float64]:
        """Matrix ``(2, 3)`` from OpenCV's ``(x, y, 1)`` in the crop to ``(x, y)`` in the stored sample.

        Args:
            stored: ``(H, W)`` of the stored sample.
            size: ``(h, w)`` of the crop in its middle.
        """
        angle = math.radians(self.rotate_deg)
        cos, sin = math.cos(angle) / self.scale, math.sin(angle) / self.scale
        turn = np.array([[cos, -sin], [sin, cos]]) * (self.stretch, 1.0 / self.stretch)  # columns, then rows
        middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
        corner = np.array([(stored[1] - size[1]) // 2, (stored[0] - size[0]) // 2])
        moved_middle = middle + self.shift_px[::-1]
        return np.column_stack([turn, corner + middle - turn @ moved_middle])


def warp(image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], motion: Warp) -> Sample:
    """Resample the middle of a stored sample, linearly, image and planes alike.

    Beyond the stored sample the image repeats its edge and the planes are background; a pixel that depends on
    anything out there has weight 0. Coverages that sum to 1 still do, for the resampling is linear.

    Arguments, result and errors are those of ``Augmentation``, with a ``motion`` in place of the key.
    """
    _corner(image, planes, size)
    matrix = motion.to_stored((image.shape[0], image.shape[1]), size)

    def resample(plane: NDArray[Any], fill: float | None) -> NDArray[np.float32]:
        return np.asarray(
            cv2.warpAffine(
                plane,
                matrix,
                (size[1], size[0]),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT,
                borderValue=(fill or 0.0, 0.0, 0.0, 0.0),
            )
        )

    moved_image = resample(image.astype(np.float32), None)
    stored_planes = _unit_range(planes)
    moved = np.stack([resample(plane, fill) for plane, fill in zip(stored_planes, FILL, strict=False)])
    if _leaves(matrix, image.shape, size):
        inside = resample(np.ones(image.shape, np.float32), 0.0)
        moved[WEIGHT, inside < 1 - 1e-4] = 0.0
    return np.clip(moved_image, 0.0, 1.0), np.clip(moved, 0.0, 1.0)


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

    def __call__(
        self, image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int], key: tuple[int, ...]
    ) -> Sample:
        """See ``Augmentation``."""
        moved_image, moved_planes = warp(image, planes, size, self.motion(size, key))
        amounts = (self.brightness, self.contrast, self.gamma, self.blur_px, self.noise)
        if any(amounts):
            moved_image = _change_greys(moved_image, amounts, key)
        if self.cut:
            self._cut_off(moved_image, moved_planes, key)
        return moved_image, moved_planes

    def _cut_off(self, image: NDArray[np.float32], planes: NDArray[np.float32], key: tuple[int, ...]) -> None:
        """Let the film end early, in place."""
        rows, cols = image.shape
        above, below, before, behind = np.maximum(_generator("cut", key).uniform(-self.cut, self.cut, 4), 0.0)
        gone = np.ones(image.shape, dtype=bool)
        gone[round(above * rows) : rows - round(below * rows), round(before * cols) : cols - round(behind * cols)] = (
            False
        )
        image[gone] = 0.0
        coverages = [plane for plane in range(len(planes)) if plane != WEIGHT]
        for plane in coverages:
            planes[plane][gone] = FILL[plane]

    def motion(self, size: tuple[int, int], key: tuple[int, ...]) -> Warp:
        """How the content of the sample with this key moves, for a crop of ``(h, w)`` pixels."""
        row, col, scale, turn = _generator("motion", key).uniform(-1.0, 1.0, 4)
        return Warp(
            shift_px=(row * self.shift * size[0], col * self.shift * size[1]),
            scale=1.0 + scale * self.scale,
            rotate_deg=turn * self.rotate_deg,
            stretch=1.0 + self.stretch * _generator("stretch", key).uniform(-1.0, 1.0) if self.stretch else 1.0,
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


def _generator(purpose: str, key: tuple[int, ...]) -> np.random.Generator:
    """A generator of its own for every purpose and key (numpy's would take (1, 2) and (1, 2, 0) for one)."""
    text = ",".join([purpose, *(str(int(k)) for k in key)])
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _change_greys(image: NDArray[np.float32], amounts: tuple[float, ...], key: tuple[int, ...]) -> NDArray[np.float32]:
    pipeline, positions = _grey_pipeline(amounts)
    # Compose would hand one seed to every transform and so tie their draws together: each gets its own
    seeds = _generator("greys", key).integers(2**32, size=4)
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


def _corner(image: NDArray[Any], planes: NDArray[Any], size: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the crop's first pixel in the stored sample, once all shapes are known to fit."""
    if image.ndim != 2 or planes.shape not in [(n, *image.shape) for n in (len(PLANES), len(FILL))]:
        raise ValueError(
            f"a sample is (H, W) and ({len(PLANES)} or {len(FILL)}, H, W), got image {image.shape} and planes "
            f"{planes.shape}"
        )
    if image.dtype.kind != "f" or not (planes.dtype.kind == "f" or planes.dtype == np.uint8):
        raise ValueError(f"image must be float, planes float or uint8, got {image.dtype}, {planes.dtype}")
    height, width = image.shape
    if not (0 < size[0] <= height and 0 < size[1] <= width):
        raise ValueError(f"a crop of {size} does not fit into a stored sample of {image.shape}")
    return (height - size[0]) // 2, (width - size[1]) // 2


def _unit_range(planes: NDArray[Any]) -> NDArray[np.float32]:
    """Copy as float32 in [0, 1]."""
    scale = np.float32(255.0 if planes.dtype == np.uint8 else 1.0)
    return planes.astype(np.float32) / scale


def _leaves(matrix: NDArray[np.float64], stored: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether a corner of the crop comes from beyond the stored sample, by more than rounding."""
    corners = np.array([(x, y, 1.0) for x in (0, size[1] - 1) for y in (0, size[0] - 1)])
    points = corners @ matrix.T
    return bool((points < -1e-4).any() or (points > np.array([stored[1] - 1, stored[0] - 1]) + 1e-4).any())
