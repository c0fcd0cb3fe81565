"""Files with a quirk: each is odd in the one way that its name says, whenever it is written."""

import csv
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels import pixel_array

from hipjsw.anatomy.points_file import PointsError, read_points
from hipjsw.phantom import cohort, quirk_files
from hipjsw.phantom.film import Film, place
from hipjsw.phantom.names import film_name, points_name
from hipjsw.phantom.options import CohortOptions
from hipjsw.phantom.population import draw_person
from hipjsw.phantom.quirk_files import QUIRK_COLUMNS, write_quirk
from hipjsw.phantom.quirks import PLANTS, FilmQuirk

SEED = 7
NOT_DICOM = {FilmQuirk.PNG, FilmQuirk.TRUNCATED, FilmQuirk.COLOUR, FilmQuirk.ANISOTROPIC, FilmQuirk.TEXT}


def quick_render(film: Film) -> NDArray[np.uint16]:
    """Stored values that take no time: a ramp and a checkerboard."""
    rows, cols = film.placement.format.shape
    ramp = np.arange(rows, dtype=np.uint16)[:, None] // 4 + np.arange(cols, dtype=np.uint16)[None] // 8
    return np.asarray(ramp % 2**film.placement.format.bits, dtype=np.uint16)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quirk_files, "render", quick_render)
    monkeypatch.setattr(cohort, "render", quick_render)


def find(fits: Callable[[Film], bool], plant: FilmQuirk | None = None) -> Film:
    for index in range(60):
        person = draw_person(SEED, index)
        film = place(SEED, person, person.visits[0], plant=PLANTS.get(plant) if plant else None)
        if fits(film):
            return film
    raise AssertionError


def oai(quirk: FilmQuirk | None = None) -> Film:
    return find(lambda film: film.placement.format.name == "OAI", quirk)


@pytest.mark.parametrize("quirk", sorted(set(FilmQuirk) - {FilmQuirk.TWO_SPACINGS}))
def test_writing_again_gives_the_same_files_and_rows(quirk: FilmQuirk, tmp_path: Path) -> None:
    film = oai(quirk)
    rows = write_quirk(tmp_path, film, quirk)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert write_quirk(tmp_path, film, quirk) == rows
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    for row in rows:
        assert len(row) == len(QUIRK_COLUMNS)
        assert (tmp_path / row[0]).exists()
        assert row[1] == quirk
    assert not [path for path in before if path.name.endswith(".part")]
    if quirk not in NOT_DICOM:
        stored = pydicom.dcmread(next(path for path in before if path.suffix in (".dcm", ".jpg")))
        np.testing.assert_array_equal(pixel_array(stored), quick_render(film))


def points_of(tmp_path: Path, film: Film, quirk: FilmQuirk) -> NDArray[np.float64]:
    write_quirk(tmp_path, film, quirk)
    return read_points(tmp_path / points_name(film_name(film)))


def test_points_are_odd_in_their_one_way(tmp_path: Path) -> None:
    film = oai()
    exact = film.points_mm
    np.testing.assert_allclose(points_of(tmp_path, film, FilmQuirk.PIXELS) * 0.16896, exact, atol=1e-5)
    swapped = points_of(tmp_path, film, FilmQuirk.SWAPPED)
    np.testing.assert_allclose(np.concatenate([swapped[80:], swapped[:80]]), exact, atol=1e-5)
    moved = np.linalg.norm(points_of(tmp_path, film, FilmQuirk.JUMP) - exact, axis=1)
    assert sorted(moved.round(3))[-2:] == [0.0, 75.0]
    lost = np.linalg.norm(points_of(tmp_path, film, FilmQuirk.LOST) - exact, axis=1)
    assert (lost[:80] > 10).all()
    assert (lost[80:] < 1e-5).all()
    older = points_of(tmp_path, film, FilmQuirk.OLDER)
    assert {tuple(p) for p in older.round(4)} == {tuple(p) for p in exact.round(6).round(4)}
    assert not np.allclose(older, exact)
    with pytest.raises(PointsError, match="159"):
        points_of(tmp_path, film, FilmQuirk.MALFORMED)
    check = find(lambda film: film.placement.format.name == "CHECK-A")
    imager = points_of(tmp_path, check, FilmQuirk.IMAGER_POINTS)
    np.testing.assert_allclose(imager * 0.141 / 0.143, check.points_mm, atol=1e-5)


