"""`score-trainer sample`: move particles by a learned score or by the true one, and count where they end."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from trainer.commands.console import (
    Summary,
    add_common,
    check_common,
    in_range,
    progress,
    require_file,
    say,
    use_threads,
)
from trainer.errors import InputError
from trainer.settings import OdeMethod, ParticleSettings, Rung, SamplerName, VPSchedule

if TYPE_CHECKING:
    from trainer.densities import Density
    from trainer.models import ScoreModel
    from trainer.modes import Ledger

_SQUARE = ("ascent", "langevin", "mala", "annealed")
_SDE = ("pc", "sde", "ode")
_DDPM = ("ddpm", "ddim")
_GEOMETRIC = ("levels", "steps", "fine_steps", "fine_below", "sigma_max")
"""What describes the geometric ladder, and nothing beside a ladder drawn level by level."""


@dataclass(frozen=True)
class Option:
    """A flag, the field of `ParticleSettings` that it sets, and the samplers that make use of it."""

    field: str
    kind: Any
    samplers: Collection[str]
    help: str
    choices: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The flag."""
        return "--" + self.field.replace("_", "-")


OPTIONS = (
    Option("levels", int, _SQUARE, "noise levels of the ladder"),
    Option("steps", int, _SQUARE, "steps at each of them"),
    Option("fine_steps", int, _SQUARE, "steps at each under --fine-below"),
    Option("fine_below", float, _SQUARE, "where they begin"),
    Option("epsilon", float, _SQUARE, "step size at sigma-min: x + epsilon/2 s + sqrt(epsilon) z"),
    Option("sigma_min", float, get_args(SamplerName), "the smallest noise level"),
    Option("sigma_max", float, _SQUARE, "the largest of the ladder"),
    Option(
        "rungs",
        str,
        _SQUARE,
        "a ladder of your own instead, largest sigma first, as sigma:steps:epsilon,...; "
        "those who stay at sigma-min take as many steps",
    ),
    Option("start_sigma", float, (*_SDE, *_DDPM), "the noise level to start from; else the largest learned, up to 3"),
    Option("diffusion_steps", int, (*_SDE, *_DDPM), "steps from there down to sigma-min"),
    Option("rho", float, _SDE, "how they are spaced: evenly in sigma^(1/rho)"),
    Option("corrector_steps", int, ("pc",), "Langevin steps at each noise level"),
    Option("corrector_snr", float, ("pc",), "their signal-to-noise ratio"),
    Option("ode_method", str, ("ode",), "how the ODE is solved", get_args(OdeMethod)),
    Option("vp_schedule", str, _DDPM, "whose noise levels", get_args(VPSchedule)),
    Option("eta", float, ("ddim",), "its noise, from 0 for none to 1 for ddpm's"),
)


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser("sample", help="draw from a learned score", description="Draw from a learned score.")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="what `fit -o` wrote")
    parser.add_argument("--sampler", choices=get_args(SamplerName), default="annealed", help="(default annealed)")
    parser.add_argument(
        "--score", choices=("learned", "true"), default="learned", help="which score moves the particles"
    )
    parser.add_argument("--true", dest="score", action="store_const", const="true", help="short for --score true")
    parser.add_argument("--no-table", action="store_true", help="ask the score itself at every step; slow")
    parser.add_argument("-n", type=int, default=10_000, metavar="N", help="how many particles (default 10000)")
    parser.add_argument(
        "-o", dest="output", metavar="FILE.npy", type=Path, help="write the particles there, (N, 2) float32"
    )
    group = parser.add_argument_group("how particles move", "each for the samplers named")
    for option in OPTIONS:
        default = getattr(ParticleSettings, option.field)
        told = option.help if default in (None, ()) else f"{option.help} (default {default})"
        users = "" if len(option.samplers) == len(get_args(SamplerName)) else f"{', '.join(option.samplers)}: "
        metavar = None if option.choices else {int: "N", float: "X", str: "LADDER"}[option.kind]
        group.add_argument(option.name, type=option.kind, choices=option.choices, metavar=metavar, help=users + told)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Load, move the particles, count them, save."""
    in_range("-n", args.n, 1, 10_000_000)
    check_common(args)
    if args.output is not None:
        require_file(args.output, (".npy",))
    given = _given(args)

    use_threads(args.threads)
    from trainer.archives import array_bytes, write_whole
    from trainer.checkpoints import load_score
    from trainer.metrics import mode_ledger
    from trainer.models import TrueScore
    from trainer.noise import Noise
    from trainer.samplers import SAMPLERS
    from trainer.tables import MOST_NODES, TabulatedScore

    learned = load_score(args.folder, args.device)
    density = cast("Density", learned.density)  # what `load_score` reads is always one
    model: ScoreModel = TrueScore(density, learned.kernel) if args.score == "true" else learned
    sampler = SAMPLERS[args.sampler]
    if sampler.needs_log_prob and model is learned and not learned.has_log_density:
        raise InputError(
            f"--sampler: {args.sampler} needs a log-density, which a score learned as "
            f"{learned.settings.parameterisation} has not; give --true, or fit with --parameterisation energy"
        )
    settings = _settings(given, args, model)
    began = time.perf_counter()
    try:
        levels = sampler.levels(settings, model)
        evaluations = sampler.evaluations(settings, model)
        # A density fills a table in a millisecond; a network answers for each node as for a particle.
        pays = args.score == "true" or evaluations * args.n > len(levels) * MOST_NODES**2
        table = TabulatedScore(model) if pays and not (args.no_table or sampler.needs_log_prob) else None
        noise = Noise(args.seed, model.device)
        x = sampler.start(model, settings, args.n, noise)
        steps = sampler.steps(settings, model)
        with progress(f"{args.sampler}, {args.n:,} particles", steps) as bar:
            for step, moved in sampler(table or model, x, settings, noise):
                bar(step)
                x = moved
    except InputError as error:
        raise _by_option(error) from None
    seconds = time.perf_counter() - began
    table_error = 0.0 if table is None else max(table.error(sigma) for sigma in levels)
    points = x.float().cpu().numpy()
    ledger = mode_ledger(points, density)
    if args.output is not None:
        write_whole(args.output, array_bytes(points))

    values = {
        "folder": str(args.folder),
        "sampler": args.sampler,
        "score": args.score,
        "seed": args.seed,
        "n": args.n,
        "steps": steps,
        "evaluations": evaluations,
        "settings": {name: value for name, value in settings.to_json().items() if name not in ("source", "number")},
        "seconds": seconds,
        "table_error": table_error,
        "ledger": _ledger_values(ledger),
        "file": None if args.output is None else str(args.output),
    }
    head = f"{args.sampler}: {args.n:,} particles, {steps:,} steps in {seconds:.2f} s, seed {args.seed}"
    text = f"{head}\n{_ledger_text(ledger)}"
    return Summary(text if args.output is None else f"{text}\nwritten to {args.output}", values)


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The fields that the person set; an option of which the sampler makes no use is refused."""
    given = {}
    for option in OPTIONS:
        value = getattr(args, option.field)
        if value is None:
            continue
        if args.sampler not in option.samplers:
            raise InputError(
                f"{option.name}: has no effect on the sampler {args.sampler}, only on {', '.join(option.samplers)}; "
                "leave it out"
            )
        given[option.field] = _rungs(value) if option.field == "rungs" else value
    if "rungs" in given:
        for field in (*_GEOMETRIC, *(("epsilon", "sigma_min") if args.sampler == "annealed" else ())):
            if field in given:
                name = "--" + field.replace("_", "-")
                raise InputError(f"{name}: has no effect beside --rungs, which says it level by level; leave it out")
    if args.no_table and args.sampler == "mala":
        raise InputError("--no-table: has no effect on the sampler mala, which reads from none; leave it out")
    return given


