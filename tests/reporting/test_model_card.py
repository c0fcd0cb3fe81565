"""The card says what the model's words say, and what the model is not."""

from types import SimpleNamespace

import pytest

from hipjsw.reporting.model_card import model_card

VIEW = SimpleNamespace(rows_px=128, cols_px=96, pixel_mm=0.8)
METRICS = {
    "test/mjsw_truth/mae_mm": 0.1163,
    "test/mjsw_truth/mae_ci_low_mm": 0.108,
    "test/mjsw_truth/mae_ci_high_mm": 0.125,
}
RUN = {"data": "phantom version 2, seed 1", "hips": 2355, "persons": 943, "budget": {"steps": 720, "batch_size": 16}}


def card(training=(RUN,), metrics=METRICS, members=1, notes="", **about):
    words = {"name": "one", "training": list(training), "metrics": metrics} | about
    model = SimpleNamespace(view=VIEW, members=(0,) * members, names=["resunet-softmax"] * members, looks=8)
    return model_card(SimpleNamespace(**vars(model), region="sourcil", about=words, hash="abc"), notes)


def test_numbers_stand_with_their_intervals_and_missing_ones_not_at_all():
    said = card()
    assert "| mJSW against the exact truth, mean absolute error (mm) | 0.116 | 0.108 to 0.125 |" in said
    assert "Dice" not in said
    assert "2355 hips of a training part of 943 persons" in said
    assert "128x96 pixels of 0.8 mm" in said
    assert "looked at 8 times" in said
    assert "`abc`" in said
    assert "Licence of the weights: not stated" in said


def test_a_model_of_phantoms_says_that_it_saw_no_real_film():
    assert "No real film was seen in training" in card()
    assert "No real film was seen in training" not in card([RUN | {"data": "a cohort"}])
    assert "No real film was seen in training" not in card([RUN, RUN | {"data": "a cohort"}], members=2)


@pytest.mark.parametrize("metrics", [{}, {"test/mjsw/num_compared": 99, "test/mjsw/num_left_out": 3}])
def test_a_card_of_little_is_a_card(metrics):
    said = card(metrics=metrics, training=({},))
    assert said.startswith("# one\n")
    assert ("Widths of 99 test hips were compared, 3 left out" in said) == bool(metrics)


def test_several_networks_are_said():
    assert "2 networks (resunet-softmax) whose probabilities are averaged" in card(members=2)


def test_notes_stand_with_the_numbers():
    said = card(notes="19 of 20 real hips.\n")
    assert said.index("0.108 to 0.125") < said.index("19 of 20 real hips.") < said.index("## What it is not")
    assert card(notes="") == card(notes=" \n") == said.replace("19 of 20 real hips.\n\n", "")
