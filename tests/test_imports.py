"""Imports run one way, and each third-party framework stays in its rooms (docs/architecture.md draws it)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hipjsw

PACKAGE = Path(hipjsw.__file__).parent
#: Rooms from the ground up; a room may import from its own floor only where the pair is listed, and from any below.
FLOORS = (
    {"anatomy", "imaging"},
    {"jsw", "statistics"},
    {"phantom", "cohort"},
    {"learning"},
    {"inference"},
    {"ablation"},
    {"reporting"},
    {"app"},
    {"doors"},
)
SAME_FLOOR: set[tuple[str, str]] = set()
DOORS = {"train", "evaluate", "prepare", "report", "export", "measure", "doctor"}
ONLY_IN = {
    "lightning": {"learning", "doors"},
    "hydra": {"app", "doors"},
    "wandb": {"reporting/dashboard.py", "reporting/ablation_dashboard.py", "reporting/workspace.py", "doors"},
    "pydicom": {
        "imaging/dicom.py",
        "imaging/dicom_header.py",
        "imaging/dicom_pixels.py",
        "phantom",
        "reporting/dicom_report.py",
    },
    "highdicom": {"reporting/dicom_report.py"},
    "albumentations": {"learning/augment.py"},
    "monai": set(),
}


def room_of(path):
    relative = path.relative_to(PACKAGE)
    if relative.name == "__main__.py" or len(relative.parts) == 1:
        return "doors"
    return relative.parts[0]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = sorted(p for p in PACKAGE.rglob("*.py") if "conf" not in p.relative_to(PACKAGE).parts)


def floor(room):
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_run_one_way(path):
    room = room_of(path)
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "hipjsw" or len(parts) < 3:
            continue
        other = "doors" if parts[1] in DOORS else parts[1]
        allowed = other == room or floor(other) < floor(room) or (room, other) in SAME_FLOOR
        assert allowed, f"{path.relative_to(PACKAGE)} imports {name}: {room} may not see {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_frameworks_stay_in_their_rooms(path):
    relative = path.relative_to(PACKAGE).as_posix()
    for name in imports_of(path):
        top = name.split(".")[0]
        if top in ONLY_IN:
            assert {relative, room_of(path)} & ONLY_IN[top], f"{relative} imports {top}"


def test_no_room_of_odds_and_ends():
    forbidden = {"utils", "util", "helpers", "helper", "misc", "common"}
    assert not [p for p in FILES if p.stem in forbidden or forbidden & set(p.relative_to(PACKAGE).parts)]


def test_every_room_is_on_a_floor():
    rooms = {p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").is_file()}
    assert rooms <= set().union(*FLOORS)
    assert {room_of(p) for p in FILES} <= set().union(*FLOORS)


def test_a_door_that_trains_nothing_starts_without_what_trains_and_draws():
    """Each takes a second or more, in every process of a batch."""
    said = "import sys, hipjsw.measure; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded
    assert not loaded & {
        "lightning",
        "torchmetrics",
        "matplotlib",
        "highdicom",
        "wandb",
        "albumentations",
        "scipy.stats",
    }
