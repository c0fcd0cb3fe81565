"""Door: a cohort to a store, or to what is wrong with it: ``python -m hipjsw.prepare cohort=DIR``."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from hipjsw.app.door import open_door
from hipjsw.app.lock import only_one
from hipjsw.app.progress import num_workers, progress_bar
from hipjsw.app.provision import prepare_options
from hipjsw.cohort.durable import beside
from hipjsw.cohort.findings import Finding
from hipjsw.cohort.layout import CohortError
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.shard import Shard, shard_folders
from hipjsw.cohort.shard_writing import prepare_shard
from hipjsw.cohort.store import Store
from hipjsw.cohort.verification import Verification, verify_cohort
from hipjsw.cohort.writing import prepare_cohort, relabel
from hipjsw.reporting.findings_report import FindingsReport, write_findings_report
from hipjsw.reporting.findings_table import findings_table

#: Folders in which every file is taken for a film or for points.
_FILMS = ("oai", "oai-pointfiles", "check", "check-pointfiles")


def main(cfg: DictConfig) -> None:
    """Verify, prepare or relabel, as asked."""
    options = prepare_options(cfg)
    if cfg.relabel is not None:
        _relabel(cfg, options)
    elif cfg.cohort is None or not str(cfg.cohort).strip():
        raise CohortError("name the cohort's folder or CSV with cohort=PATH")
    elif cfg.verify_only:
        _verify(cfg, options)
    else:
        _prepare(cfg, options)


def _verify(cfg: DictConfig, options: PrepareOptions) -> None:
    """Look at every film and report; no store is written."""
    cohort = Path(cfg.cohort)
    folder = Path(cfg.report) if cfg.report else Path(cfg.data_dir) / f"{_name(cohort)}-findings"
    refuse_place(folder, cohort, "report")
    with progress_bar("looking at films") as moved:
        seen = verify_cohort(cohort, options.imports, num_workers(cfg.workers), _list_file(cfg), moved)
    with progress_bar("drawing thumbnails") as moved:
        files = write_findings_report(folder, seen.listing.root, seen.records, seen.findings, options.imports, moved)
    _say_findings(seen, files)
    if seen.num_usable:
        Console().print(
            f"next: python -m hipjsw.prepare {typed_option('cohort', cohort)}", soft_wrap=True, markup=False
        )


def _prepare(cfg: DictConfig, options: PrepareOptions) -> None:
    """Prepare the cohort into its store, and report."""
    cohort = Path(cfg.cohort)
    folder = Path(cfg.store) if cfg.store else _store_place(Path(cfg.data_dir), _name(cohort), str(cohort), options)
    report = Path(cfg.report) if cfg.report else folder
    refuse_place(folder, cohort, "store")
    refuse_place(report, cohort, "report")
    id_key = Path(cfg.id_key) if cfg.id_key else None
    if cfg.shard is not None:
        _prepare_shard(cfg, cohort, folder, options, Shard.parse(str(cfg.shard)))
        return
    with ExitStack() as stack:
        stack.enter_context(only_one(folder, wait=False))
        for part in shard_folders(folder):
            stack.enter_context(only_one(part, wait=False))
        with progress_bar("preparing hip views") as moved:
            store, seen = prepare_cohort(
                cohort,
                folder,
                options,
                num_workers(cfg.workers),
                id_key=id_key,
                list_file=_list_file(cfg),
                progress=moved,
            )
        with progress_bar("drawing thumbnails") as moved:
            root = seen.listing.root
            files = write_findings_report(report, root, seen.records, seen.findings, options.imports, moved)
    _say_findings(seen, files)
    _say_store(store)


def _prepare_shard(cfg: DictConfig, cohort: Path, folder: Path, options: PrepareOptions, shard: Shard) -> None:
    """Prepare a share of the films, and say how all are put together."""
    place = beside(folder, shard.name)
    with only_one(place, wait=False), progress_bar(f"preparing shard {shard}") as moved:
        prepare_shard(
            cohort,
            folder,
            options,
            shard,
            num_workers(cfg.workers),
            id_key=Path(cfg.id_key) if cfg.id_key else None,
            list_file=_list_file(cfg),
            progress=moved,
        )
    print(f"shard {shard} is prepared; when all are, the same command without shard= puts them together")


def _relabel(cfg: DictConfig, options: PrepareOptions) -> None:
    """Redraw a store's labels from its landmarks."""
    source = Store.open(Path(cfg.relabel))
    place = source.folder.with_name(f"{source.folder.name}-{options.labels}")
    folder = Path(cfg.store) if cfg.store else place
    with only_one(folder, wait=False), progress_bar("redrawing labels") as moved:
        store = relabel(source, folder, options.labels, moved, num_workers(cfg.workers))
    _say_store(store)


