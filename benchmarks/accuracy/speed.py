"""Milliseconds from probabilities to the full result, beside the study's estimator in the same run, on one core."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import cv2
import numpy as np
from ideal import SEED, hard_masks, laid_hip
from numpy.typing import NDArray
from tables import Part, Table

from hipjsw.jsw import contour
from hipjsw.jsw.contour import measure_probabilities
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.jsw.study import StudyWidth, study_width

__all__ = ["run"]

PIXEL_MM = 0.4
AIM_MS = 3.0
#: The functions that ``hipjsw.jsw.contour`` calls one after another, and what they do; one it lacks is left out.
PARTS = {"locate": "locate", "refined": "rays", "cast": "rays", "_trace": "trace", "measure_curves": "profile"}
WHOLE, STUDY, REST = "sub-pixel contour, whole", "study's estimator, from probabilities", "the rest"


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process to one core, where the system can do that."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        if allowed:
            os.sched_setaffinity(0, {max(allowed)})
        yield
    finally:
        cv2.setNumThreads(threads)
        if allowed:
            os.sched_setaffinity(0, allowed)


@contextmanager
def parts_timed(spent_s: dict[str, float]) -> Iterator[None]:
    """Meanwhile the parts of a measurement add to ``spent_s`` what they take."""
    kept = {name: getattr(contour, name) for name in PARTS if hasattr(contour, name)}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent_s[name] = spent_s.get(name, 0.0) + time.perf_counter() - start

        return call

    try:
        for name, function in kept.items():
            setattr(contour, name, timed(PARTS[name], function))
        yield
    finally:
        for name, function in kept.items():
            setattr(contour, name, function)


def _taken_ms(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return 1000.0 * (time.perf_counter() - start)


def _study(maps: NDArray[Any]) -> StudyWidth | Unmeasurable:
    return study_width(hard_masks(maps), PIXEL_MM)


def _split_ms(maps: NDArray[Any]) -> dict[str, float]:
    spent_s: dict[str, float] = {}
    with parts_timed(spent_s):
        whole = _taken_ms(partial(measure_probabilities, maps, PIXEL_MM))
    parts = {name: 1000.0 * spent for name, spent in spent_s.items()}
    return parts | {REST: whole - sum(parts.values())}


def run(hips: int = 40, repeats: int = 25) -> Part:
    """Time so many hips so often, all works in turn."""
    drawn = [laid_hip(index).maps(PIXEL_MM) for index in range(hips)]
    taken: dict[str, list[list[float]]] = {}
    with one_core():
        for nth in range(-1, repeats):  # the first round warms up
            for index, maps in enumerate(drawn):
                found = {WHOLE: _taken_ms(partial(measure_probabilities, maps, PIXEL_MM))}
                found[STUDY] = _taken_ms(partial(_study, maps))
                for name, ms in (found | _split_ms(maps)).items() if nth >= 0 else ():
                    taken.setdefault(name, [[] for _ in drawn])[index].append(ms)
    numbers = {name: _numbers(times) for name, times in taken.items()}
    ratio = {which: numbers[STUDY][which] / numbers[WHOLE][which] for which in ("least_ms", "median_ms")}
    side = drawn[0].shape[1]
    scale = (
        f"{hips} hips of {side}x{side} pixels of {PIXEL_MM} mm, seed {SEED}, {repeats} times each in turn, one core; "
        f"{os.getloadavg()[0]:.1f} processes wanted a core meanwhile."
    )
    return Part(
        "speed", scale, [_table(numbers, ratio)], {"hips": hips, "repeats": repeats, "ms": numbers, "ratio": ratio}
    )


def _numbers(times: list[list[float]]) -> dict[str, float]:
    """Each hip's least time and median over the repeats, averaged over the hips."""
    known = [of_hip for of_hip in times if of_hip]
    least, median = (float(np.mean([of(of_hip) for of_hip in known])) for of in (np.min, np.median))
    return {"least_ms": least, "median_ms": median}


def _table(numbers: dict[str, dict[str, float]], ratio: dict[str, float]) -> Table:
    parts = [name for name in (*dict.fromkeys(PARTS.values()), REST) if name in numbers]
    rows = [
        [shown, *[f"{numbers[name][which]:.2f}" for which in ("least_ms", "median_ms")]]
        for shown, name in [(WHOLE, WHOLE), *[(f"of it {name}", name) for name in parts], (STUDY, STUDY)]
    ]
    rows.append(["study's / contour", *[f"{ratio[which]:.2f}" for which in ("least_ms", "median_ms")]])
    met = "met" if numbers[WHOLE]["least_ms"] <= AIM_MS else "not met"
    caption = f"Milliseconds a hip; the aim, {AIM_MS:g} ms for the whole, is {met} (least of the repeats)."
    return Table(caption, ["work", "least of the repeats", "median of the repeats"], rows)
