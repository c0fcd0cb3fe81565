"""Checkpoints are whole or absent, and never execute anything."""

import pickle

import pytest
import torch

from hipjsw.learning.checkpoint import CheckpointError, PlainCheckpoints, load_weights


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
