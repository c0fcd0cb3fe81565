"""Checkpoints are whole or absent, and never execute anything."""

import pickle

import numpy as np
import pytest
import torch

from hipjsw.learning import checkpoint
from hipjsw.learning.checkpoint import CheckpointError, PlainCheckpoints, load_weights, usable


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_round_trip(tmp_path):
    state = {"state_dict": {"net.a": torch.arange(3.0), "other": torch.ones(1)}, "epoch": 2}
    PlainCheckpoints().save_checkpoint(state, tmp_path / "deep" / "a.ckpt")
    assert load_weights(tmp_path / "deep" / "a.ckpt").keys() == {"a"}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.ckpt"]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.ckpt"
    PlainCheckpoints().save_checkpoint({"state_dict": {"net.a": torch.ones(2)}}, path)
    before = path.read_bytes()
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        PlainCheckpoints().save_checkpoint({"bad": lambda: None}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ckpt"]


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_damaged_file_is_named(tmp_path, cut):
    path = tmp_path / "a.ckpt"
    PlainCheckpoints().save_checkpoint({"state_dict": {"net.a": torch.ones(2)}}, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match="damaged"):
        load_weights(path)


def test_no_file_and_no_network_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_weights(tmp_path / "none.ckpt")
    PlainCheckpoints().save_checkpoint({"state_dict": {"x": torch.ones(2)}}, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="no network"):
        load_weights(tmp_path / "x.ckpt")


def test_a_malicious_pickle_never_runs(tmp_path):
    canary = tmp_path / "canary"
    torch.save({"state_dict": {}, "evil": Canary(canary)}, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError):
        PlainCheckpoints().load_checkpoint(tmp_path / "evil.ckpt", weights_only=False)
    assert not canary.exists()


def saved(path, value):
    PlainCheckpoints().save_checkpoint({"state_dict": {"net.a": torch.full((50,), float(value))}}, path)


def damaged(content, rng, cut):
    place, bit = int(rng.integers(len(content))), 1 << int(rng.integers(8))
    return content[:place] if cut else content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


@pytest.mark.parametrize("cut", [False, True], ids=["flipped", "truncated"])
@pytest.mark.parametrize("name", ["last", "best"])
def test_damage_anywhere_is_noticed_and_the_other_file_is_used_and_said(tmp_path, caplog, name, cut):
    path, rng = tmp_path / f"{name}.ckpt", np.random.default_rng(4)
    saved(path, 1.0)
    saved(path, 2.0)
    whole = path.read_bytes()
    assert usable(path) == path
    assert not caplog.records
    for _ in range(50):
        path.write_bytes(damaged(whole, rng, cut))
        caplog.clear()
        other = usable(path)
        assert other.name == {"last": "last-before.ckpt", "best": "best-copy.ckpt"}[name]
        assert load_weights(other)["a"][0] == {"last": 1.0, "best": 2.0}[name]
        assert "is used in its place" in caplog.text
    other.write_bytes(damaged(other.read_bytes(), rng, cut))
    with pytest.raises(CheckpointError, match="damaged"):
        usable(path)
    path.unlink()
    other.unlink()
    assert usable(path) is None


def test_a_missing_file_is_stood_in_for(tmp_path, caplog):
    saved(tmp_path / "best.ckpt", 3.0)
    (tmp_path / "best.ckpt").unlink()
    assert load_weights(tmp_path / "best.ckpt")["a"][0] == 3.0
    assert "is missing" in caplog.text


def test_a_checkpoint_of_a_later_version_is_refused_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    saved(tmp_path / "last.ckpt", 1.0)
    saved(tmp_path / "last.ckpt", 2.0)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"written by hipjsw \d+\.\d+.* later"):
        usable(tmp_path / "last.ckpt")


def test_a_checkpoint_from_before_there_were_seals_is_read_if_whole(tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"net.a": torch.arange(200.0)}}, path)
    assert usable(path) == path
    content = path.read_bytes()
    at = content.index(np.arange(200.0, dtype=np.float32).tobytes()) + 20
    path.write_bytes(content[:at] + b"x" + content[at + 1 :])
    with pytest.raises(CheckpointError, match="checksum"):
        usable(path)
