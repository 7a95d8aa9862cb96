"""Tree to graph: names, blocks, repeats, arguments."""

from archcalc.builder.construction import Built, architectures, build

__all__ = ["Built", "architectures", "build"]
