"""Which films are a shard's, and which shards lie beside a store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipjsw.cohort.shard import Shard, shard_folders


@given(st.integers(1, 20), st.integers(0, 60))
def test_all_shards_together_are_all_films_each_once(of, count):
    films = list(range(count))
    shares = [Shard(number, of).of_all(films) for number in range(1, of + 1)]
    assert sorted(film for share in shares for film in share) == films
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_what_is_said_is_what_is_meant():
    assert Shard.parse(" 3/8") == Shard(3, 8)
    assert str(Shard(3, 8)) == "3/8"


@pytest.mark.parametrize("said", ["", "3", "0/8", "9/8", "3/0", "a/b", "1/2/3", "-1/2", "1.5/2"])
def test_another_form_is_refused(said):
    with pytest.raises(ValueError, match="shard"):
        Shard.parse(said)


def test_shards_of_another_store_are_none_of_this_ones(tmp_path):
    for name in ("store.shard-1-of-2", "store.shard-2-of-2", "storeys.shard-1-of-2", "store.partial", "store"):
        (tmp_path / name).mkdir()
    (tmp_path / "store.shard-9-of-9").touch()
    assert [path.name for path in shard_folders(tmp_path / "store")] == ["store.shard-1-of-2", "store.shard-2-of-2"]
    assert shard_folders(tmp_path / "nowhere" / "store") == []
