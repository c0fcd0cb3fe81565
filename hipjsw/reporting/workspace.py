"""A W&B workspace and a report for ablations, built from their designs, for those with an account.

The numbers come from the runs that `hipjsw.reporting.ablation_dashboard` logs, and curves from trainings, which are
known by their tags ``<ablation>:<arm>``. The package ``wandb-workspaces`` is wanted, which comes by
``pip install 'hipjsw[dashboard]'``.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from hipjsw.ablation.design import Design
from hipjsw.ablation.measures import MEASURES
from hipjsw.ablation.pooling import ENSEMBLED, POOLED
from hipjsw.reporting.ablation_dashboard import JOB_TYPE, TABLES
from hipjsw.reporting.dashboard import server_url
from hipjsw.reporting.server import answers, has_key, settings_files

__all__ = ["WorkspaceError", "report_spec", "save_report", "save_workspace", "workspace_spec"]

#: What workspace and report are called.
NAME = "hipjsw: ablations"
#: Looked at in every ablation, after the measure that its design puts first.
ALWAYS = ("dice", "mjsw_label_mm", "mjsw_truth_mm")
#: The same of a training run, as in ``metrics.json``.
OF_RUN = {
    "test/dice/mean": "Test Dice",
    "test/mjsw/mae_mm": "mJSW error to the label (mm)",
    "test/mjsw_truth/mae_mm": "mJSW error to the exact truth (mm)",
}
#: What a training logs at each validation.
CURVES = {"val/dice/mean": "Validation Dice", "val/loss": "Validation loss", "train/loss_epoch": "Training loss"}
#: Pictures of a training, as `hipjsw.app.drawing` names them.
PICTURES = ("test_hips", "test_profiles", "learning_curves", "test_agreement_label", "test_agreement_truth")
#: Optimiser steps, as Lightning logs them; W&B's own step counts what was logged.
STEP = "trainer/global_step"
#: The same for all runs of an ablation, so that grouping by it makes one line of an arm's seeds.
SAME = "config.scale.name"
#: Most runs that a panel of the workspace shows.
MAX_RUNS = 100
#: How long the server may take to say that it is there.
ANSWER_S = 3.0


class WorkspaceError(RuntimeError):
    """A workspace or report that cannot be built or saved; the message says what to do."""


def workspace_spec(project: str, entity: str, designs: Sequence[Design]) -> dict[str, Any]:
    """A workspace: answers of all ablations, bars of each, learning curves, runs compared, test hips and pictures.

    Args:
        project: W&B project.
        entity: W&B user or team.
        designs: The ablations; of several with one name, the first.

    Returns:
        What W&B stores, as plain values; ids are numbered, so that the same designs give the same.

    Raises:
        WorkspaceError: ``wandb-workspaces`` is not installed.
    """
    built = _workspace(_library(), project, entity, designs)
    return {"entity": entity, "project": project, "name": built.name, "spec": _plain(built._model.spec)}


def report_spec(project: str, entity: str, designs: Sequence[Design]) -> dict[str, Any]:
    """A report: each ablation with its question, the answers' latest run, and curves of each arm over its seeds.

    Args:
        project: W&B project.
        entity: W&B user or team.
        designs: The ablations.

    Returns:
        As ``workspace_spec``.

    Raises:
        WorkspaceError: ``wandb-workspaces`` is not installed.
    """
    built = _report(_library(), project, entity, designs)
    return {"entity": entity, "project": project, "name": built.title, "spec": _plain(built._to_model().spec)}


def save_workspace(project: str, entity: str | None, designs: Sequence[Design]) -> str:
    """Save the workspace as a new view of the project.

    Args:
        project: W&B project; it is there once a run was sent.
        entity: W&B user or team; None for the one that is logged in.
        designs: The ablations.

    Returns:
        Its address.

    Raises:
        WorkspaceError: Nobody is logged in, the server does not answer or refuses, or ``wandb-workspaces`` is not
            installed.
    """
    return _saved(_workspace, project, entity, designs)


def save_report(project: str, entity: str | None, designs: Sequence[Design]) -> str:
    """Save the report as a new one of the project; arguments, result and errors as for ``save_workspace``."""
    return _saved(_report, project, entity, designs)


def _saved(
    build: Callable[[SimpleNamespace, str, str, Sequence[Design]], Any],
    project: str,
    entity: str | None,
    designs: Sequence[Design],
) -> str:
    library, files = _library(), settings_files()
    server = server_url(files)
    if not has_key(server, files):
        raise WorkspaceError(f"nobody is logged in to {server}; run `wandb login`, or set WANDB_API_KEY")
    if not answers(server, ANSWER_S):
        raise WorkspaceError(f"{server} does not answer within {ANSWER_S:.0f} s; try again when it can be reached")
    try:
        owner = entity or str(importlib.import_module("wandb").Api().default_entity)
        return str(build(library, project, owner, designs).save().url)
    except Exception as error:
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise WorkspaceError(f"{server} did not take it: {said}; see that the project {project} is there") from error


def _workspace(library: SimpleNamespace, project: str, entity: str, designs: Sequence[Design]) -> Any:
    wr, ws = library.reports, library.workspaces
    tables = [wr.WeavePanelSummaryTable(table_name=name) for name in TABLES]
    bars = [wr.BarPlot(title=title, metrics=[key], max_runs_to_show=MAX_RUNS) for key, title in OF_RUN.items()]
    curves = [wr.LinePlot(title=title, x=STEP, y=[key], max_runs_to_show=MAX_RUNS) for key, title in CURVES.items()]
    parts = {
        "Answers": tables[:3],
        **{design.title: [*_arm_bars(wr, design, MAX_RUNS), _arm_media(wr, design)] for design in _once(designs)},
        "Learning curves": curves,
        "Training runs": [*bars, wr.RunComparer(diff_only=True)],
        "Test hips": [wr.WeavePanelSummaryTable(table_name="test/hips"), *tables[3:]],
        "Pictures": [_media(wr, PICTURES)],
    }
    return ws.Workspace(
        entity=entity,
        project=project,
        name=NAME,
        sections=[ws.Section(name=name, panels=panels, is_open=True) for name, panels in parts.items()],
        settings=ws.WorkspaceSettings(x_axis=STEP, max_runs=MAX_RUNS),
        runset_settings=ws.RunsetSettings(
            pinned_columns=["run:displayName", "tags:__ALL__", *(f"summary:{key}" for key in OF_RUN)]
        ),
    )


def _report(library: SimpleNamespace, project: str, entity: str, designs: Sequence[Design]) -> Any:
    wr = library.reports
    blocks: list[Any] = [wr.TableOfContents()]
    for design in _once(designs):
        blocks += [wr.H1(text=design.title), wr.P(text=design.question)]
        blocks += [wr.UnorderedList(items=[finding.claim for finding in design.findings])] if design.findings else []
        blocks += [wr.H2(text="Answers"), _answers_grid(library, design)]
        blocks += [wr.H2(text="Trainings"), _trainings_grid(library, design)]
    return wr.Report(project=project, entity=entity, title=NAME, blocks=blocks, width="fluid")


def _once(designs: Sequence[Design]) -> list[Design]:
    """Each ablation once: sweeps with other options have a record of their own and the same design."""
    known: dict[str, Design] = {}
    for design in designs:
        known.setdefault(design.name, design)
    return list(known.values())


def _answers_grid(library: SimpleNamespace, design: Design) -> Any:
    """The latest run that tells the ablation's answers; it alone, for earlier ones had fewer seeds."""
    wr, metric = library.reports, library.expr.Metric
    runs = wr.Runset(
        name="Answers",
        filters=library.expr.And(metric("JobType") == JOB_TYPE, library.expr.Tags().isin([design.name])),
        order=[wr.OrderBy("CreatedTimestamp", ascending=False)],
    )
    panels = _in_rows(wr, _arm_bars(wr, design, 1), width=8, height=8)
    below = max(panel.layout.y for panel in panels) + 8
    tables = [wr.WeavePanelSummaryTable(table_name=name) for name in TABLES]
    wide = _in_rows(wr, [*tables, _arm_media(wr, design)], width=24, height=8, start=below)
    return wr.PanelGrid(runsets=[runs], panels=[*panels, *wide])


