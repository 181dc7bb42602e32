"""What travels between the window and the engine: commands in, frames and events out.

All of them are frozen dataclasses of plain values and numpy arrays; this file imports neither torch nor Qt.

* A **command** says what the person wants. Those in `JOURNALLED` determine the run and are written to the journal
  with the step at which the engine applied them; the rest only change what is looked at.
* A **frame** is everything that one moment shows. It holds whole state: a view needs the newest frame and nothing else.
* An **event** must not be lost: it travels by pipe, never through the mailbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.projects import Setup
from trainer.settings import FitSettings, ParticleSettings

Array = NDArray[np.float32]

PANES = ("ascent", "langevin", "annealed")
"""The three particle panes, in the order of every array with a leading axis of 3."""

ERROR_SIGMAS = (0.02, 0.05, 0.1, 0.3, 1.0)
"""The noise levels at which the relative Fisher error is followed."""

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
    """Show the fields at this noise level, as `lattice` x `lattice` arrows over a square range of the plane."""

    sigma: float = 0.1
    lattice: int = 20
    centre: tuple[float, float] = (0.0, 0.0)
    half_width: float = EXTENT


@dataclass(frozen=True)
class Probe:
    """Report both scores at this point of the plane; None stops reporting."""

    point: tuple[float, float] | None


@dataclass(frozen=True)
class ConfigureParticles:
    """Move particles like this from the next release on; the session releases them anew."""

    settings: ParticleSettings
    seed: int


@dataclass(frozen=True)
class Release:
    """Release all particles anew, on the weights as they are now."""


@dataclass(frozen=True)
class Move:
    """Let the particles move, or hold them."""

    running: bool


@dataclass(frozen=True)
class MoveSteps:
    """Take this many particle steps, then hold."""

    steps: int = 1


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
    | ConfigureParticles
    | Release
    | Move
    | MoveSteps
    | MirrorNow
    | Shutdown
)

JOURNALLED = (Repaint, Configure, Reset, ConfigureParticles, Release)
"""The commands that determine the run: a recipe replays these, each at its step."""


# --- frames ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Modes:
    """The mode ledger of the three panes. M modes; shares are fractions of all particles.

    Attributes:
        centres: (M, 2), the modes' summits in the plane.
        mass: (M,), the density's own mass in each mode's basin.
        share, low, high: (3, M), each pane's share and its simultaneous 95 % band.
        elsewhere: (3,), the share outside the region that holds 99.9 % of the mass.
    """

    centres: Array
    mass: Array
    share: Array
    low: Array
    high: Array
    elsewhere: Array


@dataclass(frozen=True)
class Frame:
    """Everything that one moment shows.

    Attributes:
        run: counts releases of a fresh network (start, reset, restart of the engine).
        revision: the document's revision that the true field, the ground and the errors belong to.
        name: what is painted, for captions.
        training: whether the training loop runs.
        step, seconds: training steps taken and the seconds they took.
        steps_per_second: over the last second or so; 0 while paused.
        loss: mean over the last steps; NaN never reaches a frame, so `loss_known` says whether there is one.
        draws: how many points the learner has been given.
        objective, target: as in `FitSettings`.
        device: what computes, as a person would say it ("cpu, 1 thread", "cuda: NVIDIA ...").
        parameters, seed: of the network and of the run.
        sigma, centre, half_width: where the two fields were taken (see `Look`).
        learned, true: (n, n, 2), [row, col] with row 0 at the bottom; on cell centres of the range.
        ground: (m, m), p_sigma over the same range, its maximum scaled to 1; row 0 at the bottom.
        peak: the value of p_sigma that 1 stands for.
        curve_steps, curve_seconds, curve_loss: (k,), thinned history of the loss.
        error_steps, error_seconds: (j,), when errors were measured.
        errors: (j, 5), relative Fisher error at `ERROR_SIGMAS`; 0 where not yet measured.
        probe: (7,): x, y, learned (2), true (2), log p_sigma; or (0,) when nothing is probed.
        released: counts releases of particles; 0 before the first.
        moving: whether the particles run.
        particle_step, particle_steps: taken and to take; particle_level: index of annealed's noise level.
        particle_sigma: annealed's noise level now.
        particle_source: "learned" or "true"; particle_weights_step: the training step whose weights they run on.
        table_error: mean error of the tabulated field over its rms, largest over the levels so far; 0 without a table.
        particles_revision: the document's revision when they were released.
        panes: (3, number, 2).
        modes: the ledger; None before the first release.
        ladder: (L,), annealed's noise levels, descending; training_ladder: those that are learned.
        fields_version: grows when learned, true or ground differ from the frame before; 0 says nothing about it.
        busy: one line on what the engine is doing when it is neither training nor idle ("growing the pool"), or "".
    """

    run: int
    revision: int
    name: str
    training: bool
    step: int
    seconds: float
    steps_per_second: float
    loss: float
    loss_known: bool
    draws: int
    objective: str
    target: str
    device: str
    parameters: int
    seed: int
    sigma: float
    centre: tuple[float, float]
    half_width: float
    learned: Array
    true: Array
    ground: Array
    peak: float
    curve_steps: Array
    curve_seconds: Array
    curve_loss: Array
    error_steps: Array
    error_seconds: Array
    errors: Array
    probe: Array
    released: int
    moving: bool
    particle_step: int
    particle_steps: int
    particle_level: int
    particle_sigma: float
    particle_source: str
    particle_weights_step: int
    table_error: float
    particles_revision: int
    panes: Array
    modes: Modes | None
    ladder: Array
    busy: str = ""
    training_ladder: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    fields_version: int = 0


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


Event = Ready | Applied | Mirror | Notice | Heartbeat
