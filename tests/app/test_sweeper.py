"""Which ablations a command line names; whatever names none is Hydra's own sweep."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from hipjsw.app.sweeper import said_values


def parsed(*arguments):
    return OverridesParser.create().parse_overrides(list(arguments))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["ablation=loss"], ["loss"]),
        (["ablation=loss,activation", "seed=1"], ["loss", "activation"]),
        (["ablation=loss", "ablation=final"], ["final"]),
        (["ablation=null"], ["null"]),
        (["seed=0,1"], []),
    ],
)
def test_which_ablations(arguments, names):
    assert said_values(parsed(*arguments), "ablation") == names