def test_one_hip_has_its_own_file_by_the_images_side(tmp_path: Path) -> None:
    film = oai(FilmQuirk.ONE_HIP_FILE)
    write_quirk(tmp_path, film, FilmQuirk.ONE_HIP_FILE)
    (side,) = film.planted
    letter, part = ("L", slice(0, 80)) if side == "right" else ("R", slice(80, 160))
    own = read_points(tmp_path / points_name(film_name(film)).replace(".pts", f"_{letter}.pts"))
    np.testing.assert_allclose(own, film.points_mm[part], atol=1e-5)


def test_names_are_composed_and_decomposed(tmp_path: Path) -> None:
    film = find(lambda film: film.person.dataset == "CHECK")
    film = replace(film, person=replace(film.person, subject="\u00c5s\u00eb1"))
    ((name, *_),) = write_quirk(tmp_path, film, FilmQuirk.UNICODE)
    assert unicodedata.is_normalized("NFC", name)
    (points,) = tmp_path.rglob("*.pts")
    assert (
        points.relative_to(tmp_path).as_posix() == unicodedata.normalize("NFD", points_name(name)) != points_name(name)
    )
    assert pydicom.dcmread(tmp_path / name).PatientID == film.person.subject


def test_headers_are_odd_in_their_one_way(tmp_path: Path) -> None:
    film = oai()

    def header(quirk: FilmQuirk) -> pydicom.Dataset:
        ((name, *_),) = write_quirk(tmp_path, film, quirk)
        return pydicom.dcmread(tmp_path / name)

    zero, none, uneven = (header(q) for q in (FilmQuirk.ZERO_SPACING, FilmQuirk.NO_SPACING, FilmQuirk.ANISOTROPIC))
    assert (list(zero.PixelSpacing), list(zero.ImagerPixelSpacing)) == ([0, 0], [0.16896, 0.16896])
    assert not {"PixelSpacing", "ImagerPixelSpacing"} & set(none.dir())
    assert float(uneven.PixelSpacing[0]) * uneven.Rows == pytest.approx(0.16896 * 1860)
    assert float(uneven.PixelSpacing[0]) > 1.03 * float(uneven.PixelSpacing[1])
    assert header(FilmQuirk.ANNOTATION).BurnedInAnnotation == "YES"
    assert header(FilmQuirk.COLOUR).PhotometricInterpretation == "RGB"
    syntaxes = {
        header(q).file_meta.TransferSyntaxUID.name for q in (FilmQuirk.RLE, FilmQuirk.JPEG_LS, FilmQuirk.JPEG_2000)
    }
    assert len(syntaxes) == 3
    assert all("Lossless" in name for name in syntaxes)


def test_copies_have_the_pixels_of_the_film(tmp_path: Path) -> None:
    film = oai()
    ((copy, *_),) = write_quirk(tmp_path, film, FilmQuirk.DUPLICATE)
    (one, *_), (other, *_) = write_quirk(tmp_path, film, FilmQuirk.TWO_IDENTITIES)
    assert len({copy, one, other}) == 3
    pixels = [pydicom.dcmread(tmp_path / name).pixel_array for name in (copy, one, other)]
    assert all((image == quick_render(film)).all() for image in pixels)
    assert film.person.subject in copy
    assert film.person.subject not in other


def test_cohort_with_quirks_lists_them_and_is_no_plain_one(tmp_path: Path) -> None:
    plain, odd = CohortOptions(), CohortOptions(quirks=True)
    summary = cohort.write_cohort(tmp_path, 48, SEED, options=odd)
    with (tmp_path / "quirks.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["quirk"] for row in rows} == set(FilmQuirk)
    once = [row["quirk"] for row in rows if row["quirk"] not in (FilmQuirk.TWO_SPACINGS, FilmQuirk.TWO_IDENTITIES)]
    assert len(once) == len(set(once)) == len(FilmQuirk) - 2
    assert len({row["film"] for row in rows}) == len(rows)
    assert cohort.is_whole(tmp_path, 48, SEED, odd)
    assert not cohort.is_whole(tmp_path, 48, SEED, plain)
    assert cohort.write_cohort(tmp_path, 48, SEED, options=odd) == summary
    with pytest.raises(cohort.CohortExistsError, match="quirks True"):
        cohort.write_cohort(tmp_path, 48, SEED, options=plain)
