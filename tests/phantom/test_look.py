"""Looks: drawn alike every time, the realistic ones within the wide ones."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
import pytest

from hipjsw.phantom.look import LOOKS, Look, draw_look

DRAWS = {name: [draw_look(name, np.random.default_rng([3, n])) for n in range(400)] for name in LOOKS}
NUMBERS = [field.name for field in fields(Look) if field.name != "inverted"]


def values(name: str, field: str) -> np.ndarray:
    return np.array([getattr(look, field) for look in DRAWS[name]], dtype=float)


@pytest.mark.parametrize("field", NUMBERS)
def test_realistic_range_lies_inside_the_wide_one(field: str) -> None:
    realistic, wide = values("realistic", field), values("wide", field)
    slack = 0.01 * np.ptp(wide)  # of a finite number of draws
    assert wide.min() <= realistic.min() + slack
    assert wide.max() >= realistic.max() - slack
    assert np.ptp(wide) > 1.3 * np.ptp(realistic)


@pytest.mark.parametrize("name", LOOKS)
def test_every_number_of_a_look_varies_and_is_one_that_makes_a_film(name: str) -> None:
    for field in ("bone", "density", "quanta", "blur_mm", "local", "gamma", "grain", "gas", "mottle"):
        assert (values(name, field) > 0).all()
        assert np.ptp(values(name, field)) > 0
    assert (values(name, "scatter") >= 0).all()
    assert ((values(name, "slow") >= 0) & (values(name, "slow") < 1)).all()
    assert (values(name, "top") - values(name, "bottom") > 0.2).all()


def test_only_the_wide_look_distorts() -> None:
    assert not any(look.clahe or look.shading or look.inverted for look in DRAWS["realistic"])
    assert 0.2 < (values("wide", "clahe") > 0).mean() < 0.5
    assert 0.03 < values("wide", "inverted").mean() < 0.15


@pytest.mark.parametrize("name", LOOKS)
def test_same_random_numbers_give_the_same_look(name: str) -> None:
    one, same, other = (draw_look(name, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one == same
    assert all(type(value) in (float, bool) for value in asdict(one).values())
    assert all(getattr(one, field) != getattr(other, field) for field in ("bone", "quanta", "gamma", "top"))


def test_unknown_look_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"realistic, wide, not 'wild'"):
        draw_look("wild", np.random.default_rng(0))
