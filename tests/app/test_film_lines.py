"""Rows that stay in their files are those that were written, and hold little memory; tables and page are the same."""

import csv
import io
import json
import tracemalloc

import pytest

from hipjsw.app import film_batch
from hipjsw.app.film_batch import BatchOptions, measure_films
from hipjsw.app.film_lines import FilmRows, Place, film_line
from hipjsw.app.film_list import FilmFile
from hipjsw.app.film_tables import write_tables
from hipjsw.cohort.shard import Shard
from hipjsw.inference.measurement import COLUMNS, failed_row, summary
from hipjsw.reporting import measure_page
from hipjsw.reporting.measure_page import write_measure_page

OPTIONS = BatchOptions("model", "abc")


def rows_of(film):
    """Rows of a film ``<number>.png`` with letters of every kind: one of every fifth, two of the others."""
    number = int(film.name.split(".")[0])
    said = {
        "side": "right",
        "status": "measured",
        "quality": (number * 7919 % 100) / 100,
        "reason": '\xe9\n"\U0001f600,',
        "mjsw_px": 10 / 3,
        "mjsw_per_head": 0.1,
    }
    first = failed_row(film.name, "no film", "abc")
    return [first] if number % 5 == 0 else [first | said, first | said | {"side": "left", "status": "absent"}]


@pytest.fixture
def lasting(monkeypatch):
    """Names of films that were looked at; one whose name begins with 7 is to be looked at again."""
    asked = []

    def film_rows(options, out, among_others, film):
        asked.append(film.name)
        return rows_of(film), not film.name.startswith("7")

    monkeypatch.setattr(film_batch, "_film_rows", film_rows)
    return asked


def films(number):
    return [FilmFile(f"{n}.png", None) for n in range(number)]


def write(folder, rows):
    folder.mkdir()
    write_tables(folder, rows)
    write_measure_page(folder / "report.html", rows, lambda film, side: (film, side), "name")


def outputs(folder, rows):
    write(folder, rows)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_are_the_same_fresh_known_and_from_shards(lasting, tmp_path):
    expected = [row for film in films(40) for row in rows_of(film)]
    fresh = measure_films(films(40), tmp_path / "out", OPTIONS)
    assert list(fresh) == list(fresh) == expected
    assert len(fresh) == len(expected)
    lasting.clear()
    assert list(measure_films(films(40), tmp_path / "out", OPTIONS)) == expected
    assert lasting == [film.name for film in films(40) if film.name[0] == "7"]
    backwards = [row for film in reversed(films(40)) for row in rows_of(film)]
    assert list(measure_films(films(40)[::-1], tmp_path / "out", OPTIONS)) == backwards
    for number in range(1, 4):
        measure_films(films(40), tmp_path / "shares", OPTIONS, shard=Shard(number, 3))
    assert list(measure_films(films(40), tmp_path / "shares", OPTIONS)) == expected


def test_more_files_than_may_be_open_give_their_rows_in_order(tmp_path):
    rows, found = [failed_row("x", "none", "h")], FilmRows([tmp_path / f"{n}.jsonl" for n in range(200)], 400)
    for film in range(400):
        with (tmp_path / f"{film % 200}.jsonl").open("ab") as file:
            found.put(film, Place(film % 200, file.tell(), 1))
            file.write(film_line("o", "k", [rows[0] | {"film": str(film)}]))
    assert [row["film"] for row in found] == [str(film) for film in range(400)]


def test_rows_equal_their_list_and_no_other(lasting, tmp_path):
    rows = measure_films(films(9), tmp_path / "out", OPTIONS)
    whole = list(rows)
    assert rows == whole
    for other in (whole[:-1], whole[1:], [*whole, whole[0]], [whole[0] | {"reason": "other"}, *whole[1:]], []):
        assert rows != other
    assert rows != "rows"


@pytest.mark.parametrize("number", [0, 1, 40])
def test_tables_and_page_are_those_of_all_rows_at_once(number, lasting, tmp_path, monkeypatch):
    monkeypatch.setattr(measure_page, "MOST_ROWS", 20)
    rows = measure_films(films(number), tmp_path / "out", OPTIONS)
    whole = list(rows)
    found = outputs(tmp_path / "read", rows)
    assert found == outputs(tmp_path / "held", whole)
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS)
    writer.writeheader()
    writer.writerows(whole)
    assert found["measurements.csv"] == table.getvalue().encode()
    listed = json.dumps(whole, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    assert found["measurements.json"] == listed.encode()
    order = [said.split('"')[0] for said in found["report.html"].decode().split('data-name="')[2:]]
    worst = sorted(whole, key=measure_page._badness)[:20]
    assert order == [row["film"] for row in worst]
    assert sum(summary(rows).values()) == len(whole)


@pytest.mark.parametrize("known", [False, True])
def test_a_film_holds_little_memory(known, lasting, tmp_path, monkeypatch):
    monkeypatch.setattr(measure_page, "MOST_ROWS", 20)

    def peak(number):
        some, out = films(number), tmp_path / str(number)
        if known:
            measure_films(some, out, OPTIONS)
        lasting.clear()
        tracemalloc.start()
        write(tmp_path / f"tables-{number}", measure_films(some, out, OPTIONS))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(20)
    assert peak(1200) - peak(400) < 800 * 1000  # bytes a film; its rows as Python holds them are 3700
