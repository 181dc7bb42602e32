"""`score-trainer images train`: train a network on pictures, save it, and draw from it on the way."""

from __future__ import annotations

import argparse
import math
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from trainer.cli import PROGRAM
from trainer.commands import images_options as shared
from trainer.commands.console import Silence, Summary, in_range, say
from trainer.errors import InputError, TrainingError
from trainer.images.settings import ImageObjective, ImageSettings, Precision, Preset

if TYPE_CHECKING:
    from trainer.images.models import ImageScore
    from trainer.images.training import ImageProgress

GRID = 64
"""Pictures in the grid that is drawn at each checkpoint."""
GRID_LEVELS = 18
"""Noise levels of the ODE that draws them: 35 evaluations of the network."""
_ENDLESS = 10**8


@dataclass(frozen=True)
class Option:
    """A flag and the field of `ImageSettings` that it sets."""

    field: str
    kind: Any
    help: str
    choices: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The flag."""
        return "--" + self.field.replace("_", "-")


OPTIONS = (
    Option("objective", str, "the score (ncsn) or the noise (ddpm) is learned", get_args(ImageObjective)),
    Option("preset", str, "size of the network", get_args(Preset)),
    Option("batch", int, "pictures a step, over all processes"),
    Option("learning_rate", float, "of Adam"),
    Option("warmup", int, "steps in which it rises"),
    Option("ema", float, "decay of the averaged weights"),
    Option("clip", float, "largest norm of the gradient; 0 for any"),
    Option("dropout", float, "share of values dropped in training"),
    Option("levels", int, "ncsn: noise levels; else recommended from the pictures"),
    Option("sigma_min", float, "ncsn: the smallest; else recommended"),
    Option("sigma_max", float, "ncsn: the largest; else recommended"),
    Option("precision", str, "numbers in which the network computes", get_args(Precision)),
)


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "train",
        help="train a network on pictures",
        description="Train a network on pictures. Ctrl-C saves and ends; --resume goes on. Runs as it is under "
        "`accelerate launch -m trainer.cli images train ...`, on many GPUs or machines.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="digits; a folder of pictures; an IDX, CIFAR-10 .bin, .npz or .npy file; a Hugging Face dataset folder",
    )
    parser.add_argument("-o", dest="output", metavar="OUT", type=Path, required=True, help="the run's folder")
    parser.add_argument("--steps", type=int, metavar="N", help=f"train so many steps (default {ImageSettings.steps})")
    parser.add_argument("--minutes", type=float, metavar="M", help="train so long, what was resumed included")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in OUT, if any")
    parser.add_argument(
        "--checkpoint-every", type=int, default=500, metavar="N", help="steps between checkpoints (default 500)"
    )
    parser.add_argument("--keep", type=int, default=3, metavar="K", help="checkpoints that are kept (default 3)")
    parser.add_argument("--tensorboard", action="store_true", help="also write figures for TensorBoard")
    shared.add_pictures(parser)
    group = parser.add_argument_group("what is learned and how")
    for option in OPTIONS:
        default = getattr(ImageSettings, option.field)
        told = option.help if default is None else f"{option.help} (default {default})"
        metavar = None if option.choices else {int: "N", float: "X"}[option.kind]
        group.add_argument(option.name, type=option.kind, choices=option.choices, metavar=metavar, help=told)
    shared.add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Read, train, save."""
    in_range("--checkpoint-every", args.checkpoint_every, 1, 10**8)
    in_range("--keep", args.keep, 1, 10**6)
    in_range("--held-out", args.held_out, 0, 1)
    if args.minutes is not None:
        in_range("--minutes", args.minutes, 0.001, 10**6)
    shared.check_run(args)
    settings = _settings(args)
    if args.output.exists() and not args.output.is_dir():
        raise InputError(f"{args.output}: is a file; -o wants a folder")

    shared.begin(args)
    from trainer.images.training import train

    pictures = shared.read(args.source, args)
    learned, held_out = shared.divided(pictures, args.held_out)
    moments = train(
        learned,
        settings,
        args.output,
        seed=args.seed,
        resume=args.resume,
        device=args.device,
        checkpoint_every=args.checkpoint_every,
        keep=args.keep,
        on_checkpoint=lambda model, folder: draw(model, folder, args.output),
        source=str(args.source),
        command=shlex.join([PROGRAM, *sys.argv[1:]]),
        tensorboard=args.tensorboard,
    )
    try:
        last, up = _follow(moments, args, settings)
    except KeyboardInterrupt:  # the second Ctrl-C, or one before the first step
        raise TrainingError(
            f"{args.output}: stopped at once; --resume goes on from its last checkpoint, if it has one"
        ) from None
    if not shared.leads():
        return Silence("", {})
    return _summary(args, settings, last, up, len(learned), 0 if held_out is None else len(held_out))


