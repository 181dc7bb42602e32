"""The options that choose what is minimised and how: a flag for each field of `FitSettings`, and what they need.

The names and choices are those of `trainer.settings`. What the person gave is never changed. What the person left open
is the default, unless that cannot be had together with what was given (a denoiser under Laplace noise, say): then it is
the nearest choice that can, and a line on standard error says so. An option that the others leave without effect is
refused rather than ignored.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, get_args

from trainer.commands.console import say
from trainer.compatibility import idle
from trainer.errors import InputError
from trainer.settings import (
    Activation,
    FitSettings,
    KernelName,
    LadderSettings,
    NetworkSettings,
    Objective,
    Parameterisation,
    Projection,
    Schedule,
    Target,
    Weighting,
)


@dataclass(frozen=True)
class Option:
    """A flag of the command line and the field of `FitSettings` that it sets, "ladder.levels" for a part's."""

    field: str
    kind: Any = str
    choices: tuple[str, ...] | None = None
    help: str = ""
    flag: str = ""

    @property
    def name(self) -> str:
        """The flag: unless given, the field's own last name."""
        return self.flag or "--" + self.field.rpartition(".")[2].replace("_", "-")

    @property
    def default(self) -> Any:  # noqa: ANN401 - of any field
        """What the field is if nobody says anything."""
        part, _, name = self.field.rpartition(".")
        return getattr(getattr(FitSettings(), part) if part else FitSettings(), name)


OPTIONS = (
    Option("objective", choices=get_args(Objective), help="what is minimised"),
    Option("target", choices=get_args(Target), help="what dsm regresses on"),
    Option("weighting", choices=get_args(Weighting), help="how noise levels count"),
    Option("kernel", choices=get_args(KernelName), help="the noise"),
    Option("parameterisation", choices=get_args(Parameterisation), help="what the network stands for"),
    Option("schedule", choices=get_args(Schedule), help="which noise levels are trained"),
    Option("projections", int, help="random directions per point, for hutchinson, ssm and ssm_vr"),
    Option("projection", choices=get_args(Projection), help="how they are drawn"),
    Option("reference", int, help="draws of a reference batch"),
    Option("ladder.levels", int, help="how many noise levels; 1 is sigma-min alone"),
    Option("ladder.sigma_min", float, help="the smallest"),
    Option("ladder.sigma_max", float, help="the largest; else the largest distance in the data"),
    Option("network.width", int, help="units of a hidden layer"),
    Option("network.depth", int, help="hidden layers"),
    Option("network.features", int, help="Fourier frequencies; 0 for none"),
    Option("network.octaves", float, help="how far they reach above the slowest"),
    Option("network.damped", flag="--undamped", help="do not fade them with the noise"),
    Option("network.activation", choices=get_args(Activation), help="of the hidden layers"),
    Option("batch", int, help="points of a step"),
    Option("learning_rate", float, help="its peak"),
    Option("ema", float, help="the share of a run that the averaged weights look back on"),
)
_BY_FIELD = {option.field: option for option in OPTIONS}


def add_settings(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
    """Add a flag for every field of `FitSettings` but those `without`."""
    group = parser.add_argument_group("what is learned, and how")
    for option in OPTIONS:
        if option.field in without:
            continue
        if option.field == "network.damped":
            group.add_argument(option.name, dest=option.field, action="store_const", const=False, help=option.help)
            continue
        told = option.help if option.default is None else f"{option.help} (default {option.default})"
        metavar = None if option.choices else {int: "N", float: "X"}[option.kind]
        group.add_argument(
            option.name, dest=option.field, type=option.kind, choices=option.choices, metavar=metavar, help=told
        )


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The fields that the person set, by name."""
    values = {field: getattr(args, field, None) for field in _BY_FIELD}
    return {field: value for field, value in values.items() if value is not None}


def make_settings(given: dict[str, Any], tell: Callable[[str], None] = say) -> FitSettings:
    """Settings with the given fields, the rest filled in.

    Args:
        given: fields by name, as from `given_settings`.
        tell: called with a line for each field that was filled with something else than the default.

    Raises:
        InputError: for values out of range, or that cannot be had together; it names the option.
    """
    filled = {field: value for field, value in _companions(given).items() if field not in given}
    for field, (value, reason) in filled.items():
        tell(f"{_BY_FIELD[field].name} {value}, since {reason}")
    values = {field: value for field, (value, _) in filled.items()} | given
    try:
        return FitSettings(
            **{name: value for name, value in values.items() if "." not in name},
            ladder=LadderSettings(**_part(values, "ladder")),
            network=NetworkSettings(**_part(values, "network")),
        )
    except InputError as error:
        field, _, rest = str(error).partition(": ")
        name = _BY_FIELD[field].name if field in _BY_FIELD else field
        raise InputError(f"{name}: {rest}") from None


def require_effect(given: Collection[str], settings: Collection[FitSettings]) -> None:
    """Refuse an option that none of these settings makes use of.

    Raises:
        InputError: names the option and why it has no effect.
    """
    unused = [idle(each) for each in settings]
    for field in given:
        # A weight that the objective brings along may be spelled out: no other one is valid with it.
        if field != "weighting" and all(field in reasons for reasons in unused):
            raise InputError(f"{_BY_FIELD[field].name}: has no effect ({unused[0][field]}); leave it out")


def _part(values: dict[str, Any], part: str) -> dict[str, Any]:
    return {name.rpartition(".")[2]: value for name, value in values.items() if name.startswith(part + ".")}


def _companions(given: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What the given fields ask of others that were left open: field -> (value, reason)."""
    found: dict[str, tuple[str, str]] = {}
    denoising = given.get("objective", FitSettings.objective) == "dsm"
    kernel = given.get("kernel", FitSettings.kernel)
    if kernel != "gaussian":
        found["parameterisation"] = ("score", f"a denoiser is defined for Gaussian noise, not for {kernel}")
        if denoising:
            found["target"] = ("single", f"pooled targets are known for Gaussian noise, not for {kernel}")
    if given.get("objective") == "ddpm":
        found["weighting"] = ("ddpm", "L_simple weighs noise levels so")
        found["schedule"] = ("ddpm-linear", "the objective ddpm draws its noise levels from DDPM's timesteps")
    schedule = given.get("schedule", FitSettings.schedule)
    if schedule != "geometric" and denoising:
        found["target"] = ("single", f"pooled targets are tabulated level by level, and {schedule} has too many")
    return found
