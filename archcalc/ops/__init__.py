"""The layer types, each one class; `REGISTRY` finds them by their names in the language."""

from archcalc.ops import activation, conv, dense, merge, norm, pool, reshape
from archcalc.ops.base import REGISTRY, Need, Op

__all__ = ["REGISTRY", "Need", "Op", "activation", "conv", "dense", "merge", "norm", "pool", "reshape"]
