"""A store drawn straight as views: the hips a written cohort would give, same bytes, whole or absent."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from hipjsw.app.paths import conf_dir
from hipjsw.app.phantom_store import write_view_store
from hipjsw.app.provision import find_store, provide_store
from hipjsw.app.schema import register_schemas
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.split import SplitSpec
from hipjsw.cohort.store import Store, StoreError
from hipjsw.cohort.writing import prepare_cohort
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.cohort import CohortOptions, write_cohort
from hipjsw.phantom.population import draw_person

SEED = 3
SPEC = PrepareOptions(ViewSpec("coarse", 64, 64, 1.6, 4, "head", "view", 0.5, 99.5), "study")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_view_store(tmp_path_factory.mktemp("views") / "store", 6, SEED, SPEC)


def test_hips_names_and_widths_are_those_of_a_written_cohort(store: Store, tmp_path: Path) -> None:
    write_cohort(tmp_path / "cohort", 6, SEED)
    (tmp_path / "cohort/split.csv").unlink()  # the persons kept for testing; a store of views deals them by its split
    films, _ = prepare_cohort(tmp_path / "cohort", tmp_path / "films", SPEC)
    for name in ("hips.csv", "identities.csv", "truth.csv"):
        straight, through = table(store.folder / name), table(films.folder / name)
        assert len(straight) == len(through)
        for a, b in zip(straight, through, strict=True):
            numbers = {key for key in a if key.endswith("_mm") and a[key]}
            assert {k: v for k, v in a.items() if k not in numbers} == {k: v for k, v in b.items() if k not in numbers}
            for key in numbers:
                assert float(a[key]) == pytest.approx(float(b[key]), abs=2e-6)  # points files have six decimals
    assert store.dealt(SplitSpec()).split == films.dealt(SplitSpec()).split
    found = [row for row in table(films.folder / "findings.csv") if row["rule"] != "spacing_mismatch"]  # of a header
    assert table(store.folder / "findings.csv") == found != []
    np.testing.assert_allclose(store.landmarks_px, films.landmarks_px, atol=1e-5)
    np.testing.assert_allclose(store.geometry, films.geometry, atol=1e-5)
    assert np.abs(store.planes[:].astype(int) - films.planes[:]).max() <= 1
    for straight, through in zip(store.images, films.images, strict=True):
        assert np.corrcoef(straight.ravel(), through.ravel())[0, 1] > 0.99


def test_the_store_says_what_made_it(store: Store) -> None:
    assert store.meta["phantom"]["drawn"] == "views"
    assert {store.meta["phantom"][key] for key in ("look", "points_error")} == {"realistic", "none"}
    assert (store.meta["phantom"]["seed"], store.meta["phantom"]["subjects"]) == (SEED, 6)
    assert store.meta["num_films"] == sum(len(draw_person(SEED, index).visits) for index in range(6))


def test_one_worker_and_two_write_the_same_bytes(store: Store, tmp_path: Path) -> None:
    again = write_view_store(tmp_path / "store", 6, SEED, SPEC, workers=2)
    assert content(again.folder) == content(store.folder)


def test_a_store_that_is_there_is_opened_and_another_is_refused(store: Store) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in store.folder.iterdir()}
    again = write_view_store(store.folder, 6, SEED, SPEC, progress=lambda *_: pytest.fail("drawn again"))
    assert again.fingerprint == store.fingerprint
    others = [
        (7, SEED, SPEC, CohortOptions()),
        (6, SEED + 1, SPEC, CohortOptions()),
        (6, SEED, dataclasses.replace(SPEC, labels="partial"), CohortOptions()),
        (6, SEED, SPEC, CohortOptions(look="wide")),
        (6, SEED, SPEC, CohortOptions(planted=0.5)),
    ]
    for subjects, seed, spec, options in others:
        with pytest.raises(StoreError, match="of another kind"):
            write_view_store(store.folder, subjects, seed, spec, options)
    assert {path.name: path.stat().st_mtime_ns for path in store.folder.iterdir()} == before


def test_half_a_store_is_never_taken_for_a_whole_one(store: Store, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_view_store(tmp_path / "store", 6, SEED, SPEC, progress=stop)
    assert not (tmp_path / "store").exists()
    whole = write_view_store(tmp_path / "store", 6, SEED, SPEC)
    assert content(whole.folder) == content(store.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_film_looks_the_same_in_a_larger_store(store: Store, tmp_path: Path) -> None:
    larger = write_view_store(tmp_path / "store", 8, SEED, SPEC)
    rows = {name: row for row, name in enumerate(larger.hips["hip_id"])}
    for row, name in enumerate(store.hips["hip_id"]):
        np.testing.assert_array_equal(store.images[row], larger.images[rows[name]])


def test_planted_and_lost_hips_are_left_out_or_have_no_truth(tmp_path: Path) -> None:
    options = CohortOptions("realistic", "bonefinder", 1.0)
    store = write_view_store(tmp_path / "store", 16, SEED, SPEC, options)
    hips = table(store.folder / "hips.csv")
    out = [row for row in hips if row["status"] == "excluded"]
    assert out
    assert all(row["reason"] for row in out)
    assert len(table(store.folder / "findings.csv")) > 0
    assert 0 < store.hips["mjsw_truth_mm"].isna().sum() < len(store.hips)
    exact = store.hips.dropna(subset="mjsw_truth_mm")
    assert (exact["mjsw_mm"] - exact["mjsw_truth_mm"]).abs().mean() > 0.05  # the points have errors


@pytest.mark.parametrize(("subjects", "seed"), [(0, 1), (3, -1)])
def test_nobody_and_no_seed_are_refused(tmp_path: Path, subjects: int, seed: int) -> None:
    with pytest.raises(ValueError, match="at least one person"):
        write_view_store(tmp_path / "store", subjects, seed, SPEC)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def composed():
    register_schemas()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield lambda *overrides: compose("train", ["data=phantom_views", "logger=none", *overrides])


def test_the_door_makes_the_store_once_and_finds_it(composed, tmp_path: Path) -> None:
    cfg = composed(f"data_dir={tmp_path}", "data.subjects=5", "workers=1", "view.rows_px=32", "view.cols_px=32")
    with pytest.raises(StoreError, match="is no store"):
        find_store(cfg)
    made = provide_store(cfg)
    assert provide_store(cfg).fingerprint == find_store(cfg).fingerprint == made.fingerprint
    assert made.meta["phantom"]["subjects"] == 5
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [made.folder.name]  # no films


def test_persons_are_enough_for_the_studys_full_set_and_the_test_hips(composed) -> None:
    visits = np.cumsum([len(draw_person(1, index).visits) for index in range(1400)])
    for scale in ("demo", "paper"):
        cfg = composed(f"scale={scale}", "dataset_size=full")
        wanted = (cfg.dataset_size.train_hips + cfg.dataset_size.val_hips) / cfg.scale.divisor
        hips = 2 * visits[-1] / 1400 * cfg.data.subjects
        assert 0.97 * hips >= wanted * 1.01 + cfg.split.test_hips  # points errors leave out two in a hundred
        assert cfg.split.test_hips < cfg.split.test_share * hips
    assert composed("scale=paper").split.test_hips == 2944
    assert composed().split.test_hips == 1000
    assert np.searchsorted(2 * visits, 1000) >= 250
