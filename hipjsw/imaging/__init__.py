"""Films: pixels, their spacing in millimetres, and the geometry of a hip view."""
