"""archcalc: shapes, memory, parameters and FLOPs of neural-network architectures, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Analysis",
    "Answer",
    "Architecture",
    "ClaimsFail",
    "Derivation",
    "Figure",
    "Fit",
    "Formulas",
    "Ledger",
    "Plan",
    "SpecError",
    "Verdict",
    "__version__",
    "explain",
    "fit",
    "formula",
    "load",
    "memory",
    "run",
    "solve",
    "verify",
]

if TYPE_CHECKING:
    from archcalc.api import (
        Analysis,
        Answer,
        Architecture,
        ClaimsFail,
        Derivation,
        Figure,
        Fit,
        Formulas,
        Ledger,
        Plan,
        SpecError,
        Verdict,
        explain,
        fit,
        formula,
        load,
        memory,
        run,
        solve,
        verify,
    )


def __getattr__(name: str) -> Any:  # nothing is imported before it is asked for
    if name in __all__:
        from archcalc import api

        return getattr(api, name)
    raise AttributeError(f"module 'archcalc' has no attribute '{name}'")
