"""Tree to graph: names, blocks, repeats, arguments."""

from archcalc.builder.construction import SYMBOLS_OF_INPUT, Assumption, Built, architectures, build

__all__ = ["SYMBOLS_OF_INPUT", "Assumption", "Built", "architectures", "build"]
