"""What is measured on a film to compare phantoms with real ones; lengths in head radii, grey in shares of the range.

The range of a film is its 5th to 95th percentile in the box round both hips, so exposure and windowing drop out.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from films import Picture, rectified
from marks import MarkedHip
from numpy.typing import NDArray

__all__ = ["PATCHES", "PLACES", "best_steps", "edge_width", "film_figures", "grey_range", "power_bands", "profiles"]

#: Pixels per head radius of everything that is measured; finer than any of the films.
PER_RADIUS = 50
WINDOW = (-4.2, 3.6, -2.6, 3.2)
#: How far from a margin both sides are looked at, and how far a margin is searched, in head radii.
NEAR, REACH = 0.06, 0.10
#: Bands of spatial frequency in cycles per head radius; with a radius of 27.5 mm: 27-9, 9-4.6 and 4.6-2.3 mm.
BANDS = {"coarse": (1.0, 3.0), "middle": (3.0, 6.0), "fine": (6.0, 12.0)}
#: Where grey levels are read: row, column (medially) and radius of a disc.
PLACES = {
    "head": (0.0, 0.0, 0.30),
    "head_lateral": (-0.25, -0.70, 0.12),
    "head_medial": (-0.10, 0.65, 0.15),
    "above_roof": (-1.60, 0.00, 0.15),
    "wing_low": (-2.40, 0.00, 0.30),
    "wing": (-3.40, -0.30, 0.35),
    "inlet": (-0.60, 2.40, 0.35),
    "neck": (0.50, -1.00, 0.15),
    "trochanter": (0.95, -1.80, 0.20),
    "lateral_soft": (-0.90, -1.90, 0.25),
    "thigh_soft": (3.00, 0.70, 0.25),
}
#: Squares whose texture is analysed: row, column, side.
PATCHES = {
    "head": (0.0, 0.0, 1.2),
    "ilium": (-2.2, 0.0, 1.0),
    "femur": (1.6, -1.45, 0.8),
    "thigh": (2.9, 0.7, 1.0),
}
ARCS = {"upper": (-25.0, 30.0), "lateral": (-75.0, -40.0), "medial": (42.0, 75.0)}

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


def grey_range(picture: Picture, pixels: Image) -> tuple[Floats, float, float]:
    """Pixels in the box round both hips, and their 5th and 95th percentile."""
    corners = np.concatenate([hip.to_px(np.array([[-4.0, -2.2], [3.0, 1.0]])) for hip in picture.hips])
    low = np.clip(corners.min(axis=0).astype(int), 0, None)
    high = corners.max(axis=0).astype(int)
    box = pixels[low[0] : high[0], low[1] : high[1]].ravel().astype(np.float64)
    p5, p95 = np.percentile(box, (5, 95))
    return box, float(p5), float(p95)


def profiles(pixels: Image, hip: MarkedHip, margin: Floats, reach: float = 0.25) -> tuple[Floats, Floats]:
    """Grey across a margin given in head radii.

    Returns:
        Distances ``(m,)`` from the margin in head radii, positive away from the head's centre, and grey ``(n, m)``.
    """
    distance = np.arange(-reach, reach + 1e-9, 0.005)
    radius = np.linalg.norm(margin, axis=1, keepdims=True)
    places = margin[:, None] / radius[:, None] * (radius[:, None] + distance[None, :, None])
    at = hip.to_px(places).astype(np.float32)
    grey = cv2.remap(pixels, at[..., 1], at[..., 0], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return distance, np.asarray(grey, dtype=np.float64)


def best_steps(distance: Floats, grey: Floats, sign: float, reach: float = REACH) -> tuple[Floats, Floats]:
    """The largest step of grey within ``reach`` of a margin on each profile.

    Args:
        distance: ``(m,)`` distances from the margin.
        grey: ``(n, m)`` grey.
        sign: +1 if it should be brighter farther out, -1 if nearer to the centre.
        reach: How far from the margin to search; 0 for the margin as it is.

    Returns:
        Steps ``(n,)``, mean grey on one side less mean grey on the other, each within `NEAR`, and their places.
    """
    offsets = np.arange(-reach, reach + 1e-9, 0.01)
    steps = []
    for offset in offsets:
        outer = (distance > offset) & (distance <= offset + NEAR)
        inner = (distance < offset) & (distance >= offset - NEAR)
        steps.append(sign * (grey[:, outer].mean(axis=1) - grey[:, inner].mean(axis=1)))
    table = np.array(steps)
    best = table.argmax(axis=0)
    return table[best, np.arange(table.shape[1])], offsets[best]


def edge_width(distance: Floats, grey: Floats, steps: Floats, places: Floats, sign: float) -> float:
    """Median width of an edge: its step over its steepest slope, in head radii."""
    slope = sign * np.gradient(grey, distance, axis=1)
    near = np.abs(distance[None] - places[:, None]) <= NEAR
    steepest = np.where(near, slope, 0.0).max(axis=1)
    return float(np.median(np.maximum(steps, 0.0) / np.maximum(steepest, 1e-9)))


def power_bands(patch: NDArray[np.floating], per_radius: float) -> dict[str, float]:
    """Texture of a square patch: RMS in each of `BANDS`, share of the finest, and slope of the radial power spectrum.

    A plane is taken off and a Hann window put on; the window's own loss of power is made good, so white noise of
    variance ``v`` has the power ``v`` over all frequencies.
    """
    rows, cols = np.meshgrid(*(np.linspace(-1, 1, n) for n in patch.shape), indexing="ij")
    design = np.column_stack([np.ones(patch.size), rows.ravel(), cols.ravel()])
    values = patch.ravel().astype(np.float64)
    flat = (values - design @ np.linalg.lstsq(design, values, rcond=None)[0]).reshape(patch.shape)
    window = np.outer(*(np.hanning(n) for n in patch.shape))
    spectrum = np.abs(np.fft.fft2(flat * window)) ** 2 / (window**2).sum() / patch.size
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, 1 / per_radius) for n in patch.shape), indexing="ij"))
    power = {
        name: float(spectrum[(frequency >= low) & (frequency < high)].sum()) for name, (low, high) in BANDS.items()
    }
    edges = np.geomspace(1.5, 12.0, 10)
    rings = [spectrum[(frequency >= a) & (frequency < b)] for a, b in pairwise(edges)]
    known = [(np.sqrt(a * b), ring.mean()) for (a, b), ring in zip(pairwise(edges), rings, strict=True) if ring.size]
    slope = float(np.polyfit(*np.log(np.array(known).T + 1e-30), 1)[0])
    figures = {f"rms_{name}": float(np.sqrt(value)) for name, value in power.items()}
    return figures | {"fine_share": power["fine"] / max(sum(power.values()), 1e-30), "slope": slope}


def _margin_figures(pixels: Image, hip: MarkedHip, low: float, span: float) -> dict[str, float]:
    figures = {}
    for name, (first, last) in ARCS.items():
        angle = np.deg2rad(np.arange(first, last + 0.1, 1.0))
        distance, grey = profiles(pixels, hip, np.column_stack([-np.cos(angle), np.sin(angle)]))
        steps, places = best_steps(distance, grey, -1.0)
        figures[f"step_head_{name}"] = float(np.median(steps)) / span
        if name == "upper":
            figures["width_head_edge"] = edge_width(distance, grey, steps, places, -1.0)
    distance, grey = profiles(pixels, hip, hip.roof, reach=0.5)
    steps, places = best_steps(distance, grey, +1.0)
    figures["step_roof"] = float(np.median(steps)) / span
    figures["width_roof_edge"] = edge_width(distance, grey, steps, places, +1.0)
    mean = np.median(grey, axis=0)

    def level(low: float, high: float) -> Floats:
        return np.asarray(mean[(distance >= low) & (distance <= high)])

    figures["sourcil_above_bone"] = float(level(0.0, 0.2).max() - level(0.28, 0.48).mean()) / span
    figures["joint_below_head"] = float(level(-0.5, -0.3).mean() - level(-0.2, 0.0).min()) / span
    figures["grey_head_under_roof"] = float(level(-0.40, -0.20).mean() - low) / span
    figures["grey_joint"] = float(level(-0.15, 0.0).min() - low) / span
    figures["grey_sourcil"] = float(level(0.0, 0.15).max() - low) / span
    return figures | _brim_figures(pixels, hip, low, span)


def _brim_figures(pixels: Image, hip: MarkedHip, low: float, span: float) -> dict[str, float]:
    """The bright line of the pelvic wall medially of the head: its grey, distance from the head and thickness."""
    angle = np.deg2rad(np.arange(60.0, 98.1, 2.0))
    distance, grey = profiles(pixels, hip, np.column_stack([-np.cos(angle), np.sin(angle)]), reach=0.8)
    found = []
    for line in grey:
        inside = (distance > 0.08) & (distance < 0.6)
        peak = int(np.where(inside, line, -np.inf).argmax())
        half = (line[peak] + line[(distance > distance[peak]) & (distance < distance[peak] + 0.4)].min()) / 2
        outer = peak + int((line[peak:] < half).argmax())
        found.append(((line[peak] - low) / span, distance[peak], distance[outer] - distance[peak]))
    values = np.median(found, axis=0)
    return dict(zip(("grey_brim", "brim_distance", "brim_outer_half"), values.tolist(), strict=True))


def _shaft_figures(cut: Image, span: float) -> dict[str, float]:
    """Cortex of the femoral shaft 2.7 to 3.1 radii below the centre: the pair of ridges with a valley between."""
    found = []
    for level in (2.7, 2.8, 2.9, 3.0, 3.1):
        row = round((level - WINDOW[0]) * PER_RADIUS)
        line = np.mean(cut[row - 2 : row + 3, : round((0.3 - WINDOW[2]) * PER_RADIUS)], axis=0)
        line = np.convolve(line, np.ones(3) / 3, "same")[1:-1]
        best = max(
            (
                (min(line[a], line[a + w]) - line[a + round(0.4 * w) : a + round(0.6 * w) + 1].mean(), a, w)
                for w in range(round(0.6 * PER_RADIUS), round(1.2 * PER_RADIUS), 2)
                for a in range(len(line) - w)
                if np.isfinite(line[a : a + w + 1]).all()
            ),
            default=None,
        )
        if best is not None:
            _, a, w = best
            beyond = [
                line[max(a - round(0.3 * PER_RADIUS), 0)],
                line[min(a + w + round(0.3 * PER_RADIUS), len(line) - 1)],
            ]
            found.append((best[0], min(line[a], line[a + w]) - np.nanmean(beyond), w / PER_RADIUS))
    if not found:
        return {}
    valley, edge, width = np.median(found, axis=0)
    return {"shaft_cortex_above_canal": valley / span, "shaft_cortex_above_soft": edge / span, "shaft_width": width}


def _hip_figures(pixels: Image, hip: MarkedHip, low: float, span: float) -> dict[str, float]:
    cut = rectified(pixels, hip, WINDOW, PER_RADIUS)
    rows = WINDOW[0] + (np.arange(cut.shape[0]) + 0.5) / PER_RADIUS
    cols = WINDOW[2] + (np.arange(cut.shape[1]) + 0.5) / PER_RADIUS
    figures = {}
    for name, (row, col, radius) in PLACES.items():
        disc = cut[(rows[:, None] - row) ** 2 + (cols[None] - col) ** 2 <= radius**2]
        if np.isfinite(disc).all():
            figures[f"grey_{name}"] = (float(np.median(disc)) - low) / span
    for name, (row, col, side) in PATCHES.items():
        first, count = (np.array([row, col]) - side / 2 - (WINDOW[0], WINDOW[2])) * PER_RADIUS, round(side * PER_RADIUS)
        r, c = (round(v) for v in first)
        patch = cut[r : r + count, c : c + count]
        if np.isfinite(patch).all():
            figures |= {f"{name}_{key}": value for key, value in power_bands(patch / span, PER_RADIUS).items()}
    return figures | _margin_figures(pixels, hip, low, span) | _shaft_figures(cut, span)


def film_figures(picture: Picture, pixels: Image) -> dict[str, float]:
    """All figures of a film: deciles, and the mean over its hips of everything else."""
    box, low, high = grey_range(picture, pixels)
    span = max(high - low, 1e-6)
    figures = {f"decile_{p}": (float(np.percentile(box, p)) - low) / span for p in range(10, 100, 10)}
    hips = [_hip_figures(pixels, hip, low, span) for hip in picture.hips]
    for name in {name: None for hip in hips for name in hip}:
        figures[name] = float(np.mean([hip[name] for hip in hips if name in hip]))
    return figures
