"""Ablations: what is asked, what runs answer, and how sure the answer is."""
