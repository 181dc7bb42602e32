"""What panes of particles are called: one name each, and no two alike; and which one comes next.

A pane is named by its sampler. Where two panes have the same sampler the name says what differs: "Langevin, ε 1e-4" and
"Langevin, ε 4e-4". Plain values; neither Qt nor torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from explorer.engine.frames import PaneState
from trainer.scenes import MOST_PANES, Pane, Scene
from trainer.settings import SamplerName

SHORT = {
    "ascent": "ascent",
    "langevin": "Langevin",
    "mala": "MALA",
    "annealed": "annealed",
    "pc": "pred.-corr.",
    "sde": "reverse SDE",
    "ode": "ODE",
    "ddpm": "DDPM",
    "ddim": "DDIM",
}
"""A sampler's name in a ledger or at a curve."""

TITLES = {
    "ascent": "Ascent",
    "langevin": "Langevin",
    "mala": "MALA",
    "annealed": "Annealed Langevin",
    "pc": "Predictor-corrector",
    "sde": "Reverse SDE",
    "ode": "Probability-flow ODE",
    "ddpm": "DDPM",
    "ddim": "DDIM",
}
"""A sampler's name over a pane and in a list."""

MEANINGS = {
    "ascent": "gradient ascent without noise",
    "langevin": "plain Langevin dynamics",
    "mala": "the Metropolis-adjusted Langevin algorithm",
    "annealed": "annealed Langevin dynamics",
    "pc": "predictor and corrector in turn",
    "sde": "the reverse SDE",
    "ode": "the probability-flow ODE",
    "ddpm": "DDPM's ancestral sampling",
    "ddim": "DDIM",
}
"""What moves the particles, within a sentence."""


def _value(value: float) -> str:
    """A number as a person types it: 9e-5, 0.02."""
    short = f"{value:.0e}"
    text = short if 0 < value < 1e-3 and float(short) == value else f"{value:g}"
    return text.replace("e-0", "e-")


def _levels(pane: Pane) -> str:
    rungs = pane.settings.rungs
    return f"{len(rungs)} own levels" if rungs else f"{pane.settings.levels} levels"


def _number(field: str, label: str) -> Callable[[Pane], str]:
    return lambda pane: label.format(_value(getattr(pane.settings, field)))


_DIFFERENCES: tuple[Callable[[Pane], str], ...] = (
    lambda pane: f"{pane.settings.source} score",
    _number("epsilon", "ε {}"),
    _levels,
    _number("sigma_min", "to σ {}"),
    _number("sigma_max", "from σ {}"),
    _number("steps", "{} a level"),
    _number("fine_steps", "{} a fine level"),
    _number("diffusion_steps", "{} steps"),
    lambda pane: "largest σ" if pane.settings.start_sigma is None else f"from σ {_value(pane.settings.start_sigma)}",
    _number("eta", "η {}"),
    lambda pane: pane.settings.ode_method.capitalize(),
    _number("corrector_steps", "{} corrections"),
    _number("corrector_snr", "r {}"),
    _number("rho", "ρ {}"),
    lambda pane: pane.settings.vp_schedule.removeprefix("ddpm-"),
)
"""What a name may add, in order of preference."""


def pane_names(panes: Scene | Sequence[PaneState]) -> tuple[str, ...]:
    """Short names, no two alike, of a scene's panes or of a frame's.

    A frame's panes bring their names along; where one has none it is named by its sampler.
    """
    if isinstance(panes, Scene):
        return _distinct([SHORT[pane.sampler] for pane in panes.panes], panes.panes)
    return _numbered([state.label or SHORT.get(state.sampler, state.sampler) for state in panes])


def pane_titles(scene: Scene) -> tuple[str, ...]:
    """What stands over the panes, no two alike."""
    return _distinct([TITLES[pane.sampler] for pane in scene.panes], scene.panes)


def _distinct(names: list[str], panes: Sequence[Pane]) -> tuple[str, ...]:
    """Add to names that occur more than once what tells their panes apart, or else their number."""
    result = list(names)
    for name, count in Counter(names).items():
        if count == 1:
            continue
        alike = [i for i, other in enumerate(names) if other == name]
        for difference in _DIFFERENCES:
            words = [difference(panes[i]) for i in alike]
            # One difference names them all if it can; the first that splits them is taken otherwise.
            if len(set(words)) == count or (len(set(words)) > 1 and result[alike[0]] == name):
                for i, word in zip(alike, words, strict=True):
                    result[i] = f"{name}, {word}"
                if len(set(words)) == count:
                    break
    return _numbered(result)


def _numbered(names: list[str]) -> tuple[str, ...]:
    """Names that occur more than once get a number."""
    many, seen = Counter(names), Counter[str]()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} {seen[name]}" if many[name] > 1 else name)
    return tuple(result)


_NEXT: tuple[SamplerName, ...] = ("annealed", "langevin", "sde", "ode", "ascent")
"""A pane that is added gets the first of these that no other pane has."""


def one_more(scene: Scene) -> Scene:
    """The scene with one more pane, of another sampler with the last pane's settings; the same one when it is full."""
    if len(scene.panes) >= MOST_PANES:
        return scene
    used = {pane.sampler for pane in scene.panes}
    sampler = next(sampler for sampler in _NEXT if sampler not in used)
    return replace(scene, panes=(*scene.panes, Pane(sampler, scene.panes[-1].settings)))
