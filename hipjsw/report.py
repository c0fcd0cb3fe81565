"""Door: what the ablations found, ``python -m hipjsw.report``."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from hipjsw.ablation.answers import answer
from hipjsw.ablation.read import RecordError, read_sweeps
from hipjsw.ablation.recorded import write_recorded
from hipjsw.ablation.result import AblationResult
from hipjsw.ablation.sweep import Sweep
from hipjsw.app.door import open_door
from hipjsw.app.progress import progress_bar
from hipjsw.reporting.ablation_dashboard import log_ablation
from hipjsw.reporting.ablation_page import write_ablation_page
from hipjsw.reporting.ablation_table import csv_rows, markdown, rich_table
from hipjsw.reporting.experiment_readme import experiment_readme
from hipjsw.reporting.offline_runs import sync_command
from hipjsw.reporting.tables import print_table

log = logging.getLogger("hipjsw")

#: What a person says of a recorded ablation, beside its page.
REMARKS = "remarks.md"


def main(cfg: DictConfig) -> None:
    """Read the runs, answer, and say it as tables, a page, W&B runs and, where asked for, a record."""
    runs_dir = Path(cfg.runs_dir)
    out = Path(cfg.out) if cfg.out else runs_dir / "report"
    sweeps = read_sweeps(runs_dir, None if cfg.records is None else list(cfg.records))
    if cfg.records is None:  # the study's tables first
        sweeps.sort(key=lambda sweep: (sweep.design.table is None, sweep.design.table or 0, sweep.record))
    if not sweeps:
        raise RecordError(
            f"no ablation was run in {runs_dir} yet; run one with: python -m hipjsw.train -m ablation=loss "
            f"runs_dir={runs_dir}"
        )
    results = _answers(sweeps)
    out.mkdir(parents=True, exist_ok=True)
    for result in results:
        print_table(rich_table(result))
        _write_tables(out, result)
    if cfg.logger.name == "wandb":
        _mirror(cfg, runs_dir, sweeps, results)
    write_ablation_page(out / "report.html", sweeps, results, _note(runs_dir))
    if cfg.record is not None:
        designs = [result.design.name for result in results]
        for result in results:
            alone = designs.count(result.design.name) == 1
            _keep(Path(cfg.record) / (result.design.name if alone else result.record), result)
    _say(out, runs_dir, results)


def _answers(sweeps: Sequence[Sweep]) -> list[AblationResult]:
    results = []
    with progress_bar(f"answering {len(sweeps)} ablations") as moved:
        for number, sweep in enumerate(sweeps):
            moved(number, len(sweeps))
            results.append(answer(sweep))
    return results


def _write_tables(out: Path, result: AblationResult) -> None:
    text = f"# {result.design.title}\n\n{result.design.question}\n\n{markdown(result)}"
    (out / f"{result.record}.md").write_text(text, encoding="utf-8")
    rows = csv_rows(result)
    with (out / f"{result.record}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _mirror(cfg: DictConfig, runs_dir: Path, sweeps: Sequence[Sweep], results: Sequence[AblationResult]) -> None:
    """A W&B run for each ablation, its pictures those of each arm's first run."""
    for sweep, result in zip(sweeps, results, strict=True):
        pictures: dict[str, Path] = {}
        for arm in sweep.design.arms:
            figures = [run.folder / "figures" / "test_hips.png" for run in sweep.of(arm.name) if run.folder]
            pictures |= {f"{arm.name}/test_hips": path for path in figures[:1] if path.is_file()}
        log_ablation(
            runs_dir / "sweeps" / sweep.record,
            result,
            sweep,
            pictures,
            cfg.logger.project,
            cfg.logger.entity,
            str(cfg.logger.mode),
        )


def _note(runs_dir: Path) -> str:
    command = sync_command(runs_dir)
    if command is None:
        return ""
    return f"These runs wait to be sent to Weights & Biases. One command sends them:\n    {command}"


def _keep(folder: Path, result: AblationResult) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_recorded(result, folder / "results.csv")
    remarks = folder / REMARKS
    said = remarks.read_text(encoding="utf-8") if remarks.is_file() else ""
    (folder / "README.md").write_text(experiment_readme(result, said), encoding="utf-8")


def _say(out: Path, runs_dir: Path, results: Sequence[AblationResult]) -> None:
    unfinished = [result.record for result in results if not result.is_whole]
    if unfinished:
        print(f"not whole: {', '.join(unfinished)}; the command that began a sweep does what is missing")
    print(f"the report: {out / 'report.html'} (tables beside it as .md and .csv)")
    command = sync_command(runs_dir)
    if command is not None:
        print(f"to send the offline runs to W&B: {command}")


if __name__ == "__main__":
    open_door(main, "report", expected=(RecordError,))
