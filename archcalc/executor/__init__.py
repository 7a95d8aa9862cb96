"""Nets run on arrays: the only room that imports NumPy."""
