"""The form of all training settings: which fields there are, what they mean, and what a change brings with it.

The page of the training and every entrant of a race show it. A value that does not go together with another one is
offered with all that has to change along (`trainer.compatibility`).
"""

from __future__ import annotations

from explorer.panels.fields import Spec, value_at
from explorer.panels.form import Proposal, Section
from trainer.compatibility import compatible, idle
from trainer.settings import FitSettings
from trainer.words import FIELDS, WORDS, said

_TIPS = {
    "objective": "What is minimised: an estimate of the Fisher divergence E|s_θ − s|² (Hyvärinen 2005)",
    "target": "What denoising regresses on: −z/σ of one draw (Vincent 2011), or a mean over many (Xu et al. 2023)",
    "reference": "Draws in a reference batch, over which the target is averaged (Xu, Tong & Jaakkola 2023)",
    "projections": "Random directions per point that the trace is estimated along (Song et al. 2019)",
    "projection": "How directions are drawn; E[v vᵀ] = I for each (Song et al. 2019)",
    "learning_rate": "Step size of Adam at its largest; it falls as the run goes on (Kingma & Ba 2015)",
    "batch": "Noisy points in each training step",
    "kernel": "The noise q(x̃|x): any with a known ∇ log q serves denoising (Vincent 2011)",
    "schedule": "Levels of training: geometric (Song & Ermon 2019), EDM (Karras et al. 2022), DDPM (Ho et al. 2020)",
    "ladder.levels": "Rungs of the geometric ladder, largest to smallest (Song & Ermon 2019)",
    "ladder.sigma_min": "Smallest noise level of training, in units of the plane",
    "ladder.sigma_max": "Largest noise level; empty: the largest distance between two points (Song & Ermon 2020)",
    "weighting": "λ(σ), how much each level counts: EDM (Karras et al. 2022), σ² (Song & Ermon 2019), or all alike",
    "ema": "Share of the run that the averaged weights look back on (Karras et al. 2024)",
    "parameterisation": "What the output stands for: E[x₀|x], the noise, the score, or the energy (Karras et al. 2022)",
    "network.width": "Units in each hidden layer",
    "network.depth": "Hidden layers",
    "network.features": "Fourier features of the position; 0 for the bare coordinates (Tancik et al. 2020)",
    "network.octaves": "How far their frequencies reach above the slowest, π/2",
    "network.damped": "Each feature fades by exp(−|ω|²σ²/2), as noise blurs it; “no” is Tancik et al. 2020",
    "network.activation": "Between the layers",
}
_WHOLE = frozenset(
    ("projections", "reference", "batch", "ladder.levels", "network.width", "network.depth", "network.features")
)
_DETAILS = ("reference", "projections", "projection")
"""Fields that are not shown at all where they have no effect."""


def spec(path: str) -> Spec:
    """One field of `FitSettings` as a form shows it."""
    choices: tuple[tuple[str | bool, str], ...] = tuple(WORDS.get(path, {}).items())
    if path == "network.damped":
        choices = ((True, "yes"), (False, "no"))
    return Spec(path, FIELDS[path], _TIPS[path], choices, whole=path in _WHOLE, optional=path == "ladder.sigma_max")


def _section(title: str, paths: tuple[str, ...], hint: str = "", *, folded: bool = True) -> Section:
    return Section(title, tuple(spec(path) for path in paths), hint, folded)


FRESH = "A change of these starts a fresh network; it asks first."

TRAINING = _section("Training", ("objective", "target", *_DETAILS, "learning_rate", "batch"), folded=False)
NOISE = _section("Noise", ("kernel", "schedule", "ladder.levels", "ladder.sigma_min", "ladder.sigma_max"))
WEIGHTS = _section("Weights", ("weighting", "ema"))
NETWORK = _section(
    "Network",
    ("parameterisation", *(path for path in FIELDS if path.startswith("network."))),
    FRESH,
)


def hidden(settings: FitSettings) -> set[str]:
    """The fields that a form leaves out for these settings."""
    return set(_DETAILS) & set(idle(settings))


def starts_afresh(before: FitSettings, after: FitSettings) -> bool:
    """Whether the change needs another network (`Fit.change_settings`)."""
    return (before.network, before.parameterisation) != (after.network, after.parameterisation)


def needs(settings: FitSettings, path: str, value: object, changed: tuple[str, ...]) -> str:
    """One line on what else has to change to what, "" if nothing."""
    if not changed:
        return ""
    found = compatible(settings, path, value).settings
    parts = [f"{FIELDS[name]}: {said(name, value_at(found, name))}" for name in changed]
    return f"{FIELDS[path].capitalize()} “{said(path, value_at(found, path))}” needs {'; '.join(parts)}."


def propose(settings: FitSettings, path: str, value: object, *, trained: bool) -> Proposal:
    """Settings with this value, and what is to be asked before they hold.

    Args:
        settings: what holds.
        path: a field.
        value: what is wanted there.
        trained: whether there are weights that would be lost.

    Raises:
        InputError: no settings have that value.
    """
    found = compatible(settings, path, value)
    question = needs(settings, path, value, found.changed)
    if trained and starts_afresh(settings, found.settings):
        question = f"{question} This starts a fresh network.".strip()
    return Proposal(found.settings, question, "Apply all" if found.changed else "Apply")
