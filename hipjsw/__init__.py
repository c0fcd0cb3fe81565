"""hipjsw: hip joint space width, in true millimetres, from radiographs and landmark points."""

__version__ = "0.1.0"

__all__ = ["__version__"]
