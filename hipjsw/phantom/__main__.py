"""Door: write a phantom cohort, ``python -m hipjsw.phantom out=DIR``, or a sheet of its films, ``sheet=FILE``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.door import open_door
from hipjsw.app.lock import only_one
from hipjsw.app.progress import num_workers, progress_bar
from hipjsw.app.provision import phantom_options
from hipjsw.phantom.census import census, markdown
from hipjsw.phantom.cohort import CohortSummary, write_cohort
from hipjsw.phantom.gallery import caption, displayed, varied_films
from hipjsw.phantom.options import CohortOptions
from hipjsw.phantom.population import PHANTOM_VERSION, Person, draw_person
from hipjsw.reporting.film_sheet import SheetFilm, draw_film_sheet

#: Films of a sheet.
SHEET_FILMS = 12


def main(cfg: DictConfig) -> None:
    """Write the cohort and say what it holds."""
    options = phantom_options(cfg.look, cfg.points.error, cfg.planted)
    options = replace(options, quirks=bool(OmegaConf.select(cfg, "quirks", default=False)))
    if cfg.sheet is not None:
        _draw_sheet(Path(cfg.sheet), int(cfg.seed), int(cfg.subjects), options)
        return
    if not str(cfg.out).strip():
        raise ValueError("out is empty; name a new or empty folder with out=DIR")
    out = Path(cfg.out)
    with only_one(out, wait=True), progress_bar("drawing phantom films") as moved:
        summary = write_cohort(out, int(cfg.subjects), int(cfg.seed), num_workers(cfg.workers), moved, options)
    print(options.difficulty)
    print("\n".join(_said(summary)))


def _draw_sheet(path: Path, seed: int, subjects: int, options: CohortOptions) -> None:
    """A picture of varied films, and the population in numbers."""
    if subjects < 1 or seed < 0:
        raise ValueError(f"a population needs at least one subject and a seed from 0, got {subjects} and {seed}")
    if path.is_dir():
        raise ValueError(f"sheet={path} is a folder; name a PNG file")
    films = []
    with progress_bar("drawing films") as moved:
        for done, film in enumerate(varied_films(seed, options, SHEET_FILMS), start=1):
            films.append(SheetFilm(displayed(film), caption(film)))
            moved(done, SHEET_FILMS)
    title = f"phantom version {PHANTOM_VERSION}, seed {seed}: {options.difficulty}"
    print(f"{draw_film_sheet(films, path, title)}: {len(films)} films; {title}\n")
    with progress_bar("counting the population") as moved:
        persons = (draw_person(seed, index) for index in range(subjects))
        print(f"{subjects} persons, seed {seed}, phantom version {PHANTOM_VERSION}:\n")
        print(markdown(census(_counted(persons, subjects, moved))))


def _counted(persons: Iterable[Person], total: int, moved: Callable[[int, int], None]) -> Iterator[Person]:
    for done, person in enumerate(persons, start=1):
        yield person
        moved(done, total)


def _said(summary: CohortSummary) -> list[str]:
    counted = f"{summary.num_films} films of {summary.num_subjects} persons"
    lines = [f"{counted} ({summary.num_hips} hips, {summary.num_widths} with a true width) in {summary.folder}"]
    for what, notes in (("films that show", summary.notes), ("films whose points have", summary.points_notes)):
        if notes:
            lines.append(f"{what}: " + ", ".join(f"{note} {count}" for note, count in notes.items()))
    if (summary.folder / "quirks.csv").is_file():
        lines.append(f"quirks and what should be found of them: {summary.folder / 'quirks.csv'}")
    lines.append(f"next: python -m hipjsw.prepare cohort={summary.folder} store=DIR")
    return lines


if __name__ == "__main__":
    open_door(main, "phantom")
