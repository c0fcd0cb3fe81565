"""The boundary loss: a pixel that is wrong counts by how far it lies from the true border.

Kervadec et al. 2019 (arXiv 1812.07032): the signed distance to the border of a class, negative inside, times the
class's probability, added up. Overlap asks how many pixels are wrong; this asks how far away they are, so it punishes
specks far from a bone and is mild to a border that is off by a pixel. The paper adds it to an overlap loss and raises
its weight while training (`hipjsw.learning.loss.Rising`): alone it can end with nothing predicted at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hipjsw.learning.activation import Activation
from hipjsw.learning.loss import NUM_FOREGROUND, Loss
from hipjsw.learning.overlap import hard_target

__all__ = ["BoundaryLoss", "signed_distance"]

#: Distances are in hundredths of the side: close to a millimetre in a hip view, which is 102 mm wide.
PER_SIDE = 100.0


@dataclass(frozen=True)
class BoundaryLoss(Loss):
    """Signed distance times probability, weighted mean over all pixels of the batch and the three foreground classes.

    Borders are those of the hard target (`hipjsw.learning.overlap.hard_target`), by ``signed_distance``; a class that
    has no border in an image costs 0 there, so what is predicted of an absent class is left to the other terms. With
    softmax the background is no class of its own: it grows as the others shrink.

    Lengths are in hundredths of the view's side, the root of the number of judged pixels: the same prediction on a
    grid twice as fine costs the same, and a weight found with one view can be kept for another.

    Args:
        from_perfect: Whether the (negative) value of the perfect hard mask is taken off. Then the loss is the mean of
            the distance's size times ``|p - t|``: 0 for the perfect mask, else positive. The gradient is the same.
    """

    from_perfect: bool = False

    def __call__(self, activation: Activation, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``Loss``."""
        probs = activation.probs(logits)[:, -NUM_FOREGROUND:]
        masks, judged = hard_target(target), weight > 0
        side = judged.sum((1, 2)).clamp(min=1).to(probs.dtype).sqrt()
        distance = signed_distance(masks, judged).to(probs.dtype) * (PER_SIDE / side)[:, None, None, None]
        given = probs - masks.to(probs.dtype) if self.from_perfect else probs
        total = NUM_FOREGROUND * weight.sum()
        return (weight[:, None] * distance * given).sum() / torch.where(total > 0, total, torch.ones_like(total))


def signed_distance(masks: Tensor, judged: Tensor) -> Tensor:
    """Distance of every pixel to the border of each mask, negative inside.

    The border runs half-way between the pixels of a mask and those outside it, so it is the distance between pixel
    centres less half a pixel: 0.5 and -0.5 on its two sides, never 0. (The paper's code has 1 and 0.) That is exact
    for a border along the grid; along others a distance comes out up to 0.3 pixels too short. The edge of the image is
    no border, nor is the edge of what is judged: distances go to the nearest *judged* pixel of the other side, and the
    target of pixels that are not judged does not matter.

    It is computed on the CPU, wherever the masks lie: OpenCV's distances are exact, and torch has none of its own. An
    image's three classes take 1.2 ms at 128x128 pixels, 5 ms at 256x256 and 22 ms at 512x512, on one core.

    Args:
        masks: bool ``(B, C, H, W)``.
        judged: bool ``(B, H, W)``.

    Returns:
        float32 ``(B, C, H, W)`` in pixels, on the device of the masks. 0 where a pixel is not judged, and everywhere
        where a mask has no border: nothing that is judged lies inside it, or nothing outside.
    """
    inside, known = masks.cpu().numpy(), judged.cpu().numpy()
    distance = np.zeros(inside.shape, dtype=np.float32)
    for image, judged_here in enumerate(known):
        for channel, mask in enumerate(inside[image]):
            distance[image, channel] = _signed(mask, judged_here)
    return torch.from_numpy(distance).to(masks.device)


def _signed(mask: NDArray[np.bool_], judged: NDArray[np.bool_]) -> NDArray[np.float32]:
    within, beyond = mask & judged, ~mask & judged
    if not (within.any() and beyond.any()):
        return np.zeros(mask.shape, dtype=np.float32)
    to_within, to_beyond = (
        cv2.distanceTransform(np.asarray(~side, dtype=np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for side in (within, beyond)
    )
    half = np.float32(0.5)
    return np.asarray(np.where(mask, half - to_beyond, to_within - half) * judged, dtype=np.float32)
