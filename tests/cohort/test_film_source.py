"""Which films an earlier store holds as they are now, and how little is read to know."""

import dataclasses
import os
import time

import pytest

from hipjsw.cohort.earlier import Earlier
from hipjsw.cohort.film_source import cohort_source, film_key, film_of
from hipjsw.cohort.journal import WrittenFilm
from hipjsw.cohort.layout import PointsFile


@pytest.fixture
def root(drawn, tmp_path):
    drawn.write_films(tmp_path, 8)
    return tmp_path


@pytest.fixture
def known(drawn, root):
    """All eight films as an earlier store has them, noted a second after they were written."""
    source = drawn.source(root)
    films = [
        WrittenFilm(key, stats, film.record)
        for key, stats, film in zip(source.keys, source.stats, source.prepare(range(8)), strict=True)
    ]
    return Earlier(root, (18, 18), films, time.time_ns() + 10**9)


def rewrite(path, text):
    path.write_text(text)
    later = path.stat().st_mtime_ns + 5
    os.utime(path, ns=(later, later))


def test_films_that_nobody_touched_are_the_same_without_reading(drawn, root, known):
    calls = {}
    same = drawn.source(root, calls=calls).unchanged([known])
    assert same.films == ({n: n for n in range(8)},)
    assert same.begins(0, 8)
    assert calls == {"read": []}
    assert not same.read


def test_touched_films_are_read_and_the_same_and_changed_ones_are_not(drawn, root, known):
    rewrite(root / "films/002.txt", (root / "films/002.txt").read_text())
    rewrite(root / "films/004.txt", "other 4")
    rewrite(root / "points/006.pts", "other 6")
    calls = {}
    same = drawn.source(root, calls=calls).unchanged([known])
    assert calls["read"] == ["films/002.txt", "films/004.txt", "films/006.txt"]
    assert sorted(same.films[0]) == [0, 1, 2, 3, 5, 7]
    assert same.begins(0, 4)
    assert not same.begins(0, 5)


def test_a_note_no_younger_than_the_film_is_not_trusted(drawn, root, known):
    calls = {}
    early = dataclasses.replace(known, known_at_ns=0)
    assert drawn.source(root, calls=calls).unchanged([early]).films == ({n: n for n in range(8)},)
    assert len(calls["read"]) == 8


def test_removed_and_added_films_move_the_others(drawn, root, known):
    (root / "films/001.txt").unlink()
    drawn.write_film(root, 20, "new")
    same = drawn.source(root).unchanged([known])
    assert same.films == (dict(enumerate([0, 2, 3, 4, 5, 6, 7])),)
    assert same.begins(0, 1)
    assert not same.begins(0, 2)


def test_of_two_earlier_stores_each_gives_what_it_has(drawn, root, known):
    first = dataclasses.replace(known, films=known.films[:3])
    rewrite(root / "films/000.txt", "other")
    same = drawn.source(root).unchanged([first, known])
    assert [sorted(films) for films in same.films] == [[1, 2], [1, 2, 3, 4, 5, 6, 7]]


def test_a_key_knows_who_from_how():
    one, other = film_key(["OAI", "1"], ["a.pts"]), film_key(["OAI", "1"], ["b.pts"])
    assert one != other
    assert film_of(one) == film_of(other) != film_of(film_key(["OAI", "2"], ["a.pts"]))


def test_a_cohorts_film_with_other_points_spacing_or_side_is_another(drawn, root, options):
    entry = next(drawn.entries(root))
    changed = [
        entry,
        dataclasses.replace(entry, points=()),
        dataclasses.replace(entry, points=(PointsFile("points/000.pts", "left"),)),
        dataclasses.replace(entry, spacing_mm=0.2),
        dataclasses.replace(entry, side="left"),
    ]
    source = cohort_source(root, changed, options, 1, drawn.source(root).companions, [])
    assert len(set(source.keys)) == 5
    assert len({film_of(key) for key in source.keys}) == 1


def test_films_that_could_not_be_opened_are_tried_again(drawn, root, known):
    closed = list(known.films)
    for number, lost in ((1, "film_digest"), (2, "points_digest")):
        record = dataclasses.replace(closed[number].record, **{lost: ""})
        closed[number] = dataclasses.replace(closed[number], record=record)
    calls = {}
    same = drawn.source(root, calls=calls).unchanged([dataclasses.replace(known, films=closed)])
    assert calls["read"] == ["films/001.txt", "films/002.txt"]
    assert sorted(same.films[0]) == [0, 3, 4, 5, 6, 7]
