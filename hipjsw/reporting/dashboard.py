"""Weights & Biases as a mirror of a run.

What a run found lies in its folder first; the dashboard may be missing, slow or wrong without harm. Starting
a run waits ``BUDGET_S`` at most, failures are logged and not raised, and what is sent names no person, machine
or path.
"""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hipjsw.reporting.offline_runs import SEND, next_step
from hipjsw.reporting.plain import one_type, plain_value, without_paths
from hipjsw.reporting.private_settings import PRIVATE
from hipjsw.reporting.server import answers, has_key, settings_files, within

if TYPE_CHECKING:
    from wandb import Run

__all__ = ["BUDGET_S", "finish", "log_content", "log_results", "resolve_mode", "server_url", "start_run"]

logger = logging.getLogger(__name__)

MODES = ("auto", "online", "offline", "disabled")
#: Longest that ``start_run`` waits, whatever the server does.
BUDGET_S = 5.0
#: Share of it kept for starting an offline run when the online one did not come about.
RESERVE_S = 1.2
PROBE_S = 1.5
#: Longest tag that W&B takes; it refuses a run with a longer one.
TAG_LENGTH = 64
#: Columns of test hips that stay here: a pseudonym says which hips are of one person.
KEPT_BACK = ("person",)


def resolve_mode(requested: str, timeout_s: float = 3.0) -> str:
    """Decide how a run is mirrored.

    ``auto`` is online only if an API key is configured, neither WANDB_MODE nor ``wandb offline`` says
    otherwise and the server answers. An asked-for ``online`` without key or server becomes ``offline`` with a
    warning: W&B would wait for a minute and a half, or for somebody to type a key.

    Args:
        requested: ``auto``, ``online``, ``offline`` or ``disabled``.
        timeout_s: How long the server may take to answer.

    Returns:
        ``online``, ``offline`` or ``disabled``; the latter also where W&B cannot be imported.

    Raises:
        ValueError: Another word than these.
    """
    if requested not in MODES:
        raise ValueError(f"W&B mode must be one of {', '.join(MODES)}, got {requested!r}")
    if requested == "disabled" or not _importable():
        return "disabled"
    files = settings_files()
    if requested == "auto":
        said = os.environ.get("WANDB_MODE") or files.get("mode", "online")
        if said == "disabled":
            return "disabled"
        if said in ("offline", "dryrun"):
            return "offline"
    if requested == "offline":
        return "offline"
    server = server_url(files)
    level = logging.WARNING if requested == "online" else logging.INFO
    if not has_key(server, files):
        logger.log(level, "no W&B API key is configured; the run is kept offline")
        return "offline"
    if not answers(server, timeout_s):
        logger.log(level, "%s does not answer within %.1f s; the run is kept offline", server, timeout_s)
        return "offline"
    return "online"


def start_run(
    folder: Path,
    project: str,
    entity: str | None,
    group: str | None,
    name: str,
    config: Mapping[str, Any],
    tags: Sequence[str],
    mode: str,
    run_id: str,
    finish_timeout_s: float = 4.0,
    job_type: str | None = None,
) -> Run | None:
    """Start a W&B run whose files lie in ``folder/wandb``.

    Several runs of one process are kept apart; ``wandb.run`` is not set. Absolute paths in the config are
    left out.

    Args:
        folder: The run's folder.
        project: W&B project.
        entity: W&B team; None for the user's own.
        group: What the run is shown under.
        name: What the run is called.
        config: The resolved config, plain values.
        tags: Words to filter by.
        mode: As in ``resolve_mode``, which is asked here.
        run_id: Id of the run; a run of this id is continued, offline by a further folder whose steps go on from
            those before. An offline run that stands in for an online one that failed to start is called
            ``<run_id>-offline``.
        finish_timeout_s: How long the last upload may take when the run ends; what is left can be sent with
            ``wandb sync``.
        job_type: What kind of run it is; None for training.

    Returns:
        The run, or None if the mode is ``disabled`` or it could not be started (a warning is logged).
    """
    started = time.monotonic()
    # error reports carry tracebacks, and wait 10 s at exit where nobody listens
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    identity = {
        "project": project,
        "entity": entity,
        "group": group,
        "job_type": job_type,
        "name": name,
        "tags": [tag[:TAG_LENGTH] for tag in tags],
        "config": without_paths(dict(config)),
    }
    for attempt, attempt_id in _attempts(mode, run_id):
        left_s = BUDGET_S - RESERVE_S - (time.monotonic() - started) if attempt == "online" else BUDGET_S
        try:
            settings = _settings(folder, attempt, left_s, finish_timeout_s)
            step = next_step(folder, attempt_id)  # asked first, for the run is about to have a file
            run = _init(mode=attempt, id=attempt_id, settings=settings, **identity)
            if step > run.step:
                run.log({}, step=step)
            return run
        except Exception as error:
            logger.warning("no %s W&B run: %s", attempt, _first_line(error))
    return None


