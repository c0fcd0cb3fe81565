"""An ablation's result as one CSV file for ``experiments/``: a fact a row, in an order that does not change.

Numbers that were measured have six significant digits, so that a repetition on another machine differs only where
something differs; what was asked is kept to the last digit. What is read is what was written.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hipjsw.ablation.design import Arm, Design, DesignError, Finding
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow, Verdict

__all__ = ["COLUMNS", "RecordedError", "read_recorded", "write_recorded"]

#: What a row may say; most rows leave most of it empty. ``num_2`` and ``runs_2`` are the second of two counts: what is
#: left out of a cell, the persons of a difference, the runs of the other arm.
COLUMNS = (
    *("kind", "arm", "than", "measure", "key", "value", "low", "high", "p", "p_holm"),
    *("num", "num_2", "runs", "runs_2", "by", "text", "words"),
)

Row = dict[str, str]

_STUDY, _OWN = "study", "own"
_TEXTS = ("name", "title", "question", "measure", "reference")
_ARM_COUNTS = ("done", "failed", "missing")
_ARM_WHOLE = ("steps", "batch_size", "train_hips", "val_hips")
_ARM_TIMES = ("train_s", "judge_s")


class RecordedError(ValueError):
    """A recorded result that cannot be read; the message says which and what to do."""


def write_recorded(result: AblationResult, path: Path) -> None:
    """Write a result, whole or not at all.

    Args:
        result: What to write.
        path: The CSV file.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        file.write(_line(COLUMNS))
        file.writelines(_line([row.get(column, "") for column in COLUMNS]) for row in _rows(result))
    partial.replace(path)


def read_recorded(path: Path) -> AblationResult:
    """Read what ``write_recorded`` wrote.

    Raises:
        RecordedError: A file that is missing, of other columns, or damaged.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise RecordedError(f"{path} has other columns than a recorded result; record the ablation again")
            return _result([_checked(row) for row in reader])
    except RecordedError:
        raise
    except (OSError, ValueError, LookupError, TypeError, DesignError, csv.Error) as error:
        said = (str(error).splitlines() or [""])[0]
        raise RecordedError(f"{path} is missing or damaged ({said}); record the ablation again") from error


def _line(cells: Sequence[str]) -> str:
    """A line of the file. Python's own writer leaves a carriage return without quotes, which no reader takes back."""
    return ",".join('"' + c.replace('"', '""') + '"' if set(c) & set('",\r\n') else c for c in cells) + "\n"


def _rows(result: AblationResult) -> Iterator[Row]:
    yield from _design_rows(result.design)
    yield {"kind": "about", "key": "record", "text": result.record}
    yield {"kind": "about", "key": "scale", "text": result.scale}
    yield from ({"kind": "about", "key": "option", "text": option} for option in result.options)
    yield {"kind": "about", "key": "hips", "num": str(result.num_hips), "num_2": str(result.num_persons)}
    yield from ({"kind": "about", "key": "said", "by": name, "text": text} for name, text in result.about.items())
    for arm in result.arms:
        yield from _arm_rows(arm)
    for verdict in result.verdicts:
        by = _STUDY if verdict.of_study else _OWN
        yield {"kind": "verdict", "key": verdict.verdict, "by": by, "text": verdict.claim, "words": verdict.words}
    for arm in result.arms:
        yield from (_cell_row(arm.arm, measure, cell) for measure, cell in arm.cells.items())
    yield from (_difference_row(row) for row in result.differences)


def _design_rows(design: Design) -> Iterator[Row]:
    for key in _TEXTS:
        yield {"kind": "design", "key": key, "text": getattr(design, key)}
    yield {"kind": "design", "key": "table", "value": _whole(design.table)}
    yield {"kind": "design", "key": "seeds", "value": _whole(design.seeds)}
    yield {"kind": "design", "key": "pooled", "value": _whole(int(design.pooled))}
    yield {"kind": "design", "key": "ensembled", "value": _whole(int(design.ensembled))}
    yield from ({"kind": "design", "key": "compared", "measure": name} for name in design.compared or ())
    for arm in design.arms:
        row = {"kind": "design", "arm": arm.name}
        yield row | {"key": "label", "text": arm.label}
        yield from (row | {"key": "override", "text": override} for override in arm.overrides)
        for measure, value in arm.study.items():
            yield row | {"key": "study", "measure": measure, "value": repr(float(value))}
        yield row | {"key": "study_steps", "value": _whole(arm.study_steps)}
        yield row | {"key": "study_hips", "value": _whole(arm.study_hips)}
    for finding in design.findings:
        pair = {"arm": finding.arm, "than": finding.than, "measure": finding.measure}
        margin = "" if finding.margin is None else repr(float(finding.margin))
        said = {"value": margin, "by": _STUDY if finding.of_study else _OWN, "text": finding.claim}
        yield {"kind": "finding", "key": finding.kind} | pair | said


def _arm_rows(arm: ArmRow) -> Iterator[Row]:
    row = {"kind": "arm", "arm": arm.arm}
    for key in (*_ARM_COUNTS, *_ARM_WHOLE):
        yield row | {"key": key, "value": _whole(getattr(arm, key))}
    for key in _ARM_TIMES:
        yield row | {"key": key, "value": _digits(getattr(arm, key))}
    yield from (row | {"key": "seed", "value": _whole(seed)} for seed in arm.seeds)
    yield from (row | {"key": "reason", "text": reason} for reason in arm.reasons)


def _cell_row(arm: str, measure: str, cell: Cell) -> Row:
    numbers = {key: _digits(getattr(cell, key)) for key in ("value", "low", "high")}
    counts = {"num": str(cell.num), "num_2": str(cell.num_left_out)}
    return {"kind": "cell", "arm": arm, "measure": measure} | numbers | counts


