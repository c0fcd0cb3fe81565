"""A sweep of ablations: what is asked, what is missing, what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from hipjsw.ablation.answers import answer
from hipjsw.ablation.design import Design, DesignError
from hipjsw.ablation.read import read_sweeps
from hipjsw.app.fold_ensembles import fold_ensembles, judge_ensembles
from hipjsw.app.launcher import Expected, ProcessLauncher
from hipjsw.app.plan import Plan, PlannedRun, plan_runs
from hipjsw.app.record import record_name, write_record
from hipjsw.app.runs import failure_reason, read_cost
from hipjsw.app.sweeper import ArmSweeper, said_values
from hipjsw.cohort.store import Store
from hipjsw.inference.model_place import model_folder, said_hash
from hipjsw.reporting.ablation_table import rich_table
from hipjsw.reporting.tables import print_table

__all__ = ["ArmSweep"]

#: How the reason of a job begins that was stopped or never begun.
STOPPED = ("not run", "interrupted", "ended by signal SIGINT", "ended by signal SIGTERM")


@dataclass(frozen=True)
class ArmSweep:
    """One sweep.

    Args:
        context: Hydra's.
        config: The sweep's configuration.
        launcher: Runs its jobs.
    """

    context: HydraContext
    config: DictConfig
    launcher: Launcher

    def run(self, said: Sequence[Override], names: Sequence[str]) -> list[Sequence[JobReturn]]:
        """Run what is missing of the ablations of these names; arguments and errors are ``ArmSweeper.sweep``'s."""
        options = [_as_given(o) for o in said if o.get_key_element() not in ("ablation", "seed", "seeds")]
        _refuse_swept(said)
        designs = [self._design(name, options) for name in names]
        plan = plan_runs(self._compose, designs, options, {d.name: _seeds(said, d) for d in designs})
        return self._run(plan, designs, options)

    def _compose(self, overrides: list[str]) -> DictConfig:
        return self.context.config_loader.load_sweep_config(self.config, overrides)

    def _design(self, name: str, options: Sequence[str]) -> Design:
        content = OmegaConf.to_container(self._compose([f"ablation={name}", *options]).ablation, resolve=True)
        assert isinstance(content, dict)
        return Design.read({str(key): value for key, value in content.items()})

    def _run(self, plan: Plan, designs: Sequence[Design], options: Sequence[str]) -> list[Sequence[JobReturn]]:
        folder = Path(self.config.runs_dir) / "sweeps"
        given = [Store.open(Path(self.config.store)).fingerprint] if self.config.store is not None else []
        given += [said_hash(model_folder(self.config.init))] if self.config.init is not None else []
        records = {design.name: record_name(design, options, given) for design in designs}
        for design in designs:
            write_record(folder, design, options, plan, fingerprints=given)
        missing = plan.missing
        num = len(plan.runs)
        print(f"{num - len(missing)} of {num} runs are there, {len(missing)} to do", file=sys.stderr, flush=True)
        returns: Sequence[JobReturn] = []
        try:
            returns = self._launch(plan, missing, records) if missing else []
        except SystemExit as stop:
            if stop.code != 1:
                raise
        except Exception as error:  # another launcher gave up; what its jobs made stands all the same
            print(f"the launcher gave up: {failure_reason(error)}; the same command does the rest", file=sys.stderr)
        finally:
            reasons = self._reasons(missing, returns)
            for design in designs:
                write_record(folder, design, options, plan, reasons, given)
        apart = False
        for design in (design for design in designs if design.ensembled):
            not_judged = self._judge_together(design, options, folder / f"{records[design.name]}.json")
            write_record(folder, design, options, plan, reasons | not_judged, given)
            apart = apart or bool(not_judged)
        self._say(folder, list(records.values()))
        if plan.missing or apart:
            raise SystemExit(1)
        return [returns]

    def _judge_together(self, design: Design, options: Sequence[str], record: Path) -> dict[str, str]:
        """Judge the runs of each fold together; why some could not be, by name of folder."""
        at_a_time = int(self.launcher.n_jobs) if isinstance(self.launcher, ProcessLauncher) else 1
        entries = json.loads(record.read_text(encoding="utf-8"))["runs"]
        together = fold_ensembles(record.parent.parent, entries)
        return judge_ensembles(self.config, design.name, together, options, at_a_time)

    def _launch(self, plan: Plan, missing: Sequence[PlannedRun], records: Mapping[str, str]) -> Sequence[JobReturn]:
        """Launch what is missing; a run's W&B group is the record of the first ablation that asks for it."""
        if isinstance(self.launcher, ProcessLauncher):
            self.launcher.expected = [
                Expected(p.said, p.size, records[p.wanted[0].ablation], p.run.folder.name) for p in missing
            ]
            self.launcher.seconds_per_size = _pace(plan)
            jobs = [planned.job for planned in missing]
        else:
            jobs = [[*planned.job, f"group={records[planned.wanted[0].ablation]}"] for planned in missing]
            _forget_own_plugins()
        return self.launcher.launch(jobs, initial_job_idx=0)

    def _reasons(self, missing: Sequence[PlannedRun], returns: Sequence[JobReturn]) -> dict[str, str]:
        """Why jobs failed, by name of folder, without paths; those that were stopped or never begun did not fail."""
        if isinstance(self.launcher, ProcessLauncher):
            rows = zip(missing, self.launcher.rows, strict=False)
            said = {planned.run.folder.name: row.reason for planned, row in rows if row.status == "failed"}
        else:
            said = _failures(missing, returns)
        places = (self.config.runs_dir, self.config.store, self.config.data_dir)
        known = {name: failure_reason(ValueError(reason), places) for name, reason in said.items()}
        return {name: reason for name, reason in known.items() if not reason.startswith(STOPPED)}

    def _say(self, folder: Path, records: Sequence[str]) -> None:
        for sweep in read_sweeps(folder.parent, records):
            print_table(rich_table(answer(sweep)))
        print(f"pictures, intervals, all tables: python -m hipjsw.report runs_dir={folder.parent}", file=sys.stderr)


