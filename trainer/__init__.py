"""Score matching and sampling in two dimensions: `import trainer` loads no torch, its names load on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "GaussianMixture": "trainer.densities",
    "PaintedDensity": "trainer.densities",
    "load_density": "trainer.densities",
    "Fit": "trainer.fit",
    "FitSettings": "trainer.settings",
    "ParticleSettings": "trainer.settings",
    "SAMPLERS": "trainer.samplers",
    "compare": "trainer.comparison",
    "log_likelihood": "trainer.likelihood",
    "recommend": "trainer.recommendations",
    "load_score": "trainer.checkpoints",
    "save_score": "trainer.checkpoints",
    "mode_ledger": "trainer.metrics",
    "relative_fisher_error": "trainer.metrics",
    "read_project": "trainer.projects",
    "write_project": "trainer.projects",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    if name not in _HOMES:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
