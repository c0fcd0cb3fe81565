"""The record of a sweep: which runs an ablation asks for, so that their folders alone tell the rest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hipjsw.ablation.design import Design
from hipjsw.ablation.read import RECORD_VERSION
from hipjsw.app.fold_ensembles import FoldEnsemble, fold_ensembles
from hipjsw.app.plan import Plan, Wanted
from hipjsw.app.runs import NOT_PART, write_json
from hipjsw.reporting.plain import NO_PATH

__all__ = ["record_name", "shown_options", "write_record"]

#: What may vary between two calls of the same sweep; ``data`` may not.
_SILENT = (frozenset(NOT_PART) - {"data", "init"}) | {"hydra"}


def shown_options(options: Sequence[str]) -> list[str]:
    """The options that make a sweep another one than without them; of a path only its key is said."""
    kept = (option for option in options if _root(option) not in _SILENT)
    return sorted(f"{o.partition('=')[0]}={NO_PATH}" if re.search(r"[/\\~]", o.partition("=")[2]) else o for o in kept)


def _root(option: str) -> str:
    """``loss`` of ``+loss.dice.smooth=1`` and of ``loss=dice``, ``hydra`` of ``hydra/launcher=joblib``."""
    return re.split(r"[=./]", option.lstrip("+~"), maxsplit=1)[0]


def record_name(design: Design, options: Sequence[str], fingerprints: Sequence[str] = ()) -> str:
    """Name of a sweep's record: the ablation's, and a hash of what was said besides.

    Args:
        design: The ablation.
        options: As given.
        fingerprints: Of stores, and hashes of models to start from, that were named by their folder.
    """
    said = [*shown_options(options), *fingerprints]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:6]
    return f"{design.name}-{digest}" if said else design.name


def write_record(
    folder: Path,
    design: Design,
    options: Sequence[str],
    plan: Plan,
    reasons: Mapping[str, str] | None = None,
    fingerprints: Sequence[str] = (),
) -> Path:
    """Write or extend ``<folder>/<record>.json``.

    Runs that were asked for earlier stay in it as long as they differ from the arm's runs of today in nothing but the
    seed; after a change of an arm or of a default they are another arm's.

    Args:
        folder: ``<runs_dir>/sweeps``.
        design: The ablation.
        options: As given.
        plan: Its runs.
        reasons: Why jobs failed, by name of folder; of ensembles too.
        fingerprints: As for ``record_name``.
    """
    name = record_name(design, options, fingerprints)
    path = folder / f"{name}.json"
    wanted = {(w.arm, w.seed): w for p in plan.runs.values() for w in p.wanted if w.ablation == design.name}
    kinds = {(w.arm, plan.run_of(w).kind) for w in wanted.values()}
    earlier = {(r["arm"], r["seed"]): r for r in _runs(path) if (r["arm"], r.get("kind")) in kinds}
    runs = earlier | {key: _entry(w, plan, reasons or {}) for key, w in wanted.items()}
    order = [arm.name for arm in design.arms]
    known = sorted((key for key in runs if key[0] in order), key=lambda key: (order.index(key[0]), key[1]))
    scale = next(iter(plan.runs.values())).scale
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "version": RECORD_VERSION,
        "record": name,
        "ablation": design.plain(),
        "options": shown_options(options),
        "scale": scale,
        "runs": [runs[key] for key in known],
    }
    if design.ensembled:
        together = fold_ensembles(folder.parent, content["runs"])
        content["ensembles"] = [_together(one, reasons or {}) for one in together]
    write_json(path, content)
    return path


def _together(ensemble: FoldEnsemble, reasons: Mapping[str, str]) -> dict[str, Any]:
    folder = ensemble.folder.name
    runs = [member.name for member in ensemble.members]
    return {"arm": ensemble.arm, "runs": runs, "folder": folder, "reason": reasons.get(folder, "")}


def _entry(wanted: Wanted, plan: Plan, reasons: Mapping[str, str]) -> dict[str, Any]:
    planned = plan.run_of(wanted)
    folder = planned.run.folder.name
    entry = {"arm": wanted.arm, "seed": wanted.seed, "run": folder, "reason": reasons.get(folder, "")}
    return entry | {"kind": planned.kind}


def _runs(path: Path) -> list[dict[str, Any]]:
    """Those of an earlier record; none where it is missing, of another version or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return list(content["runs"]) if content["version"] == RECORD_VERSION else []
    except (OSError, ValueError, LookupError, TypeError):
        return []
