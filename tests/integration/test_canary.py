"""A person's name planted wherever a cohort may carry it: what a run writes must not hold it.

docs/privacy.md lists the files that name films by purpose; the name may be in those and nowhere else: not in logs,
figures, results or W&B's binary file.
"""

import csv
import shutil
from pathlib import Path

import pydicom
import pytest

#: Letters that occur nowhere by chance; \\w for CHECK's names, one of them not ASCII.
CANARY = "Zaphkielé77"
PARTS = ("zaphkiel", "beeblequux")

#: Files that name films or persons by purpose (docs/privacy.md).
BY_PURPOSE = {"identities.csv", "findings.csv", "findings.html", "records.jsonl", "sources.json"}


@pytest.fixture(scope="module")
def betrayed(workplace):
    """The cohort with the name in headers, folder, file names and a CSV's columns."""
    folder = workplace.folder / f"films of {CANARY}"
    folder.mkdir()
    rows = []
    for nth, path in enumerate(sorted(workplace.cohort.glob("*/*/*.dcm"))):
        header = pydicom.dcmread(path)
        for keyword in ("PatientName", "PatientID", "ReferringPhysicianName", "InstitutionName", "StudyDescription"):
            setattr(header, keyword, "Beeblequux^Tom")
        header.Laterality = "BEEBLEQUUX"
        name = f"{CANARY}_{nth}.dcm"
        header.save_as(folder / name)
        points = next(workplace.cohort.glob(f"*-pointfiles/*/{path.name}.pts"))
        shutil.copy(points, folder / f"{name}.pts")
        subject = next(part for part in path.name.replace("-", "_").split("_") if part.isdigit())
        rows.append((name, f"{name}.pts", f"{CANARY}-{subject}", f"visit of {CANARY} {nth}"))
    with (folder / "films.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("film", "points", "person", "visit"))
        writer.writerows(rows)
    return folder


def holding(folder):
    """Files below a folder whose name or bytes hold the name."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes().lower() + path.name.lower().encode(errors="surrogateescape")
            if any(part.encode() in content for part in PARTS):
                found.append(path.relative_to(folder).as_posix())
    return found


def test_nothing_a_run_writes_holds_the_name(betrayed, workplace, door, tiny):
    store, run, out = (workplace.folder / name for name in ("canary-store", "canary-run", "canary-evaluated"))
    hidden = {"CANARY_VARIABLE": "beeblequux", "USER": "beeblequux", "LOGNAME": "beeblequux", "HOSTNAME": "beeblequux"}
    done = door("prepare", f"cohort='{betrayed / 'films.csv'}'", f"store={store}", cwd=workplace.folder, **hidden)
    assert done.code == 0, done.err
    assert {Path(name).name for name in holding(store)} <= BY_PURPOSE
    assert len(holding(store)) >= 3, "the canary sings where it may, so this test can see it"
    trained = door("train", "data=cohort", f"store={store}", f"run={run}", *tiny, cwd=workplace.folder, **hidden)
    assert trained.code == 0, trained.err
    evaluated = door("evaluate", f"run={run}", f"store={store}", f"out={out}", cwd=workplace.folder, **hidden)
    assert evaluated.code == 0, evaluated.err
    assert list((run / "wandb").rglob("*.wandb"))
    assert holding(run) == []
    assert holding(out) == []
    for said in (trained, evaluated):
        assert not any(part in (said.out + said.err).lower() for part in PARTS)


def test_what_measuring_writes_holds_the_name_where_it_says_so_alone(betrayed, workplace, door):
    out = workplace.folder / "canary-measured"
    hidden = {"CANARY_VARIABLE": "beeblequux", "USER": "beeblequux", "LOGNAME": "beeblequux", "HOSTNAME": "beeblequux"}
    films = workplace.folder / f"two films of {CANARY}"
    films.mkdir()
    for path, name in zip(sorted(betrayed.glob("*.dcm")), ("Beeblequux^Tom", "Beeblequux"), strict=False):
        header = pydicom.dcmread(path)
        header.PatientName = name  # highdicom has something to say of a name with one part
        header.save_as(films / path.name)
    done = door("measure", f"images='{films}'", f"out={out}", "points=true", cwd=workplace.folder, **hidden)
    assert done.code in (0, 3), done.err
    found = set(holding(out))
    assert {"measurements.csv", "measurements.json", "films.jsonl", "report.html"} <= found
    assert all(name.split("/")[0] in ("overlays", "points", "dicom") for name in found if "/" in name)
    assert {name for name in found if "/" not in name} == {
        "measurements.csv",
        "measurements.json",
        "films.jsonl",
        "report.html",
    }
    reports = [out / name for name in found if name.startswith("dicom/")]
    assert reports, "hips were found, so that there are reports"
    for path in reports:
        header = pydicom.dcmread(path)
        assert header.PatientName in ("Beeblequux^Tom", "Beeblequux")
        others = [one for one in header.iterall() if "beeblequux" in str(one.value).lower() and one.VR != "SQ"]
        assert {one.keyword for one in others} <= {
            *("PatientName", "PatientID", "ReferringPhysicianName"),
            *("InstitutionName", "StudyDescription"),
        }
    assert not any(part in (done.out + done.err).lower() for part in PARTS)
