"""`score-explorer`: opens the window, or exports a film with no window at all.

This module is what the engine's process imports again when it is spawned, so it imports neither Qt nor torch by itself.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from explorer import __version__
from trainer.errors import InputError

THEMES = ("system", "light", "dark")


class _Parser(argparse.ArgumentParser):
    """argparse, with its errors on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status. 2: bad input, 130: Ctrl-C, each told in one line."""
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _export(arguments) if arguments[:1] == ["export"] else _window(arguments)
    except InputError as error:
        print(f"score-explorer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("score-explorer: stopped by the keyboard", file=sys.stderr)
        return 130


def _window(arguments: list[str]) -> int:
    parser = _Parser(
        prog="score-explorer",
        description="Paint a density, watch a network learn its score, and release particles.",
        epilog="Without a display: score-explorer export PROJECT-or-PRESET OUT.mp4|.gif|.png (see export --help).",
    )
    parser.add_argument(
        "file",
        nargs="?",
        help="a project (.scorex), a film or picture with its session inside, a picture, a table of points, a preset, "
        "a lesson (.lesson), or the folder of an image model",
    )
    parser.add_argument("--theme", choices=THEMES, help="colours of this start (default: as preferred)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), help="what trains (default: as preferred)")
    parser.add_argument("--info", action="store_true", help="print versions and the places of files, and exit")
    parser.add_argument("--reset", action="store_true", help="forget preferences, layouts and recent files, and exit")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every notice on standard error")
    parser.add_argument("--version", action="version", version=f"Score Explorer {__version__}")
    options = parser.parse_args(arguments)
    if options.info:
        from explorer.system import facts

        print("\n".join(f"{name}: {value}" for name, value in facts().items()))
        return 0
    if options.reset:
        from explorer.places import forget_everything

        removed = forget_everything()
        print("\n".join(f"removed {path}" for path in removed) or "there was nothing to forget")
        return 0
    from explorer.system import check_display

    check_display()
    from explorer.qt import load_qt

    load_qt()
    from explorer.app import run

    return run(options.file, theme=options.theme, device=options.device, verbose=options.verbose)


def _export(arguments: list[str]) -> int:
    from explorer.export.command import add_export_parser, run_export

    parser = _Parser(prog="score-explorer")
    add_export_parser(parser.add_subparsers(dest="command", required=True, parser_class=_Parser))
    return run_export(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.argv[0] = Path(sys.argv[0]).name
    raise SystemExit(main())
