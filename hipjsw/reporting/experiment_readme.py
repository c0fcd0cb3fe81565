"""The page of a recorded ablation: what was asked, the command, the table, the findings, what it cost."""

from __future__ import annotations

import math

from hipjsw.ablation.pooling import ENSEMBLED, POOLED
from hipjsw.ablation.result import AblationResult, ArmRow
from hipjsw.reporting.ablation_table import markdown

__all__ = ["experiment_readme"]


def experiment_readme(result: AblationResult, remarks: str = "") -> str:
    """Markdown of a recorded ablation; the same for the same result.

    Args:
        result: As it was recorded.
        remarks: What a person says of it, Markdown; put at the end.
    """
    design = result.design
    parts = [f"# {design.title}", design.question, f"```\n{_command(result)}\n```", markdown(result).strip()]
    parts.append(_cost(result))
    if design.table is not None:
        parts.append(
            "The study's figures were measured on other data with other budgets; only the order and the size of "
            "differences can be compared."
        )
    if remarks.strip():
        parts.append(remarks.strip())
    return "\n\n".join(parts) + "\n"


def _command(result: AblationResult) -> str:
    return " ".join(["python -m hipjsw.train -m", f"ablation={result.design.name}", _seeds(result), *result.options])


def _seeds(result: AblationResult) -> str:
    """``seeds=3`` for 0, 1 and 2, else every seed by its number; where none is known, as many as runs of an arm."""
    seeds = sorted({seed for row in _single(result) for seed in row.seeds})
    if not seeds:
        return f"seeds={max((row.done + row.failed + row.missing for row in _single(result)), default=1)}"
    if seeds == list(range(len(seeds))):
        return f"seeds={len(seeds)}"
    return f"seed={','.join(map(str, seeds))}"


def _cost(result: AblationResult) -> str:
    """Hours of all runs, device, versions, commit; what is not known is left out."""
    seconds = sum((row.train_s or 0.0) * row.done + (row.judge_s or 0.0) * row.done for row in _single(result))
    runs = sum(row.done for row in _single(result))
    said = [f"{runs} runs, {_hours(seconds)} together"]
    names = {"device": "on", "version": "hipjsw", "commit": "commit"}
    said += [f"{word} {result.about[key]}" for key, word in names.items() if key in result.about]
    said.append(f"scale={result.scale}; results.csv beside this page holds all numbers")
    return "; ".join(said) + "."


def _single(result: AblationResult) -> list[ArmRow]:
    return [row for row in result.arms if row.arm not in (POOLED, ENSEMBLED)]


def _hours(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