def refuse_place(folder: Path, cohort: Path, option: str) -> None:
    """Refuse, before any film is read, a folder that cannot be written or whose files would be taken for films.

    Args:
        folder: Where a report or a store shall lie.
        cohort: The cohort's folder or CSV.
        option: The option that names the folder.

    Raises:
        CohortError: It lies in a cohort's folder of films, under a file, or where nothing may be written.
    """
    advice = f"name another folder with {option}=DIR"
    whole = folder.resolve()
    for films in cohort.resolve().glob("*") if cohort.is_dir() else ():
        if films.name.casefold() in _FILMS and whole.is_relative_to(films):
            raise CohortError(f"{folder} lies among the cohort's films; {advice}")
    above = next(path for path in (whole, *whole.parents) if os.access(path, os.F_OK))
    if not above.is_dir():
        raise CohortError(f"{folder} cannot be made: {above} is a file; {advice}")
    if not os.access(above, os.W_OK | os.X_OK):
        raise CohortError(f"{folder} cannot be written: {above} is closed or read-only; {advice}")


def typed_option(option: str, value: Path) -> str:
    """An option as it is typed in a shell, quoted for Hydra where its grammar would stumble over the value."""
    text = str(value)
    if not re.fullmatch(r"[\w/.:%+@-]+", text, re.ASCII):
        escaped = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + found[2].replace("'", "\\'"), text)
        text = f"'{escaped}'"
    return shlex.quote(f"{option}={text}")


def _list_file(cfg: DictConfig) -> Path | None:
    return Path(cfg.list_file) if cfg.list_file else None


def _name(cohort: Path) -> str:
    """A name for folders: the cohort folder's, or the CSV's without its ending."""
    whole = cohort.resolve()
    return whole.stem if whole.is_file() else whole.name


def _store_place(data_dir: Path, name: str, cohort: str, options: PrepareOptions) -> Path:
    """A folder of its own for each cohort, view and way of labelling."""
    content = json.dumps([str(Path(cohort).resolve()), asdict(options)], sort_keys=True, default=str)
    digest = hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()[:8]
    return data_dir / f"{name}-{options.view.name}-{options.labels}-{digest}"


def _say_findings(seen: Verification, files: FindingsReport) -> None:
    console = Console()
    findings: Sequence[Finding] = seen.findings
    console.print(findings_table(findings, len(seen.records), seen.num_hips, seen.num_usable, seen.num_usable_films))
    for what, path in (
        ("page with pictures", files.page),
        ("all findings", files.table),
        ("the cohort in numbers", files.fingerprint),
        ("the cohort as a picture", files.picture),
    ):
        console.print(f"{what}: {path}", soft_wrap=True, markup=False)


def _say_store(store: Store) -> None:
    console = Console()
    hips = store.hips
    table = Table(title=f"{len(hips)} hips prepared, view={store.view.name}, labels={store.meta['labels']}")
    for column in ("cohort", "persons", "hips"):
        table.add_column(column, justify="left" if column == "cohort" else "right")
    for name, rows in hips.groupby("dataset"):
        table.add_row(str(name), str(rows["person"].nunique()), str(len(rows)))
    console.print(table)
    console.print(f"store: {store.folder}", soft_wrap=True, markup=False)
    command = f"python -m hipjsw.train data=cohort {typed_option('store', store.folder)} view={store.view.name}"
    console.print(f"next: {command} labels={store.meta['labels']}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    open_door(main, "prepare")
