"""What travels between the window and the engine: commands in, frames and events out.

All of them are frozen dataclasses of plain values and numpy arrays; this file imports neither torch nor Qt.

* A **command** says what the person wants. Those in `JOURNALLED` determine the run and are written to the journal
  with the step at which the engine applied them; the rest only change what is looked at.
* A **frame** is everything that one moment shows (`explorer.engine.frames`).
* An **event** must not be lost: it travels by pipe, never through the mailbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from explorer.engine.frames import ERROR_SIGMAS, INSPECTED, Array, Frame, Maps, Modes, PaneState, Particles, Race, Racer
from explorer.engine.orders import Order, ReleaseWanted
from explorer.ladders import LadderPredicted, PredictLadder
from trainer.plans import RaceSettings, StopSettings
from trainer.projects import Setup
from trainer.scenes import Scene
from trainer.settings import FitSettings

__all__ = [
    "ERROR_SIGMAS",
    "INSPECTED",
    "Array",
    "Frame",
    "Maps",
    "Modes",
    "PaneState",
    "Particles",
    "Race",
    "Racer",
]

Want = Literal["fine", "curl", "log_density", "trails", "distances", "race"]
"""Parts of a frame that are made only while something on the screen shows them."""

EXTENT = 1.25
"""Views span [-EXTENT, EXTENT] in x and y until the person zooms: the data's square and a margin."""


# --- commands -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Repaint:
    """The painting is now `weights` (rows, cols), row 0 at the bottom; sent when a stroke ends, not during it."""

    revision: int
    weights: Array
    name: str = "painting"


@dataclass(frozen=True)
class Begin:
    """Begin with another document; `state` (of `Mirror`) goes on from weights that belong to it.

    `era` counts documents: what the engine says of one carries its era, so that late words on another are not mixed up.
    """

    setup: Setup
    revision: int
    state: bytes | None = field(default=None, repr=False)
    era: int = 0


@dataclass(frozen=True)
class Configure:
    """Train with these settings from now on; a change that needs another network starts the run again."""

    settings: FitSettings


@dataclass(frozen=True)
class Reset:
    """Start training again from a fresh network drawn with this seed."""

    seed: int


@dataclass(frozen=True)
class Train:
    """Run the training loop, or pause it."""

    running: bool


@dataclass(frozen=True)
class TrainSteps:
    """Take this many steps, then pause."""

    steps: int = 1


@dataclass(frozen=True)
class Look:
    """What is looked at; none of it changes the run.

    Attributes:
        sigma: the noise level of all fields.
        lattice: fields are shown as `lattice` x `lattice` arrows.
        centre, half_width: the square range of the plane.
        wants: the parts of the frame that something on the screen shows.
        cells: maps have `cells` x `cells` of them.
        step: the training step whose kept weights are shown; None for the present ones.
        pins: the points whose values are followed.
        loop: the corners of a closed polygon round which the score is integrated; empty for none.
        followed: the particle whose way is shown; -1 for none.
    """

    sigma: float = 0.1
    lattice: int = 20
    centre: tuple[float, float] = (0.0, 0.0)
    half_width: float = EXTENT
    wants: frozenset[Want] = frozenset()
    cells: int = 64
    step: int | None = None
    pins: tuple[tuple[float, float], ...] = ()
    loop: tuple[tuple[float, float], ...] = ()
    followed: int = -1


@dataclass(frozen=True)
class Probe:
    """Report both scores at this point of the plane; None stops reporting."""

    point: tuple[float, float] | None


@dataclass(frozen=True)
class StopWhen:
    """Pause training by itself when one of these is reached."""

    settings: StopSettings


@dataclass(frozen=True)
class ConfigureRace:
    """These ways to learn race each other on the present painting and seed; without entrants there is no race."""

    settings: RaceSettings


@dataclass(frozen=True)
class RunRace:
    """Let the race run, or hold it."""

    running: bool


@dataclass(frozen=True)
class ConfigureScene:
    """Move particles like this from the next release on; the session releases them anew."""

    scene: Scene
    seed: int


@dataclass(frozen=True)
class Release:
    """Release all particles anew, on the weights as they are now, or as they were at the kept training step `step`."""

    step: int | None = None


@dataclass(frozen=True)
class Seek:
    """Show the particles as they were at this step of the longest pane, exactly, or at the last one before it."""

    step: int


@dataclass(frozen=True)
class Move:
    """Let the particles move, or hold them."""

    running: bool


@dataclass(frozen=True)
class MoveSteps:
    """Take this many particle steps, then hold."""

    steps: int = 1


@dataclass(frozen=True)
class SaveScore:
    """Write the averaged weights as they are now to this folder, which `trainer.checkpoints.load_score` reads."""

    folder: str


@dataclass(frozen=True)
class SetLimits:
    """Let the kept weights of earlier training steps take so many bytes."""

    keyframe_bytes: int


@dataclass(frozen=True)
class MirrorNow:
    """Send a `Mirror` at once."""


@dataclass(frozen=True)
class Shutdown:
    """End the engine."""


Command = (
    Begin
    | Repaint
    | Configure
    | Reset
    | Train
    | TrainSteps
    | Look
    | Probe
    | StopWhen
    | ConfigureRace
    | RunRace
    | ConfigureScene
    | Release
    | Move
    | MoveSteps
    | Seek
    | SaveScore
    | SetLimits
    | PredictLadder
    | MirrorNow
    | Shutdown
)

JOURNALLED = (Repaint, Configure, Reset, ConfigureScene, Release)
"""The commands that determine the run: a recipe replays these, each at its step."""


# --- events ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """The engine has loaded and computes on this device; `facts` are versions, dtype and threads for the recipe."""

    device: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Applied:
    """A journalled command took effect at this training step."""

    step: int
    command: Command
    era: int = 0


@dataclass(frozen=True)
class Mirror:
    """All that a fresh engine needs to go on, a safetensors blob, about once a second.

    It lies in a slot of the store (`explorer.engine.mirror`), or here when it is too large for that. `asked` marks the
    answer to a `MirrorNow`: every event before that command has arrived when it does.
    """

    step: int
    state: bytes = field(default=b"", repr=False)
    slot: int = -1
    size: int = 0
    asked: bool = False
    era: int = 0


@dataclass(frozen=True)
class Notice:
    """Something a person should know: a level ("info", "warning", "error"), one line, and details for a report."""

    level: str
    text: str
    details: str = ""


@dataclass(frozen=True)
class Heartbeat:
    """The engine is alive."""

    step: int


Event = Ready | Applied | Mirror | Notice | Heartbeat | LadderPredicted | Order | ReleaseWanted
