"""Door: a cohort folder to a store, ``python -m hipjsw.prepare cohort=DIR store=DIR``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from hipjsw.app.door import open_door
from hipjsw.app.lock import only_one
from hipjsw.app.provision import num_workers, prepare_spec, progress_bar
from hipjsw.cohort.store import Store
from hipjsw.cohort.writing import prepare_cohort


def main(cfg: DictConfig) -> None:
    """Prepare the cohort and say what was found and left out."""
    folder = Path(cfg.store)
    id_key = Path(cfg.id_key) if cfg.id_key else None
    with only_one(folder, wait=False), progress_bar("preparing hip views") as moved:
        store = prepare_cohort(
            Path(cfg.cohort), folder, prepare_spec(cfg), num_workers(cfg.workers), id_key=id_key, progress=moved
        )
    _say(store)


def _say(store: Store) -> None:
    console = Console()
    hips = pd.read_csv(store.folder / "hips.csv", dtype=str)
    usable = hips[hips["status"] == "ok"]
    table = Table(title=f"{len(usable)} of {len(hips)} hips prepared, view={store.view.name}")
    for column in ("split", "persons", "hips"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for part, rows in usable.groupby("split"):
        table.add_row(str(part), str(rows["person"].nunique()), str(len(rows)))
    console.print(table)
    findings = pd.read_csv(store.folder / "findings.csv", dtype=str)
    if len(findings):
        table = Table(title="findings (an error leaves the film or hip out, a warning does not)")
        for column in ("severity", "rule", "count", "example"):
            table.add_column(column, justify="right" if column == "count" else "left", overflow="fold")
        for (severity, rule), rows in findings.groupby(["severity", "rule"]):
            table.add_row(
                str(severity), str(rule), str(len(rows)), f"{rows.iloc[0]['film']}: {rows.iloc[0]['message']}"
            )
        console.print(table)
    console.print(f"store: {store.folder}; all findings: {store.folder / 'findings.csv'}", soft_wrap=True)
    console.print(f"next: python -m hipjsw.train data=cohort store={store.folder}", soft_wrap=True)


if __name__ == "__main__":
    open_door(main, "prepare")
