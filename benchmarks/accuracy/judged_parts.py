"""A trained network before planted failures and before hips that lose space."""

from __future__ import annotations

import numpy as np
from failures import GOOD, failures_part, refusal_table
from longitudinal import drawn_view, followed, followed_hips, longitudinal_part
from tables import Part
from trained import Trained

from hipjsw.anatomy.landmarks import Side
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable
from hipjsw.phantom.population import Person, Visit

__all__ = ["failures", "longitudinal"]


def failures(run: Trained, count: int, good: int, workers: int) -> Part:
    """Views that must be refused, and plain hips that must not."""
    measurer, inner, spec = run.measurer(), _inner(run), run.store.view

    def judge(image: np.ndarray) -> JointSpaceWidth | Unmeasurable:
        return measurer([image[inner]])[0]

    rows = refusal_table(judge, spec, count=count, good=good, workers=workers)
    for row in rows:
        print(f"  {row.kind}: {row.refused} of {row.num} refused", "(good)" if row.kind == GOOD else "")
    return failures_part(rows, spec, f"a trained network ({run.said})")


def longitudinal(run: Trained, persons: int) -> Part:
    """Hips with osteoarthritis at their first and last visit, and the first one again."""
    measurer, inner, spec = run.measurer(), _inner(run), run.store.view

    def measured(person: Person, side: Side, visit: Visit, retake: int) -> float | None:
        image, _, _ = drawn_view(person, side, visit, spec, retake=retake)
        found = measurer([image[inner]])[0]
        return found.mjsw_mm if isinstance(found, JointSpaceWidth) else None

    found = followed(
        followed_hips(persons), lambda *hip: measured(*hip, retake=0), lambda *hip: measured(*hip, retake=1)
    )
    if found is None:
        raise ValueError(f"fewer than two hips to follow among {persons} persons; give more with --persons")
    return longitudinal_part(found, f"a trained network ({run.said})")


def _inner(run: Trained) -> tuple[slice, slice]:
    view = run.store.view
    return slice(view.margin_px, view.margin_px + view.rows_px), slice(view.margin_px, view.margin_px + view.cols_px)