def log_results(
    run: Run | None,
    metrics: Mapping[str, Any],
    test_rows: Sequence[Mapping[str, Any]],
    pictures: Mapping[str, Path],
) -> bool:
    """Mirror the results of a training run; what fails is logged and left out.

    Args:
        run: The run; None does nothing.
        metrics: Summary numbers by name.
        test_rows: One row a test hip, becoming the table ``test/hips``; persons' pseudonyms are left out.
        pictures: PNG files by name.

    Returns:
        Whether all of it was handed over.
    """
    rows = [{name: value for name, value in row.items() if name not in KEPT_BACK} for row in test_rows]
    return log_content(run, metrics, {"test/hips": rows}, pictures)


def log_content(
    run: Run | None,
    metrics: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    pictures: Mapping[str, Path],
) -> bool:
    """Mirror numbers, tables and pictures; what fails is logged and left out.

    A table is a file of the run and no artifact: an artifact would carry the path of its staging folder, and so
    the user's name, to the server.

    Args:
        run: The run; None does nothing.
        metrics: Summary numbers by name; those that are undefined (None, NaN) are left out.
        tables: Rows by the table's name; a table without rows is left out.
        pictures: PNG files by name.

    Returns:
        Whether all of it was handed over.
    """
    if run is None:
        return False
    plain = {name: plain_value(value) for name, value in metrics.items()}
    known = {name: value for name, value in plain.items() if value is not None}
    parts: list[tuple[str, Callable[[], object]]] = [("metrics", lambda: run.summary.update(known))]
    parts += [(f"table {name}", partial(_log_table, run, name, rows)) for name, rows in tables.items()]
    parts += [("pictures", partial(_log_pictures, run, pictures))]
    whole = True
    for what, send in parts:
        try:
            send()
        except Exception as error:
            whole = False
            logger.warning("%s did not reach W&B: %s", what, _first_line(error))
    return whole


def finish(run: Run | None, exit_code: int = 0, timeout_s: float = 5.0) -> bool:
    """End a run without waiting longer than ``timeout_s``.

    Args:
        run: The run; None does nothing.
        exit_code: 0 if all went well.
        timeout_s: Longest wait; should exceed the ``finish_timeout_s`` given at the start.

    Returns:
        Whether the run ended in time and without an error.
    """
    if run is None:
        return False
    done = within(timeout_s, lambda: run.finish(exit_code=exit_code))
    if isinstance(done, BaseException):
        logger.warning("W&B run not ended cleanly: %s", _first_line(done))
    elif done is None:
        logger.warning("W&B run not ended after %.0f s; send the rest with: %s --include-online", timeout_s, SEND)
    return done is not None and not isinstance(done, BaseException)


def _attempts(mode: str, run_id: str) -> list[tuple[str, str]]:
    """Mode and id of the runs to try, best first; a failed run's id stays taken in its process."""
    try:
        mode = resolve_mode(mode, PROBE_S)
    except Exception as error:
        logger.warning("no W&B run: %s", _first_line(error))
        return []
    offline = ("offline", run_id)
    return {"online": [("online", run_id), ("offline", f"{run_id}-offline")], "offline": [offline]}.get(mode, [])


def _settings(folder: Path, mode: str, timeout_s: float, finish_timeout_s: float) -> Any:
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    settings = PRIVATE | {
        "init_timeout": max(timeout_s, 0.5),
        "reinit": "create_new",
        "root_dir": str(folder.absolute()),
        "silent": True,
        "symlink": False,
        "x_service_wait": BUDGET_S - RESERVE_S,
    }
    optional = {"finish_timeout": finish_timeout_s, "use_dot_wandb": False, "x_disable_viewer": True}
    settings |= {key: value for key, value in optional.items() if key in wandb.Settings.model_fields}
    if mode == "online":
        settings["resume"] = "allow"
    return wandb.Settings(**settings)


def _init(**arguments: Any) -> Run:
    import wandb

    return wandb.init(**arguments)


def _log_table(run: Run, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    import wandb

    if not rows:
        return
    columns: list[str | int] = list(dict.fromkeys(column for row in rows for column in row))
    data = zip(*(one_type([row.get(str(column)) for row in rows]) for column in columns), strict=True)
    wandb.Table.MAX_ROWS = max(wandb.Table.MAX_ROWS, len(rows))  # what goes beyond would be left out silently
    table: Any = wandb.Table(columns=columns, data=[list(row) for row in data])
    table.bind_to_run(run, name.replace("/", "_"), "summary")  # bound before it is logged: no artifact is made
    run.log({name: table})


def _log_pictures(run: Run, pictures: Mapping[str, Path]) -> None:
    import wandb

    if pictures:
        run.log({f"figures/{name}": wandb.Image(str(path), caption=name) for name, path in pictures.items()})


def _importable() -> bool:
    try:
        importlib.import_module("wandb")
    except Exception as error:
        logger.info("W&B cannot be used: %s", _first_line(error))
        return False
    return True


def server_url(files: Mapping[str, str]) -> str:
    """Address of the W&B server: from the environment, W&B's settings files (``settings_files``), or its own."""
    import wandb

    return os.environ.get("WANDB_BASE_URL") or files.get("base_url") or str(wandb.Settings().base_url)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
