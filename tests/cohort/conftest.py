"""A phantom cohort of eight persons and its store, drawn once."""

import os
from pathlib import Path

import numpy as np
import pytest

from hipjsw.cohort.layout import find_films
from hipjsw.cohort.split import SplitSpec
from hipjsw.cohort.store import Store
from hipjsw.cohort.writing import PrepareSpec, prepare_cohort
from hipjsw.imaging.view import ViewSpec
from hipjsw.phantom.cohort import write_cohort


@pytest.fixture(scope="session")
def coarse() -> ViewSpec:
    """conf/view/coarse.yaml with a smaller margin."""
    return ViewSpec("coarse", 128, 128, 0.8, 8, "head", "view", 0.5, 99.5)


@pytest.fixture(scope="session")
def spec(coarse) -> PrepareSpec:
    return PrepareSpec(coarse, "study", SplitSpec())


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "phantom"
    write_cohort(folder, subjects=8, seed=3, workers=1)
    return folder


@pytest.fixture(scope="session")
def store(cohort, spec, tmp_path_factory) -> Store:
    return prepare_cohort(cohort, tmp_path_factory.mktemp("store") / "coarse", spec)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


@pytest.fixture
def some_films(cohort, tmp_path):
    """Factory of a cohort of the first few films (hard links: replace a file, never write into it)."""

    def make(count=6, tables=False, name="some"):
        folder = tmp_path / name
        for entry in find_films(cohort)[0][:count]:
            for path in (entry.film, entry.points):
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
