"""The tables beside a cohort's films agree with each other, with what is planted and with the points on disk."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hipjsw.phantom.cohort import CohortOptions, CohortSummary, write_cohort
from hipjsw.phantom.planting import Plant, draw_plant
from hipjsw.phantom.points import Quirk
from hipjsw.phantom.population import draw_person

#: Persons among whom everything that can be planted or go amiss is found.
MANY, MANY_SEED = 40, 11


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def undrawn(tmp_path_factory: pytest.TempPathFactory) -> CohortSummary:
    """A large hard cohort whose films are blank: its tables and points are as they would be."""
    folder = tmp_path_factory.mktemp("undrawn") / "phantom"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hipjsw.phantom.cohort.render", lambda film: np.zeros((4, 4), np.uint16))
        return write_cohort(folder, MANY, MANY_SEED, options=CohortOptions("realistic", "bonefinder", 0.3))


MEASURES = ("mjsw_mm", "p5_mm", "mean_mm", "median_mm", "lateral_mm", "central_mm", "medial_mm", "min_place")


def test_tables_have_a_row_a_hip_in_the_same_order(undrawn: CohortSummary) -> None:
    truth, profiles = (rows(undrawn.folder / name) for name in ("truth.csv", "truth_profiles.csv"))
    names = ("dataset", "subject", "visit", "side")
    assert len(truth) == undrawn.num_hips == 2 * undrawn.num_films
    assert [[row[n] for n in names] for row in truth] == [[row[n] for n in names] for row in profiles]
    assert list(profiles[0]) == [*names, *(f"w{n:03d}" for n in range(101))]
    leading = [*names, "mjsw_mm", "head_row_mm", "head_col_mm", "head_radius_mm"]
    assert list(truth[0])[: len(leading)] == leading


def test_the_columns_of_a_hip_agree_with_its_profile(undrawn: CohortSummary) -> None:
    truth, profiles = (rows(undrawn.folder / name) for name in ("truth.csv", "truth_profiles.csv"))
    for row, line in zip(truth, profiles, strict=True):
        texts = [line[f"w{n:03d}"] for n in range(101)]
        assert len({row[name] == "" for name in MEASURES} | {text == "" for text in texts}) == 1
        if row["mjsw_mm"] == "":
            continue
        profile, known = np.array(texts, dtype=float), {name: float(row[name]) for name in MEASURES}
        assert 0 <= known["mjsw_mm"] <= profile.min() <= known["mjsw_mm"] + 0.05
        assert np.interp(100 * known["min_place"], np.arange(101), profile) == pytest.approx(known["mjsw_mm"], abs=0.05)
        assert known["mean_mm"] == pytest.approx(profile.mean(), abs=1e-5)
        assert known["median_mm"] == pytest.approx(np.median(profile), abs=1e-5)
        assert known["p5_mm"] == pytest.approx(np.percentile(profile, 5), abs=1e-5)
        thirds = np.mean([known[f"{third}_mm"] for third in ("lateral", "central", "medial")])
        assert thirds == pytest.approx(profile.mean(), abs=0.05)


def test_a_hip_has_no_width_where_what_is_planted_leaves_none(undrawn: CohortSummary) -> None:
    by_film: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows(undrawn.folder / "truth.csv"):
        by_film.setdefault((row["dataset"], row["subject"], row["visit"]), []).append(row)
    seen = set()
    for index in range(MANY):
        person = draw_person(MANY_SEED, index)
        for visit in person.visits:
            hips = by_film.pop((person.dataset, person.subject, visit.name))
            plant = draw_plant(MANY_SEED, person, visit, 0.3)
            (note,) = {hip["note"] for hip in hips}
            assert note.startswith(plant.value) if plant else note == ""
            without = {hip["side"] for hip in hips if hip["mjsw_mm"] == ""}
            one_sided = note.removeprefix(f"{plant} ") if plant else ""
            expected = {
                Plant.PROSTHESIS: {one_sided},
                Plant.SINGLE_HIP: {"right", "left"} - {one_sided},
                Plant.CHILD: {"right", "left"},
                Plant.FROG_LEG: {"right", "left"},
            }
            assert without == expected.get(plant, set())
            seen.add(plant)
    assert not by_film
    assert seen == {None, *Plant}


def test_points_are_there_unless_noted(undrawn: CohortSummary) -> None:
    notes = {}
    for row in rows(undrawn.folder / "truth.csv"):
        notes[row["dataset"], row["subject"], row["visit"]] = row["points_note"]
    for film in sorted(undrawn.folder.glob("*/*/*.dcm")):
        dataset, visit, name = film.relative_to(undrawn.folder).parts
        subject = str(pydicom.dcmread(film, stop_before_pixels=True).PatientID)
        there = (undrawn.folder / f"{dataset}-pointfiles" / visit / f"{name}.pts").exists()
        assert there == (notes[dataset, subject, visit] != Quirk.MISSING)
    assert Quirk.MISSING in notes.values()


def test_the_marker_counts_what_the_tables_hold(undrawn: CohortSummary) -> None:
    truth = rows(undrawn.folder / "truth.csv")
    assert undrawn.num_widths == sum(row["mjsw_mm"] != "" for row in truth)
    for column, counts in (("note", undrawn.notes), ("points_note", undrawn.points_notes)):
        assert counts == {n: c // 2 for n, c in Counter(row[column] for row in truth).items() if n}
    marker = json.loads((undrawn.folder / "phantom.json").read_text())
    assert (marker["widths"], marker["notes"]) == (undrawn.num_widths, undrawn.notes)


def test_errors_of_points_change_no_truth(undrawn: CohortSummary, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hipjsw.phantom.cohort.render", lambda film: np.zeros((4, 4), np.uint16))
        write_cohort(tmp_path / "exact", 12, MANY_SEED)
    exact = {tuple(row[n] for n in ("subject", "visit", "side")): row for row in rows(tmp_path / "exact" / "truth.csv")}
    shared = 0
    for row in rows(undrawn.folder / "truth.csv"):
        other = exact.get((row["subject"], row["visit"], row["side"]))
        if other is not None and other["dataset"] == row["dataset"] and row["note"] == "":
            assert {k: v for k, v in row.items() if k != "points_note"} == {
                k: v for k, v in other.items() if k != "points_note"
            }
            shared += 1
    assert shared > 6
