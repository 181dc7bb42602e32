"""What the commands of `score-trainer` share: what they hand back, their common options, and what a person sees.

Nothing here imports torch before a command has something to compute.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from trainer.cli import PROGRAM
from trainer.errors import InputError


@dataclass(frozen=True)
class Summary:
    """What a command found: for a reader and for a program."""

    text: str
    values: dict[str, Any]

    def shown(self, as_json: bool) -> str:
        """The text, or one JSON object on one line."""
        return json.dumps(self.values, allow_nan=False) if as_json else self.text


class Silence(Summary):
    """What a process found that leaves the telling to another."""

    def shown(self, as_json: bool) -> str:
        """Nothing."""
        return ""


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong option is bad input like any other: one line."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise InputError(f"{message}; see {self.prog} --help")


def say(message: str) -> None:
    """One line on standard error."""
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)


def add_density(parser: argparse.ArgumentParser) -> None:
    """DENSITY and --as, as `trainer.densities.load_density` takes them."""
    parser.add_argument("density", metavar="DENSITY", help="a preset, a .png/.jpg/.csv/.npy file or a .scorex project")
    parser.add_argument("--as", dest="as_", choices=("points", "weights"), help="what a .csv or .npy holds")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Seed, device, threads and --json; `check_common` belongs to it."""
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="of all randomness (default 0)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    # So small a network gains little from a second thread, and beside other work it loses tenfold by waiting for it.
    parser.add_argument("--threads", type=int, default=1, metavar="T", help="processor threads (default 1)")
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json alone."""
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def check_common(args: argparse.Namespace) -> None:
    """Refuse a seed or a number of threads that is out of range."""
    in_range("--seed", args.seed, 0, 2**63 - 1)
    in_range("--threads", args.threads, 1, 1024)


def in_range(option: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside [low, high]."""
    if not low <= value <= high:  # also refuses NaN
        raise InputError(f"{option}: {value:g} is out of range; give a number between {low:g} and {high:g}")


def require_file(path: Path, suffixes: Collection[str]) -> None:
    """Refuse, before any work, an output that could not be written after it."""
    if path.suffix not in suffixes:
        raise InputError(f"{path}: -o wants a name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; -o wants a file name")
    folder = path.resolve().parent  # of what a link leads to
    if not folder.is_dir():
        raise InputError(f"{path}: there is no folder {folder}; make it or choose another place")
    require_writable(path, folder)


def require_writable(output: Path, folder: Path) -> None:
    """Refuse an output, before anything is computed for it, whose folder takes no files."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror or error}; choose another place") from None


def use_threads(threads: int) -> None:
    """Compute on so many processor threads; imports torch."""
    import torch

    torch.set_num_threads(threads)


@contextmanager
def progress(what: str, total: float) -> Iterator[Any]:
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
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda value: bar.update(task, completed=value)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first flush left and the others flush right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = []
    for row in (heads, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    return "\n".join(lines)
