"""A batch goes on past bad films, loses nothing when it is stopped, and asks no film twice."""

import json

import cv2
import numpy as np
import pytest

from hipjsw.app import film_batch
from hipjsw.app.film_batch import LINES, BatchOptions, measure_films
from hipjsw.app.film_files import CURVES, OVERLAYS
from hipjsw.app.film_list import FilmFile
from hipjsw.cohort.shard import Shard
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.inference.measure import MeasuredFilm

OPTIONS = BatchOptions("model", "abc", overlays=False)
SPACING = PixelSpacing(0.2, 0.2, SpacingSource.GIVEN)


@pytest.fixture
def asked(monkeypatch):
    """Names of films that were looked at; a film whose first pixel is 13 breaks the measurer."""
    seen = []

    def measurer(film):
        seen.append(int(film.pixels[0, 0]))
        if film.pixels[0, 0] == 13:
            raise ZeroDivisionError("by chance")
        return MeasuredFilm((), film.spacing, film.spacing or SPACING)

    monkeypatch.setattr(film_batch, "_measurer", lambda options, alone: measurer)
    return seen


@pytest.fixture
def films(tmp_path):
    made = []
    for number in (1, 13, 2):
        path = tmp_path / f"{number}.png"
        pixels = np.arange(64 * 48, dtype=np.uint8).reshape(64, 48)
        pixels[0, 0] = number
        cv2.imwrite(str(path), pixels)
        made.append(FilmFile(path.name, path))
    (tmp_path / "flat.png").write_bytes(cv2.imencode(".png", np.zeros((64, 48), np.uint8))[1].tobytes())
    (tmp_path / "text.txt").write_text("no film")
    return [
        *made,
        FilmFile("flat.png", tmp_path / "flat.png"),
        FilmFile("text.txt", tmp_path / "text.txt"),
        FilmFile("gone", None),
    ]


def test_every_film_has_its_rows_whatever_it_does(asked, films, tmp_path):
    moved = []
    rows = measure_films(films, tmp_path / "out", OPTIONS, 1, lambda done, total: moved.append((done, total)))
    assert [(row["film"], row["status"]) for row in rows] == [
        ("1.png", "not_found"),
        ("1.png", "not_found"),
        ("13.png", "failed"),
        ("2.png", "not_found"),
        ("2.png", "not_found"),
        ("flat.png", "failed"),
        ("text.txt", "failed"),
        ("gone", "failed"),
    ]
    assert moved == [(n, 6) for n in range(1, 7)]
    reasons = {row["film"]: row["reason"] for row in rows}
    assert reasons["13.png"].startswith("ZeroDivisionError in test_film_batch.py")
    assert "by chance" not in reasons["13.png"]  # an error's own words may hold what a header says
    assert "pixels are alike" in reasons["flat.png"]
    assert "neither DICOM" in reasons["text.txt"]


def test_a_film_that_was_measured_is_not_looked_at_again_until_it_or_the_options_change(asked, films, tmp_path):
    out = tmp_path / "out"
    first = measure_films(films, out, OPTIONS)
    assert measure_films(films, out, OPTIONS) == first
    assert asked == [1, 13, 2, 13]  # what was not foreseen may not happen again
    pixels = np.full((64, 48), 9, np.uint8)
    pixels[0] = 50
    pixels[0, 0] = 5
    cv2.imwrite(str(films[2].path), pixels)
    again = measure_films(films, out, OPTIONS)
    assert asked == [1, 13, 2, 13, 13, 5]
    assert [row["film"] for row in again] == [row["film"] for row in first]
    measure_films(films[:1], out, BatchOptions("model", "other", overlays=False))
    measure_films(
        films[:1], out, BatchOptions("elsewhere", "abc", "cuda", overlays=False)
    )  # the same model and options
    assert asked == [1, 13, 2, 13, 13, 5, 1]


def test_a_batch_that_was_stopped_goes_on_where_it_was(asked, films, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_films(films, out, OPTIONS, 1, stop)
    with (out / LINES).open("a") as file:
        file.write('{"options": "x", "ke')  # a line that was being written
    rows = measure_films(films, out, OPTIONS)
    assert asked == [1, 13, 13, 2]
    assert rows == measure_films(films, whole, OPTIONS)
    lines = [json.loads(line) for line in (out / LINES).read_text().splitlines()]
    assert len(lines) == len(films) - 2  # the film that broke the measurer and the one that is not there


@pytest.mark.parametrize("damage", ["[]", "null", '{"options": 1}', "{", "\x00"])
def test_a_damaged_line_is_measured_again(damage, asked, films, tmp_path):
    out = tmp_path / "out"
    measure_films(films[:1], out, OPTIONS)
    (out / LINES).write_text(damage + "\n")
    assert len(measure_films(films[:1], out, OPTIONS)) == 2
    assert asked == [1, 1]


def test_without_hips_there_is_no_picture(asked, films, tmp_path):
    measure_films(films[:1], tmp_path / "out", BatchOptions("model", "abc", overlays=True, points=True))
    for folder in (OVERLAYS, CURVES):
        assert list((tmp_path / "out" / folder).iterdir()) == []


def test_what_is_measured_is_told_as_it_comes_and_what_is_known_is_not(asked, films, tmp_path):
    told = []
    rows = measure_films(films, tmp_path / "out", OPTIONS, tell=told.append)
    assert [row for some in told for row in some] == rows
    lasting = len(films) - 2  # but for the film that broke the measurer and the one that is not there
    measure_films(films, tmp_path / "out", OPTIONS, tell=told.append)
    assert len(told) == len(films) + len(films) - lasting


def test_shards_together_are_the_rows_of_one_call_and_ask_no_film_twice(asked, films, tmp_path):
    whole = measure_films(films, tmp_path / "whole", OPTIONS)
    asked.clear()
    out = tmp_path / "out"
    shares = [measure_films(films, out, OPTIONS, shard=Shard(number, 2)) for number in (2, 1)]
    assert {row["film"] for share in shares for row in share} == {row["film"] for row in whole}
    assert not (out / LINES).exists()
    assert asked == [13, 1, 2]
    (out / "shard-1-of-2.jsonl").write_bytes((out / "shard-1-of-2.jsonl").read_bytes()[:-3])  # still being written
    before = (out / "shard-1-of-2.jsonl").read_bytes()
    assert measure_films(films, out, OPTIONS) == whole
    assert asked[3:] == [13]  # its error may not happen again; the cut line is that of a film that never gets as far
    assert (out / "shard-1-of-2.jsonl").read_bytes() == before
