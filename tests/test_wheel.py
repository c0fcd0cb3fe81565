"""A built wheel carries conf/ and works from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODEL = ("weights.safetensors", "model.json", "MODEL_CARD.md", "locator/weights.safetensors", "locator/model.json")


def test_the_wheel_carries_the_configuration_and_runs_elsewhere(tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    assert {f"hipjsw/models/default/{name}" for name in MODEL} <= names
    wanted = {f"hipjsw/conf/{p.relative_to(ROOT / 'conf').as_posix()}" for p in (ROOT / "conf").rglob("*.yaml")}
    assert wanted <= names
    assert not [n for n in names if n.startswith(("tests/", "conf/"))]
    env = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    where = "import hipjsw.app.paths as p; print(p.conf_dir())"
    found = subprocess.run(
        [sys.executable, "-P", "-c", where], capture_output=True, text=True, check=True, env=env, cwd=tmp_path
    )
    assert Path(found.stdout.strip()) == tmp_path / "site" / "hipjsw" / "conf"
    door = [sys.executable, "-P", "-m", "hipjsw.phantom", f"out={tmp_path / 'cohort'}", "subjects=1"]
    done = subprocess.run(door, capture_output=True, text=True, timeout=300, check=False, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cohort" / "truth.csv").is_file()
