"""The colours of a joint space width, for figures and overlays alike; nothing here needs matplotlib."""

from __future__ import annotations

__all__ = ["WIDTH_MAP", "WIDTH_RANGE_MM"]

#: Narrow is bright, so that a thin ribbon is seen; never the grey of a film, and even in lightness for all eyes.
WIDTH_MAP = "viridis_r"
#: Wider ones have the last colour.
WIDTH_RANGE_MM = (0.0, 6.0)
