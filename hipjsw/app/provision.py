"""Data where it is missing: the phantom cohort and its store, made once, by one process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hipjsw.app.lock import only_one
from hipjsw.app.phantom_store import write_view_store
from hipjsw.app.progress import num_workers, progress_bar
from hipjsw.cohort.examination import ImportOptions
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.relabelling import relabel
from hipjsw.cohort.split import SplitSpec
from hipjsw.cohort.store import STORE_VERSION, Store, StoreError
from hipjsw.cohort.writing import prepare_cohort
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.cohort import CohortOptions, write_cohort
from hipjsw.phantom.population import PHANTOM_VERSION

__all__ = [
    "find_store",
    "phantom_options",
    "prepare_options",
    "provide_store",
    "split_spec",
    "view_spec",
]


#: Data without films.
VIEWS = ("phantom_views", "phantom_hard")


def view_spec(cfg: DictConfig) -> ViewSpec:
    """The view of a configuration.

    Raises:
        ValueError: A key or value that makes no view.
    """
    content: dict[str, Any] = OmegaConf.to_container(cfg.view, resolve=True)  # type: ignore[assignment]
    try:
        return ViewSpec(**content)
    except TypeError as error:
        raise ValueError(f"view: {error}; conf/view has the keys") from error


def prepare_options(cfg: DictConfig) -> PrepareOptions:
    """What hips are made into, from a configuration with ``view`` and ``labels``."""
    given = {key: cfg[key] for key in ("points_spacing", "spacing_mm", "voi") if key in cfg}
    return PrepareOptions(view_spec(cfg), str(cfg.labels.name), ImportOptions(**given))


def split_spec(cfg: DictConfig) -> SplitSpec:
    """How persons are dealt, from a configuration with ``split`` and ``fold``.

    Raises:
        SplitError: Values that make no split.
    """
    return SplitSpec(**cfg.split, fold=cfg.fold)


def find_store(cfg: DictConfig) -> Store:
    """The store of a configuration, as it is; nothing is made.

    Raises:
        StoreError: None named, or none there.
    """
    if cfg.store is not None:
        given = Store.open(Path(cfg.store))
        return given if given.meta["labels"] == cfg.labels.name else Store.open(_relabelled_place(cfg, given))
    if cfg.data.name == "phantom":
        return Store.open(_phantom_places(cfg)[1])
    if cfg.data.name in VIEWS:
        return Store.open(_views_place(cfg))
    raise StoreError("data=cohort needs store=DIR, a store made with: python -m hipjsw.prepare cohort=DIR store=DIR")


def provide_store(cfg: DictConfig) -> Store:
    """The store a training run reads, its persons dealt to train, validation and test.

    ``data=cohort`` opens ``store=DIR``; other labels than it holds are drawn from its landmarks, into a store under
    ``data_dir``. ``data=phantom`` opens the phantom store of this configuration there, and makes it, and the cohort it
    is made of, where they are missing; ``data=phantom_views`` and ``data=phantom_hard`` likewise, without a cohort.

    Raises:
        StoreError: No store named, none there, or one of another view.
        SplitError: A split that cannot be made.
    """
    _refuse_idle_options(cfg)
    spec = split_spec(cfg)
    if cfg.store is not None:
        _relabel_given_store(cfg)
    if cfg.store is None and cfg.data.name == "phantom":
        _make_phantom_store(cfg)
    if cfg.store is None and cfg.data.name in VIEWS:
        _make_view_store(cfg)
    store = find_store(cfg)
    store.require_view(view_spec(cfg))
    return store.dealt(spec)


def _refuse_idle_options(cfg: DictConfig) -> None:
    """A cohort's films are as they are: what shapes phantoms would do nothing."""
    idle = [name for name in ("look", "points_error", "planted") if cfg.data.get(name) is not None]
    if cfg.data.name == "cohort" and idle:
        raise ValueError(
            f"data.{idle[0]} is for phantoms (data=phantom, data=phantom_views or data=phantom_hard); leave it out"
        )


def phantom_options(
    look: str | None, points_error: str | None, planted: float | None, quirks: bool | None = None
) -> CohortOptions:
    """How hard a phantom cohort is; what is None is as in the plain one.

    Raises:
        ValueError: A value that is none of those known.
    """
    given = {"look": look, "points_error": points_error, "planted": planted, "quirks": quirks}
    return CohortOptions(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def _data_options(cfg: DictConfig) -> CohortOptions:
    return phantom_options(cfg.data.look, cfg.data.points_error, cfg.data.planted)


def _phantom_places(cfg: DictConfig) -> tuple[Path, Path]:
    """Folders of the phantom cohort and of its store."""
    cohort = Path(cfg.data_dir) / f"phantom-{_phantom_name(cfg)}"
    return cohort, _store_place(cohort, cfg)


def _views_place(cfg: DictConfig) -> Path:
    """Folder of the store of phantom views."""
    return _store_place(Path(cfg.data_dir) / f"phantom-views-{_phantom_name(cfg)}", cfg)


def _phantom_name(cfg: DictConfig) -> str:
    return f"v{PHANTOM_VERSION}-n{cfg.data.subjects}-seed{cfg.data.seed}-{_data_options(cfg).name}"


def _store_place(made_of: Path, cfg: DictConfig) -> Path:
    content = json.dumps([STORE_VERSION, asdict(prepare_options(cfg))], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    return made_of.with_name(f"{made_of.name}-{cfg.view.name}-{digest}")


def _relabelled_place(cfg: DictConfig, given: Store) -> Path:
    """Folder of the store that holds another store's hips with the labels of the configuration."""
    return Path(cfg.data_dir) / f"labels-{cfg.labels.name}-of-{given.fingerprint[:12]}"


def _relabel_given_store(cfg: DictConfig) -> None:
    """Draw other labels than the given store's from its landmarks; no film is read again."""
    given = Store.open(Path(cfg.store))
    folder, labels = _relabelled_place(cfg, given), str(cfg.labels.name)
    if given.meta["labels"] == labels or (folder / "store.json").is_file():
        return
    given.require_view(view_spec(cfg))
    with only_one(folder, wait=True), progress_bar(f"drawing labels={labels} of {len(given.hips)} hips") as moved:
        relabel(given, folder, labels, moved, num_workers(cfg.workers))


def _make_view_store(cfg: DictConfig) -> None:
    folder = _views_place(cfg)
    if (folder / "store.json").is_file():
        return
    subjects, seed, workers = int(cfg.data.subjects), int(cfg.data.seed), num_workers(cfg.workers)
    with only_one(folder, wait=True):
        if (folder / "store.json").is_file():
            return
        with progress_bar(f"drawing hip views of {subjects} phantom persons") as moved:
            write_view_store(folder, subjects, seed, prepare_options(cfg), _data_options(cfg), workers, moved)


def _make_phantom_store(cfg: DictConfig) -> None:
    cohort, folder = _phantom_places(cfg)
    if (folder / "store.json").is_file():
        return
    with only_one(folder, wait=True):
        if (folder / "store.json").is_file():
            return
        workers = num_workers(cfg.workers)
        with (
            only_one(cohort, wait=True),
            progress_bar(f"drawing films of {cfg.data.subjects} phantom persons") as moved,
        ):
            write_cohort(cohort, int(cfg.data.subjects), int(cfg.data.seed), workers, moved, _data_options(cfg))
        with progress_bar("preparing hip views") as moved:
            prepare_cohort(cohort, folder, prepare_options(cfg), workers, progress=moved)
