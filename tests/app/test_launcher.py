"""What a sweep says of its jobs."""

import json

import pytest

from hipjsw.app.launcher import REPORT_VARIABLE, _exit_reason, _study_value, _what_varied, write_job_report
from hipjsw.app.schema import AblationConfig


def test_only_what_differs_is_said():
    jobs = [["loss=dice", "seed=0", "view=hip"], ["loss=ce", "seed=0", "view=hip"]]
    assert _what_varied(jobs) == ["loss=dice", "loss=ce"]
    assert _what_varied([["loss=dice", "seed=0"]]) == ["loss=dice seed=0"]


def test_a_job_outside_a_sweep_reports_to_nobody(monkeypatch):
    monkeypatch.delenv(REPORT_VARIABLE, raising=False)
    write_job_report("done")


def test_a_job_reports_what_came_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv(REPORT_VARIABLE, str(tmp_path / "0.json"))
    write_job_report("failed", reason="loss is nan")
    said = json.loads((tmp_path / "0.json").read_text())
    assert said == {"status": "failed", "run": "", "metrics": {}, "reason": "loss is nan"}


@pytest.mark.parametrize(("code", "said"), [(-9, "SIGKILL"), (-15, "SIGTERM"), (2, "exit code 2")])
def test_a_job_without_a_word_is_named_by_how_it_ended(code, said):
    assert said in _exit_reason(code)


def test_the_studys_figure_is_found_by_the_override():
    ablation = AblationConfig(name="loss", study={"loss=dice": 0.8877})
    assert _study_value(["seed=0", "loss=dice"], ablation) == 0.8877
    assert _study_value(["loss=ce"], ablation) is None
    assert _study_value(["loss=dice"], None) is None
