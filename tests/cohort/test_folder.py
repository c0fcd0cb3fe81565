"""What lies in a folder, and what a path written by somebody means in it."""

import os
import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.folder import Folder, Found, folded, nfc


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_a_walk_sees_each_file_once_in_order_and_nothing_hidden(tmp_path):
    names = ["a/1", "a/b/2", "c/3", "z"]
    touch(tmp_path, *names, ".hidden/x", "a/.x", "._z")
    (tmp_path / "a/empty").mkdir()
    seen = Folder(tmp_path).walk()
    assert sorted(file.path for file in seen.files) == names
    assert (seen.empty, seen.odd, seen.closed) == (["a/empty"], [], [])
    assert Folder(tmp_path).walk("a").files == [Found("a/1", "file"), Found("a/b/2", "file")]


def test_what_is_really_there_comes_before_what_is_linked_and_no_link_is_followed_twice(tmp_path):
    touch(tmp_path, "m/1")
    for name, target in (("a", "m"), ("z", "m"), ("m/up", ".."), ("m/self", "."), ("root", "/")):
        (tmp_path / name).symlink_to(target, target_is_directory=True)
    assert Folder(tmp_path).walk().files == [Found("m/1", "file")]


def test_files_below_a_link_are_known_for_it(tmp_path):
    touch(tmp_path, "outside/1", "in/2")
    (tmp_path / "in/out").symlink_to(tmp_path / "outside", target_is_directory=True)
    folder = Folder(tmp_path / "in")
    assert folder.walk().files == [Found("2", "file"), Found("out/1", "file", True)]
    assert [folder.holds(file) for file in folder.walk().files] == [True, False]


def test_links_to_nothing_and_pipes_are_odd(tmp_path):
    (tmp_path / "gone").symlink_to("nothing")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    kinds = {item.path: item.kind for item in Folder(tmp_path).walk().odd}
    assert kinds == {"gone": "link", "circle": "link", "pipe": "other"}


def test_a_walk_stops_at_a_number(tmp_path):
    touch(tmp_path, *(f"{n}/{m}" for n in range(9) for m in range(3)))
    assert len(Folder(tmp_path).walk(most=7).files) == 9


def test_a_path_means_what_is_spelt_so_and_else_the_one_thing_spelt_alike(tmp_path):
    touch(tmp_path, "A/x", "a/x", "B/e\u0301", "D")
    folder = Folder(tmp_path)
    paths = {"a/x": "a/x", "A/x": "A/x", "b/é": "B/e\u0301", "b/É": "B/e\u0301", "d": "D", "C": None, "D/x": None}
    assert {path: (found := folder.find(path)) and found.path for path in paths} == paths
    touch(tmp_path, "S/q", "s/q")
    assert Folder(tmp_path).find("ſ/q") is None, "two folders are spelt alike"


SEGMENT = st.sampled_from(["a", "..", ".", "", "é", "C:", "~", " ", "b\\c", "\\", "x\0y", "\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(SEGMENT, max_size=6).map("/".join))
def test_no_path_leads_out(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp()
    path = Folder(root).relative(text)
    if path is not None:
        full = os.path.normpath(root / path)
        assert full.startswith(f"{root}/")
        assert not posixpath.isabs(path)
        assert "\0" not in path


@pytest.mark.parametrize(
    ("text", "path"), [("a/../b", "b"), ("a\\b", "a/b"), ("./a/", "a"), ("..", None), ("a/../..", None), ("", None)]
)
def test_a_path_is_put_in_its_plain_form(tmp_path, text, path):
    assert Folder(tmp_path).relative(text) == path


def test_a_root_given_as_here_is_the_same(tmp_path, monkeypatch):
    touch(tmp_path, "a/b")
    monkeypatch.chdir(tmp_path)
    here = Folder(type(tmp_path)("."))
    assert here.walk().files == [Found("a/b", "file")]
    assert here.relative(f"{tmp_path}/a/b") == "a/b"


@given(st.text(max_size=10))
def test_forms_of_names_are_stable(name):
    assert nfc(nfc(name)) == nfc(name)
    assert folded(folded(name)) == folded(name)
