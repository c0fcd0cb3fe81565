"""Where a film and its points lie below a cohort's folder, named as in CHECK and OAI."""

from __future__ import annotations

from hipjsw.phantom.film import Film

__all__ = ["film_name", "points_name"]


def film_name(film: Film) -> str:
    """Path of a film below the cohort's folder."""
    person, visit = film.person, film.visit
    if person.dataset == "OAI":
        return f"OAI/{visit.name}/OAI-{person.subject}-{visit.name}-{visit.day:%Y%m%d}.dcm"
    return f"CHECK/{visit.name}/{person.subject}_{visit.name}_APO.dcm"


def points_name(film_path: str) -> str:
    """Path of the points of a film, both below the cohort's folder."""
    dataset, rest = film_path.split("/", 1)
    return f"{dataset}-pointfiles/{rest}.pts"
