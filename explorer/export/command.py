"""`score-explorer export`: films and pictures without a window, from a preset or a saved project.

Works on a machine with no display. The first Ctrl-C (or SIGTERM) ends the export between two pictures and leaves
nothing; a second one does not wait for the end of the picture.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from threading import Event
from types import FrameType
from typing import Any

from explorer.export.request import DEFAULT_STEPS, ExportRequest, Report, export
from trainer.errors import InputError, TrainingError

CANCELLED = 130
"""Exit status of a command that was interrupted, as shells have it."""


def add_export_parser(subparsers: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse names no public type for it
    """Add the command `export` to the subparsers of `score-explorer`; imports neither Qt nor torch."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="write a film or a picture, with no display",
        description="Write a film (MP4, GIF) of learning and sampling, or a picture (PNG) of their result.",
    )
    parser.add_argument(
        "source",
        metavar="PROJECT-or-PRESET",
        help="a .scorex project, a film or picture with a session inside, a preset's name or a picture",
    )
    parser.add_argument("out", metavar="OUT", help="the file to write; .mp4, .gif or .png says what it is")
    parser.add_argument("--as", dest="as_", choices=("points", "weights"), help="what a table of two columns holds")
    parser.add_argument("--size", type=_size, metavar="WxH", help="in pixels (default: 1280x720, GIF 640x360)")
    parser.add_argument("--fps", type=int, metavar="F", help="pictures per second (default: 30, GIF 20)")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="length of the film (default: 20)")
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help=f"training steps (default: as many as the project took, otherwise {DEFAULT_STEPS})",
    )
    parser.add_argument("--seed", type=int, metavar="K", help="of network and particles (default: the project's)")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="colours (default: light)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="what trains")
    parser.add_argument("--no-session", action="store_true", help="do not put the session into the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


def run_export(args: argparse.Namespace) -> int:
    """Do what the parsed arguments say; the exit status.

    0: written. 1: it could not be written. 2: bad input. 130: interrupted. In all but the first, one line on
    standard error says what happened, and nothing has been written.
    """
    from explorer.export.encode import Cancelled, ExportError

    try:
        request = ExportRequest(
            args.source,
            args.out,
            size=args.size,
            fps=args.fps,
            seconds=args.seconds,
            steps=args.steps,
            seed=args.seed,
            theme=args.theme,
            device=args.device,
            as_=args.as_,
            session=not args.no_session,
        )
        with _interruptible() as interrupted, _progress() as report:
            result = export(request, report, interrupted.is_set)
    except InputError as error:
        return _fail(str(error), 2)
    except (ExportError, TrainingError) as error:
        return _fail(str(error), 1)
    except (Cancelled, KeyboardInterrupt):
        return _fail("cancelled; nothing was written", CANCELLED)
    if args.json:
        print(json.dumps(asdict(result)))
    else:
        inside = f" ({result.session_bytes / 1e6:.2f} MB of it the session)" if result.session_bytes else ""
        print(
            f"{result.path}: {result.width}x{result.height}, {result.frames} pictures, "
            f"{result.size_bytes / 1e6:.2f} MB{inside} in {result.seconds_taken:.1f} s",
            file=sys.stderr,
        )
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})\s*[xX×]\s*(\d{1,5})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; give width x height in pixels, as in 1280x720")
    return int(match[1]), int(match[2])


def _fail(line: str, status: int) -> int:
    print(f"score-explorer export: {line}", file=sys.stderr)
    return status


@contextmanager
def _interruptible() -> Iterator[Event]:
    """An event that the first Ctrl-C or SIGTERM sets.

    An exception raised in the middle of a picture would be lost inside Qt, which calls Python to paint.
    """
    interrupted = Event()

    def note(number: int, frame: FrameType | None) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before = [signal.signal(number, note) for number in numbers]
    except ValueError:  # not the main thread: whoever called looks after signals
        yield interrupted
        return
    try:
        yield interrupted
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar on standard error; what it hands out takes what is done, what there is to do, and a word for it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    quiet = not console.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("loading", total=None)

        def report(done: int, total: int, what: str) -> None:
            progress.update(task, completed=done, total=total, description=what)

        yield report
