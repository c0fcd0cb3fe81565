"""What is read is what was written, whatever it says."""

import csv
import math
from dataclasses import fields, is_dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.ablation.answers import answer
from hipjsw.ablation.design import Arm, Design, Finding
from hipjsw.ablation.read import read_sweeps
from hipjsw.ablation.recorded import COLUMNS, RecordedError, read_recorded, write_recorded
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow, Verdict

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
MEASURE = st.sampled_from(["dice", "mjsw_truth_mm", "instability"])
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SIX = NUMBER.map(lambda x: float(f"{x:.6g}")).filter(math.isfinite)  # what six significant digits can say
COUNT = st.integers(0, 10**6)
MAYBE = st.none() | SIX
CELL = st.builds(Cell, MAYBE, MAYBE, MAYBE, COUNT, COUNT)
WHOLE = st.none() | COUNT


@st.composite
def designs(draw):
    names = draw(st.lists(NAME, min_size=1, max_size=3, unique=True))
    arms = tuple(
        Arm(name, *draw(st.tuples(TEXT, st.lists(TEXT, max_size=2).map(tuple), st.dictionaries(MEASURE, NUMBER))))
        for name in names
    )
    arms = tuple(replace(arm, study_steps=draw(WHOLE), study_hips=draw(WHOLE)) for arm in arms)
    pair = st.sampled_from(names)
    better = st.builds(Finding, TEXT, MEASURE, pair, pair, of_study=st.booleans())
    similar = st.builds(Finding, TEXT, MEASURE, pair, pair, st.just("similar"), NUMBER, st.booleans())
    findings = tuple(draw(st.lists(better | similar, max_size=3)))
    rest = {"table": draw(WHOLE), "seeds": draw(st.integers(1, 9)), "pooled": draw(st.booleans())}
    rest["ensembled"] = rest["pooled"] and draw(st.booleans())
    measure = draw(MEASURE)
    asked = tuple(dict.fromkeys([measure, *(f.measure for f in findings), *draw(st.lists(MEASURE, max_size=2))]))
    rest["compared"] = draw(st.none() | st.just(asked))
    return Design(*(draw(TEXT) for _ in range(3)), measure, draw(pair), arms, findings, **rest)


@st.composite
def results(draw):
    design = draw(designs())
    names = [arm.name for arm in design.arms]
    arm_rows = tuple(
        ArmRow(
            *(name, draw(COUNT), draw(COUNT), draw(COUNT), tuple(draw(st.lists(TEXT, max_size=2)))),
            *(draw(st.dictionaries(MEASURE, CELL)), draw(WHOLE), draw(WHOLE), draw(WHOLE), draw(WHOLE)),
            *(draw(MAYBE), draw(MAYBE), tuple(draw(st.lists(st.integers(0, 99), max_size=4)))),
        )
        for name in names
    )
    arm = st.sampled_from(names)
    difference = st.builds(
        DifferenceRow,
        *(MEASURE, arm, arm, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, COUNT, COUNT, st.tuples(COUNT, COUNT)),
    )
    verdicts = st.builds(Verdict, TEXT, st.booleans(), st.sampled_from(["holds", "not run"]), TEXT)
    return AblationResult(
        *(design, draw(TEXT), tuple(draw(st.lists(TEXT, max_size=2))), draw(TEXT), arm_rows),
        *(tuple(draw(st.lists(difference, max_size=3))), tuple(draw(st.lists(verdicts, max_size=3)))),
        *(draw(COUNT), draw(COUNT), draw(st.dictionaries(TEXT, TEXT, max_size=3))),
    )


@given(results())
@settings(max_examples=40)
def test_what_is_read_is_what_was_written(tmp_path_factory, result):
    path = tmp_path_factory.mktemp("recorded") / "result.csv"
    write_recorded(result, path)
    written = path.read_bytes()
    again = read_recorded(path)
    assert again == result
    assert [list(arm.cells) for arm in again.arms] == [list(arm.cells) for arm in result.arms]
    write_recorded(again, path)
    assert path.read_bytes() == written


def numbers(part):
    """Every single value of a result, in order."""
    if is_dataclass(part):
        return [n for field in fields(part) for n in numbers(getattr(part, field.name))]
    if isinstance(part, dict | tuple | list):
        return [n for value in (part.values() if isinstance(part, dict) else part) for n in numbers(value)]
    return [part]


