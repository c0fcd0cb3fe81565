"""Which files a command looks at, and that a list leads nowhere else."""

import pytest

from hipjsw.app.film_list import FilmListError, list_films
from hipjsw.cohort.film_entry import CohortError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "films"
    for name in ("b.dcm", "a/c.png", "a/c.png.pts", ".hidden", "a/10"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "outside.dcm").write_text("x")
    return root


def listed(folder, *lines):
    path = folder / "list.csv"
    path.write_text("\n".join(lines))
    return list_films(path)


def test_a_folder_is_all_its_files_but_hidden_ones_and_points(folder):
    films = list_films(folder)
    assert sorted(film.name for film in films) == ["a/10", "a/c.png", "b.dcm"]
    assert all(film.path == folder / film.name and film.spacing_mm is None for film in films)
    assert [film.name for film in films] == [film.name for film in list_films(folder)]


def test_a_film_is_itself(folder):
    (film,) = list_films(folder / "b.dcm")
    assert (film.name, film.path) == ("b.dcm", folder / "b.dcm")


def test_a_list_names_films_from_its_folder_on_and_may_say_their_spacing(folder):
    films = listed(folder, "Film;spacing;other", "a/c.png;0.2;x", "b.dcm;;", "gone.dcm;;")
    assert [(film.name, film.spacing_mm) for film in films] == [("a/c.png", 0.2), ("b.dcm", None), ("gone.dcm", None)]
    assert [film.path for film in films] == [folder / "a/c.png", folder / "b.dcm", None]


@pytest.mark.parametrize("name", ["../outside.dcm", "/etc/passwd", "a/../../outside.dcm", "link.dcm"])
def test_a_list_leads_nowhere_else(folder, name):
    (folder / "link.dcm").symlink_to(folder.parent / "outside.dcm")
    (film,) = listed(folder, "film", name)
    assert film.path is None


@pytest.mark.parametrize("spacing", ["much", "-1", "0", "1e9", "nan"])
def test_a_spacing_that_is_none_is_said_with_its_line(folder, spacing):
    with pytest.raises(FilmListError, match="line 2: the spacing is a length"):
        listed(folder, "film,spacing_mm", f"b.dcm,{spacing}")


def test_what_names_no_films_is_said(folder, tmp_path):
    with pytest.raises(FilmListError, match="is not there"):
        list_films(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FilmListError, match="holds no files"):
        list_films(tmp_path / "empty")
    with pytest.raises(FilmListError, match="has no lines"):
        listed(folder, "film")
    with pytest.raises(CohortError):
        listed(folder, "path", "b.dcm")


def test_results_within_the_folder_are_no_films_of_it(tmp_path):
    (tmp_path / "measured" / "overlays").mkdir(parents=True)
    for name in ("a.dcm", "measured/report.html", "measured/overlays/a.png", "measured too.dcm"):
        (tmp_path / name).touch()
    assert [film.name for film in list_films(tmp_path, tmp_path / "measured")] == ["a.dcm", "measured too.dcm"]
    assert len(list_films(tmp_path)) == 4
    assert len(list_films(tmp_path / "measured", tmp_path / "measured")) == 2
