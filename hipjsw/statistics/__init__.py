"""Agreement between two measurements."""
