"""Orders and folds that mix strata evenly: laws."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.cohort.strata import balanced_order, fold_of, mjsw_class

strata_lists = st.lists(st.sampled_from("abcdefgh"), max_size=150)
skewed = st.lists(st.sampled_from("aaaaaaaaaaaaaaaaab" * 3 + "cde"), max_size=150)


@settings(max_examples=100, deadline=None)
@given(st.one_of(strata_lists, skewed))
def test_every_beginning_has_its_share_of_each_stratum_to_less_than_one(strata):
    order = balanced_order(range(len(strata)), strata)
    sizes, taken = Counter(strata), Counter()
    for place, item in enumerate(order, 1):
        taken[strata[item]] += 1
        assert all(abs(taken[s] - n * place / len(strata)) < 1 for s, n in sizes.items())


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(40)), st.lists(st.sampled_from("abc"), min_size=40, max_size=40))
def test_everybody_is_there_once_and_a_stratum_keeps_its_order(items, strata):
    order = balanced_order(items, strata)
    of = dict(zip(items, strata, strict=True))
    assert sorted(order) == sorted(items)
    for stratum in set(strata):
        assert [i for i in order if of[i] == stratum] == [i for i in items if of[i] == stratum]


def test_one_stratum_keeps_the_order_whole():
    assert balanced_order([3, 1, 2], ["a"] * 3) == [3, 1, 2]
    assert balanced_order([], []) == []


def test_two_equal_strata_take_turns():
    order = balanced_order(range(8), ["a"] * 4 + ["b"] * 4)
    assert [{order[i] // 4, order[i + 1] // 4} for i in range(0, 8, 2)] == [{0, 1}] * 4


@settings(max_examples=100, deadline=None)
@given(strata_lists, st.integers(2, 9))
def test_folds_differ_by_one_at_most_in_all_and_in_each_stratum(strata, folds):
    fold = fold_of(range(len(strata)), strata, folds)
    assert sorted(fold) == list(range(len(strata)))
    for stratum in [*set(strata), None]:
        sizes = Counter(fold[i] for i, s in enumerate(strata) if stratum in (s, None))
        counts = [sizes[k] for k in range(folds)]
        assert max(counts) - min(counts) <= 1
        assert sum(counts) == sum(sizes.values())


@pytest.mark.parametrize(
    ("mjsw_mm", "name"),
    [(0.0, "<=2.0"), (2.0, "<=2.0"), (2.01, "<=2.5"), (2.5, "<=2.5"), (3.9, "<=4.0"), (4.2, ">4.0")],
)
def test_the_published_limits_belong_to_the_narrower_class(mjsw_mm, name):
    assert mjsw_class(mjsw_mm) == name


def test_a_width_that_is_undefined_has_a_class_of_its_own():
    assert mjsw_class(math.nan) == "undefined"
