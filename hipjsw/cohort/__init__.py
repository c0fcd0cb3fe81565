"""Cohorts: films on disk, what is wrong with them, and the store of prepared hips."""
