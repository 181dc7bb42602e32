"""`score-trainer images info`: what a checkpoint is, and how to draw from it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainer.commands import images_options as shared
from trainer.commands.console import Summary, add_json


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser("info", help="say what a checkpoint is", description="Say what a checkpoint is.")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a checkpoint, a run, or a diffusers folder")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Load it, which checks it, and say what it says of itself."""
    from trainer.images.checkpoints import checkpoints, load_image_model, newest
    from trainer.images.sampling import recommended
    from trainer.samplers import SAMPLERS

    folder = newest(args.folder)
    model = load_image_model(folder)
    card = model.card
    parameters = sum(weight.numel() for weight in model.unet.parameters())
    settings = {name: recommended(model, name) for name in shared.SAMPLERS}
    evaluations = {name: SAMPLERS[name].evaluations(settings[name], model) for name in settings}
    values = {
        "folder": str(folder),
        "checkpoints": [path.name for path in checkpoints(args.folder)],
        "parameters": parameters,
        "sigma_min": model.sigma_min,
        "sigma_max": model.sigma_max,
        "noise_levels": len(card.sigmas),
        "card": {name: value for name, value in card.to_json().items() if name not in ("digests", "digest")},
        "recommended": {
            name: {"evaluations": evaluations[name], "settings": chosen.to_json()} for name, chosen in settings.items()
        },
    }
    channels, height, width = card.shape
    kind = {"ncsn": "a score network (ncsn)", "ddpm": "a noise predictor (ddpm)"}[card.objective]
    lines = [
        f"{folder}: {kind}, {parameters:,} weights, step {card.step:,}, seed {card.seed}",
        f"pictures: {height} x {width}, {'grey' if channels == 1 else 'colour'}, {card.levels:,} levels, "
        f"padded by {card.padding[0]} x {card.padding[1]}",
        f"noise levels: {len(card.sigmas):,} from {model.sigma_max:.4g} to {model.sigma_min:.4g}",
        f"data: {card.data.count:,} of {card.data.source or card.data.name or 'an unknown source'}",
        *([f"command: {card.command}"] if card.command else []),
        *(f"{name}: {value:.6g}" for name, value in card.metrics.items()),
        "evaluations of the network for a picture, as recommended: "
        + ", ".join(f"{name} {count:,}" for name, count in evaluations.items()),
    ]
    return Summary("\n".join(lines), values)
