"""ONNX files against the networks they were made of, by ONNX Runtime."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hipjsw.imaging.view import ViewSpec
from hipjsw.inference.measuring import Judgement
from hipjsw.inference.model import Member, Model
from hipjsw.inference.onnx_file import INPUT, OUTPUT, OnnxError, write_onnx
from hipjsw.learning.architecture import Architecture
from hipjsw.learning.resunet import seeded

VIEW = ViewSpec("small", 32, 48, 0.8, 4, "head", "view", 0.5, 99.5)


def model(*activations):
    members = []
    for seed, activation in enumerate(activations):
        arguments = {"in_channels": 1, "out_channels": {"softmax": 4, "sigmoid": 3}[activation]}
        arguments |= {"channels": [4, 8, 8], "strides": [2, 2], "residual_units": 2}
        architecture = Architecture("resunet", arguments, activation)
        members.append(Member(architecture, dict(seeded(lambda a=architecture: a.build()[0], seed).state_dict())))
    return Model(tuple(members), VIEW, 1, "sourcil", Judgement(), {"name": "a model"}, "abc")


@pytest.mark.parametrize("activations", [("softmax",), ("sigmoid",), ("softmax", "softmax")], ids="-".join)
def test_the_file_says_what_the_networks_say_of_any_number_of_views(tmp_path, activations):
    runtime = pytest.importorskip("onnxruntime")
    made = model(*activations)
    write_onnx(made, tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for count in (1, 2, 5):
        images = np.random.default_rng(count).uniform(size=(count, 32, 48)).astype(np.float32)
        (probs,) = session.run([OUTPUT], {INPUT: images[:, None]})
        np.testing.assert_allclose(probs, made.see(images).looks[0], atol=1e-4)
        assert probs.std() > 1e-3
    content = (tmp_path / "model.onnx").read_bytes()
    for place in (str(Path.cwd()), str(Path.home()), sys.prefix, "site-packages", "onnx_file.py"):
        assert place.encode() not in content
    said = session.get_modelmeta().custom_metadata_map
    assert said == {
        "name": "a model",
        "hash": "abc",
        "pixel_mm": "0.8",
        "classes": "femur,acetabulum,joint_space",
    }


def test_without_its_packages_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("hipjsw.inference.onnx_file.find_spec", lambda name: None)
    with pytest.raises(OnnxError, match=r"onnx and onnxscript: .*hipjsw\[onnx\]"):
        write_onnx(model("softmax"), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
