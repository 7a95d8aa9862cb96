"""Figures written out: formula, substitution, result, as text or as LaTeX."""
