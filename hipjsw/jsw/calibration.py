"""From a measured minimum to an unbiased one with a 95 % interval, learnt on hips whose width is known.

The minimum of a profile that a network drew is off in two ways: rough edges make it too small, and a network that is
not sure where two nearly touching bones part makes it too large. Both depend on the width, so the mean error is learnt
as a broken line over the measured width. How far a single measurement may be off depends on how little the views of
one hip agree and on how narrow the joint is; from that a scale of the error is fitted, and the interval is so many
scales wide that, on persons left out, 95 of 100 held the known width (split conformal prediction: Lei et al. 2018,
J Am Stat Assoc 113:1094-111).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable

__all__ = ["LEAST_HIPS", "Calibration", "fit_calibration"]

#: With fewer hips, or persons, nothing is learnt.
LEAST_HIPS, LEAST_PERSONS = 25, 10
LEVEL = 0.95
#: Corners of the broken line; a corner with fewer hips on either side of it is left out.
KNOTS_MM, LEAST_BESIDE = (0.5, 1.5, 2.5), 8
#: Beyond this an error counts less and less for the line: one hip that went wrong shall not bend it.
ROBUST_MM = 0.15
#: A narrow joint that is open is the hardest to read: how hard, over the width.
HARD_MM, HARDNESS = (0.0, 0.75, 2.25, 3.25), (0.4, 1.0, 1.0, 0.0)
FOLDS = 5
#: Quality is the chance that the width is right to this.
CLOSE_MM = 0.5
#: Less chance than this is no measurement.
LEAST_QUALITY = 0.5
#: Places along the sourcil at which the profile's error is known.
BAND_PLACES = 21

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What was learnt; plain numbers, so that it can be kept as JSON.

    Args:
        reference: What the known width was: ``truth`` or ``label``.
        num_hips: Hips it was learnt on.
        num_persons: Their persons.
        knots_mm: Corners of the broken line over the measured width.
        line_mm: Its coefficients: constant, slope, change of slope at each corner; what is added to the width.
        scale: Scale of the error: constant, for each mm of spread, for a narrow joint (times ``HARDNESS``).
        ratios: ``(k,)`` quantiles, equally far apart, of error over scale on persons left out.
        factor: Scales to either side that hold 95 of 100 errors.
        band_mm: Half the width of the profile's 95 % band at equal steps along the sourcil, lateral to medial; empty
            where no profile was known.
    """

    reference: str
    num_hips: int
    num_persons: int
    knots_mm: tuple[float, ...]
    line_mm: tuple[float, ...]
    scale: tuple[float, float, float]
    ratios: tuple[float, ...]
    factor: float
    band_mm: tuple[float, ...]

    def apply(self, width: JointSpaceWidth, spread_mm: float | None) -> JointSpaceWidth | Unmeasurable:
        """Correct one measurement and say how sure it is.

        Args:
            width: As measured. Its profile stays as it is.
            spread_mm: Standard deviation of the minimum over the looks at this hip; None if it was seen once.

        Returns:
            The width with interval, band and quality (the chance that it is right to 0.5 mm); no width where that
            chance is below a half, or where it rests on a spread that this hip does not have.
        """
        if spread_mm is None and self.scale[1] > 0:
            return Unmeasurable("too uncertain: fewer than two looks at this hip gave a width")
        measured = np.array([width.mjsw_mm])
        mjsw_mm = max(float(measured[0] + (_line(measured, self.knots_mm) @ np.array(self.line_mm))[0]), 0.0)
        scale = float(_scales(measured, _known([spread_mm]), self.scale)[0])
        quality = float(np.interp(CLOSE_MM / scale, self.ratios, np.linspace(0.0, 1.0, len(self.ratios))))
        if quality < LEAST_QUALITY:
            return Unmeasurable(f"too uncertain: the chance of an error below {CLOSE_MM} mm is {quality:.2f}")
        half = self.factor * scale
        return replace(
            width,
            mjsw_mm=mjsw_mm,
            interval_mm=(max(mjsw_mm - half, 0.0), mjsw_mm + half),
            band_mm=self._band_mm(width.profile_mm),
            quality=quality,
        )

    def _band_mm(self, profile_mm: Floats) -> Floats | None:
        if not self.band_mm:
            return None
        share = np.linspace(0.0, 1.0, len(profile_mm))
        half = np.interp(share, np.linspace(0.0, 1.0, len(self.band_mm)), self.band_mm)
        return np.stack([np.maximum(profile_mm - half, 0.0), profile_mm + half])

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Calibration:
        """Read what ``to_json`` gave.

        Raises:
            ValueError: Something is missing, no number, or cannot be.
        """
        try:
            listed = {k: tuple(float(x) for x in v) for k, v in plain.items() if isinstance(v, list | tuple)}
            found = cls(**{**plain, **listed})
            lists = {"knots_mm", "line_mm", "scale", "ratios", "band_mm"}
            kinds = (("reference", str), ("num_hips", int), ("num_persons", int))
            sound = lists == listed.keys() and all(isinstance(plain[name], kind) for name, kind in kinds)
            sound = sound and _is_sound(found)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"no calibration of a measurement: {error}") from error
        if not sound:
            raise ValueError("no calibration of a measurement: numbers that are missing, or cannot be")
        return found


