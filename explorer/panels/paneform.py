"""The form of one pane: its sampler, its score, and the settings that this sampler uses."""

from __future__ import annotations

from explorer.panels.fields import Spec
from explorer.panels.form import Section
from explorer.panes import TITLES
from trainer.scenes import Pane

_SQUARE = ("ascent", "langevin", "mala", "annealed")
_FLOW = ("pc", "sde", "ode")
_DDPM = ("ddpm", "ddim")
_EVERY = (*_SQUARE, *_FLOW, *_DDPM)

_USERS = {
    "sampler": _EVERY,
    "settings.source": _EVERY,
    "settings.epsilon": _SQUARE,
    "settings.sigma_min": _EVERY,
    "settings.sigma_max": ("annealed",),
    "settings.levels": _SQUARE,
    "settings.steps": _SQUARE,
    "settings.fine_steps": _SQUARE,
    "settings.fine_below": _SQUARE,
    "settings.start_sigma": (*_FLOW, *_DDPM),
    "settings.diffusion_steps": (*_FLOW, *_DDPM),
    "settings.rho": _FLOW,
    "settings.corrector_steps": ("pc",),
    "settings.corrector_snr": ("pc",),
    "settings.ode_method": ("ode",),
    "settings.vp_schedule": _DDPM,
    "settings.eta": ("ddim",),
}
"""Which samplers make use of a setting (`trainer.settings.ParticleSettings`)."""

_GEOMETRIC = frozenset({"levels", "steps", "fine_steps", "fine_below", "sigma_max"})
"""Settings that a ladder of one's own takes the place of; epsilon and the smallest sigma too, when it is annealed."""

PANE = Section(
    "This pane",
    (
        Spec("sampler", "sampler", "What moves the particles", choices=tuple(TITLES.items())),
        Spec(
            "settings.source",
            "score",
            "Learned: the network as it was when the particles were released. True: the exact score",
            choices=(("learned", "learned"), ("true", "true (exact)")),
        ),
        Spec(
            "settings.epsilon",
            "ε",
            "Step size at the smallest σ: x ← x + ε/2 s + √ε z (Song & Ermon 2019, Algorithm 1)",
        ),
        Spec(
            "settings.start_sigma",
            "starting σ",
            "Noise level at which the particles are pure noise",
            optional=True,
            missing="largest, to 3",
        ),
        Spec("settings.sigma_min", "smallest σ", "Noise level at which the sampler ends"),
        Spec("settings.sigma_max", "largest σ", "Noise level of the ladder's first rung"),
        Spec("settings.diffusion_steps", "steps", "Noise levels on the way down, one step each", whole=True),
        Spec(
            "settings.ode_method",
            "method",
            "Heun asks for the score twice a step and is of second order; Euler asks once",
            choices=(("heun", "Heun"), ("euler", "Euler")),
        ),
        Spec("settings.corrector_steps", "corrector steps", "Langevin steps at each noise level", whole=True),
        Spec("settings.corrector_snr", "signal to noise", "Their ratio r: ε = (2 r σ)² (Song et al. 2021)"),
        Spec("settings.rho", "ρ", "Levels are spaced evenly in σ^(1/ρ): the larger, the denser at small σ"),
        Spec(
            "settings.vp_schedule",
            "schedule",
            "Which thousand noise levels the steps are taken from",
            choices=(("ddpm-linear", "linear"), ("ddpm-cosine", "cosine")),
        ),
        Spec("settings.eta", "η", "Part of DDPM's noise: 0 is deterministic, 1 is DDPM"),
    ),
)

LADDER = Section(
    "Levels and steps",
    (
        Spec("settings.levels", "noise levels", "Rungs of the geometric ladder, from the largest σ down", whole=True),
        Spec("settings.steps", "steps per level", "Steps on each rung down to the σ of the last line", whole=True),
        Spec("settings.fine_steps", "steps, fine levels", "Steps on each rung below that σ", whole=True),
        Spec("settings.fine_below", "fine below σ", "Below it steps move no weight between modes"),
    ),
    "Samplers at one noise level take as many steps in all.",
    folded=True,
)

SECTIONS = (PANE, LADDER)


def hidden(pane: Pane) -> frozenset[str]:
    """The paths of the fields that this pane's sampler does not use."""
    unused = {path for path, users in _USERS.items() if pane.sampler not in users}
    if pane.settings.rungs and pane.sampler in _SQUARE:
        unused |= {f"settings.{name}" for name in _GEOMETRIC}
        if pane.sampler == "annealed":
            unused |= {"settings.epsilon", "settings.sigma_min"}
    return frozenset(unused)


def uses_ladder(pane: Pane) -> bool:
    """Whether the ladder of noise levels says how many steps this sampler takes."""
    return pane.sampler in _SQUARE
