"""What was asked for, and what in a store is not so."""

import dataclasses

import pytest

from hipjsw.cohort.companions import Companions
from hipjsw.cohort.examination import ImportOptions
from hipjsw.cohort.request import differences, read_request, request_of, write_request

NOTHING = Companions({}, None, "")


def test_the_same_asked_again_differs_in_nothing(options, tmp_path):
    request = request_of(options, NOTHING, b"k" * 16)
    assert differences(request | {"num_hips": 3}, request_of(options, NOTHING, b"k" * 16)) == []
    write_request(tmp_path, request)
    assert read_request(tmp_path) == request


def test_the_key_itself_is_not_written(options):
    key = b"0123456789abcdef"
    assert key.hex() not in str(request_of(options, NOTHING, key))
    assert key.decode() not in str(request_of(options, NOTHING, key))


@pytest.mark.parametrize("text", [None, "", "{", "\x00"])
def test_a_request_that_is_not_there_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "asked.json").write_text(text)
    assert read_request(tmp_path) is None


def test_each_difference_is_said(options):
    base = request_of(options, NOTHING, None)
    view = dataclasses.replace(options.view, pixel_mm=0.4, name="hip")
    others = {
        "view.pixel_mm is 0.8 there, 0.4 here": (dataclasses.replace(options, view=view), NOTHING, None),
        "labels is study there, other here": (dataclasses.replace(options, labels="other"), NOTHING, None),
        "imports.spacing_mm is None there, 0.2 here": (
            dataclasses.replace(options, imports=ImportOptions(spacing_mm=0.2)), NOTHING, None,
        ),
        "id_key is another": (options, NOTHING, b"k" * 16),
        "one is of a phantom": (options, dataclasses.replace(NOTHING, phantom={"seed": 1}), None),
    }  # fmt: skip
    for said, asked in others.items():
        found = "; ".join(differences(base, request_of(*asked)))
        assert said in found
    phantoms = [request_of(options, dataclasses.replace(NOTHING, phantom={"seed": n}), None) for n in (1, 2)]
    assert differences(*phantoms) == ["phantom.seed is 1 there, 2 here"]
