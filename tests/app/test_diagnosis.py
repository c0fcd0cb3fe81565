"""What is here, and what is amiss."""

import shutil
import subprocess
import sys
from importlib import metadata

import pytest

from hipjsw.app import diagnosis
from hipjsw.app.diagnosis import diagnose
from hipjsw.app.doctor_schema import DoctorConfig


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")

    def look(**places):
        named = {"runs_dir": str(tmp_path / "runs"), "data_dir": str(tmp_path / "data")} | places
        return {one.what: one for one in diagnose(DoctorConfig(**named))}

    return look


def test_where_all_is_well_nothing_is_amiss(found, monkeypatch):
    monkeypatch.setattr(diagnosis, "LEAST_FREE_GB", 0.0)
    seen = found()
    assert [one for one in seen.values() if one.amiss] == []
    assert seen["libraries"].value.count(",") == len(diagnosis.SHOWN) - 1
    assert seen["model that comes with it"].value.endswith("whole")
    assert seen["W&B"].value.startswith("offline")


def test_a_missing_and_an_old_library_are_named(found, monkeypatch):
    version = metadata.version

    def other(name):
        if name == "shapely":
            raise metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "wandb" else version(name)

    monkeypatch.setattr(diagnosis.metadata, "version", other)
    seen = found()
    assert seen["shapely"].value == "missing"
    assert "pip install 'shapely" in seen["shapely"].amiss
    assert "hipjsw wants wandb" in seen["wandb"].amiss


def test_a_full_disk_and_a_spoilt_model_are_amiss(found, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _: usage._replace(free=10**9))
    folder = tmp_path / "model"
    shutil.copytree(diagnosis.model_folder("default"), folder)
    weights = next(folder.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(diagnosis, "model_folder", lambda _: folder)
    seen = found()
    assert "less than 5 GB" in seen["runs_dir"].amiss
    assert seen["model that comes with it"].value == "cannot be used"


def test_a_missing_decoder_is_named_with_what_it_reads(found, monkeypatch):
    monkeypatch.setitem(sys.modules, "openjpeg", None)
    assert "JPEG 2000 (openjpeg)" in found()["DICOM decoders"].amiss


def test_the_door_says_it_and_its_exit_code_tells(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hipjsw.doctor", "runs_dir=/proc/nowhere"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    assert "runs_dir=DIR" in " ".join(done.stdout.split())
    assert str(tmp_path) not in done.stdout
