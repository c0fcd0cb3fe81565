"""What the door of preparing says and refuses before it looks at any film."""

import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st

from hipjsw.cohort.layout import CohortError
from hipjsw.prepare import refuse_place, typed_option


@given(st.text(st.sampled_from("aä1 =,#'\"\\$[](){}~*&;:%.-/"), min_size=1))
@example("s p/a=b,c#d/x y")
@example("ends in \\")
@example("it's")
@example("Hüfte")
@example("${data_dir}")
def test_a_command_that_is_shown_can_be_typed(name):
    path = Path("/films") / name.lstrip("/")
    (word,) = shlex.split(typed_option("cohort", path))
    (override,) = OverridesParser.create().parse_overrides([word])
    assert override.value() == str(path)


def test_a_plain_path_is_shown_as_it_is():
    assert typed_option("store", Path("data/my-store_1.2")) == "store=data/my-store_1.2"


@pytest.mark.parametrize("place", ["OAI", "OAI/V00/report", "check-pointfiles/x", "../cohort/OAI/report"])
def test_nothing_is_written_among_films(place, tmp_path):
    cohort = tmp_path / "cohort"
    for films in ("OAI", "check-pointfiles"):
        (cohort / films).mkdir(parents=True)
    with pytest.raises(CohortError, match=r"among the cohort's films; .* report=DIR"):
        refuse_place(cohort / place, cohort, "report")
    for fine in (cohort, cohort / "report", tmp_path / "OAI"):
        refuse_place(fine, cohort, "report")


def test_what_cannot_be_made_is_said_before_films_are_read(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("film,person\n")
    for place in (tmp_path / "a.csv", tmp_path / "a.csv" / "deep" / "report"):
        with pytest.raises(CohortError, match=r"a\.csv is a file; name another folder with store=DIR"):
            refuse_place(place, tmp_path / "a.csv", "store")
    monkeypatch.setattr("os.access", lambda path, how: how == 0 and Path(path).exists())
    with pytest.raises(CohortError, match="read-only"):
        refuse_place(tmp_path / "new" / "report", tmp_path, "report")
