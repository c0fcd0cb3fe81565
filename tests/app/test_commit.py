"""The commit of a checkout, against git's own answer."""

import shutil
import subprocess

import pytest

import hipjsw
from hipjsw.app import commit
from hipjsw.app.commit import commit_of, package_commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")


def git(folder, *words):
    settings = ("-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *words], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def test_it_is_what_git_says(repository):
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD") != git(repository, "rev-parse", "HEAD~1")


def test_packed_branches_and_a_head_without_a_branch_are_read_too(repository):
    git(repository, "branch", "other/name")
    git(repository, "checkout", "-q", "other/name")
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/other/name").exists()
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_a_worktree_has_its_own_commit(repository):
    tree = repository.parent / "tree"
    git(repository, "worktree", "add", "-q", "-b", "side", str(tree))
    git(tree, "commit", "-q", "--allow-empty", "-m", "side")
    assert commit_of(tree) == git(tree, "rev-parse", "HEAD") != commit_of(repository)
    git(repository, "pack-refs", "--all")
    assert commit_of(tree) == git(tree, "rev-parse", "HEAD")


def test_where_there_is_none_nothing_is_said(repository, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert commit_of(empty) is None
    git(empty, "init", "-q")
    assert commit_of(empty) is None  # a branch without a commit
    for content in (b"", b"ref: refs/heads/.invalid", b"ref: ../../../etc/hostname", b"\xff\xfe", b"deadbeef"):
        (repository / ".git/HEAD").write_bytes(content)
        assert commit_of(repository) is None


def test_a_package_in_a_folder_below_a_repository_is_not_of_it(repository, monkeypatch):
    package = repository / "lib" / "hipjsw"
    package.mkdir(parents=True)
    monkeypatch.setattr(hipjsw, "__file__", str(package / "__init__.py"))
    assert commit.package_commit() is None
    package = repository / "hipjsw"
    monkeypatch.setattr(hipjsw, "__file__", str(package / "__init__.py"))
    assert package_commit() == git(repository, "rev-parse", "HEAD")
