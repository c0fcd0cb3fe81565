"""A trained network at work: on the hips of a split, later on new films."""
