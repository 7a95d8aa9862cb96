"""Tree to graph: names, blocks, repeats, arguments."""

from archcalc.builder.build import Built, architectures, build

__all__ = ["Built", "architectures", "build"]
