"""`score-trainer recommend`: noise levels and step sizes for the data at hand, each with its reason."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from trainer.commands.console import Summary, add_density, add_json


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "recommend",
        help="noise levels and step sizes for a density",
        description="Noise levels and step sizes for a density, each with its reason.",
    )
    add_density(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Look at the data, and say what suits it."""
    from trainer.densities import load_density
    from trainer.recommendations import recommend

    choices = recommend(load_density(args.density, as_=args.as_)).to_json()
    width = max(map(len, choices)) + 2
    lines = []
    for name, choice in choices.items():
        lines.append(f"{name:<{width}}{choice['value']:.6g}")
        lines += textwrap.wrap(str(choice["reason"]), 100, initial_indent=" " * width, subsequent_indent=" " * width)
    return Summary("\n".join(lines), {"density": args.density, **choices})
