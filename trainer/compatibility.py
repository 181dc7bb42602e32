"""Which training settings go together: the nearest valid ones with a wanted value, and which fields have no effect.

Some choices exclude each other (`FitSettings`): a denoiser is defined for Gaussian noise alone, DDPM's objective has
noise levels and weights of its own. `compatible` answers "I want this value: what else must change?". Among all valid
settings with that value it returns the one for which the least has to change: changing a target or a weight costs
little, changing what the network stands for costs the weights learned so far, changing the objective most. Of equally
near ones it takes the usual choice.

Nothing here imports torch or numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from trainer.errors import InputError
from trainer.settings import FitSettings

USUAL: Mapping[str, tuple[str, ...]] = {
    "target": ("pooled", "single", "reference", "control_variate"),
    "weighting": ("edm", "ddpm", "ncsn", "none"),
    "schedule": ("geometric", "ddpm-linear", "ddpm-cosine", "edm"),
    "parameterisation": ("denoiser", "noise", "score", "energy", "unconditional"),
    "kernel": ("gaussian", "laplace", "mixture"),
    "objective": ("dsm", "esm", "ism", "hutchinson", "ssm_vr", "ssm", "ddpm"),
}
"""The fields that depend on each other, and their values, the most usual first."""

_COST = {"target": 1, "weighting": 1, "schedule": 2, "parameterisation": 4, "kernel": 8, "objective": 16}

_SLICED = ("hutchinson", "ssm", "ssm_vr")


@dataclass(frozen=True)
class Compatible:
    """Valid settings, and which fields beside the wanted one had to change.

    Attributes:
        settings: with the wanted value.
        changed: those other fields' names, in the order of `USUAL`; "ladder.sigma_min" and "ladder.sigma_max" too.
    """

    settings: FitSettings
    changed: tuple[str, ...]


def compatible(settings: FitSettings, path: str, value: object) -> Compatible:
    """The nearest valid settings in which the field at `path` has this value.

    Args:
        settings: what holds now.
        path: a field of `FitSettings`, with a dot for a part's: "kernel", "ladder.sigma_min".
        value: what it is to be.

    Raises:
        InputError: no settings have that value; the line is the field's own.
    """
    part, _, name = path.rpartition(".")
    if part == "ladder" and name in ("sigma_min", "sigma_max"):
        return _ladder(settings, name, value)
    if part:
        inner: Any = getattr(settings, part)
        return Compatible(replace(settings, **{part: replace(inner, **{name: value})}), ())
    refused: InputError | None = None
    for changes in _nearest(path):
        try:
            found = replace(settings, **{path: value}, **changes)  # type: ignore[arg-type]
        except InputError as error:
            refused = refused or error
            if str(error).startswith(f"{path}: ") and (path not in USUAL or value not in USUAL[path]):
                break
        else:
            changed = tuple(field for field in USUAL if field in changes and changes[field] != getattr(settings, field))
            return Compatible(found, changed)
    assert refused is not None  # the first try was refused, or returned
    raise refused


def _nearest(path: str) -> Iterator[dict[str, str]]:
    """Changes of the fields beside `path`, the cheapest first; none at all to begin with."""
    others = [field for field in USUAL if field != path]
    groups = [group for size in range(len(others) + 1) for group in combinations(others, size)]
    for group in sorted(groups, key=lambda group: sum(_COST[field] for field in group)):
        for values in product(*(USUAL[field] for field in group)):
            yield dict(zip(group, values, strict=True))


def _ladder(settings: FitSettings, name: str, value: object) -> Compatible:
    """One end of the ladder; the other gives way where it has to."""
    ladder = settings.ladder
    try:
        return Compatible(replace(settings, ladder=replace(ladder, **{name: value})), ())  # type: ignore[arg-type]
    except InputError:
        if name == "sigma_min":  # the largest is then the data's own size again
            other, wanted = "sigma_max", replace(ladder, sigma_max=None, sigma_min=value)  # type: ignore[arg-type]
        else:
            tenth = float(f"{value / 10:.2g}") if isinstance(value, int | float) else ladder.sigma_min
            below = min(max(tenth, 1e-4), 10.0)
            other, wanted = "sigma_min", replace(ladder, sigma_min=below, sigma_max=value)  # type: ignore[arg-type]
        return Compatible(replace(settings, ladder=wanted), (f"ladder.{other}",))


def idle(settings: FitSettings) -> dict[str, str]:
    """The fields that these settings make no use of, each with the reason in one line."""
    found: dict[str, str] = {}
    if settings.objective != "dsm":
        found["target"] = "Only denoising has a choice of targets"
    if settings.objective not in _SLICED:
        found |= dict.fromkeys(
            ("projections", "projection"), "Only sliced and Hutchinson's objectives look along random directions"
        )
    if settings.objective != "dsm" or settings.target != "reference":
        found["reference"] = "Only the target “reference batch” has one"
    if settings.objective == "ddpm":
        found["weighting"] = "DDPM's objective has a weight of its own, 2σ²"
    if settings.schedule != "geometric":
        found["ladder.levels"] = "Only a geometric ladder has a number of levels"
    elif settings.ladder.levels == 1:
        found["ladder.sigma_max"] = "One level is the smallest σ alone"
    if settings.schedule.startswith("ddpm"):
        found |= dict.fromkeys(("ladder.sigma_min", "ladder.sigma_max"), "DDPM's noise levels have ends of their own")
    if not settings.network.features:
        found |= dict.fromkeys(("network.octaves", "network.damped"), "There are no Fourier features")
    elif settings.parameterisation == "unconditional":
        found["network.damped"] = "An unconditional network does not know the noise to fade them by"
    return found
