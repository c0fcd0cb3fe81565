"""The device that networks run on."""

import pytest
import torch

from hipjsw.inference.device import DEVICES, usable_device


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("said", DEVICES)
def test_a_gpu_is_taken_where_there_is_one_and_missed_where_it_was_asked_for(monkeypatch, said, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    if said == "cuda" and not there:
        with pytest.raises(ValueError, match="sees no GPU"):
            usable_device(said)
    else:
        assert usable_device(said) == ("cuda" if there and said != "cpu" else "cpu")


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="auto, cpu, cuda"):
        usable_device("tpu")
