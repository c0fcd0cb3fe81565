"""From stored codes to display sense: modality LUT, VOI LUT, inversion (DICOM PS3.3 C.11, PS3.4 N.2).

A code is a stored value as its bits lie in the file. Turning a film over by its declared depth and shifting signed
values to start at zero are both an exclusive or with a constant, so a plain film needs one pass in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Greyscale", "LookUp", "Window"]


@dataclass(frozen=True, eq=False)
class LookUp:
    """A table of a modality or VOI LUT.

    Args:
        first: The value that maps to the first entry; below it the first entry holds, beyond the last the last.
        entries: ``(n,)`` unsigned output values.
        bits: Declared bits of an entry.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values through the table."""
        at = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return np.asarray(np.minimum(self.entries[at], self.most), dtype=np.float64)

    @property
    def most(self) -> int:
        """The largest value that the declared bits hold."""
        return int(2**self.bits - 1)


@dataclass(frozen=True)
class Window:
    """A VOI window.

    Args:
        centre: Its centre, in units of the modality LUT's output.
        width: Its width in the same.
        function: ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID``.
    """

    centre: float
    width: float
    function: str = "LINEAR"

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values to ``[0, 1]``."""
        if self.function == "SIGMOID":
            return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - self.centre) / self.width, -700, 700))))
        if self.function == "LINEAR_EXACT":
            return np.clip((values - self.centre) / self.width + 0.5, 0, 1)
        return np.clip((values - (self.centre - 0.5)) / max(self.width - 1, 1e-6) + 0.5, 0, 1)


@dataclass(frozen=True, eq=False)
class Greyscale:
    """How one film's codes become bone-bright values.

    Args:
        bits: Declared bits of a stored value, 1 to 16.
        signed: Whether codes are two's complement.
        turned: Whether MONOCHROME1 or a presentation LUT shape INVERSE asks for turning over.
        slope: Rescale slope, not 0; its sign turns over too.
        intercept: Rescale intercept; matters to windows and tables only, for values start at zero.
        modality: Modality LUT, in place of slope and intercept.
        voi: VOI LUT or window, where it is asked for.
    """

    bits: int
    signed: bool = False
    turned: bool = False
    slope: float = 1.0
    intercept: float = 0.0
    modality: LookUp | None = None
    voi: LookUp | Window | None = None

    @property
    def inverted(self) -> bool:
        """Whether stored values are turned over to make bone bright."""
        return self.turned != (self.modality is None and self.slope < 0)

    def shown(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Display sense.

        Args:
            codes: uint8 or uint16, any shape; may be overwritten. Bits above the declared ones do not count.

        Returns:
            uint16, from 0 up; float32 where a slope other than 1 scales them.
        """
        mask = 2**self.bits - 1
        if self.voi is not None or self.modality is not None:
            return np.asarray(np.take(self._table(), np.bitwise_and(codes, codes.dtype.type(mask))))
        flip = (2 ** (self.bits - 1) if self.signed else 0) ^ (mask if self.inverted else 0)
        foreign = 8 * codes.dtype.itemsize > self.bits and int(codes.max(initial=0)) > mask
        if flip:
            np.bitwise_xor(codes, codes.dtype.type(flip), out=codes)
        if foreign:
            np.bitwise_and(codes, codes.dtype.type(mask), out=codes)
        if self.slope not in (1.0, -1.0):
            return np.asarray(np.multiply(codes, np.float32(abs(self.slope)), dtype=np.float32))
        return np.asarray(codes, dtype=np.uint16)

    def padding(self, low: int, high: int) -> tuple[float, float]:
        """Where stored values from ``low`` to ``high`` (as signed as the film) end up: least and greatest."""
        ends = np.array([low, high], dtype=np.int64) & (2**self.bits - 1)
        shown = self.shown(ends.astype(np.uint16))
        return float(shown.min()), float(shown.max())

    def _table(self) -> NDArray[np.uint16]:
        """uint16 ``(2**bits,)``: display sense of every code."""
        values = np.arange(2**self.bits, dtype=np.float64)
        if self.signed:
            values -= np.where(values >= 2 ** (self.bits - 1), 2.0**self.bits, 0.0)
        values = values * self.slope + self.intercept if self.modality is None else self.modality.apply(values)
        most = 65535 if self.modality is None else self.modality.most
        if isinstance(self.voi, Window):
            values, most = self.voi.apply(values) * 65535, 65535
        elif self.voi is not None:
            values, most = self.voi.apply(values), self.voi.most
        return np.rint(most - values if self.turned else values).astype(np.uint16)
