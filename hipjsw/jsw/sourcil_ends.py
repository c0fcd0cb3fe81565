"""Where the sourcil ends: the angles of its lateral edge and its medial end about the head's centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipjsw.jsw.rays import Rays, mean_between

__all__ = ["fine_ends", "rough_ends"]

#: A gap below this holds too little of any pixel to be seen as joint space.
THIN_PX = 1.25
#: The ends are looked for within this much of the roof's edge.
LOOK_MM = 2.0
#: The fine ends lie at most this far from the rough ones.
MOVE_MM = 4.0

Floats = NDArray[np.float64]
Ends = tuple[float, float]


def rough_ends(theta: Floats, gap: Floats, between: Floats, found: NDArray[np.bool_]) -> Ends | None:
    """Ends by the share of the gap between the edges that is joint space.

    That share is 1 along the sourcil and falls to 0 beyond its ends. A gap thinner than a pixel holds no such
    probability: there the roof so near to the head is the sign of the sourcil, for beyond its ends the roof stops
    or leaves the head.

    Args:
        theta: ``(rays,)`` angles in rad, lateral to medial.
        gap: ``(rays,)`` joint space's probability summed along each ray, px.
        between: ``(rays,)`` roof's edge less head's margin, px.
        found: ``(rays,)`` where both are there.

    Returns:
        Lateral and medial angle; None where there is no sourcil.
    """
    share = np.divide(gap, between, out=np.zeros_like(gap), where=found & (between > THIN_PX))
    thin = found & (between <= THIN_PX)
    known = np.where(found, np.where(thin, np.maximum(share, 0.75), share), 0.0)
    inside = np.flatnonzero(known >= 0.5)
    if len(inside) < 2:
        return None
    return _fall(theta, known, inside[0], -1), _fall(theta, known, inside[-1], +1)


def fine_ends(rays: Rays, head_px: Floats, roof_px: Floats, rough: Ends, pixel_mm: float) -> Ends:
    """Ends once both edges are known and carried on beyond them: where what lies between them stops.

    Laterally the joint space stops along a ray. Medially it and the bone above it stop along one line that crosses the
    roof's edge aslant, so as much is looked at above the edge as below it.

    Args:
        rays: The maps along the rays.
        head_px: ``(rays,)`` radius of the head's margin.
        roof_px: ``(rays,)`` radius of the roof's edge.
        rough: The rough ends.
        pixel_mm: Pixel size.
    """
    theta, radii = rays.theta_rad, rays.radii_px
    reach = np.minimum(roof_px - head_px, LOOK_MM / pixel_mm)
    both = rays.space + rays.roof
    under = mean_between(both, radii, roof_px - reach, roof_px)
    around = mean_between(both, radii, roof_px - reach, roof_px + reach)
    move = MOVE_MM / pixel_mm / radii[0]
    lateral, medial = (
        np.flatnonzero((np.abs(theta - end) < move) & (p >= 0.5)) for p, end in zip((under, around), rough, strict=True)
    )
    return (
        _fall(theta, under, lateral[0], -1) if len(lateral) else rough[0],
        _fall(theta, around, medial[-1], +1) if len(medial) else rough[1],
    )


def _fall(theta: Floats, presence: Floats, last: int, direction: int) -> float:
    """Angle at which ``presence``, at least 0.5 at ``last``, falls through 0.5 towards the next ray."""
    beyond = last + direction
    if not 0 <= beyond < len(theta):
        return float(theta[last])
    share = (presence[last] - 0.5) / max(presence[last] - presence[beyond], 1e-9)
    return float(theta[last] + min(share, 1.0) * (theta[beyond] - theta[last]))
