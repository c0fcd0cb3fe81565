"""A cohort's fingerprint: what its films and hips are like, in counts and distributions, without anybody's name.

It may leave the room: it holds no id, film name, visit name or date, and of what a header says only words from closed
lists. The cohorts' own names (``OAI``) stay.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.rules import RULES
from hipjsw.imaging.dicom_pixels import SYNTAX_NAMES
from hipjsw.imaging.image_header import IMAGE_SYNTAXES
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import SpacingSource

__all__ = ["HEAD_MM", "NARROW_MM", "NORMAL_MJSW_MM", "cohort_fingerprint"]

#: Mean projected diameter of an adult's femoral head, its spread, and the departure of a mean that is remarked on.
HEAD_MM, _HEAD_SD_MM, _HEAD_DEPARTURE_MM = 55.0, 4.0, 4.0
#: Mean mJSW of women and of men, and the spread of either.
NORMAL_MJSW_MM, _MJSW_SD_MM = (3.9, 4.2), 0.9
#: Widths that define osteoarthritis, and the risk of it.
NARROW_MM = (2.0, 2.5)

_MJSW_EDGES_MM = tuple(0.5 * n for n in range(17))
_HEAD_EDGES_MM = tuple(float(n) for n in range(34, 85, 2))
_QUANTILES = (5, 25, 50, 75, 95)
#: Sizes that are counted one by one; scanned films have as many as there are films.
_MOST_SIZES = 50
_OTHER = "other"
_MODALITIES = ("CR", "DX", "RG", "RF", "")
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "")
_FORMATS = ("dicom", "png", "jpeg", "tiff", "npy")
_CALIBRATIONS = ("GEOMETRY", "FIDUCIAL", "")
_SYNTAXES = (*SYNTAX_NAMES, *IMAGE_SYNTAXES, "")


def cohort_fingerprint(records: Sequence[FilmRecord]) -> dict[str, Any]:
    """Describe what was examined; the same for any order of the records.

    Args:
        records: The films of one or several cohorts.

    Returns:
        Plain values for JSON: ``all`` and, by name, ``cohorts`` hold the same counts and distributions (lengths in
        mm, widths and head diameters of usable hips); ``remarks`` says in words what departs from the literature.
    """
    own: dict[str, list[FilmRecord]] = {}
    for record in sorted(records, key=lambda record: record.entry.dataset):
        # a name from the file system may hold what UTF-8 does not
        name = record.entry.dataset.encode("utf-8", "backslashreplace").decode("utf-8")
        own.setdefault(name, []).append(record)
    return {
        "format": 1,
        "all": _described(records),
        "cohorts": {name: _described(films) for name, films in own.items()},
        "remarks": [remark for name, films in own.items() for remark in _remarks(name, films)],
    }


def _described(records: Sequence[FilmRecord]) -> dict[str, Any]:
    facts = [record.facts for record in records if record.facts is not None]
    usable = [hip for record in records for hip in record.hips if not hip.reason]
    widths_mm = _known(hip.mjsw_mm for hip in usable)
    return {
        "counts": _counts(records),
        "left_out": _left_out(records),
        "spacing": _spacing(records),
        "film": _film(facts),
        "mjsw_mm": _distribution(widths_mm, _MJSW_EDGES_MM)
        | {f"share_up_to_{most}": _share(sum(w <= most for w in widths_mm), len(widths_mm)) for most in NARROW_MM},
        "head_diameter_mm": _distribution(_known(hip.head_diameter_mm for hip in usable), _HEAD_EDGES_MM),
    }


def _counts(records: Sequence[FilmRecord]) -> dict[str, int]:
    visits = {(r.entry.dataset, r.entry.subject, r.entry.visit) for r in records}
    persons = Counter((dataset, subject) for dataset, subject, _ in visits)
    hips = [hip for record in records for hip in record.hips]
    return {
        "num_films": len(records),
        "num_films_read": sum(record.facts is not None for record in records),
        "num_films_with_points": sum(bool(record.entry.points) for record in records),
        "num_films_used": sum(any(not hip.reason for hip in record.hips) for record in records),
        "num_persons": len(persons),
        "num_persons_with_follow_up": sum(number > 1 for number in persons.values()),
        "num_visits": len(visits),
        "num_hips": len(hips),
        "num_hips_usable": sum(not hip.reason for hip in hips),
    }


def _left_out(records: Sequence[FilmRecord]) -> dict[str, int]:
    """Hips left out by rule; a hip may have several."""
    reasons = (hip.reason for record in records for hip in record.hips if hip.reason)
    return _counted((rule.strip() for reason in reasons for rule in reason.split(",")), tuple(RULES))


def _spacing(records: Sequence[FilmRecord]) -> dict[str, Any]:
    known = [record.spacing for record in records if record.spacing is not None]
    ratios = _tag_ratios(record.facts for record in records if record.facts is not None)
    differ = sum(any(not math.isclose(r, 1.0, rel_tol=1e-3) for r in pair) for pair in ratios)
    return {
        "by_source": {
            source.value: _by_number(Counter(f"{s.mean_mm:.3f}" for s in known if s.source == source))
            for source in SpacingSource
            if any(s.source == source for s in known)
        },
        "num_without": len(records) - len(known),
        "num_anisotropic": sum(not s.is_isotropic for s in known),
        "num_both_tags": len(ratios),
        "num_both_tags_differ": differ,
        "share_both_tags_differ": _share(differ, len(ratios)),
        "median_ratio_of_tags": _rounded(float(np.median([math.sqrt(a * b) for a, b in ratios])), 4)
        if ratios
        else None,
    }


def _tag_ratios(facts: Iterable[FilmFacts]) -> list[tuple[float, float]]:
    """ImagerPixelSpacing over PixelSpacing, rows and columns, where a film has both."""
    both = ((f.imager_spacing_mm, f.pixel_spacing_mm) for f in facts)
    return [(imager[0] / pixel[0], imager[1] / pixel[1]) for imager, pixel in both if imager and pixel]


def _film(facts: Sequence[FilmFacts]) -> dict[str, Any]:
    sizes = Counter(f"{f.rows}x{f.cols}" for f in facts)
    common = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MOST_SIZES]
    return {
        "sizes": dict(common),
        "num_other_sizes": len(facts) - sum(number for _, number in common),
        "rows": _range(f.rows for f in facts),
        "cols": _range(f.cols for f in facts),
        "bits": _by_number(Counter(str(f.bits) for f in facts)),
        "photometric": _counted((f.photometric for f in facts), _PHOTOMETRIC),
        "formats": _counted((f.format for f in facts), _FORMATS),
        "syntaxes": _counted((f.syntax for f in facts), _SYNTAXES),
        "modalities": _counted((f.modality for f in facts), _MODALITIES),
        "calibrations": _counted((f.calibration for f in facts), _CALIBRATIONS),
        "num_inverted": sum(f.inverted for f in facts),
        "num_lossy": sum(f.lossy for f in facts),
        "num_with_magnification": sum(f.magnification is not None for f in facts),
    }


def _range(values: Iterable[int]) -> dict[str, float | None]:
    known = sorted(values)
    return {
        "min": known[0] if known else None,
        "median": float(np.median(known)) if known else None,
        "max": known[-1] if known else None,
    }


def _counted(words: Iterable[str], allowed: Sequence[str]) -> dict[str, int]:
    """How often each word stands, in the order of the closed list; any word that is not in it is ``other``."""
    counts = Counter(word if word in allowed else _OTHER for word in words)
    return {word or "none": counts[word] for word in dict.fromkeys((*allowed, _OTHER)) if counts[word]}


def _by_number(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: float(item[0])))


def _known(values: Iterable[float | None]) -> list[float]:
    return sorted(value for value in values if value is not None and math.isfinite(value))


def _distribution(values: Sequence[float], edges: Sequence[float]) -> dict[str, Any]:
    """Number, mean, SD, quantiles and histogram of sorted values; a bin holds its lower edge, not its upper."""
    mean = math.fsum(values) / len(values) if values else None
    sd = None
    if mean is not None and len(values) > 1:
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    places = np.searchsorted(edges, values, side="right")
    return {
        "num": len(values),
        "mean": _rounded(mean, 3),
        "sd": _rounded(sd, 3),
        "quantiles": {f"{q}": _rounded(float(np.percentile(values, q)), 2) for q in _QUANTILES} if values else {},
        "edges": list(edges),
        "histogram": [int((places == n).sum()) for n in range(1, len(edges))],
        "num_below": int((places == 0).sum()),
        "num_above": int((places == len(edges)).sum()),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _remarks(name: str, records: Sequence[FilmRecord]) -> list[str]:
    """What departs from the literature by more than chance in so few persons."""
    found = (_head_remark(records), _width_remark(records))
    return [f"{name}: {remark}" for remark in found if remark]


def _head_remark(records: Sequence[FilmRecord]) -> str:
    """Of the usable hips, or of all where most are left out: a spacing that is wrong by much leaves none usable."""
    every, all_persons = _gathered(records, lambda hip: hip.head_diameter_mm)
    usable, persons = _gathered(records, lambda hip: None if hip.reason else hip.head_diameter_mm)
    if not every:
        return ""
    if 2 * len(usable) >= len(every):
        what, typical, whose = "mean", math.fsum(usable) / len(usable), f"{len(usable)} usable hips"
    else:
        what, typical, whose = "median", float(np.median(every)), f"{len(every)} hips, usable or not"
        persons = all_persons
    if abs(typical - HEAD_MM) <= max(_HEAD_DEPARTURE_MM, 2 * _HEAD_SD_MM / math.sqrt(persons)):
        return ""
    return (
        f"{what} femoral head diameter {typical:.1f} mm ({whose}) where adults have {HEAD_MM:.0f} mm on film; spacing "
        "wrong? Check spacing_mm= and points_spacing= by eye on an overlay"
    )


def _width_remark(records: Sequence[FilmRecord]) -> str:
    widths, persons = _gathered(records, lambda hip: None if hip.reason else hip.mjsw_mm)
    if not widths:
        return ""
    mean, (low, high) = math.fsum(widths) / len(widths), NORMAL_MJSW_MM
    departure = max(_MJSW_SD_MM, 2 * _MJSW_SD_MM / math.sqrt(persons))
    if low - departure <= mean <= high + departure:
        return ""
    why = "a cohort of patients, or points or spacing wrong?" if mean < low else "points or spacing wrong?"
    return f"mean mJSW {mean:.2f} mm ({len(widths)} usable hips) where normal hips have {low} to {high} mm; {why}"


def _gathered(records: Sequence[FilmRecord], value: Callable[[HipRecord], float | None]) -> tuple[list[float], int]:
    """Known values, sorted, and the number of persons they are of: a person's two hips are alike."""
    found = [
        (known, record.entry.subject) for record in records for hip in record.hips for known in _known([value(hip)])
    ]
    return sorted(known for known, _ in found), len({subject for _, subject in found})
