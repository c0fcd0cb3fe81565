"""A trained run becomes a model, by the real command line; the model says what the run says."""

import json

import numpy as np
import pytest

from hipjsw import export
from hipjsw.app.runs import RunError
from hipjsw.cohort.store import Store
from hipjsw.inference.model_folder import read_model
from hipjsw.inference.model_place import ModelError
from hipjsw.inference.saved import SavedProbs
from hipjsw.learning.checkpoint import load_weights


@pytest.fixture(scope="module")
def run(workplace, door, tiny):
    folder = workplace.folder / "run-to-export"
    options = ("data=cohort", f"store={workplace.store}", "measure.looks=2", "logger=none")
    done = door("train", *options, f"run={folder}", *tiny, cwd=workplace.folder)
    assert done.code == 0, done.err
    return folder


def test_the_model_says_what_the_run_says(run, workplace, door, tmp_path):
    out, kept = tmp_path / "model", tmp_path / "kept"
    done = door("export", f"run={run}", f"out={out}", "licence=CC0", cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "MODEL_CARD.md" in done.out
    assert door("evaluate", f"run={run}", "save_probs=true", f"out={kept}", cwd=workplace.folder).code == 0
    model, saved, store = read_model(out), SavedProbs.open(kept / "probs"), Store.open(workplace.store)
    margin = store.view.margin_px
    images = store.images[saved.hips["row"].to_numpy()].astype(np.float32) / np.float32(65535)
    mean = model.see(images[:, margin:-margin, margin:-margin]).looks.mean(axis=0)
    np.testing.assert_allclose(mean, np.asarray(saved.probs, np.float32), atol=1e-3)  # kept in half precision
    assert model.about["licence"] == "CC0"
    assert model.about["training"][0]["hips"] > 0
    assert "CC0" in (out / "MODEL_CARD.md").read_text()
    assert str(workplace.folder) not in (out / "model.json").read_text()


def test_what_cannot_be_exported_says_what_to_do(run, workplace, configured, tmp_path):
    with pytest.raises(RunError, match="learnt nothing of its errors with looks=3"):
        export.main(configured("export", f"run={run}", f"out={tmp_path / 'm'}", "looks=3"))
    with pytest.raises(ModelError, match="not empty"):
        export.main(configured("export", f"run={run}", f"out={run}"))
    other = workplace.folder / "twin"
    other.mkdir()
    for path in run.iterdir():
        if path.is_file():
            (other / path.name).write_bytes(path.read_bytes())
    said = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps(said | {"digest": "0" * 16}))
    with pytest.raises(RunError, match=r"python -m hipjsw\.evaluate"):
        export.main(configured("export", f"run={run}", f"ensemble=[{other}]", f"out={tmp_path / 'm'}"))
    assert not (tmp_path / "m").exists()


def test_a_run_that_starts_from_a_model_learns_from_its_weights_and_says_so(run, workplace, door, tmp_path, tiny):
    model, tuned, out = tmp_path / "model", tmp_path / "tuned", tmp_path / "out"
    options = ("locator=null", "onnx=true")
    assert door("export", f"run={run}", f"out={model}", *options, cwd=workplace.folder).code == 0
    assert (model / "model.onnx").is_file()
    again = ("data=cohort", f"store={workplace.store}", "measure.looks=1", "logger=none", f"init={model}", *tiny)
    still = ("optim=tune", "optim.optimizer.lr=0", "optim.schedule=null")  # a rate of nothing changes nothing
    done = door("train", *again, *still, f"run={tuned}", "seed=7", cwd=workplace.folder)
    assert done.code == 0, done.err
    assert "trained on this very store" in done.err
    weights, started = load_weights(tuned / "checkpoints" / "best.ckpt"), read_model(model).members[0].weights
    assert weights.keys() == started.keys()
    for name, value in started.items():
        np.testing.assert_array_equal(weights[name], value, err_msg=name)
    done = door("export", f"run={tuned}", f"out={out}", "locator=null", cwd=workplace.folder)
    assert done.code == 0, done.err
    said = read_model(out).about["training"]
    assert [one.get("before", False) for one in said] == [False, True]
    assert said[1]["digest"] == read_model(model).about["training"][0]["digest"]
    assert "- Before that: " in (out / "MODEL_CARD.md").read_text()
