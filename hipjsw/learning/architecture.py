"""Networks and activations by name: what a model on disk may be made of, and nothing else.

A name stands in a model's file; it is looked up here and never imported, so that a file cannot say what is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from hipjsw.learning.activation import Activation, Sigmoid, Softmax
from hipjsw.learning.resunet import ResUNet, seeded

__all__ = ["ACTIVATIONS", "NETS", "Architecture", "ArchitectureError"]

NETS: Mapping[str, type[nn.Module]] = {"resunet": ResUNet}
ACTIVATIONS: Mapping[str, type[Softmax] | type[Sigmoid]] = {"softmax": Softmax, "sigmoid": Sigmoid}

#: Of each network: what it is made from, and the largest that is built of a file one was sent.
_WHOLE = {"in_channels": 4, "out_channels": 8, "residual_units": 8}
_LISTS = {"channels": 1024, "strides": 4}
_LEVELS = 8


class ArchitectureError(ValueError):
    """A network that is not known here; the message says which are."""


@dataclass(frozen=True)
class Architecture:
    """A network without its weights.

    Args:
        net: A name of ``NETS``.
        arguments: What it is made from: ``in_channels``, ``out_channels``, ``channels``, ``strides``,
            ``residual_units``; whole numbers, or lists of them.
        activation: A name of ``ACTIVATIONS``.

    Raises:
        ArchitectureError: Another name, another argument, or a size beyond reason.
    """

    net: str
    arguments: Mapping[str, Any]
    activation: str

    def __post_init__(self) -> None:
        for name, known in ((self.net, NETS), (self.activation, ACTIVATIONS)):
            if name not in known:
                raise ArchitectureError(f"{name!r} is not known; there are {', '.join(known)}")
        strange = sorted(set(self.arguments) - set(_WHOLE) - set(_LISTS))
        if strange:
            raise ArchitectureError(f"a {self.net} has no {strange[0]!r}")
        for name, value in self.arguments.items():
            values = [value] if name in _WHOLE else value
            most = _WHOLE.get(name) or _LISTS[name]
            fits = isinstance(values, list | tuple) and len(values) <= _LEVELS
            if not fits or not all(isinstance(one, int) and 0 <= one <= most for one in values):
                raise ArchitectureError(f"{name} of a {self.net} is {value!r}; whole numbers up to {most} are possible")

    def build(self) -> tuple[nn.Module, Activation]:
        """The network with weights of no meaning, and its activation.

        Raises:
            ArchitectureError: Arguments that make no network.
        """
        try:
            net = seeded(lambda: NETS[self.net](**self.arguments), 0)
        except (TypeError, ValueError) as error:
            raise ArchitectureError(f"these arguments make no {self.net}: {error}") from error
        return net, ACTIVATIONS[self.activation]()

    @classmethod
    def of_targets(cls, net: Mapping[str, Any], activation: Mapping[str, Any], out_channels: int) -> Architecture:
        """From a configuration's parts, whose ``_target_`` names a class.

        Args:
            net: ``conf/net``'s content.
            activation: ``conf/activation``'s.
            out_channels: Channels of the logits.

        Raises:
            ArchitectureError: Classes that have no name here.
        """
        rest = {key: _plain(value) for key, value in net.items() if not key.startswith("_")}
        return cls(
            _name_of(str(net["_target_"]), NETS),
            rest | {"out_channels": out_channels},
            _name_of(str(activation["_target_"]), ACTIVATIONS),
        )


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | float) or value is None else [int(one) for one in value]


def _name_of(target: str, known: Mapping[str, type]) -> str:
    for name, found in known.items():
        if target == f"{found.__module__}.{found.__qualname__}":
            return name
    raise ArchitectureError(f"{target} has no name in hipjsw.learning.architecture; there are {', '.join(known)}")
