"""ablations.html: what all ablations found, as one page that needs nothing but itself.

Labels and reasons come from files of any origin: everything is escaped, and the page's own policy lets no script but
its own run and nothing load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from hipjsw.ablation.result import AblationResult
from hipjsw.ablation.sweep import RunResult, Sweep
from hipjsw.reporting.ablation_numbers import measure_name, value_words
from hipjsw.reporting.ablation_section import arm_labels, section_markup, verdict_chip
from hipjsw.reporting.example_hips import show_examples
from hipjsw.reporting.example_shelf import ExampleShelf
from hipjsw.reporting.markup import counted_words, policy_hash, text, tile

__all__ = ["LARGEST_PAGE_BYTES", "write_ablation_page"]

#: No page is larger, whatever the sweeps.
LARGEST_PAGE_BYTES = 15_000_000
#: What pictures of hips and their words may take of it.
_MOST_PICTURE_BYTES = 12_500_000
#: Longest note, in characters, and longest text said of all runs.
_NOTE, _ABOUT = 4000, 300
#: The page shares colours, tables and tiles with the page of findings.
_STYLES = ("findings_page", "ablation_page")
_ABOUT_NAMES = {"data": "data", "device": "machine", "version": "hipjsw", "commit": "commit"}


def write_ablation_page(path: Path, sweeps: Sequence[Sweep], results: Sequence[AblationResult], note: str = "") -> None:
    """Write the page; the same for the same input, and smaller than ``LARGEST_PAGE_BYTES``.

    Args:
        path: HTML file to write; its folder is made.
        sweeps: The ablations' runs.
        results: What each found, in the same order.
        note: Said at the top, e.g. how to send offline runs to W&B; lines that begin with four spaces are commands.

    Raises:
        ValueError: Results that are not of these sweeps.
    """
    records = [sweep.record for sweep in sweeps]
    if records != [result.record for result in results] or len(set(records)) != len(records):
        raise ValueError(
            f"results must be of the sweeps, each once and in their order; got sweeps {', '.join(records)} and results "
            f"{', '.join(result.record for result in results)}"
        )
    shelf = ExampleShelf(_MOST_PICTURE_BYTES)
    examples = show_examples(sweeps, shelf)
    names = _ids(records)
    parts = [*_top(sweeps, results, names, note)]
    for sweep, result, shown, name in zip(sweeps, results, examples, names, strict=True):
        parts += section_markup(sweep, result, shown, name)
    _write(path, [shelf.markup(), *parts])


def _write(path: Path, parts: Sequence[str]) -> None:
    own = files("hipjsw.reporting")
    style = "".join(own.joinpath(f"{name}.css").read_text("utf-8") for name in _STYLES)
    script = own.joinpath("ablation_page.js").read_text("utf-8")
    policy = f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'"
    page = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Ablations</title>',
        f"<style>{style}</style>\n</head>\n<body>\n<main>",
        *parts,
        f"</main>\n<script>{script}</script>\n</body>\n</html>\n",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(page), encoding="utf-8", newline="\n")


def _ids(records: Sequence[str]) -> list[str]:
    """An id for each record: its letters and digits, and its place where that says too little."""
    plain = [re.sub(r"[^a-z0-9]+", "-", record.lower()).strip("-") for record in records]
    return [
        f"ablation-{one}" if one and plain.count(one) == 1 else f"ablation-{n + 1}-of" for n, one in enumerate(plain)
    ]


def _top(sweeps: Sequence[Sweep], results: Sequence[AblationResult], names: Sequence[str], note: str) -> Iterable[str]:
    yield "<h1>Ablations</h1>"
    if not results:
        yield "<p>No ablation was recorded.</p>"
        return
    yield '<nav aria-label="Ablations"><ul class="contents">'
    yield from (
        f'<li><a href="#{name}">{text(one.design.title)}</a></li>' for one, name in zip(results, names, strict=True)
    )
    yield "</ul></nav>"
    yield from _tiles(sweeps, results)
    yield from _about(results)
    yield '<h2 id="answers">Answers</h2>'
    for result, name in zip(results, names, strict=True):
        yield from _answer(result, name)
    yield from _note(note)


def _tiles(sweeps: Sequence[Sweep], results: Sequence[AblationResult]) -> Iterable[str]:
    """Runs by what became of them; a run that several ablations share counts once."""
    runs = {_key(sweep, run): run.status for sweep in sweeps for run in sweep.runs}
    count = {status: list(runs.values()).count(status) for status in ("done", "failed")}
    missing = sum(row.missing for result in results for row in result.arms if row.arm in _arms(result))
    hips = max(result.num_hips for result in results)
    persons = max(result.num_persons for result in results)
    yield '<dl class="tiles">'
    yield tile("ablations", len(results), counted_words(sum(len(r.design.arms) for r in results), "arm"))
    yield tile("runs done", count["done"], "each counted once")
    yield tile(
        "runs failed", count["failed"], "named below" if count["failed"] else "none", _kind("error", count["failed"])
    )
    yield tile("runs missing", missing, "not made yet" if missing else "none", _kind("warning", missing))
    yield tile("test hips", hips, f"of {counted_words(persons, 'person')}, at most")
    yield "</dl>"


def _arms(result: AblationResult) -> set[str]:
    return {arm.name for arm in result.design.arms}


def _kind(kind: str, count: int) -> str:
    return kind if count else ""


def _key(sweep: Sweep, run: RunResult) -> tuple[str, ...]:
    return (str(run.folder),) if run.folder is not None else (sweep.record, run.arm, str(run.seed))


def _about(results: Sequence[AblationResult]) -> Iterable[str]:
    """What is said of all runs, each thing once."""
    said: dict[str, list[str]] = {}
    for result in results:
        for name, words in {"scale": result.scale, **result.about}.items():
            if name in (*_ABOUT_NAMES, "scale"):
                said.setdefault(name, []).append(words)
    names = {"scale": "scale"} | _ABOUT_NAMES
    rows = ((names[name], "; ".join(dict.fromkeys(said[name]))) for name in names if name in said)
    said_rows = (f"<div><dt>{name}</dt><dd>{text(words, _ABOUT)}</dd></div>" for name, words in rows)
    yield f'<dl class="about">{"".join(said_rows)}</dl>'


def _answer(result: AblationResult, name: str) -> Iterable[str]:
    yield f'<article class="answer"><h3><a href="#{name}">{text(result.design.title)}</a></h3>'
    yield f'<p class="question">{text(result.design.question)}</p><ul>'
    for one in result.verdicts:
        whose = "" if one.of_study else ' <span class="soft">(not the study\'s)</span>'
        words = f'<p class="words">{text(one.words, 600)}</p>'
        yield f"<li>{verdict_chip(one)}<div><p>{text(one.claim)}{whose}</p>{words}</div></li>"
    if not result.verdicts:
        yield f'<li><span class="chip none">measured</span><div><p>{_values(result, arm_labels(result))}</p></div></li>'
    yield "</ul></article>"


def _values(result: AblationResult, labels: Mapping[str, str]) -> str:
    """The first measure of every arm, for an ablation that claims nothing."""
    measure = result.design.measure
    rows = [(row.arm, row.cells.get(measure)) for row in result.arms]
    values = (f"{text(labels[arm])} {value_words(measure, cell.value if cell else None)}" for arm, cell in rows)
    return f"{text(measure_name(measure))}: {', '.join(values)}."


def _note(note: str) -> Iterable[str]:
    lines = note[:_NOTE].splitlines()
    if not any(line.strip() for line in lines):
        return
    yield '<div class="note-box">'
    for line in lines:
        if line.strip():
            shown = text(line.strip(), _NOTE)
            yield f'<pre tabindex="0">{shown}</pre>' if line.startswith("    ") else f"<p>{shown}</p>"
    yield "</div>"