def _rungs(text: str) -> tuple[Rung, ...]:
    """The ladder that `--rungs` spells, as sigma:steps:epsilon for each level."""
    rungs = []
    for part in text.split(","):
        try:
            sigma, steps, epsilon = part.split(":")
            rungs.append(Rung(float(sigma), int(steps), float(epsilon)))
        except InputError as error:
            raise InputError(f"--rungs: {part.strip()}: {str(error).removeprefix('rung.')}") from None
        except ValueError:
            raise InputError(
                f"--rungs: {part.strip()!r} is no level; give sigma:steps:epsilon, such as 0.2:30:5e-3, commas between"
            ) from None
    return tuple(rungs)


def _settings(given: dict[str, Any], args: argparse.Namespace, model: ScoreModel) -> ParticleSettings:
    """The settings asked for; noise levels that were left open are cut to what the model knows, and it is said."""
    from trainer.samplers import within

    top = max(given.get("sigma_min", 0), ParticleSettings.sigma_max)
    try:
        asked = ParticleSettings(source=args.score, **{"sigma_max": top, **given})
    except InputError as error:
        raise _by_option(error) from None
    cut = within(asked, model)
    if cut.rungs != asked.rungs:
        wrong = next(rung.sigma for rung in asked.rungs if rung not in cut.rungs)
        raise InputError(
            f"--rungs: {wrong:g} is outside the model's noise levels; "
            f"give levels between {model.sigma_min:g} and {model.sigma_max:g}"
        )
    changed = {name: getattr(cut, name) for name in ("sigma_min", "sigma_max") if name not in given}
    settings = replace(asked, **changed)
    if settings != asked:
        say(
            f"{args.folder}: knows noise levels {model.sigma_min:g} to {model.sigma_max:g} only; "
            f"the ladder was cut to {settings.sigma_min:g} to {settings.sigma_max:g}"
        )
    return settings


def _by_option(error: InputError) -> InputError:
    """The same error, with the option's name for the field's."""
    field, _, rest = str(error).partition(": ")
    names = {f"particles.{option.field}": option.name for option in OPTIONS} | {"sampler": "--sampler"}
    return InputError(f"{names.get(field, field)}: {rest}")


def _ledger_values(ledger: Ledger) -> dict[str, Any]:
    rows = zip(ledger.centres, ledger.mass, ledger.share, ledger.low, ledger.high, strict=True)
    return {
        "modes": [
            {
                "centre": centre.tolist(),
                "true_mass": float(mass),
                "share": float(share),
                "low": float(low),
                "high": float(high),
            }
            for centre, mass, share, low, high in rows
        ],
        "elsewhere": ledger.elsewhere,
    }


def _ledger_text(ledger: Ledger) -> str:
    lines = [f"{'mode at':>16}{'true mass':>11}{'share':>9}   95 % band"]
    for (x, y), mass, share, low, high in zip(
        ledger.centres, ledger.mass, ledger.share, ledger.low, ledger.high, strict=True
    ):
        lines.append(f"{f'({x:.2f}, {y:.2f})':>16}{mass:>11.4f}{share:>9.4f}   {low:.4f} to {high:.4f}")
    return "\n".join([*lines, f"{'elsewhere':>16}{'':>11}{ledger.elsewhere:>9.4f}"])