def _forget_own_plugins() -> None:
    """Other launchers send Hydra's state to processes that do not know our module in Hydra's namespace."""
    known = Plugins.instance()
    own = [plugin for plugin in known.class_name_to_class.values() if plugin.__module__ == ArmSweeper.__module__]
    known.class_name_to_class = {n: c for n, c in known.class_name_to_class.items() if c not in own}
    for kind, plugins in known.plugin_type_to_subclass_list.items():
        known.plugin_type_to_subclass_list[kind] = [plugin for plugin in plugins if plugin not in own]


def _seeds(said: Sequence[Override], design: Design) -> list[int]:
    """``seed=0,1,4`` or ``seeds=5``, else as many as the ablation asks for."""
    given, number = said_values(said, "seed"), [n for n in said_values(said, "seeds") if n != "null"]
    if given and number:
        raise DesignError("say seed=0,1,2 or seeds=3, not both")
    if not all(value.isdecimal() for value in [*given, *number]):
        raise DesignError(f"seeds are whole numbers from 0, not {', '.join([*given, *number])}")
    seeds = [int(seed) for seed in given] or list(range(int(number[0]) if number else design.seeds))
    if not seeds or len(set(seeds)) != len(seeds):
        raise DesignError(f"at least one seed, and none more than once; got {', '.join([*given, *number])}")
    return seeds


def _refuse_swept(said: Sequence[Override]) -> None:
    swept = [o.get_key_element() for o in said if o.is_sweep_override()]
    idle = [key for key in swept if key not in ("ablation", "seed")]
    if idle:
        raise DesignError(f"an ablation varies its arms and seeds; sweep {idle[0]} in a sweep of its own")


def _as_given(override: Override) -> str:
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _failures(missing: Sequence[PlannedRun], returns: Sequence[JobReturn]) -> dict[str, str]:
    """Of another launcher's jobs: those that raised, or left no finished run."""
    reasons = {}
    for planned, returned in zip(missing, returns, strict=False):
        if returned.status != JobStatus.COMPLETED:
            reasons[planned.run.folder.name] = str(vars(returned).get("_return_value", "failed"))
        elif not planned.run.is_finished:
            reasons[planned.run.folder.name] = "ended without metrics"
    return reasons


def _pace(plan: Plan) -> float | None:
    """Seconds a unit of size that finished runs took; None where none tells."""
    known: list[tuple[float, float]] = []
    for planned in plan.runs.values():
        cost = read_cost(planned.run.folder) if planned.run.is_finished else {}
        if {"train_s", "judge_s"} <= cost.keys():
            known.append((float(cost["train_s"]) + float(cost["judge_s"]), planned.size))
    return sum(took for took, _ in known) / sum(size for _, size in known) if known else None
