"""The journal: what it says is there whatever ended the work, and what it does not say is cut off."""

import pytest

from hipjsw.cohort.journal import JOURNAL, Journal, WrittenFilm, read_journal
from hipjsw.cohort.store import row_bytes

SHAPE = (4, 5)


@pytest.fixture
def films(drawn, tmp_path):
    """Six films and their rows; the fourth has none."""
    drawn.write_films(tmp_path / "cohort", 6)
    options = drawn.OPTIONS
    made = []
    for number, entry in enumerate(drawn.entries(tmp_path / "cohort")):
        record = drawn.prepare(tmp_path / "cohort", options, 0.0, entry).record
        film = WrittenFilm(f"key {number}", ((number, 7), None), record)
        rows = {n: [bytes([number]) * size] * film.num_rows for n, size in row_bytes(SHAPE).items()}
        made.append((film, rows))
    return made


def filled(folder, films):
    folder.mkdir(exist_ok=True)
    with Journal(folder, SHAPE) as journal:
        for film, rows in films:
            journal.append(film, rows)
    return folder


def test_what_was_written_is_read_again(films, tmp_path):
    folder = filled(tmp_path / "j", films)
    read, length = read_journal(folder, SHAPE)
    assert read == [film for film, _ in films]
    assert length == (folder / JOURNAL).stat().st_size
    rows = sum(film.num_rows for film, _ in films)
    assert {n: (folder / n).stat().st_size for n in row_bytes(SHAPE)} == {
        n: s * rows for n, s in row_bytes(SHAPE).items()
    }


def test_continuing_gives_the_bytes_of_going_through(films, tmp_path, content):
    whole = filled(tmp_path / "whole", films)
    parts = filled(tmp_path / "parts", films[:2])
    for cut in (films[2:4], films[4:]):
        filled(parts, cut)
    assert content(parts) == content(whole)


def test_cut_at_any_byte_it_is_a_beginning_and_the_arrays_follow(films, tmp_path):
    folder = filled(tmp_path / "j", films)
    text = (folder / JOURNAL).read_bytes()
    ends = [i + 1 for i, byte in enumerate(text) if byte == 10]
    for length in range(0, len(text), 37):
        (folder / JOURNAL).write_bytes(text[:length])
        wanted = [film for (film, _), end in zip(films, ends, strict=True) if end <= length]
        assert read_journal(folder, SHAPE)[0] == wanted
    (folder / JOURNAL).write_bytes(text[: ends[2] + 5])
    with Journal(folder, SHAPE) as journal:
        assert len(journal.films) == 3
    assert (folder / JOURNAL).read_bytes() == text[: ends[2]]
    rows = sum(film.num_rows for film, _ in films[:3])
    assert (folder / "planes.u8").stat().st_size == rows * row_bytes(SHAPE)["planes.u8"]


def test_a_changed_byte_ends_what_is_believed(films, tmp_path):
    folder = filled(tmp_path / "j", films)
    text = bytearray((folder / JOURNAL).read_bytes())
    third = text.index(b"\n", text.index(b"\n") + 1) + 1
    for place in range(third, third + 200, 3):
        text[place] ^= 1
        (folder / JOURNAL).write_bytes(text)
        assert read_journal(folder, SHAPE)[0] == [film for film, _ in films[:2]]
        text[place] ^= 1


@pytest.mark.parametrize("name", list(row_bytes(SHAPE)))
def test_a_film_whose_rows_are_not_all_there_is_not_believed(films, tmp_path, name):
    folder = filled(tmp_path / "j", films)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    assert read_journal(folder, SHAPE)[0] == [film for film, _ in films[:-1]]
    path.unlink()
    assert read_journal(folder, SHAPE)[0] == []


def test_rows_that_do_not_fit_the_film_are_refused(films, tmp_path):
    film, rows = films[0]
    with Journal(tmp_path, SHAPE) as journal, pytest.raises(ValueError, match=r"images\.u16 are not those of 2 hips"):
        journal.append(film, rows | {"images.u16": rows["images.u16"][:1]})


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_ended_by_an_error_it_keeps_what_was_whole(films, tmp_path, error):
    def stopped():
        with Journal(tmp_path, SHAPE) as journal:
            for film, rows in films[:3]:
                journal.append(film, rows)
            raise error

    with pytest.raises(error):
        stopped()
    assert read_journal(tmp_path, SHAPE)[0] == [film for film, _ in films[:3]]


def test_it_makes_sure_after_so_many_films_and_after_so_long(films, tmp_path, monkeypatch):
    monkeypatch.setattr("hipjsw.cohort.journal.FILMS_PER_COMMIT", 2)
    with Journal(tmp_path, SHAPE) as journal:
        sure = []
        for film, rows in films[:5]:
            journal.append(film, rows)
            sure.append(len(read_journal(tmp_path, SHAPE)[0]))
        assert sure == [0, 2, 2, 4, 4]
        monkeypatch.setattr("hipjsw.cohort.journal.SECONDS_PER_COMMIT", 0.0)
        journal.append(*films[5])
        assert len(read_journal(tmp_path, SHAPE)[0]) == 6
