"""Models on disk: what is read is what was written, what was changed is refused, nothing is ever executed."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hipjsw.imaging.view import ViewSpec
from hipjsw.inference import model_folder
from hipjsw.inference.measuring import Judgement
from hipjsw.inference.model import Member, Model
from hipjsw.inference.model_folder import read_model, write_model
from hipjsw.inference.model_place import ModelError
from hipjsw.jsw.calibration import Calibration
from hipjsw.learning.architecture import Architecture
from hipjsw.statistics.typicality import Typicality

RNG = np.random.default_rng(7)
VIEW = ViewSpec("small", 32, 32, 0.8, 4, "head", "view", 0.5, 99.5)
ARGUMENTS = {"in_channels": 1, "out_channels": 4, "channels": [4, 8], "strides": [2], "residual_units": 1}
IMAGES = RNG.uniform(size=(2, 32, 32)).astype(np.float32)


def member(seed):
    architecture = Architecture("resunet", ARGUMENTS, "softmax")
    draws = torch.Generator().manual_seed(seed)
    weights = {k: torch.randn(v.shape, generator=draws) for k, v in architecture.build()[0].state_dict().items()}
    return Member(architecture, weights)


@pytest.fixture
def model():
    calibration = Calibration(
        *("truth", 60, 30, (), (-0.2, 0.1), (0.1, 0.5, 0.0), tuple(np.linspace(0, 3, 101).tolist()), 2.0, (0.3, 1 / 3))
    )
    axes = np.linalg.qr(RNG.normal(size=(7, 3)))[0].T
    typicality = Typicality(RNG.normal(size=7), RNG.uniform(1, 2, 7), axes, 0.1 + 0.2)
    judgement = Judgement(calibration, typicality)
    return Model((member(0), member(1)), VIEW, 2, "arc40", judgement, {"name": "ü", "metrics": {"x": 1 / 3}})


def test_what_is_read_is_what_was_written(model, tmp_path):
    said = write_model(model, tmp_path / "m")
    read = read_model(tmp_path / "m")
    assert (read.view, read.looks, read.region, read.hash) == (model.view, 2, "arc40", said)
    assert read.about == model.about
    assert read.judgement.calibration == model.judgement.calibration
    for name in ("mean", "scale", "axes", "limit"):
        np.testing.assert_array_equal(
            getattr(read.judgement.typicality, name), getattr(model.judgement.typicality, name)
        )
    assert np.array_equal(read.see(IMAGES).looks, model.see(IMAGES).looks)
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["model.json", "weights.safetensors"]


def test_the_same_model_has_the_same_hash_and_another_has_another(model, tmp_path):
    first, second = (write_model(model, tmp_path / name) for name in ("a", "b"))
    assert first == second
    others = [replace(model, looks=1), replace(model, members=model.members[::-1]), replace(model, about={})]
    assert len({first, *(write_model(one, tmp_path / str(n)) for n, one in enumerate(others))}) == 4


def test_half_precision_halves_the_file_and_says_nearly_the_same(model, tmp_path):
    write_model(model, tmp_path / "whole")
    write_model(model, tmp_path / "half", half=True)
    sizes = [(tmp_path / name / "weights.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    looks = [read_model(tmp_path / name).see(IMAGES).looks for name in ("whole", "half")]
    assert 0 < np.abs(looks[0] - looks[1]).max() < 0.01


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_change_anywhere_is_noticed(name, model, tmp_path):
    write_model(model, tmp_path / "m")
    path = tmp_path / "m" / name
    whole = path.read_bytes()
    for place in np.linspace(0, len(whole) - 2, 50).astype(int):  # the last byte of the words is a blank
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(ModelError):
            read_model(tmp_path / "m")
        path.write_bytes(whole[:place])
        with pytest.raises(ModelError):
            read_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "format 99"),
        ({"networks": []}, "0 networks"),
        ({"networks": [{"net": "os.system", "arguments": {}, "activation": "softmax"}]}, "is not known"),
        (
            {"networks": [{"net": "resunet", "arguments": ARGUMENTS, "activation": "softmax", "_target_": "x"}]},
            "_target_",
        ),
        ({"looks": 10**9}, "looks"),
        ({"looks": True, "region": "nowhere"}, "nowhere"),
        ({"view": {}}, "ViewSpec"),
        ({"typicality_limit": -1.0}, "limit"),
        ({"typicality_limit": "x"}, "can be used"),
        ({"calibration": {"line_mm": []}}, "calibration"),
    ],
)
def test_words_that_make_no_model_are_refused_though_the_hash_is_right(change, said, model, tmp_path):
    write_model(model, tmp_path / "m")
    forge(tmp_path / "m", change)
    with pytest.raises(ModelError, match=said):
        read_model(tmp_path / "m")


def forge(folder, change):
    path = folder / "model.json"
    words = json.loads(path.read_text()) | change
    words.pop("hash")
    words["hash"] = model_folder._hash(words, folder / "weights.safetensors")
    path.write_text(json.dumps(words))


class Bomb:
    """What a pickle runs when it is read."""

    def __reduce__(self):
        return (open, ("canary", "w"))


def test_a_pickle_in_place_of_weights_never_runs(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_model(model, tmp_path / "m")
    for content in (pickle.dumps(Bomb()), b"", b"\xff" * 64):
        (tmp_path / "m" / "weights.safetensors").write_bytes(content)
        forge(tmp_path / "m", {})
        with pytest.raises(ModelError, match="get or export it again"):
            read_model(tmp_path / "m")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("wrong", ["shape", "missing", "nan"])
def test_weights_of_another_network_are_refused(wrong, model, tmp_path):
    write_model(model, tmp_path / "m")
    tensors = dict(model_folder._tensors(model, False))
    name = next(iter(tensors))
    if wrong == "missing":
        del tensors[name]
    else:
        tensors[name] = torch.zeros(3) if wrong == "shape" else torch.full_like(tensors[name], torch.nan)
    save_file(tensors, tmp_path / "m" / "weights.safetensors")
    forge(tmp_path / "m", {})
    with pytest.raises(ModelError, match="no model that can be used"):
        read_model(tmp_path / "m")


def test_no_model_there_says_how_one_is_made(tmp_path):
    with pytest.raises(ModelError, match=r"python -m hipjsw\.export"):
        read_model(tmp_path)


def test_a_folder_that_holds_something_is_left_alone(model, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine").write_text("x")
    with pytest.raises(ModelError, match="not empty"):
        write_model(model, tmp_path / "m")
    assert (tmp_path / "m" / "mine").read_text() == "x"
    (tmp_path / "m" / "mine").unlink()
    write_model(model, tmp_path / "m")  # an empty one is taken


def test_a_model_is_whole_or_not_there(model, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(model_folder, "_hash", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_model(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
