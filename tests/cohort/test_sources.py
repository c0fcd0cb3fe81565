"""Whether films are what they were: size and time of change first, bytes where those do not tell."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.cohort.layout import FilmEntry, PointsFile
from hipjsw.cohort.sources import contents, digest, file_stats, trusted

FILE = st.tuples(st.integers(0, 99), st.integers(0, 99))


@pytest.fixture
def entry(tmp_path):
    for name in ("film", "right", "left"):
        (tmp_path / name).write_text(f"this is {name}")
    return FilmEntry("OAI", "1", "V00", "film", (PointsFile("right", "right"), PointsFile("left", "left")))


def test_a_hash_depends_on_the_bytes_and_their_order_and_not_on_the_name(tmp_path, entry):
    assert digest(tmp_path, ["film"]) != digest(tmp_path, ["left"])
    assert digest(tmp_path, ["left", "right"]) != digest(tmp_path, ["right", "left"])
    (tmp_path / "other").write_text("this is film")
    assert digest(tmp_path, ["film"]) == digest(tmp_path, ["other"])
    assert contents(tmp_path, entry) == (digest(tmp_path, ["film"]), digest(tmp_path, ["right", "left"]))


def test_what_cannot_be_read_has_no_hash(tmp_path, entry):
    (tmp_path / "left").unlink()
    assert contents(tmp_path, entry) == (digest(tmp_path, ["film"]), "")
    assert digest(tmp_path, []) == ""
    assert file_stats(tmp_path, entry)[2] is None


def test_stats_are_size_and_time_of_change_and_not_the_place_on_the_disk(tmp_path, entry):
    before = file_stats(tmp_path, entry)
    assert before[0] == ((tmp_path / "film").stat().st_size, (tmp_path / "film").stat().st_mtime_ns)
    text, stat = (tmp_path / "film").read_bytes(), (tmp_path / "film").stat()
    (tmp_path / "film").rename(tmp_path / "aside")
    (tmp_path / "film").write_bytes(text)
    os.utime(tmp_path / "film", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_stats(tmp_path, entry) == before


@given(st.lists(st.none() | FILE, max_size=3), st.lists(st.none() | FILE, max_size=3), st.integers(0, 99))
def test_only_equal_stats_older_than_the_note_are_trusted(before, now, known_at_ns):
    wanted = before == now and all(stat is not None and stat[1] < known_at_ns for stat in now)
    assert trusted(tuple(before), tuple(now), known_at_ns) == wanted
    assert not trusted((), ((1, 1),), 99)
