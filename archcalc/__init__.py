"""archcalc: shapes, memory, parameters and FLOPs of neural-network architectures, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Net", "SpecError", "__version__", "load"]

if TYPE_CHECKING:
    from archcalc.lang.errors import SpecError
    from archcalc.library import Net, load


def __getattr__(name: str) -> Any:  # nothing is imported before it is asked for
    if name in ("Net", "load"):
        from archcalc import library

        return getattr(library, name)
    if name == "SpecError":
        from archcalc.lang.errors import SpecError

        return SpecError
    raise AttributeError(f"module `archcalc` has no `{name}`")