def _trainings_grid(library: SimpleNamespace, design: Design) -> Any:
    """A set of runs for each arm, its seeds grouped to one line."""
    wr, tags = library.reports, library.expr.Tags
    runs = [
        wr.Runset(name=arm.label, filters=library.expr.And(tags().isin([f"{design.name}:{arm.name}"])), groupby=[SAME])
        for arm in design.arms
    ]
    over_seeds = {"groupby_aggfunc": "mean", "groupby_rangefunc": "minmax"}
    curves = [wr.LinePlot(title=title, x=STEP, y=[key], **over_seeds) for key, title in CURVES.items()]
    bars = [wr.BarPlot(title=title, metrics=[key], **over_seeds) for key, title in OF_RUN.items()]
    panels = _in_rows(wr, [*curves, *bars], width=8, height=8)
    wide = _in_rows(wr, [wr.RunComparer(diff_only=True), _media(wr, PICTURES)], width=24, height=10, start=16)
    return wr.PanelGrid(runsets=runs, panels=[*panels, *wide])


def _arm_bars(wr: Any, design: Design, max_runs: int) -> list[Any]:
    """A bar for each arm, of the design's measure and of those that are always looked at."""
    names = [arm.name for arm in design.arms] + [POOLED] * design.pooled + [ENSEMBLED] * design.ensembled
    measures = [MEASURES[name] for name in dict.fromkeys((design.measure, *ALWAYS))]
    return [
        wr.BarPlot(
            title=f"{measure.label} ({measure.unit})" if measure.unit else measure.label,
            metrics=[f"arm/{name}/{measure.name}" for name in names],
            max_runs_to_show=max_runs,
            max_bars_to_show=max(len(names) * max_runs, 20),
        )
        for measure in measures
    ]


