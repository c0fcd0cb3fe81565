"""The page of measured hips: what is on it, what cannot get into it, and how it is read by keyboard."""

import csv
import io
import re
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from hipjsw.inference.measurement import COLUMNS
from hipjsw.inference.reader import read_reader
from hipjsw.reporting.markup import policy_hash
from hipjsw.reporting.measure_page import write_measure_page

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=y>&amp; \u202e.dcm"


def row(film, side="right", status="measured", quality=0.9, **more):
    known = {"mjsw_mm": 3.456, "mjsw_ci_low_mm": 3.1, "mjsw_ci_high_mm": 3.9, "mjsw_px": 17.3, "mjsw_per_head": 0.066}
    values = known if status == "measured" else {}
    said = {"film": film, "side": side, "status": status, "reason": "" if status == "measured" else "no roof"}
    return dict.fromkeys(COLUMNS) | said | values | {"quality": quality if status == "measured" else None} | more


ROWS = [
    row("good.dcm", quality=0.95),
    row("bad, indeed.dcm", quality=0.55),
    row("bad, indeed.dcm", "left", "unmeasurable"),
    row("gone.dcm", "", "failed"),
    row("half.dcm", "left", "absent"),
    row("blind.png", quality=0.8, mjsw_mm=None, mjsw_ci_low_mm=None, mjsw_ci_high_mm=None),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    for number, name in enumerate(("drawn", "bare")):
        cv2.imwrite(str(folder / f"{name} #1.png"), np.full((64, 64), 90 + 90 * number, np.uint8))
    write_measure_page(
        folder / "report.html", ROWS, lambda film, side: ("drawn #1.png", "bare #1.png") if "bad" in film else None, "n"
    )
    return folder / "report.html"


def test_the_worst_comes_first_and_every_row_is_there(path, read_page):
    page = read_page(path, " ")
    named = [(a["data-name"], a["data-side"]) for a in page.all("tr") if "data-name" in a]
    assert named == [
        ("gone.dcm", ""),
        ("bad, indeed.dcm", "left"),
        ("bad, indeed.dcm", "right"),
        ("blind.png", "right"),
        ("good.dcm", "right"),
        ("half.dcm", "left"),
    ]
    for words in ("3.46 mm", "3.10 to 3.90 mm", "0.55", "17.3 px, 6.6 % of the head", "not on film", "film failed"):
        assert words in page.text


def test_no_text_of_any_origin_becomes_markup(tmp_path, read_page):
    rows = [row(EVIL), row("x", status="unmeasurable", reason=EVIL), row("y", "", "failed", reason=EVIL)]
    write_measure_page(tmp_path / "evil.html", rows, lambda film, side: (EVIL, EVIL), EVIL)
    write_measure_page(
        tmp_path / "plain.html", [r | {"film": "f", "reason": "r"} for r in rows], lambda f, s: None, "n"
    )
    evil, plain = (read_page(tmp_path / f"{name}.html") for name in ("evil", "plain"))
    assert [name for name, _ in evil.elements] == [name for name, _ in plain.elements]
    assert "alert(1)" in evil.text


def test_the_policy_admits_the_pages_own_script_and_style_alone(path, read_page):
    page = read_page(path)
    (policy,) = (a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    (style,) = re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert f"style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?:|@import|innerHTML|eval\(", page.source)


def test_a_page_of_nothing_is_a_page(tmp_path, read_page):
    write_measure_page(tmp_path / "page.html", [], lambda film, side: None, "n")
    assert "Measured hips" in read_page(tmp_path / "page.html").text


@pytest.fixture
def browser(path, open_browser, tmp_path):
    copy = tmp_path / "copy"  # verdicts are kept by place
    shutil.copytree(path.parent, copy)
    with open_browser(copy / "report.html") as browser:
        yield browser


STATE = """(() => { const row = document.querySelector("tr[aria-current]");
    const img = document.querySelector("#view img");
    return [row.dataset.name, row.dataset.side, row.dataset.verdict,
        img.hidden ? "" : decodeURIComponent(img.src).split("/").pop(),
        document.getElementById("said").textContent, img.style.width]; })()"""
#: What a click on "save" would put into the file.
SAVED = """(async () => { const made = []; const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => { made.push(blob); return make(blob); };
    HTMLAnchorElement.prototype.click = () => {};
    document.querySelector('[data-act=save]').click(); return await made[0].text(); })()"""
#: Waits until the picture is there.
SEEN = """new Promise((done) => { const img = document.querySelector("#view img");
    const look = () => img.naturalWidth ? done(img.naturalWidth) : setTimeout(look, 20); look(); })"""


def press(browser, *keys):
    for key in keys:
        browser.key(key)
    return browser.value(STATE)


def test_a_reader_needs_the_keyboard_alone(browser):
    assert press(browser)[:2] == ["gone.dcm", ""]
    assert press(browser, "ArrowLeft")[:2] == ["gone.dcm", ""]
    name, side, verdict, picture, said, width = press(browser, "j", "j")
    assert (name, side, verdict, said, width) == ("bad, indeed.dcm", "right", "", "0 of 6 read", "100%")
    assert picture == "drawn #1.png"
    assert press(browser, "o")[3] == "bare #1.png"
    assert press(browser, "o")[3] == "drawn #1.png"
    assert press(browser, "+", "+")[5] == "225%"
    assert press(browser, "-", "-", "-")[5] == "100%"
    assert press(browser, "a")[:2] == ["blind.png", "right"]  # on to the next
    assert press(browser, "r", "k", "k")[2:5:2] == ["accept", "2 of 6 read"]
    assert press(browser, "u")[2:5:2] == ["", "1 of 6 read"]
    assert press(browser, *["j"] * 9)[:2] == ["half.dcm", "left"]
    assert browser.complaints() == []
    assert browser.asked() == []


def test_pictures_are_seen(browser):
    press(browser, "j")
    assert browser.value(SEEN) == 64


def test_verdicts_outlive_the_page_and_are_saved_as_a_readers_csv(browser, tmp_path):
    press(browser, "j", "j", "a", "r")
    browser.visit((tmp_path / "copy" / "report.html").as_uri())
    assert press(browser)[4] == "2 of 6 read"
    text = browser.value(SAVED)
    rows = list(csv.DictReader(text.splitlines()))
    assert rows == [
        {"film": "bad, indeed.dcm", "side": "right", "mjsw_mm": "3.4560", "verdict": "measured", "reader": "reader"},
        {"film": "blind.png", "side": "right", "mjsw_mm": "", "verdict": "unmeasurable", "reader": "reader"},
    ]


def test_what_is_saved_is_a_readers_csv_whatever_was_accepted(browser, tmp_path):
    """A film that failed has no hip, a refusal that is accepted no width, and a share of the head no millimetres."""
    press(browser, "a", "a", "a", "a", "a", "a")
    text = browser.value(SAVED)
    assert [(r["film"], r["side"], r["mjsw_mm"], r["verdict"]) for r in csv.DictReader(text.splitlines())] == [
        ("bad, indeed.dcm", "left", "", "unmeasurable"),
        ("bad, indeed.dcm", "right", "3.4560", "measured"),
        ("good.dcm", "right", "3.4560", "measured"),
        ("half.dcm", "left", "", "unmeasurable"),
    ]
    named = pd.read_csv(io.StringIO(text), keep_default_na=False)
    named.insert(0, "hip_id", named.pop("film") + named.pop("side"))
    named.to_csv(tmp_path / "verdicts.csv", index=False)
    readings = read_reader(tmp_path / "verdicts.csv", SimpleNamespace(hips=named[["hip_id"]]))
    assert sorted(readings["verdict"]) == ["measured", "measured", "unmeasurable", "unmeasurable"]


def test_a_verdict_on_another_width_is_none(browser, tmp_path):
    press(browser, "j", "j", "a")
    rows = [one | {"mjsw_mm": 2.0} if one["mjsw_mm"] is not None else one for one in ROWS]
    write_measure_page(tmp_path / "copy" / "report.html", rows, lambda f, s: None, "n")
    browser.visit((tmp_path / "copy" / "report.html").as_uri())
    assert press(browser)[4] == "0 of 6 read"


def test_a_verdict_stays_with_its_hip_when_the_batch_grows(browser, tmp_path):
    press(browser, "j", "j", "r")
    write_measure_page(
        tmp_path / "copy" / "report.html", [row("a new one", "", "failed"), *ROWS], lambda f, s: None, "n"
    )
    browser.visit((tmp_path / "copy" / "report.html").as_uri())
    assert press(browser)[:1] + press(browser)[4:5] == ["a new one", "1 of 7 read"]
    assert press(browser, "j", "j", "j")[:3] == ["bad, indeed.dcm", "right", "reject"]


def test_only_those_not_read_are_paged_if_wanted(browser):
    press(browser, "j", "a")
    browser.value("document.getElementById('only').click()")
    names = "[...document.querySelectorAll('#hips tbody tr')].filter((r) => !r.hidden).length"
    assert browser.value(names) == 5
    press(browser, "a")
    assert browser.value(names) == 4


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_never_wider_than_the_window(browser, width, scheme):
    browser.look(width, scheme)
    assert browser.value("document.documentElement.scrollWidth") <= width
