"""When training stops by itself, and which objectives race each other.

Nothing here imports torch or numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from typing import Any, Literal, get_args

from trainer.errors import InputError
from trainer.settings import FitSettings, choice, known, number, whole
from trainer.words import FIELDS, said

Alignment = Literal["steps", "seconds"]

MOST_RACERS = 5

SHARED = ("kernel", "schedule", "batch", "ladder.levels", "ladder.sigma_min", "ladder.sigma_max")
"""The fields of `FitSettings` that determine the noisy points: all that race each other have them alike."""


@dataclass(frozen=True)
class StopSettings:
    """Training pauses by itself when the first of these is reached; None does not count.

    Attributes:
        steps: training steps since the network was drawn.
        seconds: time spent in them.
        error: relative Fisher error at every noise level that is followed, as last measured.
    """

    steps: int | None = None
    seconds: float | None = None
    error: float | None = None

    def __post_init__(self) -> None:
        if self.steps is not None:
            whole("stop.steps", self.steps, 1, 10**9)
        if self.seconds is not None:
            number("stop.seconds", self.seconds, 0.1, 1e6)
        if self.error is not None:
            number("stop.error", self.error, 1e-9, 1)

    def to_json(self) -> dict[str, Any]:
        """The conditions as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StopSettings:
        """Rebuild them from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        return cls(**known(cls, values, "stop."))


def entrants() -> tuple[FitSettings, ...]:
    """Three ways to learn the same score: pooled targets, one draw as in textbooks, sliced score matching."""
    pooled = FitSettings()
    sliced = replace(pooled, objective="ssm_vr", parameterisation="denoiser", weighting="ncsn")
    return pooled, replace(pooled, target="single"), sliced


@dataclass(frozen=True)
class RaceSettings:
    """Two to five ways to learn one density, from one seed and the same noisy points.

    Attributes:
        entrants: how each of them learns.
        aligned: "steps" gives all the same number of steps, "seconds" the same time.
    """

    entrants: tuple[FitSettings, ...] = ()
    aligned: Alignment = "steps"

    def __post_init__(self) -> None:
        choice("race.aligned", self.aligned, get_args(Alignment))
        if not isinstance(self.entrants, tuple) or not all(isinstance(each, FitSettings) for each in self.entrants):
            raise InputError("race.entrants: not a list of training settings")
        if self.entrants and not 2 <= len(self.entrants) <= MOST_RACERS:
            raise InputError(f"race.entrants: {len(self.entrants)} of them; give two to {MOST_RACERS}")
        for path in SHARED:
            values = list(dict.fromkeys(said(path, attrgetter(path)(each)) for each in self.entrants))
            if len(values) > 1:
                raise InputError(
                    f"race.entrants: not all have the same {FIELDS[path]}: {values[0]} and {values[1]}; they must, or "
                    "their noisy points are not the same"
                )

    def to_json(self) -> dict[str, Any]:
        """The race as plain JSON values."""
        return {"entrants": [each.to_json() for each in self.entrants], "aligned": self.aligned}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RaceSettings:
        """Rebuild it from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        fields = known(cls, values, "race.")
        records = fields.get("entrants", [])
        if not isinstance(records, list):
            raise InputError("race.entrants: expected a list of training settings")
        fields["entrants"] = tuple(FitSettings.from_json(record) for record in records)
        return cls(**fields)


def names(entrants: Sequence[FitSettings]) -> tuple[str, ...]:
    """A short name for each, unlike the others': what it learns from, and what else tells it from its namesakes."""
    found = [_kind(each) for each in entrants]
    for path in FIELDS:
        if path in ("objective", "target") or len(set(found)) == len(found):
            continue
        for name in {name for name in found if found.count(name) > 1}:
            alike = [i for i, each in enumerate(found) if each == name]
            if len({attrgetter(path)(entrants[i]) for i in alike}) > 1:
                for i in alike:
                    found[i] = f"{name}, {_trait(path, attrgetter(path)(entrants[i]))}"
    counted = [found[: i + 1].count(name) for i, name in enumerate(found)]
    return tuple(name if count == 1 else f"{name} ({count})" for name, count in zip(found, counted, strict=True))


def _kind(settings: FitSettings) -> str:
    """The objective in two words at most; of denoising, what it regresses on."""
    if settings.objective == "dsm":
        return {"pooled": "pooled", "single": "one draw", "reference": "reference", "control_variate": "variate"}[
            settings.target
        ]
    return {
        "esm": "exact score",
        "ism": "ISM",
        "hutchinson": "Hutchinson",
        "ssm": "sliced",
        "ssm_vr": "sliced VR",
        "ddpm": "DDPM",
    }[settings.objective]


def _trait(path: str, value: object) -> str:
    """One field as part of a name: "energy", "weight σ²", "width 64"."""
    word = said(path, value)
    if path in ("parameterisation", "kernel", "schedule", "network.activation", "projection"):
        return word
    if path == "network.damped":
        return "damped" if value else "undamped"
    return f"{_SHORT.get(path, FIELDS[path])} {word}"


_SHORT = {"weighting": "weight", "learning_rate": "rate", "network.depth": "depth", "ema": "EMA"}
