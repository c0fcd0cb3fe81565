"""Persons: who they are, and that they depend on seed and index alone."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.population import Disease, Narrowing, Person, draw_person
from hipjsw.phantom.shape import Hip

PERSONS = [draw_person(3, index) for index in range(600)]


@cache
def first_hips() -> list[list[Hip]]:
    return [[Hip(p.form(side, p.visits[0])) for side in Side] for p in PERSONS]


@cache
def widths() -> np.ndarray:
    return np.array([[hip.mjsw_mm for hip in both] for both in first_hips()])


def arthritic() -> np.ndarray:
    return np.array([[p.disease[side].osteoarthritis for side in Side] for p in PERSONS])


def of_sex(sex: str) -> np.ndarray:
    return np.array([p.sex == sex for p in PERSONS])


def every_disease() -> list[tuple[Person, Side, Disease]]:
    return [(p, side, p.disease[side]) for p in PERSONS for side in Side]


def test_a_person_depends_on_seed_and_index_alone() -> None:
    assert draw_person(3, 17) == PERSONS[17]
    assert draw_person(4, 17) != PERSONS[17]


def test_healthy_widths_are_those_of_the_population() -> None:
    for sex, mean in (("F", 3.9), ("M", 4.2)):
        healthy = widths()[of_sex(sex)][~arthritic()[of_sex(sex)]]
        assert healthy.mean() == pytest.approx(mean, abs=0.15)
        assert healthy.std() == pytest.approx(0.9, abs=0.12)
        assert 1.95 < healthy.min() < healthy.max() <= 7.0


def test_a_tenth_of_hips_is_narrow_and_some_are_bone_on_bone() -> None:
    assert (widths() <= 2.0).mean() == pytest.approx(0.10, abs=0.03)
    assert 0.005 < (widths() == 0.0).mean() < 0.03
    ill = widths()[arthritic()]
    assert 0.5 < (ill <= 2.0).mean() < 0.9
    assert ill.max() <= 3.0


def test_two_hips_of_a_person_are_alike_but_not_equal() -> None:
    both = widths()
    sound = both[~arthritic().any(axis=1)]
    assert 0.6 < np.corrcoef(sound.T)[0, 1] < 0.9
    assert (both[:, 0] != both[:, 1]).mean() > 0.98
    for name in ("edge_deg", "neck_shaft_deg", "head_radius_mm", "cam_mm"):
        pairs = np.array([[getattr(p.hips[side], name) for side in Side] for p in PERSONS])
        assert 0.7 < np.corrcoef(pairs.T)[0, 1] < 0.999
        assert p_differ(pairs) > 0.9


def p_differ(pairs: np.ndarray) -> float:
    some = pairs[pairs.any(axis=1)]
    return float((some[:, 0] != some[:, 1]).mean())


def test_head_diameters() -> None:
    diameters = [2 * p.hips[side].head_radius_mm for p in PERSONS for side in Side]
    assert np.mean(diameters) == pytest.approx(55.0, abs=1.0)
    assert np.std(diameters) == pytest.approx(4.0, abs=0.6)


def test_odd_shapes_are_there_and_rare() -> None:
    forms = [p.hips[side] for p in PERSONS for side in Side]
    edge = np.array([form.edge_deg for form in forms])
    angle = np.array([form.neck_shaft_deg for form in forms])
    shares = {
        "dysplasia": (edge < 20).mean(),
        "profunda": (edge > 42).mean(),
        "vara": (angle < 117).mean(),
        "valga": (angle > 140).mean(),
        "cam": np.mean([form.cam_mm > 1.2 for form in forms]),
        "pistol grip": np.mean([form.neck_offset > 0.14 for form in forms]),
    }
    assert all(0.008 < share < 0.16 for share in shares.values()), shares
    assert np.median(edge) == pytest.approx(33.0, abs=1.5)
    assert np.median(angle) == pytest.approx(128.5, abs=1.5)


def test_ids_are_unique_within_a_dataset_and_some_coincide_across() -> None:
    ids = Counter((p.dataset, p.subject) for p in PERSONS)
    assert max(ids.values()) == 1
    assert {p.subject for p in PERSONS if p.dataset == "OAI"} & {p.subject for p in PERSONS if p.dataset == "CHECK"}
    assert all(len(p.subject) == 7 and p.subject.isdigit() for p in PERSONS)


def test_datasets_and_visits() -> None:
    assert np.mean([p.dataset == "OAI" for p in PERSONS]) == pytest.approx(0.6, abs=0.06)
    assert np.mean([len(p.visits) > 1 for p in PERSONS]) == pytest.approx(0.35, abs=0.06)
    for person in PERSONS:
        assert 1 <= len(person.visits) <= 3
        days = [visit.day for visit in person.visits]
        assert days == sorted(set(days))


def test_ages_are_those_the_studies_enrolled() -> None:
    bands = {name: {p.age_band for p in PERSONS if p.dataset == name} for name in ("OAI", "CHECK")}
    assert bands["OAI"] == {f"{low}-{low + 4}" for low in range(45, 80, 5)}
    assert bands["CHECK"] == {f"{low}-{low + 4}" for low in range(45, 70, 5)}


def test_sizes_run_from_thin_to_obese_and_go_with_nothing_else() -> None:
    sizes = np.array([p.size for p in PERSONS])
    assert 0.78 <= sizes.min() < 0.85
    assert 1.2 < sizes.max() <= 1.35
    assert np.median(sizes) == pytest.approx(1.0, abs=0.03)
    for other in (widths()[:, 0], [p.hips[Side.RIGHT].head_radius_mm for p in PERSONS], of_sex("F")):
        assert abs(np.corrcoef(sizes, np.asarray(other, dtype=float))[0, 1]) < 0.12


def test_every_kind_of_narrowing_occurs_and_lies_where_its_name_says() -> None:
    places: dict[Narrowing, list[float]] = {kind: [] for kind in Narrowing}
    hips = [hip for both in first_hips() for hip in both]
    for hip, (_, _, disease) in zip(hips, every_disease(), strict=True):
        at = hip.nearest[1]
        places[disease.narrowing].append(float(np.rad2deg(np.arctan2(at[1], -at[0]))))
    assert all(len(angles) >= 8 for angles in places.values())
    lateral, middle, medial = (
        np.median(places[kind]) for kind in (Narrowing.SUPEROLATERAL, Narrowing.SUPEROMEDIAL, Narrowing.AXIAL)
    )
    assert lateral < -12.0 < 0.0 < middle < 20.0 < medial


def test_disease_marks_the_bone_according_to_its_severity() -> None:
    severe = [p.hips[side] for p, side, disease in every_disease() if disease.severity > 0.6]
    mild = [p.hips[side] for p, side, disease in every_disease() if 0 < disease.severity < 0.4]
    assert min(len(severe), len(mild)) > 20

    def mean(forms: list, name: str) -> float:
        return float(np.mean([np.sum(getattr(form, name)) for form in forms]))

    for name in ("sclerosis", "lip_mm", "collar_mm"):
        assert mean(severe, name) > mean(mild, name)
    assert np.mean([len(form.cysts) for form in severe]) > np.mean([len(form.cysts) for form in mild])
    assert np.mean([form.flattening.depth_mm for form in severe]) > np.mean([f.flattening.depth_mm for f in mild])
    for _, _, disease in every_disease():
        assert 0.0 <= disease.severity <= 1.0
        assert (disease.severity > 0) == disease.osteoarthritis == (disease.loss_mm_per_year > 0)


def test_losses_a_year_have_the_mean_of_osteoarthritis_and_a_spread() -> None:
    losses = np.array([disease.loss_mm_per_year for _, _, disease in every_disease() if disease.osteoarthritis])
    assert 0.1 < losses.mean() < 0.2
    assert 0.04 < losses.std() < 0.15


def test_only_osteoarthritis_loses_joint_space_and_it_never_grows_back() -> None:
    seen = set()
    for person in (p for p in PERSONS if len(p.visits) > 1):
        first, last = person.visits[0], person.visits[-1]
        for side in Side:
            before = first_hips()[person.index][list(Side).index(side)].mjsw_mm
            after = Hip(person.form(side, last)).mjsw_mm
            lost = min(person.loss_mm_per_year[side] * (last.years - first.years), before)
            seen.add(lost > 0)
            assert before - after == pytest.approx(lost, abs=0.03 if lost else 1e-6)
    assert seen == {True, False}


def test_no_place_of_the_roof_gains_joint_space() -> None:
    for person in (p for p in PERSONS if len(p.visits) > 1):
        for side in Side:
            first, last = (person.form(side, visit) for visit in (person.visits[0], person.visits[-1]))
            angles = np.linspace(-first.edge_deg, first.medial_deg, 50)
            assert (last.width_mm(angles) <= first.width_mm(angles) + 1e-9).all()


def test_legs_are_turned_differently_on_different_films() -> None:
    turned = [person.form(side, visit).rotation_deg for person in PERSONS for side in Side for visit in person.visits]
    assert np.mean(turned) == pytest.approx(-8.0, abs=1.5)
    assert 4.0 < np.std(turned) < 9.0
    several = next(p for p in PERSONS if len(p.visits) > 1)
    assert several.form(Side.LEFT, several.visits[0]) != several.form(Side.LEFT, several.visits[1])


def test_most_healthy_hips_are_widest_laterally_and_narrowest_medially() -> None:
    healthy = [p.hips[side] for p, side, disease in every_disease() if not disease.osteoarthritis]
    widths_mm = np.array([f.width_mm(np.array([-f.edge_deg, 0.0, f.medial_deg])) for f in healthy])
    lateral, apical, medial = widths_mm.T
    assert (lateral > apical).mean() > 0.75
    assert (apical > medial).mean() > 0.55


def test_a_hip_comes_with_its_half_of_the_pelvis() -> None:
    person = PERSONS[0]
    half = person.hip(Side.LEFT, person.visits[0])
    assert half.form == person.pelvis
    assert half.hip.form == person.form(Side.LEFT, person.visits[0])
