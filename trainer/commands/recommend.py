"""`score-trainer recommend`: noise levels and step sizes for the data at hand, each with its reason.

Given an error that the weights or the variance of the modes may have, it looks for the smallest ladder of annealed
Langevin dynamics that is predicted to keep both (`trainer.ladders`), and prints the command that runs it.
"""

from __future__ import annotations

import argparse
import shlex
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainer.commands.console import Summary, add_density, add_json, in_range, use_threads
from trainer.errors import InputError

if TYPE_CHECKING:
    from trainer.settings import ParticleSettings

WEIGHT_ERROR, VARIANCE_ERROR = 0.02, 0.1
"""What is allowed of one error where only the other is given."""

_LADDER = ("levels", "steps", "fine_steps", "fine_below", "epsilon", "sigma_min", "sigma_max")


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "recommend",
        help="noise levels and step sizes for a density",
        description="Noise levels and step sizes for a density, each with its reason.",
    )
    add_density(parser)
    group = parser.add_argument_group("the smallest ladder", "with the fewest steps whose predicted errors are below:")
    group.add_argument(
        "--weight-error", type=float, metavar="X", help=f"of the modes' shares, 0.001 to 0.5 (else {WEIGHT_ERROR:g})"
    )
    group.add_argument(
        "--variance-error", type=float, metavar="X", help=f"of their variance, 0.005 to 1 (else {VARIANCE_ERROR:g})"
    )
    group.add_argument("--sigma-min", type=float, metavar="X", help="its smallest noise level (default 0.02)")
    group.add_argument("--sigma-max", type=float, metavar="X", help="its largest; else the one with the fewest steps")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Look at the data, and say what suits it."""
    if args.weight_error is not None or args.variance_error is not None:
        return _smallest(args)
    for option in ("sigma_min", "sigma_max"):
        if getattr(args, option) is not None:
            flag = "--" + option.replace("_", "-")
            raise InputError(f"{flag}: has no effect without --weight-error or --variance-error; add one, or leave it")
    from trainer.densities import load_density
    from trainer.recommendations import recommend

    choices = recommend(load_density(args.density, as_=args.as_)).to_json()
    return Summary(_told(choices), {"density": args.density, **choices})


def _smallest(args: argparse.Namespace) -> Summary:
    weights = WEIGHT_ERROR if args.weight_error is None else args.weight_error
    variance = VARIANCE_ERROR if args.variance_error is None else args.variance_error
    low = 0.02 if args.sigma_min is None else args.sigma_min
    in_range("--weight-error", weights, 0.001, 0.5)
    in_range("--variance-error", variance, 0.005, 1)
    in_range("--sigma-min", low, 1e-3, 5)
    if args.sigma_max is not None:
        in_range("--sigma-max", args.sigma_max, 2 * low, 10)

    use_threads(1)
    from trainer.densities import load_density
    from trainer.ladders import smallest_ladder

    ladder = smallest_ladder(load_density(args.density, as_=args.as_), low, args.sigma_max, weights, variance)
    forecast = ladder.forecast
    choices: dict[str, dict[str, float | str]] = {
        name: {"value": choice.value, "reason": choice.reason} for name, choice in ladder.choices.items()
    }
    command = sample_command(ladder.particles())
    predicted = {
        "steps": forecast.steps,
        "weight_error": forecast.weight_error,
        "variance_error": forecast.variance_error,
    }
    text = (
        f"{_told(choices)}\n\npredicted: {forecast.steps:,} steps, the modes' shares {forecast.weight_error:.2g} off, "
        f"their variance {100 * forecast.variance_error:.2g} %\n{command}"
    )
    return Summary(text, {"density": args.density, **choices, "predicted": predicted, "command": command})


def sample_command(settings: ParticleSettings) -> str:
    """The command line that runs this ladder on the true score; FOLDER stands for what `fit -o` wrote."""
    words = ["score-trainer", "sample", "FOLDER", "--sampler", "annealed", "--true"]
    for name in _LADDER:
        words += ["--" + name.replace("_", "-"), f"{getattr(settings, name):.10g}"]
    return shlex.join(words)


def _told(choices: Mapping[str, Mapping[str, float | str]]) -> str:
    """Each name and value in one line, its reason below."""
    width = max(map(len, choices)) + 2
    lines = []
    for name, choice in choices.items():
        lines.append(f"{name:<{width}}{choice['value']:.6g}")
        lines += textwrap.wrap(str(choice["reason"]), 100, initial_indent=" " * width, subsequent_indent=" " * width)
    return "\n".join(lines)
