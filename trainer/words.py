"""The choices of `trainer.settings` in a person's words, for messages, labels and lists.

`WORDS[field][value]` is what a person reads where files and the command line have `value`. A word fits into a sentence
and into a list alike. Nothing here imports torch or numpy.
"""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "objective": {
        "dsm": "denoising (DSM)",
        "esm": "explicit (ESM)",
        "ism": "implicit (ISM)",
        "hutchinson": "Hutchinson trace",
        "ssm": "sliced (SSM)",
        "ssm_vr": "sliced (SSM-VR)",
        "ddpm": "noise (DDPM)",
    },
    "target": {
        "pooled": "pooled draws",
        "reference": "reference batch",
        "control_variate": "control variate",
        "single": "one draw",
    },
    "weighting": {"edm": "EDM", "ncsn": "σ²", "ddpm": "2σ² (DDPM)", "none": "all alike"},
    "kernel": {"gaussian": "Gaussian", "laplace": "Laplace", "mixture": "Gaussian mixture"},
    "parameterisation": {
        "denoiser": "denoiser",
        "noise": "noise",
        "score": "score",
        "energy": "energy",
        "unconditional": "unconditional",
    },
    "schedule": {
        "geometric": "geometric ladder",
        "edm": "EDM, log-normal",
        "ddpm-linear": "DDPM, linear",
        "ddpm-cosine": "DDPM, cosine",
    },
    "projection": {"gaussian": "Gaussian", "rademacher": "random signs", "sphere": "on a sphere"},
    "network.activation": {"silu": "SiLU", "gelu": "GELU", "tanh": "tanh", "softplus": "softplus"},
}

FIELDS: Mapping[str, str] = {
    "objective": "objective",
    "target": "target",
    "weighting": "weight of σ",
    "kernel": "noise",
    "parameterisation": "network gives",
    "schedule": "noise levels",
    "projections": "directions",
    "projection": "drawn as",
    "reference": "reference batch",
    "ladder.levels": "number of levels",
    "ladder.sigma_min": "smallest σ",
    "ladder.sigma_max": "largest σ",
    "network.width": "width",
    "network.depth": "hidden layers",
    "network.features": "features",
    "network.octaves": "octaves",
    "network.damped": "fade with σ",
    "network.activation": "activation",
    "batch": "batch",
    "learning_rate": "learning rate",
    "ema": "averaging",
}
"""Every field of `FitSettings` as a form names it."""


def said(field: str, value: object) -> str:
    """The value of a field as a person reads it."""
    if value is None:
        return "from data"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return WORDS.get(field, {}).get(str(value), str(value))
