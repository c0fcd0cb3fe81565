"""The build of a person's hips: proportions, odd shapes and roughness, before any disease."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hipjsw.phantom.form import Dip, HipForm, Wave

__all__ = ["draw_shared", "draw_side"]

#: Mean radius of the projected head by sex; with their mix a diameter of 55 +- 4 mm.
_HEAD_RADIUS_MM = {"F": 26.4, "M": 29.1}
#: Roughness of head and roof: root mean square, and the range of its wavelengths.
_GRAIN_MM = 0.014
_WAVELENGTHS_MM = (6.0, 20.0)
_WAVES = 6


def _normal(rng: np.random.Generator, mean: float, sd: float, low: float, high: float) -> float:
    return float(np.clip(rng.normal(mean, sd), low, high))


def _roof_angles(rng: np.random.Generator) -> tuple[float, float, float]:
    """Centre-edge angle, medial end and trend of the width: most normal, some dysplastic, some profunda."""
    kind = rng.random()
    medial, trend = float(rng.uniform(28.0, 39.0)), float(rng.normal(0.65, 0.5))
    if kind < 0.05:
        return _normal(rng, 14.5, 3.5, 7.0, 19.5), medial, trend + float(rng.uniform(0.3, 1.0))
    if kind < 0.09:
        return _normal(rng, 46.0, 2.5, 42.0, 51.0), float(rng.uniform(38.0, 44.0)), trend
    return _normal(rng, 33.0, 5.5, 20.5, 44.0), medial, trend


def _neck_shaft_deg(rng: np.random.Generator) -> float:
    """Neck-shaft angle: coxa vara, coxa valga, or normal."""
    kind = rng.random()
    if kind < 0.025:
        return _normal(rng, 114.0, 2.5, 108.0, 118.0)
    if kind < 0.05:
        return _normal(rng, 142.5, 2.5, 139.0, 148.0)
    return _normal(rng, 128.5, 4.5, 118.0, 139.0)


def _junction(sex: str, rng: np.random.Generator) -> tuple[float, float]:
    """Offset of the neck and height of the bump at its junction with the head: plain, cam, or pistol grip."""
    kind, offset = rng.random(), _normal(rng, 0.06, 0.035, -0.02, 0.14)
    cam = float(rng.uniform(1.2, 3.3))
    if kind < (0.14 if sex == "M" else 0.05):
        return offset + 0.04, cam
    if kind < (0.20 if sex == "M" else 0.08):
        return float(rng.uniform(0.15, 0.21)), 0.5 * cam
    return offset, max(float(rng.normal(0.1, 0.25)), 0.0)


def draw_shared(sex: str, rng: np.random.Generator) -> HipForm:
    """What both hips of a woman (``F``) or a man (``M``) share."""
    edge, medial, trend = _roof_angles(rng)
    offset, cam = _junction(sex, rng)
    return HipForm(
        head_radius_mm=_normal(rng, _HEAD_RADIUS_MM[sex], 1.45, 22.5, 33.0),
        head_waves_mm=(float(rng.normal(0.0, 0.25)), float(rng.normal(0.0, 0.08))),
        head_phases_deg=(float(rng.uniform(0, 180)), float(rng.uniform(0, 120))),
        neck_shaft_deg=_neck_shaft_deg(rng),
        neck_length=_normal(rng, 1.95, 0.08, 1.75, 2.15),
        neck_half_width=_normal(rng, 0.655, 0.02, 0.61, 0.70),
        shaft_half_width=_normal(rng, 0.615, 0.02, 0.575, 0.66),
        shaft_tilt_deg=_normal(rng, 6.0, 2.5, 0.0, 12.0),
        trochanter=_normal(rng, 1.13, 0.05, 1.0, 1.26),
        trochanter_tip=_normal(rng, 1.40, 0.09, 1.2, 1.6),
        lesser=_normal(rng, 0.26, 0.05, 0.14, 0.38),
        edge_deg=edge,
        medial_deg=medial,
        min_width_mm=4.0,
        trend_mm=trend,
        dip_mm=float(abs(rng.normal(0.6, 0.3))),
        dip_deg=float(rng.normal(8.0, 11.0)),
        dip_half_deg=float(rng.uniform(17.0, 25.0)),
        neck_offset=offset,
        lesser_low=_normal(rng, 2.1, 0.08, 1.9, 2.3),
        lesser_half=_normal(rng, 0.36, 0.03, 0.29, 0.43),
        shaft_taper=_normal(rng, 0.05, 0.03, 0.0, 0.12),
        anteversion_deg=_normal(rng, 14.0, 5.0, 2.0, 26.0),
        cam_mm=cam,
        fovea=Dip(_normal(rng, 92.0, 8.0, 78.0, 108.0), _normal(rng, 0.5, 0.3, 0.0, 1.2), float(rng.uniform(5.0, 9.0))),
        trochanter_grain_mm=tuple(rng.normal(0.0, 0.14, 3).tolist()),
    )


def _grain(radius_mm: float, rng: np.random.Generator) -> tuple[Wave, ...]:
    """Roughness of a surface: longer ripples are higher."""
    lengths = rng.uniform(*_WAVELENGTHS_MM, _WAVES)
    heights = _GRAIN_MM * np.sqrt(2.0) * lengths / np.linalg.norm(lengths)
    orders, phases = 2 * np.pi * radius_mm / lengths, rng.uniform(0.0, 360.0, _WAVES)
    return tuple(Wave(*wave) for wave in np.column_stack([orders, heights, phases]).tolist())


def _roof_dips(form: HipForm, rng: np.random.Generator) -> tuple[Dip, ...]:
    """Now and then a recess of the roof, seldom a bump (a roof curve out of shape in 21.5 % of hips: Lequesne 2004)."""
    dips = []
    for _ in range(int(rng.binomial(2, 0.115))):
        depth = float(rng.uniform(0.12, 0.45)) if rng.random() < 0.75 else -float(rng.uniform(0.05, 0.15))
        dips.append(Dip(float(rng.uniform(-form.edge_deg, form.medial_deg)), depth, float(rng.uniform(5.0, 10.0))))
    return tuple(dips)


def draw_side(shared: HipForm, rng: np.random.Generator) -> HipForm:
    """One hip in health: the shared form with a little of its own."""
    low, high = (7.0, 19.5) if shared.edge_deg < 20.0 else (20.5, 51.0)
    form = replace(
        shared,
        head_radius_mm=shared.head_radius_mm * float(1 + rng.normal(0.0, 0.006)),
        neck_shaft_deg=shared.neck_shaft_deg + float(rng.normal(0.0, 1.2)),
        neck_length=shared.neck_length + float(rng.normal(0.0, 0.03)),
        neck_half_width=shared.neck_half_width + float(rng.normal(0.0, 0.006)),
        neck_offset=shared.neck_offset + float(rng.normal(0.0, 0.012)),
        shaft_tilt_deg=shared.shaft_tilt_deg + float(rng.normal(0.0, 1.0)),
        trochanter=shared.trochanter + float(rng.normal(0.0, 0.015)),
        trochanter_tip=shared.trochanter_tip + float(rng.normal(0.0, 0.03)),
        lesser=float(np.clip(shared.lesser + rng.normal(0.0, 0.03), 0.12, 0.40)),
        edge_deg=float(np.clip(shared.edge_deg + rng.normal(0.0, 2.0), low, high)),
        medial_deg=float(np.clip(shared.medial_deg + rng.normal(0.0, 1.5), 26.0, 45.0)),
        trend_mm=shared.trend_mm + float(rng.normal(0.0, 0.2)),
        dip_mm=abs(shared.dip_mm + float(rng.normal(0.0, 0.1))),
        dip_deg=shared.dip_deg + float(rng.normal(0.0, 4.0)),
        cam_mm=shared.cam_mm * float(rng.uniform(0.6, 1.0)),
        trochanter_grain_mm=tuple(g + float(rng.normal(0.0, 0.06)) for g in shared.trochanter_grain_mm),
    )
    radius = form.head_radius_mm
    return replace(
        form, head_grain=_grain(radius, rng), roof_grain=_grain(radius, rng), roof_dips=_roof_dips(form, rng)
    )
