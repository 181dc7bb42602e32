"""`score-trainer`: fit a score to a density and sample from it, in a shell.

    score-trainer fit two-moons --seconds 10 -o moons --json
    score-trainer sample moons -n 10000 -o samples.npy --json

Results go to standard output, as text or, with --json, as one JSON object and nothing else; progress and warnings go to
standard error. Bad input ends with status 2 and one line, a run that fails with 1, Ctrl-C with 130. torch is imported
only once there is something to compute.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast, get_args

from trainer import __version__
from trainer.errors import InputError, TrainingError
from trainer.settings import FitSettings, Objective, ParticleSettings, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainer.densities import Density
    from trainer.modes import Ledger

ERROR_SIGMAS = (0.02, 0.05, 0.1, 0.3, 1.0)
"""The noise levels at which `fit` reports its relative Fisher error."""

DEFAULT_SECONDS = 10.0
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        args = _parser().parse_args(argv)
        summary = args.run(args)
        print(json.dumps(summary.values, allow_nan=False) if args.json else summary.text, flush=True)
        return 0
    except InputError as error:
        return _fail(str(error), 2)
    except TrainingError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("stopped by the keyboard; nothing was written", _INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        return 1


@dataclass(frozen=True)
class _Summary:
    """What a command found: for a reader and for a program."""

    text: str
    values: dict[str, Any]


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong option is bad input like any other: one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> _Parser:
    parser = _Parser(prog="score-trainer", description="Fit a score to a density of the plane, and sample from it.")
    parser.add_argument("--version", action="version", version=f"score-trainer {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    fit = commands.add_parser("fit", help="learn the score of a density", description="Learn the score of a density.")
    fit.add_argument("density", metavar="DENSITY", help="a preset, a .png/.jpg/.csv/.npy file or a .scorex project")
    fit.add_argument("--as", dest="as_", choices=("points", "weights"), help="what a .csv or .npy holds")
    fit.add_argument("--objective", choices=get_args(Objective), default=FitSettings.objective)
    fit.add_argument("--target", choices=get_args(Target), default=FitSettings.target)
    length = fit.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, metavar="S", help=f"train so long (default {DEFAULT_SECONDS:g})")
    length.add_argument("--steps", type=int, metavar="N", help="train so many steps")
    fit.add_argument("-o", dest="output", metavar="FOLDER", type=Path, help="save the learned score there")
    _common(fit)
    fit.set_defaults(run=_fit)

    sample = commands.add_parser("sample", help="draw from a learned score", description="Draw from a learned score.")
    sample.add_argument("folder", metavar="FOLDER", type=Path, help="what `fit -o` wrote")
    sample.add_argument("--sampler", choices=("annealed", "langevin", "ascent"), default="annealed")
    sample.add_argument(
        "--score", choices=("learned", "true"), default="learned", help="which score moves the particles"
    )
    sample.add_argument("--no-table", action="store_true", help="ask the network itself at every step; slow")
    sample.add_argument("-n", type=int, default=10_000, metavar="N", help="how many particles (default 10000)")
    sample.add_argument(
        "-o", dest="output", metavar="FILE.npy", type=Path, help="write the particles there, (N, 2) float32"
    )
    _common(sample)
    sample.set_defaults(run=_sample)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="of all randomness (default 0)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    # So small a network gains little from a second thread, and beside other work it loses tenfold by waiting for it.
    parser.add_argument("--threads", type=int, default=1, metavar="T", help="processor threads (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


# --- fit ----------------------------------------------------------------------------------------------------------


def _fit(args: argparse.Namespace) -> _Summary:
    """Train, measure, save."""
    if args.seconds is not None:
        _in_range("--seconds", args.seconds, 0.01, 1e7)
    if args.steps is not None:
        _in_range("--steps", args.steps, 1, 10**9)
    _check_common(args)
    if args.output is not None:
        _require_place_for_score(args.output)
    settings = FitSettings(objective=args.objective, target=args.target)

    _use_threads(args.threads)
    from trainer.checkpoints import save_score
    from trainer.densities import load_density
    from trainer.fit import Fit
    from trainer.metrics import relative_fisher_error

    density = load_density(args.density, as_=args.as_)
    fit = Fit(density, settings, device=args.device, seed=args.seed)
    seconds = None if args.steps else args.seconds or DEFAULT_SECONDS
    with _progress(f"learning {args.density}", args.steps or seconds or 0) as bar:
        for progress in fit.run(steps=args.steps, seconds=seconds):
            if progress.notice:
                print(f"score-trainer: {progress.notice}", file=sys.stderr)
            bar(progress.step if args.steps else progress.seconds)
    rate = fit.step / max(fit.seconds, 1e-9)
    errors: dict[str, float | None] = {}
    for sigma in ERROR_SIGMAS:
        known = fit.sigma_min * (1 - 1e-6) <= sigma <= fit.sigma_max * (1 + 1e-6)
        errors[f"{sigma:g}"] = relative_fisher_error(fit, density, sigma) if known else None
    if args.output is not None:
        save_score(args.output, fit)

    shown = "  ".join(f"{sigma}: {'not learned' if e is None else f'{e:.3g}'}" for sigma, e in errors.items())
    text = (
        f"{fit.step:,} steps in {fit.seconds:.2f} s ({rate:,.0f} steps/s) on {fit.device_name}, seed {args.seed}\n"
        f"relative Fisher error at sigma  {shown}"
    )
    values = {
        "density": args.density,
        "objective": args.objective,
        "target": args.target,
        "seed": args.seed,
        "steps": fit.step,
        "seconds": fit.seconds,
        "steps_per_second": rate,
        "device": fit.device_name,
        "parameters": fit.parameters,
        "draws": fit.draws,
        "recoveries": fit.recoveries,
        "relative_fisher_error": errors,
        "folder": None if args.output is None else str(args.output),
    }
    return _Summary(text if args.output is None else f"{text}\nsaved in {args.output}", values)


def _require_place_for_score(folder: Path) -> None:
    """Refuse, before any training, a place that `save_score` would refuse after it."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; -o wants a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "score.json").is_file():
        raise InputError(f"{folder}: holds something other than a saved score; choose an empty or a new folder")


