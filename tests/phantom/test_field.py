"""Fields: ramps that reach their ends, hills of known height and volume, sums with a floor."""

from __future__ import annotations

import numpy as np
import pytest

from hipjsw.phantom.field import Field, blob, constant, ramp, smoothstep, total


def at(field: Field, row: float, col: float) -> float:
    one = np.ones((1, 1), dtype=np.float32)
    return float(field(one * np.float32(row), one * np.float32(col))[0, 0])


def grid(reach: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    places = np.arange(-reach, reach + step / 2, step, dtype=np.float32)
    return places[:, None], places[None]


def test_smoothstep_rises_from_0_to_1_and_is_its_own_point_reflection() -> None:
    value = np.linspace(-0.5, 1.5, 401, dtype=np.float32)
    step = smoothstep(value)
    assert (np.diff(step) >= 0).all()
    assert (step[value <= 0] == 0).all()
    assert (step[value >= 1] == 1).all()
    np.testing.assert_allclose(step + step[::-1], 1.0, atol=1e-6)
    assert np.abs(np.diff(step)).max() < 1.6 * (value[1] - value[0])  # no jump: steepest slope is 1.5


def test_constant_has_the_shape_of_what_it_is_asked_for() -> None:
    row, col = grid(3.0, 1.0)
    assert (constant(0.7)(row, col[:, :4]) == np.float32(0.7)).all()
    assert constant(0.7)(row, col[:, :4]).shape == (7, 4)


def test_ramp_keeps_its_ends_beyond_start_and_end_and_their_mean_half_way() -> None:
    start, end, low, high = (-4.0, 2.0), (5.0, 14.0), -0.3, 1.7
    field = ramp(start, end, low, high)
    step = np.subtract(end, start)
    for share, expected in ((-3.0, low), (-1e-3, low), (0.5, (low + high) / 2), (1.001, high), (4.0, high)):
        place = np.array(start) + share * step
        for aside in (-20.0, 0.0, 7.0):  # across the line nothing changes
            beside = place + aside * np.array([-step[1], step[0]]) / np.linalg.norm(step)
            assert at(field, *beside) == pytest.approx(expected, abs=1e-5)


def test_ramp_never_turns_back() -> None:
    row = np.linspace(-10, 10, 300, dtype=np.float32)[:, None]
    value = ramp((-5.0, 0.0), (6.0, 0.0), 2.0, 0.5)(row, np.zeros((1, 1), dtype=np.float32))
    assert (np.diff(value[:, 0]) <= 0).all()


@pytest.mark.parametrize("turn", [0.0, 30.0, -75.0])
def test_blob_has_its_height_its_widths_along_its_axes_and_its_volume(turn: float) -> None:
    centre, size, amount = (1.5, -2.0), (6.0, 2.5), -0.8
    field = blob(centre, size, amount, turn)
    assert at(field, *centre) == pytest.approx(amount)
    angle = np.deg2rad(turn)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    for axis, sd in ((along, size[0]), (across, size[1])):
        for sign in (-1, 1):
            place = np.array(centre) + sign * sd * axis
            assert at(field, *place) == pytest.approx(amount * np.exp(-0.5), rel=1e-4)
    step = 0.25
    volume = field(*grid(50.0, step)).astype(np.float64).sum() * step**2
    assert volume == pytest.approx(2 * np.pi * size[0] * size[1] * amount, rel=1e-3)


def test_total_adds_and_never_falls_below_its_floor() -> None:
    row, col = grid(20.0, 0.5)
    parts = constant(0.4), blob((0.0, 0.0), (3.0, 3.0), -2.0), ramp((5.0, 0.0), (9.0, 0.0), 0.0, 1.0)
    plain = sum(part(row, col) for part in parts)
    assert plain.min() < -1.0
    for low in (0.0, 0.2, -5.0):
        value = total(*parts, low=low)(row, col)
        np.testing.assert_allclose(value, np.maximum(plain, low), atol=1e-6)
        assert value.dtype == np.float32
    assert total(*parts)(row, col).min() == 0.0
