"""What films and pictures say of samplers and objectives, beside the names that the window has for them."""

from __future__ import annotations

from explorer.panes import TITLES, pane_titles
from trainer.scenes import Scene

WAYS = {
    "ascent": "uphill, without noise",
    "langevin": "uphill and noise, at the smallest σ",
    "mala": "the same, wrong steps refused",
    "annealed": "uphill and noise, from large σ to small",
    "pc": "noise removed, then settled, level by level",
    "sde": "noise removed along the reverse SDE",
    "ode": "noise removed, nothing random",
    "ddpm": "noise removed in DDPM's steps",
    "ddim": "noise removed in DDIM's steps",
}
"""How a sampler moves its particles, in a few words."""

OBJECTIVES = {
    "dsm": ("denoising score matching", "DSM"),
    "esm": ("explicit score matching", "ESM"),
    "ism": ("implicit score matching", "ISM"),
    "hutchinson": ("score matching, Hutchinson's trace", "Hutchinson"),
    "ssm": ("sliced score matching", "SSM"),
    "ssm_vr": ("sliced score matching, reduced variance", "SSM-VR"),
    "ddpm": ("DDPM's objective", "DDPM"),
}
"""What is minimised, in words and in letters."""

TARGETS = {
    "pooled": "pooled targets",
    "reference": "reference batches",
    "control_variate": "control variates",
    "single": "one-draw targets",
}
"""What denoising score matching regresses on."""

_COUNTS = {2: "Two", 3: "Three", 4: "Four"}


def learning(objective: str, target: str) -> tuple[str, str, str]:
    """What is minimised, from long to short."""
    full, short = OBJECTIVES[objective]
    return (f"{full}, {TARGETS[target]}", full, short) if objective == "dsm" else (full, full, short)


def film_titles(scene: Scene) -> list[str]:
    """What stands over the panes; there is room to say what ascent lacks."""
    return ["Ascent, no noise" if title == TITLES["ascent"] else title for title in pane_titles(scene)]


def act_title(scene: Scene) -> str:
    """What the act of particles is called."""
    samplers = {pane.sampler for pane in scene.panes}
    sources = {pane.settings.source for pane in scene.panes}
    if len(scene.panes) == 1:
        return TITLES[scene.panes[0].sampler]
    if len(samplers) == len(scene.panes) and len(sources) == 1:
        return f"{_COUNTS[len(samplers)]} samplers, one score"
    return f"{_COUNTS[len(scene.panes)]} panes, the same noise"
