"""How persons shall be dealt: what makes no split is refused, with what to do."""

import pytest

from hipjsw.cohort.split_spec import KINDS, SplitError, SplitSpec

NEEDED = {"random": {}, "by_cohort": {"train_on": "CHECK", "test_on": "OAI"}, "file": {"file": "split.json"}}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_made_of_what_it_needs(kind):
    assert SplitSpec(kind=kind, **NEEDED[kind]).kind == kind


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "odd"}, "random, by_cohort, file"),
        ({"seed": -1}, "seed=-1"),
        ({"test_hips": 0}, "test_hips=0"),
        ({"test_share": 1.0}, "test_share=1.0"),
        ({"val_share": 0.0}, "val_share=0.0"),
        ({"val_share": float("nan")}, "val_share=nan"),
        ({"folds": 1}, "2 or more"),
        ({"fold": 5}, r"none of the 5 folds 0 to 4"),
        ({"fold": -1}, r"none of the 5 folds 0 to 4"),
        ({"fold": 3, "folds": 3}, r"none of the 3 folds 0 to 2"),
        ({"kind": "by_cohort", **NEEDED["by_cohort"], "fold": 0}, "fold=0 is for split=random"),
        ({"kind": "file", **NEEDED["file"], "fold": 0}, "fold=0 is for split=random"),
        ({"kind": "by_cohort"}, r"split\.train_on=COHORT"),
        ({"kind": "by_cohort", "train_on": "OAI"}, r"split\.test_on=COHORT"),
        ({"kind": "by_cohort", "train_on": "OAI", "test_on": "OAI"}, "name two cohorts"),
        ({"kind": "file"}, r"split\.file=FILE"),
        ({"file": "split.json"}, "split.file is for split=file"),
        ({"train_on": "OAI"}, "split.train_on is for split=by_cohort"),
        ({"kind": "file", "file": "a", "test_on": "OAI"}, "split.test_on is for split=by_cohort"),
    ],
)
def test_what_makes_no_split_is_refused(values, said):
    with pytest.raises(SplitError, match=said):
        SplitSpec(**values)
