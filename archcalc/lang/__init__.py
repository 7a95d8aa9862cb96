"""The text language: source, tokens, tree, canonical text. Knows no layer type."""
