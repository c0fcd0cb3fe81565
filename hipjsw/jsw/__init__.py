"""The measurement: sub-pixel curves from probabilities, and the joint space width between two curves."""
