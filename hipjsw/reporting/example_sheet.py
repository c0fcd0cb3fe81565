"""Test hips of an ablation to look at: at a glance, one after the other worst first, and the same hip by every arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hipjsw.ablation.words import number_words
from hipjsw.anatomy.labels import FOREGROUND
from hipjsw.reporting.example_hips import KINDS, ShownExamples, ShownHip
from hipjsw.reporting.markup import counted_words, number, text

__all__ = ["example_markup"]

#: What a hip's place among those kept is called.
_SAID = {"worst": "worst", "shared": "kept by every run"}
#: Colours of a picture's lines and of differences: class and meaning.
_KEY = {
    "femur": "predicted femur",
    "acetabulum": "predicted roof (acetabulum)",
    "joint_space": "predicted joint space",
    "true": "label",
    "least": "mJSW, the narrowest place",
    "warm": "in the prediction only",
    "cold": "in the label only",
}


def example_markup(examples: ShownExamples, labels: Mapping[str, str], name: str) -> Iterable[str]:
    """Pieces of a page: nothing but words where no run kept a hip.

    Args:
        examples: What is shown.
        labels: Label of every arm by name, in the order of the page; text of any origin.
        name: Beginning of ids, fit for one.
    """
    if not examples.hips:
        yield '<p class="soft">No run kept hips to look at.</p>'
        return
    key = "".join(f'<li class="{kind}">{words}</li>' for kind, words in _KEY.items())
    yield f'<ul class="key">{key}</ul>'
    yield from _glance(examples, labels)
    yield from _pager(examples, labels, name)
    yield from _strips(examples, labels)
    if len(examples.hips) < examples.num_kept:
        yield (
            f'<p class="soft">{number(len(examples.hips))} of {number(examples.num_kept)} kept hips are on the page, '
            "those of every arm's first seed first; the others are in each run's <code>examples.npz</code>.</p>"
        )
    for arm, seed in examples.unread:
        yield f'<p class="soft">The examples of {text(labels[arm])}, seed {seed}, cannot be read.</p>'


def _glance(examples: ShownExamples, labels: Mapping[str, str]) -> Iterable[str]:
    """The best shared hip and the worst one of each arm's first seed."""
    yield "<h4>Good and bad at a glance</h4>"
    yield '<p class="soft">The best of the hips that all runs keep, and the worst; the error is the mJSW\'s.</p>'
    yield '<ul class="glance">'
    for arm, label in labels.items():
        shared, worst = (examples.of(arm, kind) for kind in ("shared", "worst"))
        best = max(shared, key=lambda hip: -1.0 if hip.dice is None else hip.dice, default=None)
        pair = [(hip, what) for hip, what in ((best, "best"), (worst[0] if worst else None, "worst")) if hip]
        if pair:
            seed = pair[0][0].seed
            cards = "".join(_card(hip, f"{label}, {what}", what) for hip, what in pair)
            yield f'<li><p class="arm">{text(label)} <span class="soft">seed {seed}</span></p>'
            yield f'<div class="pair">{cards}</div></li>'
    yield "</ul>"


def _card(hip: ShownHip, words: str, head: str = "", whole: bool = True) -> str:
    """A small picture with the numbers below it."""
    said = f"<strong>{text(head)}</strong> " if head else ""
    error = "not measured" if hip.mjsw_mm is None else "error " + _mm(hip.error_mm, signed=True)
    box = hip.parts.whole if whole else hip.parts.joint
    return (
        f"<figure>{_overlay(hip, box, words)}"
        f"<figcaption>{said}<span>Dice {number_words(hip.dice, 3)}</span><span>{error}</span></figcaption></figure>"
    )


def _pager(examples: ShownExamples, labels: Mapping[str, str], name: str) -> Iterable[str]:
    """Every hip with its four pictures; all of them without a script, one at a time with it."""
    yield f'<h4 id="{name}-hips">Hip by hip, worst first</h4>'
    yield f'<div class="pager" role="group" aria-label="Test hips one after the other" tabindex="0" id="{name}-pager">'
    arms = [arm for arm in labels if any(hip.arm == arm for hip in examples.hips)]
    options = "".join(f'<option value="{text(arm)}">{text(labels[arm])}</option>' for arm in arms)
    yield (
        '<div class="controls" hidden>'
        f'<label>arm <select data-pick="arm">{options}</select></label>'
        '<label>seed <select data-pick="seed"></select></label>'
        '<span class="steps"><button type="button" data-step="-1">← previous</button>'
        '<span class="place" role="status"></span>'
        '<button type="button" data-step="1">next →</button></span></div>'
    )
    count: dict[tuple[str, int], int] = {}
    for hip in examples.hips:
        place = count[hip.arm, hip.seed] = count.get((hip.arm, hip.seed), 0) + 1
        yield _page(hip, labels[hip.arm], f"{name}-hip-{arms.index(hip.arm)}-{hip.seed}-{place}")
    yield "</div>"


