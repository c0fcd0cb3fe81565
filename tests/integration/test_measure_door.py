"""From training to the widths of films without points, by the real command line."""

import csv
import json
import shutil

import pytest

from hipjsw import export, measure
from hipjsw.app.runs import RunError
from hipjsw.inference.measurement import COLUMNS, STATUSES


@pytest.fixture(scope="module")
def model(workplace, door, configured, tiny, tmp_path_factory):
    """A model with a locator, both hardly trained: what they find is not the question here."""
    folder = tmp_path_factory.mktemp("model")
    seen = ("view=locate", "labels=head")
    done = door("prepare", f"cohort={workplace.cohort}", f"store={folder / 'store'}", *seen, cwd=workplace.folder)
    assert done.code == 0, done.err
    small = ("logger=none", "measure=quick", "net.channels=[4,8,8,8,8]", *tiny)
    runs = {"hip": (workplace.store, ()), "locator": (folder / "store", (*seen, "augment=locate"))}
    for name, (store, options) in runs.items():
        run = ("data=cohort", f"store={store}", f"run={folder / name}", *options, *small)
        done = door("train", *run, cwd=workplace.folder)
        assert done.code == 0, done.err
    pair = (f"run={folder / 'hip'}", f"locator={folder / 'locator'}")
    export.main(configured("export", *pair, f"out={folder / 'model'}"))
    with pytest.raises(RunError, match="view=locate labels=head"):
        export.main(configured("export", f"run={folder / 'hip'}", f"locator={folder / 'hip'}", f"out={folder / 'x'}"))
    return folder / "model"


def rows_of(out):
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_film_has_rows_whatever_was_found_and_a_second_call_asks_none_again(model, workplace, door, tmp_path):
    out, films = tmp_path / "out", tmp_path / "films"
    films.mkdir()
    for path in sorted(workplace.cohort.rglob("*.dcm"))[:3]:
        shutil.copy(path, films)
    (films / "notes.txt").write_text("no film")
    said = (f"images={films}", f"model={model}", f"out={out}")
    done = door("measure", *said, "workers=2", cwd=tmp_path)
    assert done.code == 3, done.err
    rows = rows_of(out)
    assert tuple(rows[0]) == COLUMNS
    assert {row["status"] for row in rows} <= set(STATUSES)
    names = [path.name for path in sorted(films.iterdir())]
    assert {row["film"] for row in rows} == set(names)
    sides = {name: [row["side"] for row in rows if row["film"] == name] for name in names}
    assert sides == {name: [""] if name == "notes.txt" else ["right", "left"] for name in names}
    assert len(json.loads((out / "measurements.json").read_text())) == len(rows)
    assert "Measured hips" in (out / "report.html").read_text()
    lines = (out / "films.jsonl").read_bytes()
    again = door("measure", *said, "workers=1", cwd=tmp_path)
    assert again.code == done.code
    assert (out / "films.jsonl").read_bytes() == lines
    assert rows_of(out) == rows


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("images=nothing",), "is not there"),
        (("device=tpu",), "device is one of"),
        (("assume_head_mm=500",), "femoral head"),
        (("spacing_mm=-1",), "spacing"),
        (("model=nowhere",), "is no model"),
    ],
)
def test_what_cannot_be_measured_says_what_to_do(options, said, model, workplace, configured, tmp_path):
    known = {"images": workplace.cohort, "model": model, "out": tmp_path / "out"}
    given = [f"{key}={value}" for key, value in known.items() if not options[0].startswith(f"{key}=")]
    with pytest.raises(ValueError, match=said):
        measure.main(configured("measure", *given, *options))
    assert not (tmp_path / "out").exists()
