"""`score-trainer images sample`: draw pictures from a trained model."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from trainer.commands import images_options as shared
from trainer.commands.console import Summary, in_range, require_file
from trainer.errors import InputError

SUFFIXES = (".png", ".npz")


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "sample", help="draw pictures from a model", description="Draw pictures from a trained model."
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a checkpoint, a run, or a diffusers folder")
    parser.add_argument("-n", type=int, default=64, metavar="N", help="how many pictures (default 64)")
    parser.add_argument(
        "-o",
        dest="output",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="grid.png: a grid of them; samples.npz: their values, which `evaluate` reads. May be given twice",
    )
    parser.add_argument("--columns", type=int, metavar="N", help="of the grid; else as many as rows")
    shared.add_samplers(parser)
    shared.add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Load, draw, write."""
    in_range("-n", args.n, 1, 10_000_000)
    in_range("--batch", args.batch, 1, 1_000_000)
    if args.columns is not None:
        in_range("--columns", args.columns, 1, 100_000)
        if not any(path.suffix == ".png" for path in args.output):
            raise InputError("--columns: has no effect without -o grid.png; leave it out")
    shared.check_run(args)
    for path in args.output:
        require_file(path, SUFFIXES)

    shared.begin(args)
    from trainer.images.checkpoints import load_image_model
    from trainer.images.grids import write_grid, write_samples
    from trainer.images.sampling import sample_pictures
    from trainer.samplers import SAMPLERS

    model = load_image_model(args.folder, args.device)
    settings = shared.particle_settings(args, model)
    sampler = SAMPLERS[args.sampler]
    began = time.perf_counter()
    with shared.by_option(), shared.bar(f"{args.sampler}, {args.n:,} pictures", 1.0) as move:
        steps, evaluations = sampler.steps(settings, model), sampler.evaluations(settings, model)
        pictures = sample_pictures(
            model,
            args.n,
            sampler=args.sampler,
            settings=settings,
            seed=args.seed,
            batch=args.batch,
            watch=lambda done, total: move(done / total),
        )
    seconds = time.perf_counter() - began
    for path in args.output:
        if path.suffix == ".png":
            write_grid(path, pictures, args.columns)
        else:
            write_samples(path, pictures, model.card.levels)

    values = {
        "folder": str(args.folder),
        "step": model.card.step,
        "sampler": args.sampler,
        "seed": args.seed,
        "n": args.n,
        "shape": list(model.card.shape),
        "steps": steps,
        "evaluations": evaluations,
        "settings": {name: value for name, value in settings.to_json().items() if name not in ("source", "number")},
        "seconds": seconds,
        "channels": pictures.double().mean((0, 2, 3)).tolist(),
        "files": [str(path) for path in args.output],
    }
    text = (
        f"{args.sampler}: {args.n:,} pictures, {evaluations:,} evaluations of the network each, in {seconds:.1f} s, "
        f"seed {args.seed}"
    )
    return Summary("\n".join([text, *(f"written to {path}" for path in args.output)]), values)
