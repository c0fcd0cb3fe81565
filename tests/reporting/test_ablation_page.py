"""The page of ablations: what is on it and what cannot get into it."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from hipjsw.ablation.answers import answer
from hipjsw.ablation.design import Arm
from hipjsw.ablation.read import read_sweeps
from hipjsw.ablation.result import Verdict
from hipjsw.ablation.sweep import RunResult
from hipjsw.reporting import ablation_page
from hipjsw.reporting.ablation_numbers import cell_interval, difference_interval, probability, value_words
from hipjsw.reporting.ablation_page import LARGEST_PAGE_BYTES, write_ablation_page
from hipjsw.reporting.markup import policy_hash

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=y>&amp; ü漢字\u202e\x1b"
NOTE = "Three runs wait:\n\n    wandb sync <runs>/*\n"


@pytest.fixture(scope="module")
def sweeps(made, tmp_path_factory):
    return read_sweeps(made.make_runs_dir(tmp_path_factory.mktemp("page") / "runs"))


@pytest.fixture(scope="module")
def results(sweeps):
    return [answer(sweep) for sweep in sweeps]


@pytest.fixture(scope="module")
def path(sweeps, results, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "deep" / "report.html"
    write_ablation_page(path, sweeps, results, NOTE)
    return path


@pytest.fixture(scope="module")
def page(path, read_page):
    return read_page(path, " ")


def by_record(several, record):
    return next(one for one in several if one.record == record)


def test_every_number_of_every_result_is_on_the_page(page, results):
    numbers = []
    for result in results:
        for row in result.arms:
            for name, cell in row.cells.items():
                numbers += [value_words(name, cell.value), cell_interval(name, cell), f"n = {cell.num}"]
        for row in result.differences:
            numbers += [value_words(row.measure, row.value, True), difference_interval(row)]
            numbers += [probability(row.p), probability(row.p_holm)]
    assert len(numbers) > 300
    assert [number for number in numbers if number not in page.text] == []


def test_answers_come_first_with_the_verdict_of_every_finding(page, results):
    answers = page.source[: page.source.index("<section")]
    for verdict in (verdict for result in results for verdict in result.verdicts):
        assert verdict.verdict in answers
    said = page.text[: page.text.index("Numbers are means")]
    for result in results:
        assert result.design.question in said
        for verdict in result.verdicts:
            assert " ".join(verdict.words.split()) in said
    chips = re.findall(r'<span class="chip (\w+)">([\w ]+)</span>', answers)
    assert {words: kind for kind, words in chips}.items() <= {
        ("holds", "good"), ("refuted", "error"), ("not settled", "warning"), ("not run", "none"), ("measured", "none")
    }  # fmt: skip
    assert len(chips) == sum(max(len(result.verdicts), 1) for result in results)


def test_tiles_count_a_run_once_that_two_ablations_share(page, sweeps):
    tiles = dict(re.findall(r"<dt>(.*?)</dt><dd class=\"number\">(.*?)</dd>", page.source))
    asked = [run for sweep in sweeps for run in sweep.runs if run.status == "done"]
    folders = {run.folder for run in asked}
    assert len(folders) < len(asked)
    assert (tiles["ablations"], tiles["runs done"], tiles["runs failed"]) == ("3", str(len(folders)), "2")
    assert tiles["runs missing"] == "1"
    assert tiles["test hips"] == "40"


def test_failed_runs_are_named_with_their_reason_once_and_missing_ones_counted(page, made):
    shown = page.text.count(made.REASON)
    assert shown == 1
    assert f"CE , seed 2: {made.REASON}" in page.text
    assert "the job ended with code 137" in page.text
    assert "Dice+CE : 1 run not made yet" in page.text


def test_table_has_the_study_beside_ours_and_budgets_beside_the_studys(page, sweeps):
    rows = re.findall(r"<tr>(.*?)</tr>", page.source)
    row = next(row for row in rows if "<strong>Dice+CE</strong>" in row)
    cells = dict(re.findall(r'<td data-label="([^"]*)"[^>]*>(.*?)</td>', row))
    assert cells["study&#x27;s Dice"] == "0.8790"
    assert "study 4,000" in cells["steps"]
    assert "study 460" in cells["train hips"]
    assert cells["a run takes"] == "36 s"
    assert "2 done" in cells["runs"]
    assert "1&nbsp;missing" in cells["runs"]
    assert "p" in cells["difference"]


def test_page_needs_nothing_but_itself_and_its_policy_admits_nothing_else(page):
    assert not page.all("link")
    names = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    references = [a[key] for _, a in page.elements for key in ("src", "href", "xlink:href") if key in a]
    assert references
    for reference in references:
        assert reference.startswith("data:image/png;base64,") or reference[1:] in names, reference[:60]
    assert not re.search(r"https?:|url\(|@import|fetch|XMLHttp|innerHTML|eval\(", page.source)
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    style, script = (re.search(f"<{tag}>(.*?)</{tag}>", page.source, re.DOTALL)[1] for tag in ("style", "script"))
    assert policy == (
        f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'"
    )
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_ids_are_unique_and_the_contents_lead_to_every_section(page, results):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(page.all("section")) == len(results)
    assert {a["aria-labelledby"] for a in page.all("section")} <= set(ids)


def test_every_picture_decodes_and_is_said_in_words(page):
    pictures = [a["href"] for a in page.all("image")]
    assert len(pictures) > 20
    for picture in pictures:
        png = base64.b64decode(picture.removeprefix("data:image/png;base64,"), validate=True)
        assert cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED).shape[:2] == (64, 64)
    shown = [a for a in page.all("svg") if "aria-hidden" not in a]
    assert len(shown) > 50
    assert all(a["role"] == "img" and a["aria-label"] for a in shown)


def test_no_text_of_any_origin_becomes_markup(read_page, sweeps, results, tmp_path):
    sweep, result = by_record(sweeps, "loss"), by_record(results, "loss")
    plain = read_page(_written(tmp_path / "plain.html", [sweep], [result]))
    arms = tuple(replace(arm, label=f"{EVIL}{n}") for n, arm in enumerate(sweep.design.arms))
    design = replace(sweep.design, title=EVIL, question=EVIL, arms=arms)
    rows = tuple(replace(row, reasons=tuple(EVIL for _ in row.reasons)) for row in result.arms)
    evil = replace(
        result,
        design=design,
        arms=rows,
        options=(EVIL,),
        verdicts=tuple(Verdict(EVIL, v.of_study, v.verdict, EVIL) for v in result.verdicts),
        about=dict.fromkeys(result.about, EVIL),
    )
    hips = [run.hips.assign(reason=EVIL) for run in sweep.runs if run.status == "done"]
    runs = tuple(replace(run, hips=hips.pop(0)) if run.status == "done" else run for run in sweep.runs)
    other = read_page(_written(tmp_path / "evil.html", [replace(sweep, design=design, runs=runs)], [evil], EVIL))
    kinds = ("script", "style", "img", "iframe", "form", "section", "image", "figure")
    assert [len(other.all(kind)) for kind in kinds] == [len(plain.all(kind)) for kind in kinds]
    assert not [name for _, attributes in other.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in other.text


def test_records_of_any_name_give_ids_that_differ(read_page, sweeps, results, tmp_path):
    sweep, result = by_record(sweeps, "loss"), by_record(results, "loss")
    names = ["loss 1", "loss-1", "漢字", "a b"]
    bare = replace(sweep, runs=tuple(replace(run, folder=None) for run in sweep.runs))
    several = [replace(bare, record=name) for name in names], [replace(result, record=name) for name in names]
    page = read_page(_written(tmp_path / "page.html", *several))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in ids)


def test_same_input_gives_the_same_bytes(path, sweeps, results, tmp_path):
    assert _written(tmp_path / "again.html", sweeps, results, NOTE).read_bytes() == path.read_bytes()


def test_nothing_says_where_runs_lie_or_whose_the_hips_are(page, sweeps):
    folders = {str(run.folder.parent) for sweep in sweeps for run in sweep.runs if run.folder}
    persons = {p for sweep in sweeps for run in sweep.runs if len(run.hips) for p in run.hips["person"]}
    assert persons
    assert [secret for secret in folders | persons if secret in page.source] == []


def test_note_stands_at_the_top_with_its_commands_apart(page):
    assert "Three runs wait:" in page.text
    assert page.text.index("Three runs wait:") < page.text.index("Numbers are means")
    assert '<pre tabindex="0">wandb sync &lt;runs&gt;/*</pre>' in page.source


def test_a_page_without_a_note_or_ablations_is_a_page_too(read_page, tmp_path):
    page = read_page(_written(tmp_path / "page.html", [], []))
    assert "No ablation was recorded" in page.text
    assert "note-box" not in re.sub(r"<style>.*?</style>", "", page.source, flags=re.DOTALL)


def test_an_ablation_without_a_finished_run_says_so(read_page, sweeps, tmp_path):
    sweep = by_record(sweeps, "loss")
    runs = tuple(RunResult(run.arm, run.seed, "missing") for run in sweep.runs)
    bare = replace(sweep, runs=runs)
    page = read_page(_written(tmp_path / "page.html", [bare], [answer(bare)]))
    for words in ("No run is finished", "No run has validated yet", "No width was measured", "No run kept hips"):
        assert words in page.text
    assert page.text.count("3 missing") == 3


def test_an_ablation_that_claims_nothing_says_what_was_measured(page, results):
    folds = by_record(results, "cross_validation")
    pooled = folds.row("pooled").cells["dice"]
    assert folds.verdicts == ()
    assert f"Dice: all folds {value_words('dice', pooled.value)}, Fold 0" in page.text


def test_table_5_is_there_for_the_final_model_and_only_there(read_page, sweeps, results, page, tmp_path):
    sweep, result = by_record(sweeps, "loss"), by_record(results, "loss")
    design = replace(sweep.design, name="final")
    final = read_page(
        _written(tmp_path / "page.html", [replace(sweep, design=design)], [replace(result, design=design)])
    )
    means = [run.metrics["test/table5/as_printed_mean"] for run in sweep.of("dice")]
    for words in ("0.0763", "0.0874", f"{np.mean(means):.4f}"):
        assert words in final.text
    assert "0.0763" not in page.text


@pytest.mark.parametrize("wrong", ["order", "twice", "fewer"])
def test_results_of_other_sweeps_are_refused(wrong, sweeps, results, tmp_path):
    several = {"order": (sweeps, results[::-1]), "twice": (sweeps[:1] * 2, results[:1] * 2)}
    with pytest.raises(ValueError, match="results must be of the sweeps"):
        write_ablation_page(tmp_path / "page.html", *several.get(wrong, (sweeps, results[:-1])))
    assert not (tmp_path / "page.html").exists()


def test_page_stays_small_however_many_large_pictures_runs_keep(read_page, made, tmp_path):
    """Four arms of three seeds, each with 20 hips of 256 pixels that no other run shares."""
    rng = np.random.default_rng(0)
    runs_dir = made.make_runs_dir(tmp_path / "runs")
    sweep = by_record(read_sweeps(runs_dir), "loss")
    first = sweep.of("dice")[0]
    arms = tuple(Arm(f"a{n}", f"Arm {n}", ()) for n in range(4))
    runs = []
    for arm in arms:
        for seed in range(3):
            folder = tmp_path / f"{arm.name}-{seed}"
            folder.mkdir()
            np.savez(
                folder / "examples.npz",
                hip_id=np.array([f"h{n:02d}" for n in range(20)]),
                kind=np.array(["worst"] * 12 + ["shared"] * 8),
                image=rng.integers(0, 256, (20, 256, 256), dtype=np.uint8),
                probs=np.zeros((20, 3, 256, 256), np.uint8),
                label=np.zeros((20, 3, 256, 256), np.uint8),
                witness_px=np.full((20, 2, 2), np.nan, np.float32),
                pixel_mm=np.float32(0.4),
            )
            runs.append(replace(first, arm=arm.name, seed=seed, folder=folder))
    design = replace(sweep.design, arms=arms, reference="a0", findings=())
    big = replace(sweep, design=design, runs=tuple(runs))
    result = replace(answer(sweep), design=design, verdicts=(), differences=())
    rows = tuple(replace(result.arms[0], arm=arm.name) for arm in arms)
    written = _written(tmp_path / "page.html", [big], [replace(result, arms=rows)])
    page = read_page(written)
    assert 0.5 * LARGEST_PAGE_BYTES < written.stat().st_size < LARGEST_PAGE_BYTES
    assert re.search(r"\d+ of 240 kept hips are on the page", page.text)


def _written(path, sweeps, results, note=""):
    write_ablation_page(path, sweeps, results, note)
    return path


def test_unread_examples_leave_the_rest_of_the_page(read_page, made, tmp_path):
    sweep = by_record(read_sweeps(made.make_runs_dir(tmp_path / "runs")), "loss")
    sweep.of("dice")[0].examples.write_bytes(b"PK damaged")
    page = read_page(_written(tmp_path / "page.html", [sweep], [answer(sweep)]))
    assert "The examples of Dice, seed 0, cannot be read" in page.text
    assert "ablation-loss-hip-0-1-1" in page.source


def test_styles_and_script_are_part_of_the_package():
    folder = Path(ablation_page.__file__).parent
    assert {"ablation_page.css", "ablation_page.js", "findings_page.css"} <= {p.name for p in folder.iterdir()}
    assert pd.Series([len((folder / f"ablation_page.{kind}").read_text()) for kind in ("css", "js")]).min() > 1000
