"""`score-trainer`: fit a score to a density, sample from it, compare objectives, ask for advice; and image models.

    score-trainer recommend two-moons
    score-trainer fit two-moons --seconds 10 -o moons --json
    score-trainer sample moons -n 10000 -o samples.npy --json
    score-trainer compare two-moons --objectives esm,ism,dsm-single --seconds 3
    score-trainer images train digits -o run --minutes 5

Results go to standard output, as text or, with --json, as one JSON object and nothing else; progress and warnings go to
standard error. Bad input ends with status 2 and one line, a run that fails with 1, Ctrl-C with 130. torch is imported
only once there is something to compute. The commands themselves are in `trainer.commands`; they are imported where
Ctrl-C is listened to, which is why this module imports next to nothing by itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainer import __version__
from trainer.errors import InputError, TrainingError

if TYPE_CHECKING:
    from trainer.commands.console import Parser

PROGRAM = "score-trainer"
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        args = _parser().parse_args(argv)
        if shown := args.run(args).shown(args.json):
            print(shown, flush=True)
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
    except OSError as error:  # a place that may not be looked at, a name too long, a full disk
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}; choose another place", 2)


def _parser() -> Parser:
    from trainer.commands import compare, fit, images, recommend, sample
    from trainer.commands.console import Parser

    parser = Parser(prog=PROGRAM, description="Fit a score to a density of the plane or to pictures, and sample.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (fit, sample, compare, recommend, images):
        module.add(commands)
    return parser


def _fail(message: str, status: int) -> int:
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
