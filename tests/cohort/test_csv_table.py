"""Tables that people write: whatever a spreadsheet saves is read, and a bad line costs itself only."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.csv_table import LONGEST_LINE, read_table
from hipjsw.cohort.film_entry import CohortError

ROWS = [{"film": "a b.dcm", "person": "Ærø"}, {"film": "c.dcm", "person": "2"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_save_is_one_table(tmp_path, delimiter, encoding, newline):
    lines = [["Note", " FILM", "Person"], ["", "a b.dcm", "Ærø"], ["", "", ""], ["x", '"c.dcm"', " 2 "], [""]]
    (tmp_path / "t.csv").write_bytes(newline.join(delimiter.join(line) for line in lines).encode(encoding))
    table = read_table(tmp_path / "t.csv", ["film"], ["person"])
    assert table.rows == [(2, ROWS[0]), (4, ROWS[1])]
    assert (table.faults, table.delimiter, table.columns) == ([], delimiter, ("film", "person"))


def test_the_line_by_which_a_spreadsheet_says_its_delimiter_is_no_header(tmp_path):
    (tmp_path / "t.csv").write_text("sep=;\nfilm;person\na;1\n")
    assert read_table(tmp_path / "t.csv", ["film"], ["person"]).rows == [(3, {"film": "a", "person": "1"})]


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=8).map(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, st.text('ab",;\n', max_size=6)), max_size=6), st.sampled_from(",;\t"))
def test_what_a_writer_of_csv_writes_is_read_back(tmp_path_factory, rows, delimiter):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([("film", "person", "note"), *rows])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(text.getvalue().encode())
    table = read_table(path, ["film"], ["person"])
    wanted = [{"film": a, "person": b} for a, b, note in rows if (a + b + note).strip()]
    assert ([cells for _, cells in table.rows], table.faults) == (wanted, [])


BAD = ['"open,3', 'a"b,"c', '"a"b,3', ",".join("abcd"), '"' + "x" * 10 * 2**20, "y" * 10 * 2**20, '"over\nlines",3']


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_line_costs_itself_only(tmp_path, bad):
    good = [f"f{n}.dcm,{n}" for n in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["film,person", *good[:30], bad, *good[30:]]))
    table = read_table(tmp_path / "t.csv", ["film", "person"])
    kept = [cells["film"] for _, cells in table.rows]
    assert [name for name in kept if name in {g.split(",")[0] for g in good}] == [g.split(",")[0] for g in good]
    assert table.faults[0][0] == 32
    assert all(len(fault) < 100 for _, fault in table.faults)


def test_two_open_quotes_do_not_swallow_what_lies_between(tmp_path):
    (tmp_path / "t.csv").write_text('film,person\n"a,1\nb,2\nc,3\n"d,4\ne,5\n')
    table = read_table(tmp_path / "t.csv", ["film", "person"])
    assert [line for line, _ in table.faults] == [2, 5]
    assert [cells["film"] for _, cells in table.rows] == ["b", "c", "e"]


def test_a_quote_within_a_cell_is_a_letter(tmp_path):
    (tmp_path / "t.csv").write_text('film,person\n17"a,1\n"b",2\n')
    table = read_table(tmp_path / "t.csv", ["film", "person"])
    assert ([cells["film"] for _, cells in table.rows], table.faults) == (['17"a', "b"], [])


def test_bytes_that_are_no_utf8_come_back_as_the_disk_has_them(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"film\nh\xfcfte\0.dcm\n")
    assert read_table(tmp_path / "t.csv", ["film"]).rows == [(2, {"film": "h\udcfcfte\0.dcm"})]


def test_short_lines_are_filled_up_and_empty_cells_beyond_the_header_are_nothing(tmp_path):
    (tmp_path / "t.csv").write_text("film,person,note\na\nb,2,,,,\n")
    table = read_table(tmp_path / "t.csv", ["film", "person"])
    assert table.rows == [(2, {"film": "a", "person": ""}), (3, {"film": "b", "person": "2"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\r\n  \n", "is empty"),
        (b"films,person\n", "has not the column film"),
        (b"film,person,FILM\n", "column film more than once"),
        (b"film,person,spacing,spacing_mm\n", "column spacing more than once"),
        (b"\xff\xfef", "damaged UTF-16"),
        (b"\0" * 5000, "has not the columns film, person"),
        (b"film" * LONGEST_LINE, "has not the columns"),
    ],
)
def test_a_table_that_is_none_is_refused_with_what_to_do(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(CohortError, match=rf"^t\.csv .*{said}"):
        read_table(tmp_path / "t.csv", ["film", "person"], ["spacing"], {"spacing_mm": "spacing"})


def test_a_folder_an_absent_file_and_a_huge_one_are_refused(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2**33)
    for name in ("folder", "absent", "huge"):
        with pytest.raises(CohortError, match=name):
            read_table(tmp_path / f"{name}.csv", ["film"])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_break_it(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(b"film,person\n" + content)
    table = read_table(path, ["film", "person"])
    numbers = [n for n, _ in table.rows] + [n for n, _ in table.faults]
    assert len(numbers) == len(set(numbers))
