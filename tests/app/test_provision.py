"""Where a phantom's data goes: a folder for each set of options; a wrong option is refused before anything is made."""

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from hipjsw.app.paths import conf_dir
from hipjsw.app.provision import find_store, phantom_options, provide_store
from hipjsw.app.schema import register_schemas
from hipjsw.cohort.store import StoreError
from hipjsw.phantom.options import CohortOptions

OPTIONS = ("data.look=wide", "data.points_error=bonefinder", "data.planted=0.05", "data.seed=2", "data.subjects=3")


@pytest.fixture(autouse=True, scope="module")
def hydra_context():
    register_schemas()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield


def place_of(*overrides):
    with pytest.raises(StoreError) as error:
        find_store(compose("train", ["data_dir=nowhere", *overrides]))
    return str(error.value)


def test_each_option_has_a_store_of_its_own():
    assert place_of() == place_of("data.look=realistic", "data.points_error=none", "data.planted=0")
    assert len({place_of(), *(place_of(option) for option in OPTIONS)}) == 1 + len(OPTIONS)


@pytest.mark.parametrize("override", ["split.seed=1", "split.test_hips=7", "split=by_cohort", "fold=1"])
def test_another_split_needs_no_other_store(override):
    assert place_of(override) == place_of()


def test_the_store_that_is_provided_has_its_persons_dealt(tmp_path):
    options = (f"data_dir={tmp_path}", "data=phantom_views", "data.subjects=6", "workers=1", "split.folds=3")
    options += ("view.rows_px=32", "view.cols_px=32")
    dealt = [provide_store(compose("train", [*options, f"fold={fold}"])) for fold in range(3)]
    assert len({store.folder for store in dealt}) == 1
    tested = [person for store in dealt for person in store.split.test]
    assert sorted(tested) == sorted(set(dealt[0].hips["person"]))
    for store in dealt:
        assert set(store.hips["person"].loc[store.rows("test")]) == set(store.split.test)


@pytest.mark.parametrize(
    ("override", "known"),
    [
        ("data.look=odd", "realistic, wide"),
        ("data.points_error=odd", "none, bonefinder"),
        ("data.planted=5", "from 0 to 1"),
        ("fold=5", "none of the 5 folds"),
        ("split=file", "split.file=FILE"),
        ("split.kind=odd", "random, by_cohort, file"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_made(tmp_path, override, known):
    with pytest.raises(ValueError, match=known):
        provide_store(compose("train", [f"data_dir={tmp_path}", override]))
    assert not list(tmp_path.iterdir())


def test_what_shapes_phantoms_is_refused_for_a_cohort():
    with pytest.raises(ValueError, match=r"data\.look is for phantoms"):
        provide_store(compose("train", ["data=cohort", "store=nowhere", "data.look=wide"]))


def test_what_is_not_said_is_as_in_the_plain_cohort():
    assert phantom_options(None, None, None) == CohortOptions()
    assert phantom_options("wide", None, 0.1) == CohortOptions(look="wide", planted=0.1)


def test_other_labels_than_a_given_stores_are_drawn_from_it_once(tmp_path):
    size = ("view.rows_px=32", "view.cols_px=32", "workers=1")
    made = [f"data_dir={tmp_path / 'made'}", "data=phantom_views", "data.subjects=4", *size]
    study, partial = (provide_store(compose("train", [*made, f"labels={name}"])) for name in ("study", "partial"))
    given = (f"store={study.folder}", "data=cohort", f"data_dir={tmp_path / 'data'}", *size)
    with pytest.raises(StoreError):
        find_store(compose("train", [*given, "labels=partial"]))
    drawn = provide_store(compose("train", [*given, "labels=partial"]))
    assert drawn.meta["labels"] == "partial"
    assert np.array_equal(drawn.planes, partial.planes)
    assert np.array_equal(drawn.images, study.images)
    moment = (drawn.folder / "store.json").stat().st_mtime_ns
    assert provide_store(compose("train", [*given, "labels=partial"])).folder == drawn.folder
    assert (drawn.folder / "store.json").stat().st_mtime_ns == moment
    assert find_store(compose("train", [*given, "labels=study"])).folder == study.folder
