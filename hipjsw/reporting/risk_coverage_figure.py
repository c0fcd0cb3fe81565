"""Whether a hip's quality and interval say how wrong its width is.

Error among the best hips over how many are kept (El-Yaniv and Wiener 2010, JMLR 11:1605-41); how often intervals hold
the reference; errors over the intervals' widths.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from hipjsw.reporting.style import COLOURS, NEUTRAL, REFERENCE, plain_axes, save

__all__ = ["draw_risk_coverage"]

PANEL_INCH = 4.3
#: Width and height of a figure of one panel.
SINGLE_SIZE = (7.0, 4.5)
#: The share that is marked by default where hips are kept.
MARKED_COVERAGE = 0.9
_IDENTITY: dict[str, Any] = {"color": "0.4", "lw": 1.2, "zorder": 1.2}

Floats = NDArray[np.float64]


def draw_risk_coverage(
    coverage: ArrayLike,
    mae_mm: ArrayLike,
    path: Path,
    *,
    p95_mm: ArrayLike | None = None,
    nominal: ArrayLike | None = None,
    actual: ArrayLike | None = None,
    actual_interval: ArrayLike | None = None,
    width_mm: ArrayLike | None = None,
    error_mm: ArrayLike | None = None,
    num_hips: int | None = None,
    num_left_out: int = 0,
) -> Path:
    """Draw the risk-coverage curve and, where given, the intervals' calibration and their widths against errors.

    Args:
        coverage: ``(k,)`` share of hips kept, best quality first, rising to 1.
        mae_mm: ``(k,)`` mean absolute error of those.
        path: What to write, in the format of its suffix (``style.save``).
        p95_mm: ``(k,)`` 95th percentile of their absolute error.
        nominal: ``(j,)`` shares that intervals are to hold, e.g. 0.5, 0.8, 0.95.
        actual: ``(j,)`` shares that do.
        actual_interval: ``(2, j)`` 95 % interval of each of these.
        width_mm: ``(n,)`` width of each hip's interval; NaN where it has none.
        error_mm: ``(n,)`` its error, with or without sign; NaN where unknown.
        num_hips: Hips of the curve, for the title.
        num_left_out: Hips without a width, which no coverage counts.

    Returns:
        The path. A curve of no places is an empty panel that says so; hips with a NaN are left out and counted.

    Raises:
        ValueError: Arrays that belong together of several lengths, or one of a pair without the other.
    """
    shares, curves = _curves(coverage, mae_mm, p95_mm)
    panels: list[Callable[[Axes], None]] = [partial(_draw_risk, shares=shares, curves=curves)]
    if _both("nominal", nominal, "actual", actual):
        panels.append(partial(_draw_calibration, said=_row(nominal), held=_row(actual), interval=actual_interval))
    elif actual_interval is not None:
        raise ValueError("actual_interval needs nominal and actual")
    if _both("width_mm", width_mm, "error_mm", error_mm):
        panels.append(partial(_draw_widths, width=_row(width_mm), error=np.abs(_row(error_mm))))
    size = SINGLE_SIZE if len(panels) == 1 else (PANEL_INCH * len(panels), SINGLE_SIZE[1])
    figure = Figure(figsize=size, layout="constrained")
    for axes, draw in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes)
    figure.suptitle(_title(num_hips, num_left_out), fontsize=13)
    return save(figure, path)


def _title(num_hips: int | None, num_left_out: int) -> str:
    counts = [] if num_hips is None else [f"{num_hips} hip{'s' * (num_hips != 1)}"]
    counts += [f"{num_left_out} left out for want of a width"] if num_left_out else []
    return "Quality and intervals of the mJSW" + (f": {', '.join(counts)}" if counts else "")


def _row(values: ArrayLike | None) -> Floats:
    return np.asarray([] if values is None else values, dtype=np.float64).ravel()


def _both(name: str, values: ArrayLike | None, other: str, others: ArrayLike | None) -> bool:
    """Whether both of a pair are given."""
    if (values is None) != (others is None):
        raise ValueError(f"{name} and {other} belong together; give both or neither")
    if values is not None and np.size(values) != np.size(_row(others)):
        raise ValueError(f"{name} and {other} belong together; got {np.size(values)} and {np.size(_row(others))}")
    return values is not None


def _curves(coverage: ArrayLike, mae_mm: ArrayLike, p95_mm: ArrayLike | None) -> tuple[Floats, dict[str, Floats]]:
    """Coverage, and the curves over it by name."""
    curves = {"mean": _row(mae_mm)} | ({} if p95_mm is None else {"95th percentile": _row(p95_mm)})
    shares = _row(coverage)
    lengths = {len(shares), *(len(curve) for curve in curves.values())}
    if len(lengths) > 1:
        raise ValueError(f"coverage, mae_mm and p95_mm are of the same places; got lengths {sorted(lengths)}")
    return shares, curves


def _draw_risk(axes: Axes, shares: Floats, curves: dict[str, Floats]) -> None:
    """Errors over the share of hips kept; their values where all and where most are kept."""
    plain_axes(axes, "hips kept, best quality first (%)", "absolute error (mm)", "Error among the best hips")
    axes.set_xlim(0, 100)
    if len(shares) == 0:
        axes.text(50, 0.5, "no hips", transform=axes.get_xaxis_transform(), ha="center", color="0.4")
        return
    styles = {"mean": (NEUTRAL, "-"), "95th percentile": (COLOURS["acetabulum"], "--")}
    marked = sorted({int(np.searchsorted(shares, MARKED_COVERAGE - 1e-12)), len(shares) - 1} - {len(shares)})
    for name, curve in curves.items():
        colour, dash = styles[name]
        axes.plot(100 * shares, curve, color=colour, ls=dash, lw=2.2, label=name)
        axes.plot(100 * shares[marked], curve[marked], "o", color=colour, ms=6, clip_on=False)
        for place in marked:
            at = (100 * shares[place], curve[place])
            style: Any = {"textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": 10}
            axes.annotate(f"{curve[place]:.2f}", at, xytext=(-2, 5), **style)
    axes.set_ylim(0, 1.25 * max(float(curve.max()) for curve in curves.values()) or 1.0)
    axes.legend(frameon=False, loc="upper left", ncols=2)


def _draw_calibration(axes: Axes, said: Floats, held: Floats, interval: ArrayLike | None) -> None:
    """Share of intervals that hold the reference over the share that is to; on the line where they keep their word."""
    plain_axes(axes, "intervals' level (%)", "intervals that hold the reference (%)", "Calibration")
    low, high = np.full(len(said), np.nan), np.full(len(said), np.nan)
    if interval is not None:
        bounds = np.asarray(interval, dtype=np.float64)
        if bounds.shape != (2, len(said)):
            raise ValueError(f"actual_interval is (2, {len(said)}), a lower and an upper row; got {bounds.shape}")
        low, high = bounds
        axes.vlines(100 * said, 100 * low, 100 * high, color=NEUTRAL, lw=2.0, alpha=0.6)
    values = np.concatenate([said, held, low, high])
    floor = 100 * float(np.min(values, initial=1.0, where=np.isfinite(values)))
    floor = max(0.0, 10 * np.floor((floor - 2.0) / 10))
    axes.plot([floor, 100], [floor, 100], label="ideal", **_IDENTITY)
    axes.plot(100 * said, 100 * held, "o-", color=NEUTRAL, lw=1.6, ms=7, clip_on=False)
    axes.set(xlim=(floor, 100), ylim=(floor, 100), aspect="equal")
    axes.legend(frameon=False, loc="upper left")


def _draw_widths(axes: Axes, width: Floats, error: Floats) -> None:
    """Each hip's error over half the width of its interval; above the line the error is the larger."""
    known = np.isfinite(width) & np.isfinite(error)
    half, error = width[known] / 2, error[known]
    out = int((~known).sum())
    title = "Error and interval" + (f" ({out} without)" if out else "")
    plain_axes(axes, "half the interval's width (mm)", "absolute error (mm)", title)
    if len(half) == 0:
        axes.text(0.5, 0.5, "no intervals", transform=axes.transAxes, ha="center", color="0.4")
        return
    size = float(np.clip(28 * np.sqrt(200 / len(half)), 8, 28))
    axes.scatter(half, error, s=size, color=NEUTRAL, alpha=0.55, edgecolors="none")
    right, top = 1.08 * max(float(half.max()), 0.1), 1.15 * max(float(error.max()), 0.1)
    beyond = float((error > half).mean())
    axes.plot([0, right], [0, right], color=REFERENCE, lw=1.6, label=f"{100 * beyond:.1f} % lie above")
    axes.set(xlim=(0, right), ylim=(0, top))
    axes.legend(frameon=False, loc="upper left")
