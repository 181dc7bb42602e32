"""What the commands on images share: reading and splitting pictures, the samplers' options, and who may speak.

The split into training and held-out pictures depends on the pictures and the share alone, never on a run's seed: models
of any seed are judged by the same held-out pictures.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trainer.commands.console import add_json, in_range, progress, say, use_threads
from trainer.commands.sample import OPTIONS, Option
from trainer.errors import InputError
from trainer.images.settings import HELD_OUT, SPLIT_SEED
from trainer.settings import ParticleSettings

if TYPE_CHECKING:
    from trainer.images.models import ImageScore
    from trainer.images.pictures import Pictures

SAMPLERS = ("annealed", "pc", "sde", "ode", "ddpm", "ddim")
_NAMED = 3  # skipped pictures that are told one by one
_RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK")


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """--size, --colour, --limit and --held-out."""
    group = parser.add_argument_group("pictures")
    group.add_argument("--size", type=int, metavar="P", help="make squares of P pixels of them; else as they are")
    group.add_argument("--colour", choices=("grey", "rgb"), help="else as they are")
    group.add_argument("--limit", type=int, metavar="N", help="read at most N, evenly spaced over the source")
    group.add_argument(
        "--held-out",
        type=float,
        default=HELD_OUT,
        metavar="SHARE",
        help="keep this share out of training, to judge samples by; 0 for none (default %(default)g)",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """--seed, --device, --threads and --json; `check_run` belongs to it."""
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="of all randomness (default 0)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--threads", type=int, metavar="T", help="processor threads; else as many as torch takes")
    add_json(parser)


def check_run(args: argparse.Namespace) -> None:
    """Refuse a seed or a number of threads that is out of range."""
    in_range("--seed", args.seed, 0, 2**63 - 1)
    if args.threads is not None:
        in_range("--threads", args.threads, 1, 1024)


def begin(args: argparse.Namespace) -> None:
    """Take the threads asked for; imports torch."""
    if args.threads is not None:
        use_threads(args.threads)


def read(source: str, args: argparse.Namespace) -> Pictures:
    """The pictures of a source; those that could not be read are named on standard error."""
    from trainer.images.sources import read_pictures

    pictures = read_pictures(source, size=args.size, colour=args.colour, limit=args.limit)
    if pictures.skipped and leads():
        more = len(pictures.skipped) - _NAMED
        shown = "; ".join(pictures.skipped[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
        say(f"{source}: {len(pictures.skipped)} left out: {shown}")
    return pictures


def divided(pictures: Pictures, share: float) -> tuple[Pictures, Pictures | None]:
    """(pictures to train on, pictures held out), the second None for a share of 0."""
    if share == 0:
        return pictures, None
    try:
        return pictures.split(share, SPLIT_SEED)
    except InputError as error:
        raise InputError(f"--{str(error).replace('held_out', 'held-out', 1)}") from None


def add_samplers(parser: argparse.ArgumentParser) -> None:
    """--sampler, --batch, and an option for each setting that one of these samplers takes."""
    parser.add_argument("--sampler", choices=SAMPLERS, default="annealed", help="(default annealed)")
    parser.add_argument("--batch", type=int, default=256, metavar="N", help="pictures at a time (default 256)")
    group = parser.add_argument_group("how pictures come out of noise", "each for the samplers named; else recommended")
    for option in _options():
        users = [name for name in SAMPLERS if name in option.samplers]
        told = "" if len(users) == len(SAMPLERS) else f"{', '.join(users)}: "
        metavar = None if option.choices else {int: "N", float: "X"}[option.kind]
        group.add_argument(
            option.name, type=option.kind, choices=option.choices, metavar=metavar, help=told + option.help
        )


def particle_settings(args: argparse.Namespace, model: ImageScore) -> ParticleSettings:
    """The recommended settings, with what the person gave in their place.

    Raises:
        InputError: a value is out of range, or the sampler makes no use of it.
    """
    from trainer.images.sampling import recommended

    given: dict[str, Any] = {}
    for option in _options():
        value = getattr(args, option.field)
        if value is None:
            continue
        if args.sampler not in option.samplers:
            raise InputError(
                f"{option.name}: has no effect on the sampler {args.sampler}, only on "
                f"{', '.join(name for name in SAMPLERS if name in option.samplers)}; leave it out"
            )
        given[option.field] = value
    if "steps" in given:
        given["fine_steps"] = given["steps"]
    settings = recommended(model, args.sampler)
    with by_option():
        if args.sampler == "annealed" and given.keys() - {"epsilon"}:
            settings = replace(settings, **given)
            return replace(settings, epsilon=given.get("epsilon", _epsilon(settings)))
        return replace(settings, **given)


@contextmanager
def by_option() -> Iterator[None]:
    """Errors of settings under their options' names."""
    try:
        yield
    except InputError as error:
        field, _, rest = str(error).partition(": ")
        names = {f"particles.{option.field}": option.name for option in OPTIONS}
        raise InputError(f"{names.get(field, field)}: {rest}") from None


def leads() -> bool:
    """Whether this process may speak: one alone, or the first of those that `accelerate launch` started."""
    return all(os.environ.get(name, "0") == "0" for name in _RANKS)


def bar(what: str, total: float) -> Any:  # noqa: ANN401 - a context manager
    """`progress` in the process that may speak; nothing in the others."""
    return progress(what, total) if leads() else nullcontext(lambda _: None)


def _options() -> list[Option]:
    """The options of `score-trainer sample` that one of these samplers uses; steps are equal at all levels here."""
    unused = ("fine_steps", "fine_below", "rungs")
    return [option for option in OPTIONS if option.field not in unused and set(option.samplers) & set(SAMPLERS)]


def _epsilon(settings: ParticleSettings) -> float:
    """Technique 4's, for a ladder of one's own."""
    from trainer.annealing import langevin_step

    if settings.levels < 2 or settings.sigma_max <= settings.sigma_min:
        return settings.epsilon
    ratio = (settings.sigma_max / settings.sigma_min) ** (1 / (settings.levels - 1))
    return langevin_step(settings.sigma_min, ratio, settings.steps)
