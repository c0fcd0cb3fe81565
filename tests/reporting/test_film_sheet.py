"""Contact sheets of films."""

import cv2
import numpy as np
import pytest

from hipjsw.reporting.film_sheet import SheetFilm, draw_film_sheet, shrunk


def test_proportions_are_kept_and_the_rest_is_black():
    tile = shrunk(np.ones((100, 200)), (60, 60))
    assert tile.shape == (60, 60)
    assert (tile[15:45] == 1).all()
    assert tile[:15].max() == tile[45:].max() == 0


def test_mean_grey_survives_shrinking():
    film = np.random.default_rng(0).random((400, 400))
    assert shrunk(film, (50, 50)).mean() == pytest.approx(film.mean(), abs=1e-3)


def test_values_beyond_the_range_are_clipped():
    tile = shrunk(np.full((40, 40), 3.0), (20, 20))
    assert tile.max() == 1.0


def test_sheet_shows_bright_films_bright_and_dark_ones_dark_in_order(tmp_path):
    films = [SheetFilm(np.full((90, 110), value, dtype=np.float32), f"{value}") for value in (0.9, 0.1, 0.9)]
    path = draw_film_sheet(films, tmp_path / "deep" / "sheet.png", "three films", columns=3)
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(float)
    middle = picture[picture.shape[0] // 2]
    thirds = [middle[int(share * len(middle))] for share in (1 / 6, 1 / 2, 5 / 6)]
    assert thirds[0] > 200
    assert thirds[1] < 60
    assert thirds[2] > 200


def test_same_films_give_the_same_bytes(tmp_path):
    films = [SheetFilm(np.random.default_rng(1).random((50, 60), dtype=np.float32), "one")]
    one, other = (draw_film_sheet(films, tmp_path / name, "x") for name in ("a.png", "b.png"))
    assert one.read_bytes() == other.read_bytes()


def test_no_films_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no films"):
        draw_film_sheet([], tmp_path / "sheet.png", "x")
