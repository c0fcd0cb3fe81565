"""Networks by name: what has one, what has none, and that no file says what is run."""

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hipjsw.app.paths import conf_dir
from hipjsw.app.plugins import register_plugins
from hipjsw.app.schema import register_schemas
from hipjsw.learning.activation import Sigmoid, Softmax
from hipjsw.learning.architecture import ACTIVATIONS, Architecture, ArchitectureError

SMALL = {"in_channels": 1, "out_channels": 4, "channels": [2, 4], "strides": [2], "residual_units": 1}


def test_a_named_network_is_what_it_says():
    net, activation = Architecture("resunet", SMALL, "softmax").build()
    assert net(torch.zeros(1, 1, 8, 8)).shape == (1, 4, 8, 8)
    assert isinstance(activation, Softmax)


@pytest.mark.parametrize("name", [path.stem for path in sorted((conf_dir() / "net").glob("*.yaml"))])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_network_and_activation_of_the_configuration_has_a_name(name, activation):
    register_schemas()
    register_plugins()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", [f"net={name}", f"activation={activation}"])
    parts = [OmegaConf.to_container(part, resolve=True) for part in (cfg.net, cfg.activation)]
    channels = ACTIVATIONS[activation]().num_channels
    found = Architecture.of_targets(*parts, channels)
    net, built = found.build()
    assert net(torch.zeros(1, 1, 32, 32)).shape == (1, channels, 32, 32)
    assert isinstance(built, {"softmax": Softmax, "sigmoid": Sigmoid}[activation])


@pytest.mark.parametrize("net", ["os.system", "hipjsw.learning.resunet.ResUNet", "", "ResUNet"])
def test_only_names_are_looked_up(net):
    with pytest.raises(ArchitectureError, match="is not known"):
        Architecture(net, SMALL, "softmax")
    with pytest.raises(ArchitectureError, match="is not known"):
        Architecture("resunet", SMALL, net)


@pytest.mark.parametrize(
    "changed",
    [
        {"channels": [10**9, 4]},
        {"channels": [2] * 99},
        {"channels": "24"},
        {"channels": [2.5, 4]},
        {"channels": [[2], [4]]},
        {"in_channels": -1},
        {"residual_units": 99},
        {"strides": [99]},
        {"device": "cuda"},
        {"out_channels": None},
    ],
)
def test_sizes_beyond_reason_are_refused_before_anything_is_built(changed):
    with pytest.raises(ArchitectureError):
        Architecture("resunet", SMALL | changed, "softmax")


@pytest.mark.parametrize("changed", [{"strides": [2, 2]}, {"channels": [4]}, {"in_channels": 0}, {"strides": [0]}])
def test_arguments_that_make_no_network_are_said(changed):
    with pytest.raises(ArchitectureError, match="make no resunet"):
        Architecture("resunet", SMALL | changed, "softmax").build()


def test_a_class_without_a_name_is_no_architecture():
    with pytest.raises(ArchitectureError, match="has no name"):
        Architecture.of_targets({"_target_": "torch.nn.Conv2d"}, {"_target_": "x"}, 4)
