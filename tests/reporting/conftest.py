"""Figures as they are saved, what is written in them, and a measured hip of known geometry."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from hipjsw.jsw.profile import measure_curves


@pytest.fixture
def drawn(monkeypatch):
    """Figures in the order in which they are saved; one that is saved in two formats is there once."""
    figures, savefig = [], Figure.savefig

    def kept(self, *args, **kwargs):
        if not any(figure is self for figure in figures):
            figures.append(self)
        return savefig(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", kept)
    return figures


@pytest.fixture
def texts():
    """Everything written anywhere in a figure, a line each."""
    return lambda figure: "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.fixture
def circle_width(circle_hip):
    """Factory of a width measured between two circles, with fields replaced; its head's centre at (50, 60) mm."""

    def make(offset_mm=(0.8, 1.0), roof_radius_mm=31.0, **changes):
        hip, centre = circle_hip(offset_mm=offset_mm, roof_radius_mm=roof_radius_mm), np.array([50.0, 60.0])
        angle = np.deg2rad(np.linspace(-80, 80, 801))
        head = centre + hip.radius_mm * np.column_stack([-np.cos(angle), np.sin(angle)])
        return replace(measure_curves(hip.sourcil(401) + centre, head, centre), **changes)

    return make
