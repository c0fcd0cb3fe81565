"""What was measured on a film, as rows: one a side, whatever became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import hipjsw
from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.inference.measure import MeasuredFilm, MeasuredHip
from hipjsw.jsw.profile import JointSpaceWidth

__all__ = ["COLUMNS", "STATUSES", "Row", "failed_row", "film_rows", "summary"]

#: ``measured``; ``unmeasurable``: the hip is there and has no width; ``not_found``: it should be there; ``absent``: the
#: film ends before it; ``failed``: the film could not be read.
STATUSES = ("measured", "unmeasurable", "not_found", "absent", "failed")
#: Columns of ``measurements.csv``. Lengths in mm only where the film has a spacing; ``_px`` are film pixels.
COLUMNS = (
    *(
        "film",
        "side",
        "status",
        "reason",
        "mjsw_mm",
        "mjsw_ci_low_mm",
        "mjsw_ci_high_mm",
        "p5_mm",
        "mean_mm",
        "median_mm",
    ),
    *("lateral_mm", "central_mm", "medial_mm", "quality", "mjsw_px", "mjsw_per_head"),
    *("head_center_row_px", "head_center_col_px", "head_diameter_px", "head_diameter_mm", "confidence"),
    *("spacing_mm", "spacing_source", "model_hash", "version"),
)
#: Between the centres of a person's heads; the least is taken, so that a film that may show both is asked for both.
_HEADS_APART_MM, _EDGE_MM = 165.0, 25.0

Row = dict[str, Any]


def film_rows(
    name: str, shape: tuple[int, int], film: MeasuredFilm, model_hash: str, facts: FilmFacts | None = None
) -> list[Row]:
    """Rows of a film that was read, right then left.

    Args:
        name: What the film is called.
        shape: Its ``(rows, cols)``.
        film: What was measured on it.
        model_hash: Of the model.
        facts: What the film's file says of it: where that contradicts the sides found, the reason says so.

    Returns:
        Two rows of ``COLUMNS``; None where there is no value.
    """
    by_side = {hip.side: hip for hip in film.hips}
    doubt = _doubt_of_sides(film, facts)
    rows = [
        _row(name, side, film, model_hash)
        | (_hip(by_side[side], film) if side in by_side else _without(side, shape, film))
        for side in Side
    ]
    odd = next((hip.side for hip in film.hips if hip.typicality is not None and hip.typicality > 1.0), None)
    beside = "" if odd is None else f"the {odd.value} hip is unlike those the network knows: look at the film"
    for row in rows:
        notes = (row["reason"], doubt, beside) if row["status"] == "measured" else (row["reason"],)
        row["reason"] = "; ".join(filter(None, notes))
    return rows


def _doubt_of_sides(film: MeasuredFilm, facts: FilmFacts | None) -> str:
    """What the header says against the sides that were found by anatomy."""
    if facts is None:
        return ""
    if facts.columns_towards == "R":
        return "the header says that the film is mirrored: check the side"
    sides = [hip.side for hip in film.hips]
    said = {"R": Side.RIGHT, "L": Side.LEFT}.get(facts.laterality)
    if said is not None and len(sides) == 1 and sides[0] is not said:
        return f"looks like a {sides[0].value} hip, and the header says {said.value}: check the side"
    return ""


def failed_row(name: str, reason: str, model_hash: str) -> Row:
    """The row of a film that could not be read.

    Args:
        name: What the film is called.
        reason: Why.
        model_hash: Of the model.
    """
    said = {"film": name, "side": "", "status": "failed", "reason": reason}
    return dict.fromkeys(COLUMNS) | said | {"model_hash": model_hash, "version": hipjsw.__version__}


def _row(name: str, side: Side, film: MeasuredFilm, model_hash: str) -> Row:
    spacing = film.spacing
    return dict.fromkeys(COLUMNS) | {
        "film": name,
        "side": side.value,
        "spacing_mm": None if spacing is None else round(spacing.mean_mm, 6),
        "spacing_source": "none" if spacing is None else str(spacing.source),
        "model_hash": model_hash,
        "version": hipjsw.__version__,
    }


def _hip(hip: MeasuredHip, film: MeasuredFilm) -> Row:
    row_px, col_px = (round(float(place), 2) for place in hip.centre_px)
    said: Row = {
        "head_center_row_px": row_px,
        "head_center_col_px": col_px,
        "head_diameter_px": round(hip.diameter_mm / film.guess.mean_mm, 2),
        "head_diameter_mm": None if film.spacing is None else round(hip.diameter_mm, 3),
        "confidence": round(hip.found.confidence, 4),
    }
    width = hip.width
    if not isinstance(width, JointSpaceWidth):
        return said | {"status": "unmeasurable", "reason": width.reason}
    said |= {
        "status": "measured",
        "reason": _squeezed(film.guess),
        "quality": _rounded(width.quality),
        "mjsw_px": round(width.mjsw_mm / film.guess.mean_mm, 3),
        "mjsw_per_head": round(width.mjsw_mm / hip.diameter_mm, 5),
    }
    if film.spacing is None:
        return said
    low, high = width.interval_mm or (None, None)
    values = (width.mjsw_mm, low, high, width.p5_mm, width.mean_mm, width.median_mm, *width.thirds_mm)
    names = ("mjsw", "mjsw_ci_low", "mjsw_ci_high", "p5", "mean", "median", "lateral", "central", "medial")
    return said | {f"{key}_mm": _rounded(value) for key, value in zip(names, values, strict=True)}


def _squeezed(guess: PixelSpacing) -> str:
    """What is to be said of a film without spacing whose pixels are taken not to be square."""
    if guess.row_mm == guess.col_mm or guess.source not in (SpacingSource.NONE, SpacingSource.ASSUMED_HEAD):
        return ""
    wider = guess.row_mm / guess.col_mm
    how = f"{wider:.2f} times as wide as high" if wider > 1 else f"{1 / wider:.2f} times as high as wide"
    return f"no spacing, and heads {how}: measured as if the picture had been squeezed"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _without(side: Side, shape: tuple[int, int], film: MeasuredFilm) -> Row:
    """A hip that was not found: should it be there?"""
    said = {"status": "not_found", "reason": f"no {side.value} hip found: look at the film"}
    if not film.hips:
        return said | {"reason": f"no {side.value} hip found: is this an adult hip, seen from the front?"}
    (other,) = film.hips
    away = _HEADS_APART_MM if other.side is Side.RIGHT else -_HEADS_APART_MM
    place_mm = float(other.centre_px[1]) * film.guess.col_mm + away
    if _EDGE_MM <= place_mm <= (shape[1] - 1) * film.guess.col_mm - _EDGE_MM:
        return said
    return {"status": "absent", "reason": f"the film ends before the {side.value} hip"}


def summary(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows have each status, in the order of ``STATUSES``."""
    counts = Counter(row["status"] for row in rows)
    return {status: counts[status] for status in STATUSES}
