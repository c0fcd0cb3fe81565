"""What a run learnt of its own errors, on disk: exactly what was learnt comes back, and damage is said."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from omegaconf import OmegaConf

from hipjsw.app import judging
from hipjsw.app.judging import check_measure, learn_judgement, read_judgement
from hipjsw.app.runs import RunError
from hipjsw.inference.measuring import Judgement
from hipjsw.jsw.calibration import Calibration
from hipjsw.learning.averaging import Looks
from hipjsw.statistics.typicality import Typicality

RNG = np.random.default_rng(4)
CALIBRATION = Calibration(
    reference="truth",
    num_hips=30,
    num_persons=15,
    knots_mm=(0.5, 2.5),
    line_mm=(1 / 3, -0.1, 1e-17, 0.7),
    scale=(0.02, 2 / 3, 0.0),
    ratios=tuple(np.sort(RNG.uniform(0, 4, 101)).tolist()),
    factor=np.pi,
    band_mm=tuple(RNG.uniform(0, 1, 21).tolist()),
)
TYPICALITY = Typicality(RNG.normal(size=7), RNG.uniform(1, 2, 7), np.linalg.qr(RNG.normal(size=(7, 3)))[0].T, 0.1 + 0.2)
MEASURE = OmegaConf.create({"name": "x", "looks": 2, "region": "sourcil", "calibration_hips": 5})


@pytest.fixture
def learn(tmp_path, monkeypatch):
    """Learn such a judgement in the folder; what was seen of the hips is left in ``learn.asked``."""
    asked = []

    def learn_it(judgement, num_hips=3, **measure):
        def on_unseen(most):
            return SimpleNamespace(test=range(num_hips), most=most)

        def measure_split(task, unseen, folder, options, measurer, looks):
            asked.append((unseen.most, measurer, looks))
            return ["record"] * len(unseen.test)

        monkeypatch.setattr(judging, "measure_split", measure_split)
        monkeypatch.setattr(judging, "fit_judgement", lambda records, measurer: judgement)
        data = SimpleNamespace(test=SimpleNamespace(store="store"), on_unseen=on_unseen)
        return learn_judgement(None, data, tmp_path, {}, OmegaConf.merge(MEASURE, measure))

    learn_it.asked = asked
    return learn_it


def same(one, other):
    assert one.calibration == other.calibration
    if one.typicality is None:
        return other.typicality is None
    pairs = [(getattr(one.typicality, n), getattr(other.typicality, n)) for n in ("mean", "scale", "axes")]
    return one.typicality.limit == other.typicality.limit and all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize("calibration", [CALIBRATION, None])
@pytest.mark.parametrize("typicality", [TYPICALITY, None])
def test_a_judgement_survives_the_disk_to_the_last_digit(learn, tmp_path, calibration, typicality):
    said = Judgement(calibration, typicality)
    assert learn(said) is said
    found = read_judgement(tmp_path, 2, "sourcil")
    assert same(said, found)
    assert not [path.name for path in tmp_path.iterdir() if "partial" in path.name]


def test_it_is_learnt_as_told_and_without_borders(learn, tmp_path):
    learn(Judgement(), looks=4, region="arc40", calibration_hips=17)
    ((most, measurer, looks),) = learn.asked
    assert (most, measurer.store, measurer.region, measurer.borders) == (17, "store", "arc40", False)
    assert looks == Looks(4)
    assert json.loads((tmp_path / "judgement.json").read_text())["num_hips"] == 3


def test_where_no_hip_is_unseen_no_network_runs_and_nothing_is_known(learn, tmp_path):
    learn(Judgement(), num_hips=0)
    assert learn.asked == []
    found = read_judgement(tmp_path, 2, "sourcil")
    assert (found.calibration, found.typicality) == (None, None)  # known to know nothing: it is not learnt again


def test_a_run_that_learnt_nothing_for_such_looks_or_region_says_so(learn, tmp_path):
    assert read_judgement(tmp_path, 2, "sourcil") is None
    learn(Judgement(CALIBRATION, TYPICALITY))
    for looks, region in ((1, "sourcil"), (2, "arc40"), (8, "thirds")):
        assert read_judgement(tmp_path, looks, region) is None


def test_what_is_learnt_for_another_region_or_number_of_looks_replaces_nothing(learn, tmp_path):
    other = Typicality(TYPICALITY.mean + 1, TYPICALITY.scale, TYPICALITY.axes, 9.0)
    learnt = {
        (2, "sourcil"): Judgement(CALIBRATION, TYPICALITY),
        (2, "arc40"): Judgement(None, other),
        (8, "sourcil"): Judgement(CALIBRATION, other),
    }
    for (looks, region), judgement in learnt.items():
        learn(judgement, looks=looks, region=region)
    for (looks, region), judgement in learnt.items():
        assert same(judgement, read_judgement(tmp_path, looks, region))


def test_learning_the_same_again_takes_the_place_of_the_old(learn, tmp_path):
    for region in ("sourcil", "arc40"):
        learn(Judgement(CALIBRATION, TYPICALITY), region=region)
        learn(Judgement(None, None), region=region)
        assert same(Judgement(), read_judgement(tmp_path, 2, region))


def change(folder, **facts):
    path = folder / "judgement.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "judgement.json").write_text(""),
        lambda folder: (folder / "judgement.json").write_text("[]"),
        lambda folder: (folder / "judgement.json").write_text("{}"),
        lambda folder: (folder / "judgement.json").write_bytes(b"\xff\xfe"),
        lambda folder: cut(folder / "judgement.json", -20),
        lambda folder: change(folder, calibration="none"),
        lambda folder: change(folder, calibration={}),
        lambda folder: change(folder, typicality_limit=[1.0]),
        lambda folder: (folder / "judgement.npz").unlink(),
        lambda folder: (folder / "judgement.npz").write_bytes(b""),
        lambda folder: (folder / "judgement.npz").write_bytes(b"no zip at all"),
        lambda folder: cut(folder / "judgement.npz", 200),
        lambda folder: cut(folder / "judgement.npz", -1),
        lambda folder: flip(folder / "judgement.npz"),
        lambda folder: np.savez(folder / "judgement.npz", mean=TYPICALITY.mean),
    ],
)
def test_damaged_files_are_said(learn, tmp_path, damage):
    said = Judgement(CALIBRATION, TYPICALITY)
    learn(said)
    damage(tmp_path)
    with pytest.raises(RunError, match=r"judgement\.json or judgement\.npz beside it is damaged; remove both"):
        read_judgement(tmp_path, 2, "sourcil")
    for path in tmp_path.iterdir():
        path.unlink()  # as the message says
    assert read_judgement(tmp_path, 2, "sourcil") is None
    learn(said)
    assert same(said, read_judgement(tmp_path, 2, "sourcil"))


def test_the_files_hold_no_code(learn, tmp_path):
    learn(Judgement(CALIBRATION, TYPICALITY))
    np.savez(tmp_path / "judgement.npz", mean=np.array([{}], dtype=object), scale=np.ones(1), axes=np.ones((1, 1)))
    with pytest.raises(RunError, match="damaged"):
        read_judgement(tmp_path, 2, "sourcil")


def test_values_that_make_no_measurement_are_refused():
    assert check_measure(3, "thirds", 0) == Looks(3)
    with pytest.raises(ValueError, match="region is one of sourcil, arc40, thirds, not 'arc'"):
        check_measure(3, "arc")
    with pytest.raises(ValueError, match="once or more often, not 0 times"):
        check_measure(0, "sourcil")
    with pytest.raises(ValueError, match=r"measure\.calibration_hips is 0 or more, not -1"):
        check_measure(1, "sourcil", -1)