def _is_sound(found: Calibration) -> bool:
    sizes = (found.factor, *found.scale, *found.ratios, *found.band_mm)
    return (
        bool(np.isfinite((*sizes, *found.knots_mm, *found.line_mm)).all())
        and (len(found.line_mm), len(found.scale)) == (len(found.knots_mm) + 2, 3)
        and min(sizes) >= 0.0 < found.scale[0]
        and len(found.ratios) > 1
        and found.ratios == tuple(sorted(found.ratios))
    )


def fit_calibration(
    widths: Sequence[JointSpaceWidth],
    spread_mm: Sequence[float | None],
    known_mm: NDArray[Any],
    persons: NDArray[Any],
    profiles_mm: Sequence[NDArray[Any] | None],
    reference: str,
) -> Calibration | None:
    """Learn from hips of known width that no weight was trained on.

    Args:
        widths: ``n`` measurements.
        spread_mm: ``n`` standard deviations of each minimum over the looks at it; None where it was seen once.
        known_mm: ``(n,)`` the minimum as it is known, finite.
        persons: ``(n,)`` whose hips they are; what is learnt is tried on persons left out.
        profiles_mm: The known profile of each, at equal steps along the sourcil; None where there is none.
        reference: Where the known widths come from.

    Returns:
        The calibration; None for fewer than 25 hips or 10 persons.

    Raises:
        ValueError: Lists that are not equally long, or known widths that are not finite.
    """
    lengths = {len(widths), len(spread_mm), len(known_mm), len(persons), len(profiles_mm)}
    if len(lengths) > 1 or not np.isfinite(known_mm).all():
        raise ValueError(f"finite known widths and lists of one length expected, got lengths {sorted(lengths)}")
    names, number = np.unique(np.asarray(persons), return_inverse=True)
    if len(widths) < LEAST_HIPS or len(names) < LEAST_PERSONS:
        return None
    measured = np.array([width.mjsw_mm for width in widths])
    spread, known = _known(spread_mm), np.asarray(known_mm, dtype=np.float64)
    ratio = np.zeros(len(measured))
    for fold in range(FOLDS):
        out = number % FOLDS == fold
        knots, line, scale = _fit(measured[~out], spread[~out], known[~out])
        error = known[out] - np.maximum(measured[out] + _line(measured[out], knots) @ line, 0.0)
        ratio[out] = np.abs(error) / _scales(measured[out], spread[out], scale)
    knots, line, scale = _fit(measured, spread, known)
    rank = int(np.ceil((len(ratio) + 1) * LEVEL - 1e-9))  # of the next error among all: at most this with 95 %
    return Calibration(
        reference=reference,
        num_hips=len(widths),
        num_persons=len(names),
        knots_mm=knots,
        line_mm=tuple(line.tolist()),
        scale=scale,
        ratios=tuple(np.quantile(ratio, np.linspace(0.0, 1.0, 101)).tolist()),
        factor=float(np.sort(ratio)[rank - 1]),
        band_mm=_band(widths, profiles_mm),
    )


def _fit(
    measured: Floats, spread: Floats, known: Floats
) -> tuple[tuple[float, ...], Floats, tuple[float, float, float]]:
    """Corners and coefficients of the line, and those of the scale."""
    knots = tuple(k for k in KNOTS_MM if min((measured < k).sum(), (measured > k).sum()) >= LEAST_BESIDE)
    columns = _line(measured, knots)
    penalty = np.diag([0.0, *[0.02 * len(measured) / 100] * (len(knots) + 1)])
    wanted = known - measured
    line: Floats = np.zeros(columns.shape[1])
    weight: Floats = np.ones(len(measured))
    for _ in range(30):
        normal = columns.T @ (columns * weight[:, None]) + penalty
        line = np.asarray(np.linalg.solve(normal, columns.T @ (weight * wanted)), dtype=np.float64)
        weight = ROBUST_MM / np.maximum(np.abs(wanted - columns @ line), ROBUST_MM)
    error = np.abs(known - np.maximum(measured + columns @ line, 0.0))
    constant, by_spread, by_narrowness = nnls(_scale_columns(measured, spread), error)[0].tolist()
    return knots, line, (max(constant, 0.02), by_spread, by_narrowness)


def _known(spread_mm: Sequence[float | None]) -> Floats:
    return np.array([0.0 if spread is None else spread for spread in spread_mm])


def _line(measured: Floats, knots: Sequence[float]) -> Floats:
    bends = [np.maximum(measured - knot, 0.0) for knot in knots]
    return np.column_stack([np.ones(len(measured)), measured, *bends])


def _scale_columns(measured: Floats, spread: Floats) -> Floats:
    return np.column_stack([np.ones(len(measured)), spread, np.interp(measured, HARD_MM, HARDNESS)])


def _scales(measured: Floats, spread: Floats, scale: Sequence[float]) -> Floats:
    return np.asarray(_scale_columns(measured, spread) @ np.asarray(scale))


def _band(widths: Sequence[JointSpaceWidth], profiles_mm: Sequence[NDArray[Any] | None]) -> tuple[float, ...]:
    """95 % of the profiles' errors at each place."""
    share = np.linspace(0.0, 1.0, BAND_PLACES)
    errors = [
        np.interp(share, np.linspace(0.0, 1.0, len(width.profile_mm)), width.profile_mm)
        - np.interp(share, np.linspace(0.0, 1.0, len(known)), known)
        for width, known in zip(widths, profiles_mm, strict=True)
        if known is not None
    ]
    return tuple(np.quantile(np.abs(errors), LEVEL, axis=0).tolist()) if errors else ()
