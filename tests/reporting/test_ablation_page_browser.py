"""How the page of ablations behaves in a browser."""

import re

import numpy as np
import pytest

from hipjsw.ablation.answers import answer
from hipjsw.ablation.read import read_sweeps
from hipjsw.reporting.ablation_page import write_ablation_page


@pytest.fixture(scope="module")
def path(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    sweeps = read_sweeps(made.make_runs_dir(folder / "runs"))
    write_ablation_page(folder / "report.html", sweeps, [answer(sweep) for sweep in sweeps])
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(path, open_browser):
    with open_browser(path) as browser:
        yield browser


SHOWN = """(() => { const pager = document.getElementById("ablation-loss-pager");
    const hips = [...pager.querySelectorAll("figure.hip")].filter((hip) => !hip.hidden);
    return [hips.map((hip) => hip.id), pager.querySelector(".place").textContent,
        ...[...pager.querySelectorAll("select")].map((one) => one.value)]; })()"""


def test_browser_loads_the_page_without_a_complaint_or_a_request(browser):
    assert browser.value("document.title") == "Ablations"
    assert browser.complaints() == []
    assert browser.asked() == []
    assert browser.value("getComputedStyle(document.querySelector('.overlay')).backgroundColor") == "rgb(0, 0, 0)"


def test_hips_are_paged_by_buttons_and_arrow_keys_and_stay_within_the_ends(browser, path):
    browser.visit(path.as_uri())
    assert browser.value(SHOWN) == [["ablation-loss-hip-0-0-1"], "1 of 6", "dice", "0"]
    browser.value("document.querySelector('#ablation-loss-pager [data-step=\"1\"]').click()")
    assert browser.value(SHOWN)[:2] == [["ablation-loss-hip-0-0-2"], "2 of 6"]
    browser.value("document.getElementById('ablation-loss-pager').focus()")
    for _ in range(9):
        browser.key("ArrowRight")
    assert browser.value(SHOWN)[:2] == [["ablation-loss-hip-0-0-6"], "6 of 6"]
    for _ in range(9):
        browser.key("ArrowLeft")
    assert browser.value(SHOWN)[:2] == [["ablation-loss-hip-0-0-1"], "1 of 6"]
    assert browser.complaints() == []


def test_another_arm_offers_its_own_seeds_and_a_link_leads_to_its_hip(browser, path):
    browser.visit(path.as_uri())
    choose = "(one) => { one.value = '%s'; one.dispatchEvent(new Event('change', {bubbles: true})); }"
    arm, seed = (f"document.querySelector('#ablation-loss-pager [data-pick={name}]')" for name in ("arm", "seed"))
    browser.value(f"({choose % 2})({seed})")
    assert browser.value(SHOWN)[2:] == ["dice", "2"]
    browser.value(f"({choose % 'ce'})({arm})")
    assert browser.value(f"[...{seed}.options].map((one) => one.value)") == ["0", "1"]
    assert browser.value(SHOWN) == [["ablation-loss-hip-2-0-1"], "1 of 6", "ce", "0"]
    browser.value("location.hash = 'ablation-loss-hip-1-1-3'; new Promise((done) => setTimeout(done, 50))")
    assert browser.value(SHOWN) == [["ablation-loss-hip-1-1-3"], "3 of 6", "dicece", "1"]
    assert browser.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 800, 1280])
def test_page_is_never_wider_than_the_window_and_colours_follow_the_theme(width, scheme, browser, path):
    browser.visit(path.as_uri())
    browser.look(width, scheme)
    browser.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.value("document.documentElement.scrollWidth") <= width
    ink, paper = (
        browser.value(f"getComputedStyle(document.querySelector('{where}')).{what}")
        for where, what in (("svg.figure text", "fill"), ("body", "backgroundColor"))
    )
    dark = [_lightness(colour) for colour in (ink, paper)]
    assert (dark[0] > dark[1]) == (scheme == "dark")
    assert _contrast(*dark) > 4.5


def test_labels_of_diagrams_do_not_overlap(browser, path):
    browser.visit(path.as_uri())
    browser.look(1280, "light")
    overlaps = browser.value("""[...document.querySelectorAll("svg.figure")].flatMap((svg) => {
        const boxes = [...svg.querySelectorAll("text")].map((one) => [one.textContent, one.getBoundingClientRect()]);
        return boxes.flatMap(([a, p], n) => boxes.slice(n + 1).filter(([, q]) =>
            p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
            .map(([b]) => [a, b])); })""")
    assert overlaps == []


def _lightness(colour):
    """Relative luminance (WCAG 2.2)."""
    share = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