def _arm_media(wr: Any, design: Design) -> Any:
    """Hips of each arm, as the report's door gives them to the ablation's run."""
    return _media(wr, [f"{arm.name}/{PICTURES[0]}" for arm in design.arms])


def _media(wr: Any, names: Sequence[str]) -> Any:
    return wr.MediaBrowser(title="Pictures", media_keys=[f"figures/{name}" for name in names])


def _in_rows(wr: Any, panels: Sequence[Any], width: int, height: int, start: int = 0) -> list[Any]:
    """Lay panels out from left to right in the 24 columns of a report."""
    num = 24 // width
    for nth, panel in enumerate(panels):
        panel.layout = wr.Layout(x=nth % num * width, y=start + nth // num * height, w=width, h=height)
    return list(panels)


def _library() -> SimpleNamespace:
    """The package's modules; it uses what pydantic calls outdated, which is no concern of whoever calls this."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            names = {"workspaces": "workspaces", "reports": "reports.v2", "expr": "expr"}
            found = {name: importlib.import_module(f"wandb_workspaces.{module}") for name, module in names.items()}
    except ImportError as error:
        raise WorkspaceError(f"wandb-workspaces cannot be used ({error}): pip install 'hipjsw[dashboard]'") from error
    return SimpleNamespace(**found)


def _plain(spec: Any) -> Any:
    """A specification as plain values, its random ids numbered in their order."""
    ids: dict[str, str] = {}

    def numbered(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: ids.setdefault(item, f"id{len(ids)}") if key in ("id", "__id__") and item else numbered(item)
                for key, item in value.items()
            }
        return [numbered(item) for item in value] if isinstance(value, list) else value

    return numbered(spec.model_dump(mode="json", by_alias=True, exclude_none=True))