def _difference_row(row: DifferenceRow) -> Row:
    numbers = {key: _digits(getattr(row, key)) for key in ("value", "low", "high", "p", "p_holm")}
    counts = {"num": str(row.num_hips), "num_2": str(row.num_persons)}
    runs = {"runs": str(row.seeds[0]), "runs_2": str(row.seeds[1])}
    return {"kind": "difference", "arm": row.arm, "than": row.than, "measure": row.measure} | numbers | counts | runs


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)


def _checked(row: Mapping[str | None, str | None]) -> Row:
    """A row with every column and no more."""
    if None in row or None in row.values():
        raise ValueError("a row has too many or too few cells")
    known = {str(key): str(value) for key, value in row.items()}
    if known["kind"] not in ("design", "finding", "about", "arm", "verdict", "cell", "difference"):
        raise ValueError(f"a row of kind {known['kind']!r}")
    return known


def _result(rows: Sequence[Row]) -> AblationResult:
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row)
    about = by_kind.get("about", [])
    hips = _one(about, "hips")
    return AblationResult(
        design=_design(by_kind["design"], by_kind.get("finding", [])),
        record=_one(about, "record")["text"],
        options=tuple(row["text"] for row in about if row["key"] == "option"),
        scale=_one(about, "scale")["text"],
        arms=tuple(_arms(by_kind.get("arm", []), by_kind.get("cell", []))),
        differences=tuple(_difference(row) for row in by_kind.get("difference", [])),
        verdicts=tuple(
            Verdict(row["text"], row["by"] == _STUDY, row["key"], row["words"]) for row in by_kind.get("verdict", [])
        ),
        num_hips=int(hips["num"]),
        num_persons=int(hips["num_2"]),
        about={row["by"]: row["text"] for row in about if row["key"] == "said"},
    )


def _design(rows: Sequence[Row], findings: Sequence[Row]) -> Design:
    own = [row for row in rows if not row["arm"]]
    arms: dict[str, list[Row]] = {}
    for row in rows:
        if row["arm"]:
            arms.setdefault(row["arm"], []).append(row)
    return Design(
        **{key: _one(own, key)["text"] for key in _TEXTS},
        arms=tuple(_design_arm(name, said) for name, said in arms.items()),
        findings=tuple(_finding(row) for row in findings),
        table=_int(_one(own, "table")["value"]),
        seeds=int(_one(own, "seeds")["value"]),
        pooled=_one(own, "pooled")["value"] == "1",
        ensembled=_one(own, "ensembled")["value"] == "1",
        compared=tuple(row["measure"] for row in own if row["key"] == "compared") or None,
    )


def _design_arm(name: str, rows: Sequence[Row]) -> Arm:
    return Arm(
        name=name,
        label=_one(rows, "label")["text"],
        overrides=tuple(row["text"] for row in rows if row["key"] == "override"),
        study={row["measure"]: float(row["value"]) for row in rows if row["key"] == "study"},
        study_steps=_int(_one(rows, "study_steps")["value"]),
        study_hips=_int(_one(rows, "study_hips")["value"]),
    )


def _finding(row: Row) -> Finding:
    margin = _float(row["value"])
    return Finding(row["text"], row["measure"], row["arm"], row["than"], row["key"], margin, row["by"] == _STUDY)


def _arms(rows: Sequence[Row], cells: Sequence[Row]) -> Iterator[ArmRow]:
    arms: dict[str, list[Row]] = {}
    for row in rows:
        arms.setdefault(row["arm"], []).append(row)
    strange = {row["arm"] for row in cells} - set(arms)
    if strange:
        raise ValueError(f"a number of arm {min(strange)!r}, which has no counts of runs")
    for name, said in arms.items():
        numbers = {row["measure"]: _cell(row) for row in cells if row["arm"] == name}
        yield _arm(name, said, numbers)


def _arm(name: str, rows: Sequence[Row], cells: Mapping[str, Cell]) -> ArmRow:
    done, failed, missing = (int(_one(rows, key)["value"]) for key in _ARM_COUNTS)
    steps, batch_size, train_hips, val_hips = (_int(_one(rows, key)["value"]) for key in _ARM_WHOLE)
    train_s, judge_s = (_float(_one(rows, key)["value"]) for key in _ARM_TIMES)
    reasons = tuple(row["text"] for row in rows if row["key"] == "reason")
    return ArmRow(
        *(name, done, failed, missing, reasons, cells),
        *(steps, batch_size, train_hips, val_hips, train_s, judge_s),
        tuple(int(row["value"]) for row in rows if row["key"] == "seed"),
    )


def _cell(row: Row) -> Cell:
    ends = (_float(row["value"]), _float(row["low"]), _float(row["high"]))
    return Cell(*ends, int(row["num"]), int(row["num_2"]))


def _difference(row: Row) -> DifferenceRow:
    value, low, high, p, p_holm = (_float(row[key]) for key in ("value", "low", "high", "p", "p_holm"))
    counts = (int(row["num"]), int(row["num_2"]), (int(row["runs"]), int(row["runs_2"])))
    return DifferenceRow(row["measure"], row["arm"], row["than"], value, low, high, p, p_holm, *counts)


def _one(rows: Sequence[Row], key: str) -> Row:
    """The only row of a key."""
    found = [row for row in rows if row["key"] == key]
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows say {key!r}, and one should")
    return found[0]


def _int(text: str) -> int | None:
    return int(text) if text else None


def _float(text: str) -> float | None:
    return float(text) if text else None
