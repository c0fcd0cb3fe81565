"""Phantoms: made-up persons whose pelvic films have an exactly known joint space."""
