"""A phantom cohort of eight persons and its store, drawn once."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from hipjsw.cohort.layout import find_films
from hipjsw.cohort.preparation import PrepareOptions
from hipjsw.cohort.split import SplitSpec
from hipjsw.cohort.store import Store
from hipjsw.cohort.writing import prepare_cohort
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.cohort import write_cohort


@pytest.fixture(scope="session")
def coarse() -> ViewSpec:
    """conf/view/coarse.yaml with a smaller margin."""
    return ViewSpec("coarse", 128, 128, 0.8, 8, "head", "view", 0.5, 99.5)


@pytest.fixture(scope="session")
def options(coarse) -> PrepareOptions:
    return PrepareOptions(coarse, "study")


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "phantom"
    write_cohort(folder, subjects=8, seed=3, workers=1)
    return folder


@pytest.fixture(scope="session")
def store(cohort, options, tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("store") / "coarse"
    return prepare_cohort(cohort, folder, options)[0].dealt(SplitSpec())


@pytest.fixture(scope="session")
def drawn():
    """The module of films that are a few bytes each."""
    spec = importlib.util.spec_from_file_location("drawn", Path(__file__).with_name("drawn.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def content():
    """What the files of a folder hold, by name."""
    return lambda folder: {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


@pytest.fixture
def some_films(cohort, tmp_path):
    """Factory of a cohort of the first few films (hard links: replace a file, never write into it)."""

    def make(count=6, tables=False, name="some"):
        folder = tmp_path / name
        for entry in find_films(cohort).films[:count]:
            for path in (entry.film, *(points.path for points in entry.points)):
                _link(cohort / path, folder / path)
        if tables:
            for table in ("phantom.json", "truth.csv", "split.csv"):
                _link(cohort / table, folder / table)
        return folder

    return make


@pytest.fixture
def copy_store(store, tmp_path):
    """Factory of a copy of the store that may be damaged; the small files are copied, the arrays linked."""

    def make(name="copy"):
        folder = tmp_path / name
        folder.mkdir()
        for path in store.folder.iterdir():
            if path.suffix in (".u16", ".u8", ".f64"):
                os.link(path, folder / path.name)
            else:
                (folder / path.name).write_bytes(path.read_bytes())
        return folder

    return make


@pytest.fixture
def replace_file():
    """Write a file anew, not through a hard link."""

    def write(path, content):
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


@pytest.fixture
def points_of():
    """Text of a points file from ``(n, 2)`` points ``(row, col)``, any number as it is."""

    def text(points):
        body = "\n".join(f"{col!r} {row!r}" for row, col in np.asarray(points).tolist())
        return f"version: 1\nn_points: {len(points)}\n{{\n{body}\n}}\n"

    return text