def test_a_real_result_keeps_six_digits(runs_dir, tmp_path):
    for sweep in read_sweeps(runs_dir):
        result = answer(sweep)
        write_recorded(result, tmp_path / "result.csv")
        again = read_recorded(tmp_path / "result.csv")
        assert again.design == result.design
        for one, two in zip(numbers(result), numbers(again), strict=True):
            assert two == (float(f"{one:.6g}") if isinstance(one, float) else one)
        write_recorded(again, tmp_path / "again.csv")
        assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "result.csv").read_bytes()


def test_a_record_of_an_earlier_version_has_neither_seeds_nor_measures_that_are_compared(made, tmp_path):
    path = tmp_path / "result.csv"
    write_recorded(made.made_result(), path)
    result = read_recorded(path)  # numbers of six digits
    later = replace(result, arms=tuple(replace(arm, seeds=(0, 4)) for arm in result.arms))
    later = replace(later, design=replace(result.design, compared=("dice", "mjsw_truth_mm", "instability")))
    write_recorded(later, path)
    assert read_recorded(path) == later
    lines = path.read_text().splitlines(keepends=True)
    old = [line for line in lines if ",seed," not in line and ",compared," not in line]
    assert len(lines) - len(old) == 6 + 3
    path.write_text("".join(old))
    assert read_recorded(path) == result


def test_a_fact_is_a_row(made, tmp_path):
    path = tmp_path / "result.csv"
    result = made.made_result()
    write_recorded(result, path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = [row["kind"] for row in rows]
    assert list(dict.fromkeys(kinds)) == ["design", "finding", "about", "arm", "verdict", "cell", "difference"]
    assert kinds.count("cell") == sum(len(arm.cells) for arm in result.arms)
    assert kinds.count("difference") == len(result.differences)
    line = next(row for row in rows if row["kind"] == "difference" and row["arm"] == "dicece")
    assert (line["value"], line["num"], line["num_2"], line["runs"]) == ("-0.0021", "40", "18", "2")
    before = path.read_text().splitlines()
    row = result.arms[0]
    changed = replace(row, cells=dict(row.cells) | {"dice": replace(row.cells["dice"], value=0.5)})
    write_recorded(replace(result, arms=(changed, *result.arms[1:])), path)
    differing = [pair for pair in zip(before, path.read_text().splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(differing) == 1  # another number is one line of a diff


def test_no_half_written_file_is_left(made, tmp_path):
    write_recorded(made.made_result(), tmp_path / "result.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["result.csv"]


def without(kind, key=""):
    return lambda lines: [line for line in lines if not (line.startswith(kind + ",") and f",{key}," in line)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: lines[:1], "0 rows say 'hips'"),
        (lambda lines: ["kind,arm", *lines[1:]], "other columns"),
        (lambda lines: [*lines, "cell,ce"], "too few cells"),
        (lambda lines: [*lines, "cell," + "," * 30], "too many"),
        (lambda lines: [*lines, "cell,nobody" + "," * 15], "nobody"),
        (lambda lines: [*lines, "other" + "," * 16], "kind 'other'"),
        (lambda lines: [line.replace(",240,", ",many,") for line in lines], "damaged"),
        (without("about", "record"), "0 rows say 'record'"),
        (without("arm", "steps"), "0 rows say 'steps'"),
        (lambda lines: lines + [line for line in lines if ",seeds," in line], "2 rows say 'seeds'"),
        (lambda lines: [line.replace("finding,dice,", "finding,other,") for line in lines], "an arm 'other'"),
    ],
)
def test_a_damaged_file_is_refused_by_name(made, tmp_path, damage, said):
    path = tmp_path / "result.csv"
    write_recorded(made.made_result(), path)
    path.write_text("\n".join(damage(path.read_text().splitlines())) + "\n")
    with pytest.raises(RecordedError, match=said) as refused:
        read_recorded(path)
    assert "result.csv" in str(refused.value)
    assert "record the ablation again" in str(refused.value)


def test_what_is_no_table_is_refused(tmp_path):
    for content in (b"", b"\xff\xfe\x00", (",".join(COLUMNS) + '\n"').encode()):
        (tmp_path / "result.csv").write_bytes(content)
        with pytest.raises(RecordedError):
            read_recorded(tmp_path / "result.csv")
    with pytest.raises(RecordedError, match="missing or damaged"):
        read_recorded(tmp_path / "none.csv")
