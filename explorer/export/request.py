"""The door to exports: what to make, as plain values, and two ways to have it made, here or in a process of its own.

Nothing here imports Qt or torch before something is made.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from trainer.errors import InputError, TrainingError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from explorer.recipe import Recipe
    from trainer.projects import Project

DEFAULT_STEPS = 3000
"""Training steps of a film that starts from a preset or a picture."""

FILM_SIZE, GIF_SIZE = (1280, 720), (640, 360)
FILM_FPS, GIF_FPS = 30, 20
SIZES = ("1280 x 720", "1920 x 1080", "1080 x 1080", "640 x 360")
"""Sizes that are offered, in pixels."""

Report = Callable[[int, int, str], None]
"""Told what is done, what there is to do, and a word for what is going on."""

MAX_STEPS = 1_000_000
_TELL_EVERY = 0.05

MIN_SECONDS, MAX_SECONDS = 1.0, 600.0


@dataclass(frozen=True, eq=False)
class ExportRequest:
    """One film or picture.

    Attributes:
        source: a preset's name, a project, a file that carries one, a picture or a table of points; or a recipe, or a
            project as a window holds it.
        out: the file to write, .mp4, .gif or .png.
        size: width and height in pixels; None: 1280x720, for a GIF 640x360.
        fps: pictures per second; None: 30, for a GIF 20.
        seconds: the film's length.
        steps: training steps; None: as many as the recipe took, `DEFAULT_STEPS` for a recipe that took none.
        seed: for network, draws and particles instead of the recipe's seeds.
        theme: of the pictures.
        sigma: the noise level at which learning is watched.
        device: what computes, "auto", "cpu", "cuda" or "mps".
        as_: what a source of two columns holds.
        session: whether the file carries the session that it shows, as it is at its end.
    """

    source: str | Recipe | Project
    out: str
    size: tuple[int, int] | None = None
    fps: int | None = None
    seconds: float = 20.0
    steps: int | None = None
    seed: int | None = None
    theme: Literal["light", "dark"] = "light"
    sigma: float = 0.1
    device: str = "auto"
    as_: Literal["points", "weights"] | None = None
    session: bool = True

    def __post_init__(self) -> None:
        if not MIN_SECONDS <= self.seconds <= MAX_SECONDS:
            raise InputError(f"seconds: {self.seconds:g} is out of range; give {MIN_SECONDS:g} to {MAX_SECONDS:g}")
        if self.steps is not None and not 0 <= self.steps <= MAX_STEPS:
            raise InputError(f"steps: {self.steps} is out of range; give 0 to {MAX_STEPS}")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise InputError(f"seed: {self.seed} is out of range; give a whole number from 0 to 2^63 - 1")

    def format(self) -> tuple[tuple[int, int], int]:
        """Width and height, and pictures per second, with what was not given filled in."""
        gif = Path(self.out).suffix.lower() == ".gif"
        size, fps = (GIF_SIZE, GIF_FPS) if gif else (FILM_SIZE, FILM_FPS)
        return self.size or size, fps if self.fps is None else self.fps


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    Attributes:
        path, width, height, size_bytes: of the file.
        frames: how many pictures it holds.
        seconds_taken: by the export.
        steps: training steps shown at the end.
        ledger: per pane a list of modes (centre, true mass, share, low, high) and "elsewhere".
        errors: relative Fisher error by noise level at the end.
        session_bytes: of `size_bytes`, what the session inside takes; 0 without one.
    """

    path: str
    width: int
    height: int
    size_bytes: int
    frames: int
    seconds_taken: float
    steps: int
    ledger: dict[str, Any]
    errors: dict[str, float]
    session_bytes: int


def export(request: ExportRequest, report: Report, cancelled: Callable[[], bool]) -> ExportResult:
    """Make the film or picture; nothing is at the target unless this returns.

    Args:
        request: what to make.
        report: told how far it is.
        cancelled: asked often; once it says True the export ends.

    Raises:
        InputError: a request that cannot be met.
        TrainingError: the run cannot go on.
        ExportError: the file cannot be written.
        Cancelled: it was called off.
    """
    from explorer.export.encode import check_format, check_target
    from explorer.export.replay import read_script

    suffix = check_target(Path(request.out))
    check_format(suffix, *request.format())
    script = read_script(request)
    if suffix == ".png":
        from explorer.export.figure import make_figure

        return make_figure(request, script, report, cancelled)
    from explorer.export.film import make_film

    return make_film(request, script, report, cancelled)


def export_asked(connection: Connection, requests: Connection) -> None:
    """Be a spawned process that makes the one export that comes through a pipe of its own."""
    try:
        with requests:
            request: ExportRequest = requests.recv()
    except (EOFError, OSError):  # the window is gone
        return
    export_process(connection, request)


def export_process(connection: Connection, request: ExportRequest) -> None:
    """Make an export in a process of its own.

    Sends ("progress", done, total, what) now and then, and at last one of ("finished", path), ("cancelled",) and
    ("failed", line). The word "cancel", SIGTERM or a closed pipe (the window is gone) calls the export off.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    sent = 0.0

    def cancelled() -> bool:
        try:
            while not ended.is_set() and connection.poll():
                if connection.recv() == "cancel":
                    ended.set()
        except (EOFError, OSError):
            ended.set()
        return ended.is_set()

    def tell(*message: object) -> None:
        try:
            connection.send(message)
        except OSError:
            ended.set()

    def report(done: int, total: int, what: str) -> None:
        nonlocal sent
        if done == total or monotonic() - sent > _TELL_EVERY:
            sent = monotonic()
            tell("progress", done, total, what)

    report(0, 1, "loading")
    from explorer.export.encode import Cancelled, ExportError

    try:
        result = export(request, report, cancelled)
    except Cancelled:
        tell("cancelled")
    except (InputError, ExportError, TrainingError) as error:
        tell("failed", str(error))
    except Exception as error:
        tell("failed", f"{request.out}: {type(error).__name__}: {error}; nothing was written".replace("\n", " "))
        raise
    else:
        tell("finished", result.path)
    connection.close()
