"""What a phantom cohort may be asked for besides its size and seed."""

from __future__ import annotations

from dataclasses import dataclass

from hipjsw.phantom.look import LOOKS
from hipjsw.phantom.points import PointsModel

__all__ = ["CohortOptions"]


@dataclass(frozen=True)
class CohortOptions:
    """How hard a cohort is; the defaults are the plain one.

    Args:
        look: How films look: a name of ``hipjsw.phantom.look.LOOKS``.
        points_error: What errors the points have: a value of `PointsModel`.
        planted: Share of films, 0 to 1, that show something no joint space can be measured beside or on.
        quirks: Whether each quirk of ``hipjsw.phantom.quirks`` is on a film.

    Raises:
        ValueError: A value that is none of these; the message names those that are.
    """

    look: str = "realistic"
    points_error: str = PointsModel.NONE.value
    planted: float = 0.0
    quirks: bool = False

    def __post_init__(self) -> None:
        _require("look", self.look, LOOKS)
        _require("points error", self.points_error, tuple(model.value for model in PointsModel))
        if not 0.0 <= self.planted <= 1.0:
            raise ValueError(f"planted is the share of films, from 0 to 1 (0.05 for 5 %), got {self.planted:g}")

    @property
    def points_model(self) -> PointsModel:
        """What errors the points have."""
        return PointsModel(self.points_error)

    @property
    def name(self) -> str:
        """A name for folders: equal for equal options only."""
        return f"{self.look}-{self.points_error}-planted{self.planted!r}{'-quirks' if self.quirks else ''}"

    @property
    def difficulty(self) -> str:
        """The options in words."""
        points = "exact points" if self.points_model is PointsModel.NONE else "points with a shape model's errors"
        planted = f"{100 * self.planted:g} % of films planted" if self.planted else "nothing planted"
        return f"{self.look} films, {points}, {planted}{', every quirk once' if self.quirks else ''}"


def _require(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{what} {value!r} is not one of: {', '.join(known)}")
