"""The tables: one line a hip, pseudonyms, and a fingerprint that knows what is held and not how it is called."""

import csv
import dataclasses

import pytest

from hipjsw.cohort import store_tables
from hipjsw.cohort.companions import Companions
from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.layout import FilmEntry, PointsFile
from hipjsw.cohort.store_tables import content_of, fingerprint, hip_lines, write_tables

KEY = b"k" * 32
NOTHING = Companions({}, None, "")


def film(number, reasons=("", ""), **change):
    points = (PointsFile(f"{number}_r.pts", "right"), PointsFile(f"{number}_l.pts", "left"))
    entry = FilmEntry("OAI", f"s{number // 2}", f"V{number % 2}", f"{number}.dcm", points)
    hips = tuple(HipRecord(side, reason, 3.5) for side, reason in zip(("right", "left"), reasons, strict=True))
    return dataclasses.replace(FilmRecord(entry, f"film {number}", f"points {number}", hips=hips), **change)


FILMS = [film(0), film(1, ("metal", "")), film(2, ("x", "x")), film(3)]


def test_rows_count_the_usable_hips_and_exclusion_takes_none_away():
    lines = hip_lines(FILMS, KEY, NOTHING, {"0.dcm": "duplicate_film", "2.dcm": "x"})
    assert [line.row for line in lines] == [0, 1, -1, 2, -1, -1, 3, 4]
    assert [line.reason for line in lines] == ["duplicate_film"] * 2 + ["metal", "", "x", "x", "", ""]


def test_companions_give_parts_by_person_and_widths_by_hip():
    given = Companions({("OAI", "s0", "V1", "left"): 1.25}, None, "", {("OAI", "s1"): "val"})
    lines = hip_lines([*FILMS, film(4, hips=(HipRecord("left", "", truth_mm=2.0),))], KEY, given, {})
    assert [line.given_part for line in lines] == [""] * 4 + ["val"] * 4 + [""]
    assert [line.truth_mm for line in lines] == [None] * 3 + [1.25] + [None] * 4 + [2.0]


def test_a_hips_points_are_those_of_its_side(tmp_path):
    write_tables(tmp_path, hip_lines(FILMS, KEY, NOTHING, {}))
    with (tmp_path / "identities.csv").open(newline="") as file:
        assert [row["points"] for row in csv.DictReader(file)][:2] == ["0_r.pts", "0_l.pts"]
    assert not (tmp_path / "truth.csv").exists()


def test_two_of_one_pseudonym_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="two hips get the pseudonym"):
        hip_lines([FILMS[0], FILMS[0]], KEY, NOTHING, {})
    monkeypatch.setattr(store_tables, "person_id", lambda *_: "p0")
    with pytest.raises(ValueError, match="two persons get the pseudonym p0"):
        hip_lines(FILMS, KEY, NOTHING, {})


def test_the_fingerprint_knows_films_and_tables_and_no_key():
    lines = hip_lines(FILMS, KEY, NOTHING, {})
    assert content_of(lines) == content_of(hip_lines(FILMS, b"o" * 32, NOTHING, {}))
    others = [
        hip_lines([film(0, film_digest="x"), *FILMS[1:]], KEY, NOTHING, {}),
        hip_lines([film(0, points_digest="x"), *FILMS[1:]], KEY, NOTHING, {}),
        hip_lines([film(0, ("", "x")), *FILMS[1:]], KEY, NOTHING, {}),
        hip_lines(FILMS[::-1], KEY, NOTHING, {}),
        hip_lines(FILMS, KEY, NOTHING, {"0.dcm": "duplicate_film"}),
        hip_lines(FILMS, KEY, Companions({}, None, "", {("OAI", "s0"): "test"}), {}),
        hip_lines(FILMS, KEY, Companions({("OAI", "s0", "V0", "left"): 1.0}, None, ""), {}),
        hip_lines([film(0, entry=dataclasses.replace(FILMS[0].entry, spacing_mm=0.2)), *FILMS[1:]], KEY, NOTHING, {}),
    ]
    assert len({content_of(lines), *map(content_of, others)}) == 9


@pytest.mark.parametrize("name", ["store_version", "view", "labels", "imports", "content"])
def test_the_fingerprint_knows_how_it_was_made(name):
    meta = {"store_version": 2, "view": {"a": 1}, "labels": "study", "imports": {}, "content": "c", "num_hips": 3}
    assert fingerprint(meta) == fingerprint(meta | {"num_hips": 4, "key": "other"})
    assert fingerprint(meta) != fingerprint(meta | {name: "other"})
