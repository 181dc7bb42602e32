"""`score-trainer fit`: learn the score of a density, measure it, save it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.commands.console import (
    Summary,
    add_common,
    add_density,
    check_common,
    in_range,
    progress,
    require_writable,
    say,
    use_threads,
)
from trainer.commands.options import add_settings, given_settings, make_settings, require_effect
from trainer.errors import InputError

if TYPE_CHECKING:
    from trainer.comparison import OwnLoss
    from trainer.densities import Density
    from trainer.fit import Fit

DEFAULT_SECONDS = 10.0
LOSS_POINTS = 16_384
"""Fresh points that the reported loss and its floor are the mean over, in batches, 2 or more."""


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "fit", help="learn the score of a density", description="Learn the score of a density."
    )
    add_density(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, metavar="S", help=f"train so long (default {DEFAULT_SECONDS:g})")
    length.add_argument("--steps", type=int, metavar="N", help="train so many steps")
    add_settings(parser)
    parser.add_argument("-o", dest="output", metavar="FOLDER", type=Path, help="save the learned score there")
    parser.add_argument("--force", action="store_true", help="replace the score that FOLDER holds")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Train, measure, save."""
    if args.seconds is not None:
        in_range("--seconds", args.seconds, 0.01, 1e7)
    if args.steps is not None:
        in_range("--steps", args.steps, 1, 10**9)
    check_common(args)
    given = given_settings(args)
    settings = make_settings(given)
    require_effect(given, [settings])
    _require_place(args.output, args.force)

    use_threads(args.threads)
    from trainer.checkpoints import save_score
    from trainer.comparison import own_loss
    from trainer.densities import load_density
    from trainer.fit import Fit

    density = load_density(args.density, as_=args.as_)
    fit = Fit(density, settings, device=args.device, seed=args.seed)
    seconds = None if args.steps else args.seconds or DEFAULT_SECONDS
    with progress(f"learning {args.density}", args.steps or seconds or 0) as bar:
        for moment in fit.run(steps=args.steps, seconds=seconds):
            if moment.notice:
                say(moment.notice)
            bar(moment.step if args.steps else moment.seconds)
    rate = fit.step / max(fit.seconds, 1e-9)
    errors = _errors(fit, density)
    loss = own_loss(fit, fit.snapshot().weights, max(2, LOSS_POINTS // settings.batch))
    if args.output is not None:
        save_score(args.output, fit)

    shown = "  ".join(f"{sigma}: {'not learned' if e is None else f'{e:.3g}'}" for sigma, e in errors.items())
    text = (
        f"{fit.step:,} steps in {fit.seconds:.2f} s ({rate:,.0f} steps/s) on {fit.device_name}, seed {args.seed}\n"
        f"relative Fisher error at sigma  {shown}\n"
        f"loss {loss.value:.4g}, {_floor_text(loss)}"
    )
    values = {
        "density": args.density,
        "settings": settings.to_json(),
        "seed": args.seed,
        "steps": fit.step,
        "seconds": fit.seconds,
        "steps_per_second": rate,
        "device": fit.device_name,
        "parameters": fit.parameters,
        "draws": fit.draws,
        "recoveries": fit.recoveries,
        "relative_fisher_error": errors,
        "loss": loss.value,
        "floor": loss.floor,
        "loss_error": loss.error,
        "folder": None if args.output is None else str(args.output),
    }
    return Summary(text if args.output is None else f"{text}\nsaved in {args.output}", values)


def _floor_text(loss: OwnLoss) -> str:
    if loss.above is None:
        return "the least possible is not known yet, or has no closed form"
    return f"{loss.above:.4g} above the least possible, +- {loss.error:.1g}"


def _errors(fit: Fit, density: Density) -> dict[str, float | None]:
    """The relative Fisher error at each usual sigma, None where it was not learned, and where alone it was."""
    from trainer.comparison import SIGMAS, known_sigmas
    from trainer.metrics import relative_fisher_error

    known = known_sigmas([fit])
    return {
        f"{sigma:g}": relative_fisher_error(fit, density, sigma) if sigma in known else None
        for sigma in sorted({*SIGMAS, *known})
    }


def _require_place(folder: Path | None, force: bool) -> None:
    """Refuse, before any training, a place that would be refused after it."""
    if folder is None:
        if force:
            raise InputError("--force: has no effect without -o FOLDER; leave it out")
        return
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; -o wants a folder")
    place = folder.resolve().parent  # of what a link leads to; whatever is missing on the way is made
    while not place.exists():
        place = place.parent
    require_writable(folder, place)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / "score.json").is_file():
        raise InputError(f"{folder}: holds something other than a saved score; choose an empty or a new folder")
    if not force:
        raise InputError(f"{folder}: holds a saved score; choose another folder, or give --force to replace it")
