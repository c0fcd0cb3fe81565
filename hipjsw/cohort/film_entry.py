"""What a cohort lists: its films, each with its points files and whose it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hipjsw.cohort.findings import Finding

__all__ = ["CohortError", "CohortListing", "FilmEntry", "PointsFile"]


class CohortError(ValueError):
    """A cohort that cannot be used; the message says what to do."""


@dataclass(frozen=True, order=True)
class PointsFile:
    """One ``.pts`` file of a film.

    Args:
        path: Path within the cohort folder, with forward slashes.
        side: The patient's side whose 80 points it holds (``right``, ``left``); empty where the name does not say.
    """

    path: str
    side: str = ""


@dataclass(frozen=True)
class FilmEntry:
    """One film by its name; paths are within the cohort folder, with forward slashes.

    Args:
        dataset: ``OAI``, ``CHECK``, or the name another cohort gives itself.
        subject: The cohort's own id of the person.
        visit: ``V00``, ``T05`` and the like.
        film: The film's file.
        points: Its ``.pts`` files: none, one for the film, or one a side.
        side: The only side the film shows, if the cohort says so; else empty.
        spacing_mm: Spacing that the cohort gives for the film in mm, over any header's; None if it gives none.
    """

    dataset: str
    subject: str
    visit: str
    film: str
    points: tuple[PointsFile, ...] = ()
    side: str = ""
    spacing_mm: float | None = None

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        """What films are put in order by: dataset, subject, visit, and the film's name however it is encoded."""
        return self.dataset, self.subject, self.visit, unicodedata.normalize("NFC", self.film), self.film


@dataclass(frozen=True)
class CohortListing:
    """The films of a cohort.

    Args:
        root: The folder that all paths start from.
        films: Each film once, in the order of dataset, subject, visit and name; those without points too.
        findings: What was noticed by names alone.
    """

    root: Path
    films: list[FilmEntry]
    findings: list[Finding]

    def with_findings(self, more: Sequence[Finding]) -> CohortListing:
        """The same films, and more that was noticed."""
        return replace(self, findings=[*self.findings, *more])
