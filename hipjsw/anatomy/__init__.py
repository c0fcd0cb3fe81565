"""Landmarks, the curves through them and the label maps made from the curves."""
