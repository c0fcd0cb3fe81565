"""Overlap of masks: Dice of one image and class, and its mean over images.

Two numbers called Dice differ by how they are averaged and by what an empty mask counts, so both are stated
here: Dice is computed for each image and class and averaged over the images; a class that is empty in
prediction and target alike is undefined and left out, and the number left out is given; a class that is empty
in one of them is 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from hipjsw.anatomy.labels import FOREGROUND

__all__ = ["ImageDice", "dice_scores", "hard_target"]


def hard_target(target: Tensor) -> Tensor:
    """Reference masks of a soft target: each pixel belongs to the class that covers most of it.

    Args:
        target: Area coverage ``(B, 4, H, W)``: background, then the classes of ``FOREGROUND``.

    Returns:
        bool ``(B, 3, H, W)``. Of classes that cover equally much the first wins. The masks do not depend on
        the activation, so all networks are judged against the same reference.
    """
    winner = target.argmax(dim=1, keepdim=True)
    classes = torch.arange(1, 4, device=target.device).view(1, 3, 1, 1)
    return winner == classes


def dice_scores(pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Dice, ``2 |A and B| / (|A| + |B|)``, of each image and class.

    Args:
        pred: bool ``(B, C, H, W)``.
        target: bool ``(B, C, H, W)``.
        weight: ``(B, H, W)``; pixels of weight 0 are left out, all others count alike. All count if None.

    Returns:
        float64 ``(B, C)``; nan (undefined) where both masks are empty, 0 where one is.

    Raises:
        ValueError: Masks that are not bool or differ in shape, or a weight that does not fit.
    """
    if pred.dtype != torch.bool or target.dtype != torch.bool:
        raise ValueError(f"Dice compares bool masks, got {pred.dtype} and {target.dtype}: decode probabilities first")
    if pred.shape != target.shape or pred.ndim != 4:
        raise ValueError(f"masks must both be (B, C, H, W), got {tuple(pred.shape)} and {tuple(target.shape)}")
    if weight is not None:
        if weight.shape != pred.shape[:1] + pred.shape[2:]:
            raise ValueError(f"weight must be (B, H, W), got {tuple(weight.shape)} for masks {tuple(pred.shape)}")
        judged = (weight > 0)[:, None]
        pred, target = pred & judged, target & judged
    common = (pred & target).sum((2, 3)).double()
    both = (pred.sum((2, 3)) + target.sum((2, 3))).double()
    return torch.where(both > 0, 2 * common / both, torch.nan)


class ImageDice(Metric):
    """Mean over images of the Dice of each class.

    ``compute`` gives scalars by name:

    - ``femur``, ``acetabulum``, ``joint_space``: mean of that class's Dice over the images where it is
      defined; nan if it is defined in none.
    - ``mean``: mean of the class means that are defined; nan if none is.
    - ``num``: images seen. ``num_undefined``: values (one an image and class) left out because the class is
      empty in prediction and target alike; ``num_undefined_femur`` and so on say it for each class.

    Every image counts once, however the images are batched or spread over processes.
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False

    total: Tensor
    defined: Tensor
    undefined: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("total", "defined", "undefined"):
            self.add_state(name, torch.zeros(len(FOREGROUND), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, pred: Tensor, target: Tensor, weight: Tensor | None = None) -> None:
        """Add a batch.

        Args:
            pred: bool ``(B, 3, H, W)``, an activation's ``decode``.
            target: bool ``(B, 3, H, W)``, of ``hard_target``.
            weight: ``(B, H, W)``; pixels of weight 0 are left out.
        """
        scores = dice_scores(pred, target, weight)
        if scores.shape[1] != len(FOREGROUND):
            raise ValueError(f"masks must have the channels {FOREGROUND}, got {scores.shape[1]}")
        known = ~torch.isnan(scores)
        self.total += torch.nan_to_num(scores, nan=0.0).sum(0)
        self.defined += known.sum(0)
        self.undefined += (~known).sum(0)

    def compute(self) -> dict[str, Tensor]:
        """Means and counts by name."""
        means = torch.where(self.defined > 0, self.total / self.defined, torch.nan)
        result = dict(zip(FOREGROUND, means, strict=True))
        result["mean"] = means.nanmean()
        result["num"] = self.defined[0] + self.undefined[0]
        result["num_undefined"] = self.undefined.sum()
        for name, count in zip(FOREGROUND, self.undefined, strict=True):
            result[f"num_undefined_{name}"] = count
        return result