def _page(hip: ShownHip, label: str, name: str) -> str:
    words = f"{label}, seed {hip.seed}, hip {hip.hip_id}"
    bones, joint = hip.parts.contrast
    pictures = (
        ("film view", _overlay(hip, hip.parts.whole, f"{words}: film view")),
        ("the joint", _overlay(hip, hip.parts.joint, f"{words}: the joint enlarged")),
        ("bones, difference", _contrast(hip, bones, hip.parts.whole, f"{words}: difference of the bones")),
        (
            "joint space, difference",
            _contrast(hip, joint, hip.parts.joint, f"{words}: difference of the joint space, enlarged"),
        ),
    )
    views = "".join(f'<div class="view">{svg}<p>{what}</p></div>' for what, svg in pictures)
    dices = zip(FOREGROUND, hip.dices, strict=True)
    numbers = {
        "mean Dice": number_words(hip.dice, 4),
        **{f"Dice, {part.replace('_', ' ')}": number_words(dice, 4) for part, dice in dices},
        "mJSW measured": text(hip.measured),
        "label's mJSW": _mm(hip.label_mm),
        "exact mJSW": _mm(hip.truth_mm),
        "error": _mm(hip.error_mm, signed=True),
    }
    said = "".join(f"<div><dt>{what}</dt><dd>{shown}</dd></div>" for what, shown in numbers.items())
    head = f"{text(label)}, seed {hip.seed}: hip <code>{text(hip.hip_id)}</code>"
    data = f'data-arm="{text(hip.arm)}" data-seed="{hip.seed}"'
    return (
        f'<figure class="hip" id="{name}" {data}><div class="views">{views}</div>'
        f'<figcaption>{head} <span class="soft">({_SAID[hip.kind]})</span>'
        f'<dl class="numbers">{said}</dl></figcaption></figure>'
    )


def _strips(examples: ShownExamples, labels: Mapping[str, str]) -> Iterable[str]:
    """The shared hips by every arm's first seed; nothing where arms share none."""
    by_hip: dict[str, dict[str, ShownHip]] = {}
    for arm in labels:
        for hip in examples.of(arm, KINDS[1]):
            by_hip.setdefault(hip.hip_id, {})[arm] = hip
    several = {hip_id: found for hip_id, found in by_hip.items() if len(found) > 1}
    if not several:
        return
    yield "<h4>The same hip by every arm</h4>"
    yield (
        f'<p class="soft">{counted_words(len(several), "hip")} that every run keeps, chosen without looking at '
        "results; each arm's first seed, the joint enlarged.</p>"
    )
    yield '<div class="sames">'
    yield from (_strip(hip_id, found, labels) for hip_id, found in several.items())
    yield "</div>"


def _strip(hip_id: str, found: Mapping[str, ShownHip], labels: Mapping[str, str]) -> str:
    first = next(iter(found.values()))
    known = f"label {_mm(first.label_mm)}, exact {_mm(first.truth_mm)}"
    cards = "".join(
        f"<li>{_card(found[arm], f'{label}, hip {hip_id}', label, whole=False)}</li>" if arm in found else ""
        for arm, label in labels.items()
    )
    return f'<div class="same"><p>hip <code>{text(hip_id)}</code>: {known}</p><ul>{cards}</ul></div>'


def _overlay(hip: ShownHip, box: str, words: str) -> str:
    return _picture("overlay", box, words, (hip.parts.image, hip.parts.label, hip.parts.predicted))


def _contrast(hip: ShownHip, contrast: str, box: str, words: str) -> str:
    return _picture("contrast", box, words, (contrast, hip.parts.label))


def _picture(kind: str, box: str, words: str, parts: Sequence[str]) -> str:
    uses = "".join(f'<use href="#{part}"/>' for part in parts)
    return f'<svg class="{kind}" viewBox="{box}" role="img" aria-label="{text(words)}">{uses}</svg>'


def _mm(value: float | None, signed: bool = False) -> str:
    return number_words(value, 2, "mm", signed)