# --- sample -------------------------------------------------------------------------------------------------------


def _sample(args: argparse.Namespace) -> _Summary:
    """Load, move the particles, count them, save."""
    _in_range("-n", args.n, 1, 10_000_000)
    _check_common(args)
    if args.output is not None:
        _require_place_for_array(args.output)

    _use_threads(args.threads)
    from trainer.checkpoints import load_score
    from trainer.metrics import mode_ledger
    from trainer.models import TrueScore
    from trainer.noise import Noise
    from trainer.samplers import SAMPLERS, noise_levels, start_points, total_steps, within
    from trainer.tables import TabulatedScore

    learned = load_score(args.folder, args.device)
    density = cast("Density", learned.density)  # what `load_score` reads is always one
    model = TrueScore(density, learned.kernel) if args.score == "true" else learned
    default = ParticleSettings(source=args.score)
    settings = within(default, model)
    if settings != default:
        print(
            f"score-trainer: {args.folder}: knows noise levels {model.sigma_min:g} to {model.sigma_max:g} only; "
            f"the ladder was cut to {settings.sigma_min:g} to {settings.sigma_max:g}",
            file=sys.stderr,
        )
    began = time.perf_counter()
    table = None if args.no_table else TabulatedScore(model)
    noise = Noise(args.seed, model.device)
    x = start_points(args.n, noise)
    with _progress(f"{args.sampler}, {args.n:,} particles", total_steps(settings)) as bar:
        for step, moved in SAMPLERS[args.sampler](table or model, x, settings, noise):
            bar(step)
            x = moved
    seconds = time.perf_counter() - began
    levels = noise_levels(settings) if args.sampler == "annealed" else noise_levels(settings)[-1:]
    error = 0.0 if table is None else max(table.error(level.sigma) for level in levels)
    points = x.cpu().numpy()
    ledger = mode_ledger(points, density)
    if args.output is not None:
        _write_array(args.output, points)

    values = {
        "folder": str(args.folder),
        "sampler": args.sampler,
        "score": args.score,
        "seed": args.seed,
        "n": args.n,
        "steps": total_steps(settings),
        "epsilon": settings.epsilon,
        "sigma_max": settings.sigma_max,
        "sigma_min": settings.sigma_min,
        "seconds": seconds,
        "table_error": error,
        "ledger": _ledger_values(ledger),
        "file": None if args.output is None else str(args.output),
    }
    head = f"{args.sampler}: {args.n:,} particles, {total_steps(settings):,} steps in {seconds:.2f} s, seed {args.seed}"
    text = f"{head}\n{_ledger_text(ledger)}"
    return _Summary(text if args.output is None else f"{text}\nwritten to {args.output}", values)


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


def _require_place_for_array(path: Path) -> None:
    if path.suffix != ".npy":
        raise InputError(f"{path}: -o wants a name that ends in .npy")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; -o wants a file name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it or choose another place")


def _write_array(path: Path, array: NDArray[Any]) -> None:
    """Write a .npy file under another name and rename it, so that no half-written one is left."""
    import numpy as np

    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            np.save(file, array, allow_pickle=False)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error
    finally:
        part.unlink(missing_ok=True)


# --- both ---------------------------------------------------------------------------------------------------------


def _check_common(args: argparse.Namespace) -> None:
    _in_range("--seed", args.seed, 0, 2**63 - 1)
    _in_range("--threads", args.threads, 1, 1024)


def _in_range(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise InputError(f"{option}: {value:g} is out of range; give a number between {low:g} and {high:g}")


def _use_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


@contextmanager
def _progress(what: str, total: float) -> Iterator[Any]:
    """A bar on standard error if a person is watching; yields the function that moves it to a value."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda value: progress.update(task, completed=value)


def _fail(message: str, status: int) -> int:
    print(f"score-trainer: {' '.join(message.split())}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
