"""`score-trainer images`: train image models, draw from them, judge what they draw, and say what a checkpoint is."""

from __future__ import annotations

from typing import Any

from trainer.commands import images_evaluate, images_info, images_sample, images_train


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command, with four of its own, to the parser's."""
    parser = commands.add_parser(
        "images", help="image models: train, sample, evaluate, info", description="Image models and what they draw."
    )
    own = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (images_train, images_sample, images_evaluate, images_info):
        module.add(own)
