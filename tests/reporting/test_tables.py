"""What the tables say, and that they say when something is missing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hipjsw.reporting.tables import JobRow, print_table, run_table, sweep_csv_rows, sweep_markdown, sweep_table

WIDTHS = {"mae_mm": 0.2104, "bias_mm": -0.05, "sd_mm": 0.2, "low_mm": -0.442, "high_mm": 0.342}
METRICS = {
    "test/dice/mean": 0.95123,
    "test/dice/femur": 0.98,
    "test/dice/acetabulum": 0.96,
    "test/dice/joint_space": 0.9137,
    "test/num_hips": 40,
    "test/num_persons": 20,
    **{f"test/mjsw/{key}": value for key, value in WIDTHS.items()},
    "test/mjsw/num_measured": 38.0,
    "test/mjsw/num_unmeasurable": 2.0,
    "test/mjsw/num_compared": 38,
    "test/mjsw/num_left_out": 2,
}


def shown(table, width=120):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_table(table, console)
    return console.file.getvalue()


def row(text, start):
    return next(line for line in text.splitlines() if line.strip("│ ").startswith(start))


def test_run_says_what_was_measured_on_how_many():
    text = shown(run_table(METRICS, "softmax [dice]"))
    assert "softmax [dice]" in text  # brackets are text, not markup
    assert "0.9137" in row(text, "Dice, joint space")
    assert "0.9512" in row(text, "Dice, mean")
    widths = row(text, "mJSW, prediction against label")
    for cell in ("MAE 0.210 mm", "−0.050", "0.200", "−0.442 to +0.342", "38", "2"):
        assert cell in widths
    assert "40 test hips of 20 persons" in text
    assert "exact truth" not in text  # real hips have none


def test_comparisons_are_not_mixed():
    truth = {f"test/mjsw_truth/{key}": value + 1 for key, value in WIDTHS.items()}
    label = {f"test/label_truth/{key}": value + 2 for key, value in WIDTHS.items()}
    truth |= {"test/mjsw_truth/num_compared": 37, "test/mjsw_truth/num_left_out": 3}
    label |= {"test/label_truth/num_compared": 40, "test/label_truth/num_left_out": 0}
    text = shown(run_table(METRICS | truth | label, "phantoms"))
    assert "MAE 0.210 mm" in row(text, "mJSW, prediction against label")
    assert "MAE 1.210 mm" in row(text, "mJSW, prediction against exact")
    assert "MAE 2.210 mm" in row(text, "mJSW, label against exact")
    assert row(text, "mJSW, prediction against exact").split()[-2:] == ["37", "3"]


def test_a_comparison_of_which_nothing_was_measured_keeps_its_row():
    text = shown(run_table({"test/mjsw_truth/num_compared": 0, "test/mjsw_truth/num_left_out": 9}, "nothing"))
    assert row(text, "mJSW, prediction against exact").split()[-2:] == ["0", "9"]


def test_in_a_narrow_terminal_the_names_stay():
    text = shown(run_table(METRICS, "narrow"), width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    for name in ("Dice, femur", "mJSW, prediction", "MAE 0.210 mm", "left", "+0.342"):
        assert name in text
    assert row(text, "mJSW, prediction").split()[-1] == "2"


@pytest.mark.parametrize("missing", [{}, {"test/dice/mean": float("nan"), "test/mjsw/mae_mm": "n/a"}])
def test_what_is_undefined_is_a_dash(missing):
    text = shown(run_table(missing, "nothing"))
    assert "nan" not in text
    assert "–" in row(text, "Dice, mean")
    assert "MAE –" in row(text, "mJSW, prediction against label")


def test_other_split():
    text = shown(run_table({"val/dice/femur": 0.5, "val/num_hips": 3, "val/dice/num_undefined_femur": 1}, "t", "val"))
    cells = row(text, "Dice, femur").split()[1:]
    assert cells[1] == "0.5000"
    assert cells[-2:] == ["2", "1"]


JOBS = [
    JobRow(0, "loss=dice", "done", "loss-dice-3fa2", METRICS),
    JobRow(1, "net.channels=[16,32]", "reused", "run-1", METRICS),
    JobRow(2, "loss=ce", "failed", "run-2", {}, "loss is nan | see\nlog"),
]


def test_sweep_has_a_row_a_job():
    text = shown(sweep_table(JOBS), 200)
    first, second, third = (row(text, f"{number} ") for number in range(3))
    assert "0.9512" in first
    assert "38 / 2" in first
    assert "loss-dice-3fa2" in first
    assert "net.channels=[16,32]" in second
    assert "run-1 (reused)" in second
    assert "failed: loss is nan" in third
    assert "run-2" not in third
    assert "1 done, 1 reused, 1 failed" in text


def test_columns_that_nobody_fills_are_left_out():
    text = shown(sweep_table([JobRow(0, "", "done", "r", METRICS)]), 200)
    assert "truth" not in text
    assert "nothing" in text  # no override
    truth = METRICS | {"test/mjsw_truth/mae_mm": 0.111}
    assert "0.111" in shown(sweep_table([JobRow(0, "", "done", "r", truth)]), 200)
    assert "no jobs" in shown(sweep_table([]))


def test_markdown_is_one_line_a_job():
    lines = sweep_markdown(JOBS).splitlines()
    assert len(lines) == 2 + len(JOBS)
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "loss is nan \\| see log" in lines[-1]


def test_csv_rows_keep_the_numbers():
    rows = sweep_csv_rows(JOBS)
    assert rows[0]["mjsw_mae_mm"] == 0.2104
    assert rows[0]["num_measured"] == 38
    assert rows[2]["test_dice"] is None
    assert rows[2]["reason"] == "loss is nan | see\nlog"
    assert len({tuple(row) for row in rows}) == 1


def test_no_terminal_is_120_columns_without_colours(capsys):
    print_table(sweep_table(JOBS))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert not any("\x1b" in line for line in lines)
    assert any("loss-dice-3fa2" in line for line in lines)


def test_every_table_made_from_phantoms_says_which_and_how_hard():
    said = "phantom version 2, seed 1: realistic films, exact points, nothing planted"
    metrics = {"test/num_hips": 4, "test/num_persons": 2, "test/dice/mean": 0.9, "data/phantom": said}
    jobs = [JobRow(n, f"seed={n}", "done", f"run{n}", metrics) for n in range(2)]
    for table in (run_table(metrics, "test hips"), sweep_table(jobs)):
        assert str(table.caption).count(said) == 1
    assert sweep_markdown(jobs).count(said) == 1
    real = {name: value for name, value in metrics.items() if name != "data/phantom"}
    assert "phantom" not in sweep_markdown([JobRow(0, "seed=0", "done", "run", real)])
    assert "phantom" not in str(run_table(real, "test hips").caption)


def test_each_reader_has_a_row_of_its_own():
    number = {"num_compared": 9, "num_left_out": 2, "mae_mm": 0.25, "bias_mm": -0.125}
    metrics = {f"test/mjsw_reader/{name}/{key}": value for name in "BA" for key, value in number.items()}
    table = run_table({"test/num_hips": 11, "test/num_persons": 5} | metrics, "title")
    shown = [list(column.cells) for column in table.columns]
    rows = [row for row in zip(*shown, strict=True) if "reader" in row[0]]
    assert [row[0] for row in rows] == ["mJSW, prediction against reader A", "mJSW, prediction against reader B"]
    assert rows[0][1:3] == ("MAE 0.250 mm", "−0.125")
    assert rows[0][-2:] == ("9", "2")
