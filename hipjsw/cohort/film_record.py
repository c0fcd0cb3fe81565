"""What is kept of an examined film: plain values that JSON holds, one line a film."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hipjsw.cohort.findings import Finding
from hipjsw.cohort.layout import FilmEntry, PointsFile
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource

__all__ = ["FilmRecord", "HipRecord"]


@dataclass(frozen=True)
class HipRecord:
    """One hip of a film.

    Args:
        side: The patient's side, ``right`` or ``left``.
        reason: Why the hip is left out (rules, comma-separated); empty for a usable one.
        mjsw_mm: Width between the landmark curves, None if there is none.
        head_diameter_mm: Diameter of the circle fitted to the femoral head, None without usable points.
        truth_mm: Exact width where the maker of the hip knows it and no file beside the films says it.
        head_mm: Film place (row, col) of the head's centre in mm, None without usable points.
        centre_mm: Film place (row, col) under the view's centre in mm, None where no view was made.
    """

    side: str
    reason: str
    mjsw_mm: float | None = None
    head_diameter_mm: float | None = None
    truth_mm: float | None = None
    head_mm: tuple[float, float] | None = None
    centre_mm: tuple[float, float] | None = None


@dataclass(frozen=True)
class FilmRecord:
    """One film, its hips and findings.

    Args:
        entry: The film by its names.
        film_digest: Hash of the film file's bytes; empty if it could not be read.
        points_digest: Hash of the bytes of its points files, in order; empty without points.
        pixel_digest: Hash of shape and pixels in display sense; empty if undecodable.
        facts: What the file says of the film, None if it could not be read.
        spacing: The spacing lengths rest on, None without one.
        hips: Two hips, right then left (fewer if the cohort says that the film shows one).
        findings: What was noticed.
    """

    entry: FilmEntry
    film_digest: str = ""
    points_digest: str = ""
    pixel_digest: str = ""
    facts: FilmFacts | None = None
    spacing: PixelSpacing | None = None
    hips: tuple[HipRecord, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> FilmRecord:
        """The record that `to_json` was made of (after a way through JSON too).

        Raises:
            ValueError: Content that is no record.
        """
        try:
            entry = dict(content["entry"])
            entry["points"] = tuple(PointsFile(**file) for file in entry["points"])
            spacing, facts = content["spacing"], content["facts"]
            return cls(
                entry=FilmEntry(**entry),
                film_digest=str(content["film_digest"]),
                points_digest=str(content["points_digest"]),
                pixel_digest=str(content["pixel_digest"]),
                facts=None if facts is None else _facts(facts),
                spacing=None if spacing is None else _spacing(spacing),
                hips=tuple(_hip(hip) for hip in content["hips"]),
                findings=tuple(Finding(**finding) for finding in content["findings"]),
            )
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"not a film's record: {error.__class__.__name__}") from error


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def _spacing(content: dict[str, Any]) -> PixelSpacing:
    return PixelSpacing(float(content["row_mm"]), float(content["col_mm"]), SpacingSource(content["source"]))


def _facts(content: dict[str, Any]) -> FilmFacts:
    pairs = {name: _pair(content[name]) for name in ("pixel_spacing_mm", "imager_spacing_mm")}
    notes = tuple((str(rule), str(message)) for rule, message in content["notes"])
    return FilmFacts(**content | pairs | {"notes": notes})


def _hip(content: dict[str, Any]) -> HipRecord:
    return HipRecord(**content | {name: _pair(content[name]) for name in ("head_mm", "centre_mm")})
