"""Choices that a person makes before or during a run, as frozen dataclasses.

Nothing here imports torch or numpy: the window, project files and checkpoints carry these objects, and
only `trainer.fit` and `trainer.samplers` act on them. Every class checks its own fields when it is made and raises
`InputError` with one line that names the field and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from trainer.errors import InputError

Objective = Literal["dsm"]
Target = Literal["pooled", "single"]
Weighting = Literal["edm", "ncsn", "none"]
Source = Literal["learned", "true"]


def _number(name: str, value: object, low: float, high: float) -> None:
    """Refuse anything but a finite number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name}: {value!r} is not a number; give one between {low:g} and {high:g}")
    if not math.isfinite(value) or not low <= value <= high:
        raise InputError(f"{name}: {value:g} is out of range; give a number between {low:g} and {high:g}")


def _whole(name: str, value: object, low: int, high: int) -> None:
    """Refuse anything but a whole number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}: {value!r} is not a whole number; give one between {low} and {high}")
    _number(name, value, low, high)


def _choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{name}: {value!r} is unknown; choose one of {', '.join(allowed)}")


@dataclass(frozen=True)
class LadderSettings:
    """A geometric ladder of noise levels, sigma_1 > ... > sigma_L (Song & Ermon 2019, section 4.1)."""

    levels: int = 32
    sigma_min: float = 0.02
    sigma_max: float | None = None
    """None: the largest pairwise distance of the data (Song & Ermon 2020, Technique 1)."""

    def __post_init__(self) -> None:
        _whole("ladder.levels", self.levels, 2, 1000)
        _number("ladder.sigma_min", self.sigma_min, 1e-4, 10)
        if self.sigma_max is not None:
            _number("ladder.sigma_max", self.sigma_max, 1e-4, 100)
            if self.sigma_max <= self.sigma_min:
                raise InputError(f"ladder.sigma_max: {self.sigma_max:g} must exceed sigma_min = {self.sigma_min:g}")


@dataclass(frozen=True)
class NetworkSettings:
    """The size of the score network: an MLP on damped random Fourier features with EDM preconditioning."""

    width: int = 128
    depth: int = 2
    features: int = 64

    def __post_init__(self) -> None:
        _whole("network.width", self.width, 8, 1024)
        _whole("network.depth", self.depth, 1, 8)
        _whole("network.features", self.features, 4, 1024)


@dataclass(frozen=True)
class FitSettings:
    """What `trainer.fit.Fit` minimises, on what, and how fast."""

    objective: Objective = "dsm"
    target: Target = "pooled"
    """pooled: the posterior mean over a growing pool of draws; single: the textbook's -z / sigma of one draw."""
    weighting: Weighting = "edm"
    ladder: LadderSettings = field(default_factory=LadderSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    batch: int = 512
    learning_rate: float = 2.5e-2
    ema: float = 0.1

    def __post_init__(self) -> None:
        _choice("objective", self.objective, get_args(Objective))
        _choice("target", self.target, get_args(Target))
        _choice("weighting", self.weighting, get_args(Weighting))
        _whole("batch", self.batch, 16, 65536)
        _number("learning_rate", self.learning_rate, 1e-7, 1e6)
        _number("ema", self.ema, 0.001, 0.5)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitSettings:
        """Rebuild settings from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        known = _known(cls, values)
        if "ladder" in known:
            known["ladder"] = LadderSettings(**_known(LadderSettings, known["ladder"], "ladder."))
        if "network" in known:
            known["network"] = NetworkSettings(**_known(NetworkSettings, known["network"], "network."))
        return cls(**known)


@dataclass(frozen=True)
class ParticleSettings:
    """How the three panes of particles move; the ladder and its steps are those of annealed Langevin dynamics.

    Plain Langevin dynamics and gradient ascent take as many steps in all as annealed Langevin dynamics, at the
    smallest sigma. `trainer.samplers` holds the update rules; why the steps are shared out unevenly stands there too.
    """

    source: Source = "learned"
    number: int = 10_000
    levels: int = 22
    steps: int = 400
    """Steps at each noise level down to `fine_below`."""
    fine_steps: int = 10
    """Steps at each noise level under `fine_below`; as many as `steps` makes it the schedule of Song & Ermon 2019."""
    fine_below: float = 0.24
    epsilon: float = 9e-5
    sigma_min: float = 0.02
    sigma_max: float = 0.4

    def __post_init__(self) -> None:
        _choice("particles.source", self.source, get_args(Source))
        _whole("particles.number", self.number, 1, 20_000)
        _whole("particles.levels", self.levels, 1, 1000)
        _whole("particles.steps", self.steps, 1, 10_000)
        _whole("particles.fine_steps", self.fine_steps, 1, 10_000)
        _number("particles.fine_below", self.fine_below, 0, 10)
        _number("particles.epsilon", self.epsilon, 1e-9, 1)
        _number("particles.sigma_min", self.sigma_min, 1e-3, 10)
        _number("particles.sigma_max", self.sigma_max, 1e-3, 10)
        if self.sigma_max < self.sigma_min:
            raise InputError(f"particles.sigma_max: {self.sigma_max:g} is below sigma_min = {self.sigma_min:g}")

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ParticleSettings:
        """Rebuild settings from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        return cls(**_known(cls, values, "particles."))


def _known(cls: type, values: object, prefix: str = "") -> dict[str, Any]:
    """The mapping's items if each is a field of the dataclass."""
    if not isinstance(values, Mapping):
        raise InputError(f"{prefix or 'settings'}: expected an object of named fields, got {type(values).__name__}")
    names = [f.name for f in fields(cls)]
    for key in values:
        if key not in names:
            raise InputError(f"{prefix}{key}: unknown field; known are {', '.join(names)}")
    return dict(values)