def draw(model: ImageScore, folder: Path, out: Path) -> Mapping[str, float]:
    """Draw a grid from a checkpoint's model into out/samples: of the same noise each time, by a short ODE.

    Raises:
        OSError: it cannot be written.
    """
    import torch

    from trainer.images.grids import write_grid
    from trainer.images.sampling import emerging, recommended

    settings = replace(recommended(model, "ode"), diffusion_steps=GRID_LEVELS)
    *_, moment = emerging(model, torch.arange(GRID), sampler="ode", settings=settings)
    place = out / "samples"
    place.mkdir(exist_ok=True)
    try:
        write_grid(place / f"{folder.name.replace('checkpoint', 'step')}.png", moment.x)
    except InputError as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else error from None
    return {"diverged": int(moment.diverged.sum())}


def _settings(args: argparse.Namespace) -> ImageSettings:
    """The settings asked for, under their options' names if they cannot be had."""
    given = {o.field: getattr(args, o.field) for o in OPTIONS if getattr(args, o.field) is not None}
    if args.objective == "ddpm":
        for field in ("levels", "sigma_min", "sigma_max"):
            if field in given:
                name = "--" + field.replace("_", "-")
                raise InputError(f"{name}: has no effect on ddpm, which has noise levels of its own; leave it out")
    if args.steps is not None or args.minutes is not None:
        given["steps"] = _ENDLESS if args.steps is None else args.steps
    try:
        return ImageSettings(**given)
    except InputError as error:
        field, _, rest = str(error).partition(": ")
        known = {f.name for f in fields(ImageSettings)}
        raise InputError(f"{'--' + field.replace('_', '-') if field in known else field}: {rest}") from None


def _follow(moments: Any, args: argparse.Namespace, settings: ImageSettings) -> tuple[ImageProgress, bool]:  # noqa: ANN401
    """Drive the run to its end, with a bar; returns where it ended, and whether that was for lack of time."""
    limit = math.inf if args.minutes is None else 60 * args.minutes
    timed = args.steps is None and args.minutes is not None
    up = False
    told = -math.inf
    with shared.bar(f"learning {args.source}", limit if timed else settings.steps) as move:
        for moment in moments:
            move(moment.seconds if timed else moment.step)
            if moment.checkpoint is not None and shared.leads() and time.monotonic() - told > 1:
                told = time.monotonic()
                say(f"step {moment.step:,}: loss {moment.loss:.4g}, {moment.pictures_per_second:,.0f} pictures/s")
            if moment.seconds >= limit and not up and not moment.stopped and moment.step < settings.steps:
                up = True
                signal.raise_signal(signal.SIGINT)  # the run takes one more step, saves and ends, as by Ctrl-C
    return moment, up


def _summary(
    args: argparse.Namespace, settings: ImageSettings, last: ImageProgress, up: bool, count: int, held_out: int
) -> Summary:
    from trainer.images.checkpoints import newest

    folder = newest(args.output) if last.checkpoint is None else last.checkpoint
    ended = "time" if up else "interrupted" if last.stopped else "steps"
    values = {
        "source": str(args.source),
        "folder": str(args.output),
        "checkpoint": str(folder),
        "settings": settings.to_json(),
        "seed": args.seed,
        "pictures": count,
        "held_out": held_out,
        "steps": last.step,
        "seconds": last.seconds,
        "loss": last.loss if math.isfinite(last.loss) else None,
        "pictures_per_second": last.pictures_per_second if math.isfinite(last.pictures_per_second) else None,
        "ended": ended,
    }
    why = {"time": "time is up", "interrupted": "stopped by the keyboard", "steps": "done"}[ended]
    loss = f", loss {last.loss:.4g}, {last.pictures_per_second:,.0f} pictures/s" if math.isfinite(last.loss) else ""
    text = (
        f"{why}: {last.step:,} steps in {last.seconds:.1f} s{loss}, seed {args.seed}\n"
        f"{count:,} pictures learned, {held_out:,} held out\nsaved in {folder}"
    )
    return Summary(text + ("" if ended == "steps" else "; --resume goes on from there"), values)
