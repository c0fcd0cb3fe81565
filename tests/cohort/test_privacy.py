"""Pseudonyms and their key."""

import re
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.privacy import hip_id, load_key, person_id, phantom_key, refuse_same_ids, write_key

KEY, OTHER = b"k" * 32, b"o" * 32
HIP = ("OAI", "9000001", "V00", "OAI/V00/film.dcm", "right")


def test_the_same_id_in_two_cohorts_is_two_persons():
    assert person_id(KEY, "OAI", "9000001") != person_id(KEY, "CHECK", "9000001")


def test_ids_are_the_same_again_and_other_under_another_key():
    assert person_id(KEY, "OAI", "9000001") == person_id(KEY, "OAI", "9000001")
    assert person_id(KEY, "OAI", "9000001") != person_id(OTHER, "OAI", "9000001")
    assert hip_id(KEY, *HIP) == hip_id(KEY, *HIP) != hip_id(OTHER, *HIP)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=16, max_size=64), st.text(st.characters(codec="utf-8"), max_size=20))
def test_an_id_is_short_hexadecimal_and_says_what_it_stands_for(key, subject):
    assert re.fullmatch(r"p[0-9a-f]{12}", person_id(key, "OAI", subject))
    assert re.fullmatch(r"h[0-9a-f]{12}", hip_id(key, "OAI", subject, "V00", "f.dcm", "left"))


@pytest.mark.parametrize("part", range(5))
def test_every_part_of_a_hip_counts(part):
    changed = list(HIP)
    changed[part] += "x"
    assert hip_id(KEY, *changed) != hip_id(KEY, *HIP)


def test_parts_do_not_run_into_one_another():
    assert person_id(KEY, "OAI9", "000001") != person_id(KEY, "OAI", "9000001")
    assert hip_id(KEY, "a", "b", "c", "d", "e") != hip_id(KEY, "a", "bc", "", "d", "e")


def test_a_key_is_made_once_random_and_readable_by_its_owner_alone(tmp_path):
    one, two = load_key(tmp_path / "one.key"), load_key(tmp_path / "two.key")
    assert len(one) == 32
    assert one != two
    assert load_key(tmp_path / "one.key") == one == (tmp_path / "one.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "one.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_short_key_is_refused_and_left_as_it_is(tmp_path, length):
    (tmp_path / "id.key").write_bytes(b"x" * length)
    with pytest.raises(ValueError, match=rf"id\.key holds {length} bytes"):
        load_key(tmp_path / "id.key")
    assert (tmp_path / "id.key").read_bytes() == b"x" * length


@pytest.mark.parametrize("length", [16, 64, 65, 4096])
def test_a_key_of_any_greater_length_serves(tmp_path, length):
    (tmp_path / "id.key").write_bytes(bytes(range(256)) * 16)
    (tmp_path / "id.key").write_bytes((tmp_path / "id.key").read_bytes()[:length])
    assert person_id(load_key(tmp_path / "id.key"), "OAI", "1").startswith("p")


def test_a_phantoms_key_depends_on_its_seed_alone():
    assert phantom_key(3) == phantom_key(3) != phantom_key(4)
    assert len(phantom_key(3)) >= 16


def test_a_key_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("no room")))
        with pytest.raises(OSError, match="no room"):
            load_key(tmp_path / "id.key")
    assert not list(tmp_path.iterdir())
    (tmp_path / "id.key.part").write_bytes(b"half")  # of an attempt that was killed
    assert load_key(tmp_path / "id.key") == load_key(tmp_path / "id.key")
    assert [path.name for path in tmp_path.iterdir()] == ["id.key"]


def test_a_key_is_never_written_over(tmp_path):
    write_key(tmp_path / "id.key", KEY)
    with pytest.raises(FileExistsError):
        write_key(tmp_path / "id.key", OTHER)
    assert (tmp_path / "id.key").read_bytes() == KEY


def test_a_name_that_is_not_utf8_has_an_id():
    assert hip_id(KEY, *HIP[:3], "h\udcfcfte.dcm", "left") != hip_id(KEY, *HIP[:3], "h\udcfdfte.dcm", "left")


def test_one_id_for_two_is_refused_and_for_one_again_is_not():
    refuse_same_ids([("p1", "a"), ("p2", "b"), ("p1", "a")])
    with pytest.raises(ValueError, match=r"two persons .* p1; .*id_key=FILE"):
        refuse_same_ids([("p1", "a"), ("p2", "b"), ("p1", "c")])
    with pytest.raises(ValueError, match="two hips"):
        refuse_same_ids([("h1", 1), ("h1", 2)])


def test_fifteen_thousand_persons_and_their_hips_have_ids_of_their_own():
    ids = {person_id(KEY, "OAI", str(n)) for n in range(15_000)} | {
        hip_id(KEY, *HIP[:4], str(n)) for n in range(60_000)
    }
    assert len(ids) == 75_000
