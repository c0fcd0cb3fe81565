"""Dealing persons to parts: laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.split import Split, SplitError, SplitSpec, make_split, take_hips

counts = st.lists(st.integers(0, 6), min_size=3, max_size=120).filter(lambda c: sum(n > 0 for n in c) >= 4)
specs = st.builds(
    SplitSpec,
    seed=st.integers(0, 1000),
    test_hips=st.integers(1, 120),
    test_share=st.floats(0.05, 0.45),
    val_share=st.floats(0.05, 0.5),
)


def named(hips, name="p{}"):
    return {name.format(i): n for i, n in enumerate(hips)}


def rows_of(hips):
    """Array rows of each person when hips lie person after person."""
    first = np.cumsum([0, *hips.values()])
    return {p: list(range(first[i], first[i + 1])) for i, p in enumerate(hips)}


@settings(max_examples=60, deadline=None)
@given(counts, specs)
def test_every_person_with_a_usable_hip_is_in_one_part_and_no_other_in_any(hips, spec):
    persons = named(hips)
    split = make_split(persons, spec)
    assert sorted([*split.train, *split.val, *split.test]) == sorted(p for p, n in persons.items() if n)
    assert min(len(split.train), len(split.val), len(split.test)) >= 1
    assert split.part_of() == {p: part for part in ("train", "val", "test") for p in getattr(split, part)}


@settings(max_examples=60, deadline=None)
@given(counts, specs)
def test_the_same_again_and_places_stay_when_persons_are_renamed(hips, spec):
    split = make_split(named(hips), spec)
    assert split == make_split(named(hips), spec)
    renamed = make_split(named(hips, "zz{}-9"), spec)
    for part in ("train", "val", "test"):
        assert tuple(p.replace("zz", "p").removesuffix("-9") for p in getattr(renamed, part)) == getattr(split, part)


@settings(max_examples=60, deadline=None)
@given(counts, specs)
def test_the_test_set_ends_at_its_hips_or_at_its_share(hips, spec):
    persons = named(hips)
    split = make_split(persons, spec)
    usable = sum(n > 0 for n in hips)
    most = max(int(usable * spec.test_share), 1)
    got = [persons[p] for p in split.test]
    assert len(got) <= most
    assert len(got) == most or sum(got) >= spec.test_hips
    assert sum(got[:-1]) < spec.test_hips
    assert len(split.val) == min(max(round((usable - len(got)) * spec.val_share), 1), usable - len(got) - 1)


@settings(max_examples=60, deadline=None)
@given(counts, specs, st.integers(1, 60), st.integers(1, 60))
def test_sizes_are_nested_and_cut_to_the_hip(hips, spec, first, second):
    persons = named(hips)
    split, rows = make_split(persons, spec), rows_of(persons)
    small, large = (take_hips(split.train, rows, n) for n in sorted((first, second)))
    full = take_hips(split.train, rows, None)
    assert small == large[: len(small)]
    assert large == full[: len(large)]
    assert len(small) == min(first, second, len(full))
    assert len(full) == len(set(full)) == sum(persons[p] for p in split.train)


@settings(max_examples=60, deadline=None)
@given(counts, specs, st.data())
def test_a_fixed_test_set_is_the_test_set(hips, spec, data):
    persons = named(hips)
    usable = [p for p, n in persons.items() if n]
    fixed = data.draw(st.sets(st.sampled_from(usable), min_size=1, max_size=len(usable) - 2))
    split = make_split(persons, spec, sorted(fixed))
    assert set(split.test) == fixed
    assert set(split.train) | set(split.val) == set(usable) - fixed


@settings(max_examples=60, deadline=None)
@given(counts, specs)
def test_fixed_persons_without_a_usable_hip_do_not_enter_the_test_set(hips, spec):
    persons = {**named(hips), "lost": 0}
    assert "lost" not in make_split(persons, spec, ["lost"]).part_of()


def test_the_seed_decides():
    persons = named([2] * 60)
    splits = {make_split(persons, SplitSpec(seed=seed)).test for seed in range(5)}
    assert len(splits) == 5


def test_parts_are_not_the_beginning_of_the_cohort():
    split = make_split(named([2] * 60), SplitSpec())
    assert set(split.test) != {f"p{i}" for i in range(len(split.test))}


@pytest.mark.parametrize("hips", [[], [2], [2, 2], [2, 0, 2, 0]])
def test_fewer_than_three_persons_are_refused(hips):
    with pytest.raises(SplitError, match="at least 3"):
        make_split(named(hips), SplitSpec())


@pytest.mark.parametrize("fixed", [["p0", "p1", "p2"], ["p0", "p1", "p2", "p3"]])
def test_a_test_set_that_leaves_too_few_is_refused(fixed):
    with pytest.raises(SplitError, match="at least 2"):
        make_split(named([2, 2, 2, 2]), SplitSpec(), fixed)


def test_a_person_in_two_parts_is_refused_by_name():
    with pytest.raises(SplitError, match=r"1 persons .* e\.g\. b"):
        Split(train=("a", "b"), val=("c",), test=("b",))
    with pytest.raises(SplitError):
        Split(train=("a", "a"), val=("c",), test=("b",))


@pytest.mark.parametrize("wanted", [0, 1, 3, 4, 99, None])
def test_hips_are_taken_in_dealing_order(wanted):
    rows = {"a": [0, 1], "b": [5], "c": [2, 3]}
    assert take_hips(["c", "a"], rows, wanted) == [2, 3, 0, 1][:wanted]
