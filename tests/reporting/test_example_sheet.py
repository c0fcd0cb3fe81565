"""Hips on a page: at a glance, one after the other, and by every arm."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from hipjsw.reporting.example_hips import ShownExamples, ShownHip
from hipjsw.reporting.example_sheet import example_markup
from hipjsw.reporting.example_shelf import HipParts

LABELS = {"a": "Arm A", "b": "Arm B"}


def hip(arm="a", seed=0, name="h0", kind="worst", dice=0.9, **changes):
    parts = HipParts("film", "true", f"predicted-{arm}", ("bones", "joint"), "0 0 9 9", "1 1 5 5")
    one = ShownHip(arm, seed, name, kind, parts, dice, (0.9, None, 0.7), "3.00 mm", 3.0, 3.25, 2.5)
    return replace(one, **changes)


def sheet(*hips, num_kept=None, unread=(), labels=LABELS):
    shown = ShownExamples(hips, len(hips) if num_kept is None else num_kept, unread)
    return "".join(example_markup(shown, labels, "x"))


def test_good_and_bad_of_each_arm_are_the_best_shared_and_the_first_worst_one():
    hips = [
        hip(name="w0", dice=0.2, mjsw_mm=None),
        hip(name="w1", dice=0.1),
        hip(name="s0", kind="shared", dice=0.5),
        hip(name="s1", kind="shared", dice=0.8),
        hip(name="s2", kind="shared", dice=None),
        hip("b", name="w5", dice=0.3),
    ]
    glance = re.search(r'<ul class="glance">(.*?)</ul>', sheet(*hips))[1]
    cards = re.findall(r"<strong>(\w+)</strong> <span>(.*?)</span><span>(.*?)</span>", glance)
    assert cards == [
        ("best", "Dice 0.800", "error +0.50 mm"),
        ("worst", "Dice 0.200", "not measured"),
        ("worst", "Dice 0.300", "error +0.50 mm"),
    ]


def test_pager_has_every_hip_with_four_pictures_its_numbers_and_an_id_of_its_own():
    hips = [hip(seed=s, name=f"h{n}") for s in (0, 2) for n in range(3)] + [hip("b", kind="shared")]
    pager = sheet(*hips).split('<div class="pager"')[1].split("<h4>")[0]
    figures = re.findall(r'<figure class="hip" id="([\w-]+)" data-arm="(\w)" data-seed="(\d)">(.*?)</figure>', pager)
    assert [name for name, *_ in figures] == [
        "x-hip-0-0-1", "x-hip-0-0-2", "x-hip-0-0-3", "x-hip-0-2-1", "x-hip-0-2-2", "x-hip-0-2-3", "x-hip-1-0-1"
    ]  # fmt: skip
    assert [(arm, int(seed)) for _, arm, seed, _ in figures] == [(one.arm, one.seed) for one in hips]
    for _, _, _, inner in figures:
        assert re.findall(r'<svg class="(\w+)" viewBox="([\d ]+)"', inner) == [
            ("overlay", "0 0 9 9"), ("overlay", "1 1 5 5"), ("contrast", "0 0 9 9"), ("contrast", "1 1 5 5")
        ]  # fmt: skip
        numbers = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", inner))
        assert numbers == {
            "mean Dice": "0.9000", "Dice, femur": "0.9000", "Dice, acetabulum": "–", "Dice, joint space": "0.7000",
            "mJSW measured": "3.00 mm", "label's mJSW": "3.25 mm", "exact mJSW": "2.50 mm", "error": "+0.50 mm",
        }  # fmt: skip
    assert re.findall(r'<option value="(\w)">(.*?)</option>', pager) == [("a", "Arm A"), ("b", "Arm B")]


def test_a_hip_that_several_arms_share_stands_side_by_side_by_first_seeds_alone():
    hips = [
        hip(name="s0", kind="shared", dice=0.91),
        hip(name="s1", kind="shared"),
        hip(seed=1, name="s0", kind="shared", dice=0.11),
        hip("b", name="s0", kind="shared", dice=0.92),
    ]
    blocks = re.findall(r'<div class="same">(.*?)</div>', sheet(*hips))
    assert len(blocks) == 1
    assert "label 3.25 mm, exact 2.50 mm" in blocks[0]
    assert re.findall(r"<strong>(.*?)</strong> <span>Dice (.*?)</span>", blocks[0]) == [
        ("Arm A", "0.910"), ("Arm B", "0.920")
    ]  # fmt: skip
    assert "predicted-a" in blocks[0]
    assert "predicted-b" in blocks[0]


def test_arms_that_share_no_hip_have_no_strips():
    assert 'class="same"' not in sheet(hip(name="s0", kind="shared"), hip("b", name="s1", kind="shared"))


def test_what_is_not_there_is_said():
    markup = sheet(hip(), num_kept=1200, unread=(("b", 3),))
    assert "1 of 1,200 kept hips are on the page" in markup
    assert "The examples of Arm B, seed 3, cannot be read" in markup
    assert "kept hips are on the page" not in sheet(hip())
    assert "No run kept hips" in sheet()


@pytest.mark.parametrize("words", ["<b>&\"'", "\u202e\x1b", "a-b c"])
def test_text_of_any_origin_is_words(words):
    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.values = [], []

        def handle_starttag(self, tag, attrs):
            self.tags.append((tag, [name for name, _ in attrs]))
            self.values += [value for name, value in attrs if name in ("data-arm", "value")]

    one = hip("a", name=words, measured=words)
    plain, evil = Reader(), Reader()
    plain.feed(sheet(hip(), labels={"a": "x"}))
    evil.feed(sheet(replace(one, arm=words), labels={words: words}))
    assert plain.tags == evil.tags
    assert len(set(evil.values)) == 1
