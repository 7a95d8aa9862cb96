"""archcalc: shapes, memory, parameters and FLOPs of neural-network architectures, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Analysis",
    "Answer",
    "Architecture",
    "Checked",
    "ClaimsFail",
    "Comparison",
    "Derivation",
    "Difference",
    "Figure",
    "Fit",
    "Formulas",
    "Ledger",
    "Plan",
    "Quiz",
    "Roofline",
    "SpecError",
    "Verdict",
    "__version__",
    "check",
    "compare",
    "count",
    "diff",
    "explain",
    "fit",
    "formula",
    "load",
    "match",
    "memory",
    "quiz",
    "receptive",
    "roofline",
    "run",
    "solve",
    "verify",
]

if TYPE_CHECKING:
    from archcalc.api import (
        Analysis,
        Answer,
        Architecture,
        Checked,
        ClaimsFail,
        Comparison,
        Derivation,
        Difference,
        Figure,
        Fit,
        Formulas,
        Ledger,
        Plan,
        Quiz,
        Roofline,
        SpecError,
        Verdict,
        check,
        compare,
        count,
        diff,
        explain,
        fit,
        formula,
        load,
        match,
        memory,
        quiz,
        receptive,
        roofline,
        run,
        solve,
        verify,
    )


def __getattr__(name: str) -> Any:  # nothing is imported before it is asked for
    if name in __all__:
        from archcalc import api

        return getattr(api, name)
    raise AttributeError(f"module 'archcalc' has no attribute '{name}'")
