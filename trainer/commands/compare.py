"""`score-trainer compare`: objectives side by side on one density, at equal steps and at equal seconds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from trainer.commands.console import (
    Summary,
    add_common,
    add_density,
    check_common,
    in_range,
    progress,
    say,
    table,
    use_threads,
)
from trainer.commands.options import add_settings, given_settings, make_settings, require_effect
from trainer.errors import InputError
from trainer.settings import FitSettings, Objective, Target

if TYPE_CHECKING:
    from trainer.comparison import Row, Standing

NAMES: dict[str, dict[str, str]] = {
    **{name: {"objective": name} for name in get_args(Objective)},
    **{f"dsm-{name.replace('_', '-')}": {"objective": "dsm", "target": name} for name in get_args(Target)},
}
"""What --objectives may name: every objective, and denoising score matching with each of its targets."""
DEFAULT_NAMES = "esm,ism,ssm_vr,dsm-single,dsm-pooled"
DEFAULT_SECONDS = 3.0


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "compare",
        help="train several objectives on one density and hold them side by side",
        description="Train several objectives on one density, from one seed on the same noisy points, and hold them "
        "side by side: at equal steps, and at equal seconds.",
    )
    add_density(parser)
    parser.add_argument(
        "--objectives",
        default=DEFAULT_NAMES,
        metavar="A,B,..",
        help=f"any of {', '.join(NAMES)} (default {DEFAULT_NAMES})",
    )
    parser.add_argument(
        "--seconds", type=float, default=DEFAULT_SECONDS, metavar="S", help="train each so long (default %(default)g)"
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="equal steps; else the largest round number that all take in time"
    )
    add_settings(parser, without=("objective", "target"))
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Train them one after another, measure, and lay the figures out."""
    in_range("--seconds", args.seconds, 0.01, 1e7)
    if args.steps is not None:
        in_range("--steps", args.steps, 1, 10**9)
    check_common(args)
    given = given_settings(args)
    settings = _settings(_names(args.objectives), given)
    require_effect(given, list(settings.values()))

    use_threads(args.threads)
    from trainer.comparison import compare
    from trainer.densities import load_density

    density = load_density(args.density, as_=args.as_)
    with progress(f"comparing on {args.density}", args.seconds * len(settings)) as bar:

        def watch(name: str, seconds: float) -> None:
            bar(list(settings).index(name) * args.seconds + min(seconds, args.seconds))

        rows = compare(
            density,
            settings,
            seconds=args.seconds,
            steps=args.steps,
            seed=args.seed,
            device=args.device,
            watch=watch,
        )
    values = {
        "density": args.density,
        "seed": args.seed,
        "steps": rows[0].at_steps.step,
        "seconds": args.seconds,
        "gradient_weights": _common_weights(rows),
        "rows": [_row_values(row) for row in rows],
    }
    return Summary(_text(args, rows), values)


def _names(text: str) -> list[str]:
    """The objectives asked for, spelt with - or _, each once."""
    spelling = {name.replace("_", "-"): name for name in NAMES}
    names = []
    for word in text.split(","):
        name = spelling.get(word.strip().replace("_", "-"))
        if name is None:
            raise InputError(f"--objectives: {word.strip()!r} is unknown; choose among {', '.join(NAMES)}")
        if name in names:
            raise InputError(f"--objectives: {name} stands there twice; leave one out")
        names.append(name)
    return names


def _settings(names: Sequence[str], given: dict[str, Any]) -> dict[str, FitSettings]:
    """Settings by name. What ddpm asks for, all get, so that they see the same noise levels, weighted alike."""
    if "ddpm" in names:
        companions = {"schedule": "ddpm-linear", "weighting": "ddpm"}
        missing = {field: value for field, value in companions.items() if field not in given}
        if missing:
            say(f"{' '.join(f'--{field} {value}' for field, value in missing.items())} for all, since ddpm wants it")
        given = missing | given
    settings = {}
    concerned: dict[str, list[str]] = {}  # line -> names
    for name in names:
        told: list[str] = []
        settings[name] = make_settings(given | NAMES[name], told.append)
        for line in told:
            concerned.setdefault(line, []).append(name)
    for line, who in concerned.items():
        say(f"{', '.join(who)}: {line}")
    return settings


def _common_weights(rows: Sequence[Row]) -> str:
    return f"those of {rows[0].name} after {rows[0].at_steps.step} steps"


def _row_values(row: Row) -> dict[str, Any]:
    gradient = row.gradient
    return {
        "name": row.name,
        "settings": row.settings.to_json(),
        "at_steps": _standing_values(row.at_steps),
        "at_seconds": _standing_values(row.at_seconds),
        "milliseconds_per_step": row.milliseconds,
        "gradient_variance": None if gradient is None else gradient.variance,
        "gradient_mean_square": None if gradient is None else gradient.mean_square,
    }


def _standing_values(standing: Standing) -> dict[str, Any]:
    return {
        "step": standing.step,
        "seconds": standing.seconds,
        "loss": standing.loss.value,
        "floor": standing.loss.floor,
        "loss_error": standing.loss.error,
        "relative_fisher_error": {f"{sigma:g}": error for sigma, error in standing.errors.items()},
        "mean_error": standing.mean_error,
    }


def _text(args: argparse.Namespace, rows: Sequence[Row]) -> str:
    steps = rows[0].at_steps.step
    return "\n".join(
        (
            f"{args.density}, seed {args.seed}: relative Fisher error by sigma, and its geometric mean",
            f"\nafter {steps:,} steps each",
            _standings(rows, [row.at_steps for row in rows], ("seconds", lambda s: f"{s.seconds:.2f}")),
            f"\nafter {args.seconds:g} s each",
            _standings(rows, [row.at_seconds for row in rows], ("steps", lambda s: f"{s.step:,}")),
            f"\ngradient at common weights, {_common_weights(rows)}: variance of a batch's, and that over |mean|^2",
            table(
                ("", "ms/step", "variance", "ratio"),
                [
                    (row.name, f"{row.milliseconds:.2f}")
                    + (("", "") if row.gradient is None else _shown(row.gradient.variance, row.gradient.ratio))
                    for row in rows
                ],
            ),
        )
    )


def _standings(rows: Sequence[Row], standings: Sequence[Standing], last: tuple[str, Any]) -> str:
    sigmas = list(standings[0].errors)
    head, shown_last = last
    return table(
        ("", "loss", "floor", "above it", "+-", *(f"{sigma:g}" for sigma in sigmas), "mean", head),
        [
            (
                row.name,
                *_shown(s.loss.value, s.loss.floor, s.loss.above),
                f"{s.loss.error:.1g}",
                *_shown(*(s.errors[sigma] for sigma in sigmas), s.mean_error),
                shown_last(s),
            )
            for row, s in zip(rows, standings, strict=True)
        ],
    )


def _shown(*values: float | None) -> tuple[str, ...]:
    return tuple("unknown" if value is None else f"{value:.3g}" for value in values)
