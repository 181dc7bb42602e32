"""What one moment shows: the frame, and the parts that it is made of.

A frame holds whole state: a view needs the newest frame and nothing else. Two processes make it, each at its own pace:
the engine publishes what is learned, the mover publishes `Particles`, and `joined` puts them together. Parts that cost
time are there only while something on the screen wants them (`Look.wants`); a part that is not wanted, or not known
yet, is None or empty. No number in a frame is NaN or infinite.

Plain values and numpy arrays; neither torch nor Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

ERROR_SIGMAS = (0.02, 0.05, 0.1, 0.3, 1.0)
"""The noise levels at which the relative Fisher error is followed."""

INSPECTED = (
    "x",
    "y",
    "learned_x",
    "learned_y",
    "true_x",
    "true_y",
    "log_p",
    "learned_divergence",
    "true_divergence",
    "learned_curl",
    "expected",
)
"""The columns of `Frame.pins`: the point, both scores, log p_sigma, the divergence of both scores, the learned score's
curl, and how many training points are expected in a cell of the error map there."""


def _none() -> Array:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class Modes:
    """The mode ledger of all panes. P panes, M modes; shares are fractions of all particles.

    Attributes:
        centres: (M, 2), the modes' summits in the plane.
        mass: (M,), the density's own mass in each mode's basin.
        share, low, high: (P, M), each pane's share and its simultaneous 95 % band.
        elsewhere: (P,), the share outside the region that holds 99.9 % of the mass.
    """

    centres: Array
    mass: Array
    share: Array
    low: Array
    high: Array
    elsewhere: Array


@dataclass(frozen=True)
class PaneState:
    """How far one pane is, and what moves it.

    Attributes:
        sampler: its name in `trainer.samplers.SAMPLERS`; source: "learned" or "true".
        weights_step: the training step whose weights it runs on.
        step, steps: taken and to take, of its own.
        sigma: the noise level of its next step; level, levels: that level's place in its ladder.
        evaluations: of the score in a whole run, per particle.
        table_error: mean error of the tabulated field over its rms, largest over the levels so far; 0 without a table.
        diverged: whether particles have left the range of numbers; it stands still then.
        note: one line on why it does not run, or "".
        ladder: (L,), its noise levels, largest first.
        distance_times: (j,), fractions of the run; distances: (j,), the distance to the truth then; distance_floor:
            (1,), that of as many draws of the truth itself on average, or (0,) while it is not known.
        trail: (T, K, 2), the first K particles' last T moments, oldest first; empty unless trails are wanted.
        path: (k, 2), the followed particle's way since the release; empty when none is followed.
        label: its name, unlike the other panes' (`explorer.panes`).
    """

    sampler: str
    source: str
    weights_step: int
    step: int
    steps: int
    sigma: float
    level: int
    levels: int
    evaluations: int
    table_error: float
    diverged: bool = False
    note: str = ""
    ladder: Array = field(default_factory=_none)
    distance_times: Array = field(default_factory=_none)
    distances: Array = field(default_factory=_none)
    distance_floor: Array = field(default_factory=_none)
    trail: Array = field(default_factory=lambda: np.zeros((0, 0, 2), np.float32))
    path: Array = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    label: str = ""


@dataclass(frozen=True)
class Maps:
    """Both fields on a finer lattice, and what is derived from them; of the training step `step`.

    Attributes:
        version: grows when anything differs from the maps before.
        step, sigma, centre, half_width: what was mapped.
        learned, true: (n, n, 2), scores, [row, col] with row 0 at the bottom, on cell centres of the range.
        log_p: (n, n), log p_sigma.
        expected: (n, n), how many of the points that one training block draws fall into each cell, on average.
        curl: (n, n), d s_y / dx - d s_x / dy of the learned score; rotational: (n, n), the antisymmetric part's share
            of its squared Jacobian. Empty unless wanted.
        learned_log_p: (n, n), the learned log-density up to a constant, its maximum at log_p's; empty unless wanted
            and an energy is learned.
    """

    version: int
    step: int
    sigma: float
    centre: tuple[float, float]
    half_width: float
    learned: Array
    true: Array
    log_p: Array
    expected: Array
    curl: Array
    rotational: Array
    learned_log_p: Array


@dataclass(frozen=True)
class Racer:
    """One way to learn, racing others.

    Attributes:
        label: its name for a person, unlike the others' names.
        step, seconds: taken and spent; milliseconds: per step, over the last second or so.
        learned: (n, n, 2), its field where the frame's own fields are.
        curve_steps, curve_seconds, curve_loss: (k,), thinned history of its own loss.
        racing: whether a race runs, seen or not.
        floor: (1,), the least value that its loss can have on average, if that is known; else (0,).
        error_steps, error_seconds: (j,); errors: (j, 5), relative Fisher error at `ERROR_SIGMAS`, 0 where not measured.
        variance: (1,), the variance of its gradient over batches over the squared mean, as last measured; or (0,).
        note: one line on why it does not run, or "".
    """

    label: str
    step: int
    seconds: float
    milliseconds: float
    learned: Array
    curve_steps: Array
    curve_seconds: Array
    curve_loss: Array
    floor: Array
    error_steps: Array
    error_seconds: Array
    errors: Array
    variance: Array
    note: str = ""


@dataclass(frozen=True)
class Race:
    """The racers side by side; `aligned` as in `RaceSettings`, `running` whether they learn now."""

    aligned: str
    running: bool
    sigma: float
    racers: tuple[Racer, ...]


@dataclass(frozen=True, kw_only=True)
class Particles:
    """One release of particles at one moment.

    Attributes:
        released: counts releases of particles; 0 before the first.
        moving: whether the particles run.
        particle_step, particle_steps: of the longest pane, taken and to take; others keep the same fraction.
        particle_kept: (k,), earlier particle steps that can be shown again; particle_shown: the one shown, or
            `particle_step`.
        particles_revision: the document's revision when they were released.
        panes: (P, number, 2); pane_states: P of them.
        modes: the ledger; None before the first release.
    """

    released: int = 0
    moving: bool = False
    particle_step: int = 0
    particle_steps: int = 0
    particles_revision: int = 0
    panes: Array = field(default_factory=lambda: np.zeros((0, 0, 2), np.float32))
    pane_states: tuple[PaneState, ...] = ()
    modes: Modes | None = None
    particle_kept: Array = field(default_factory=_none)
    particle_shown: int = 0


@dataclass(frozen=True, kw_only=True)
class Frame(Particles):
    """Everything that one moment shows.

    Attributes:
        run: counts releases of a fresh network (start, reset, restart of the engine).
        revision: the document's revision that the true field, the ground and the errors belong to.
        name: what is painted, for captions.
        training: whether the training loop runs.
        step, seconds: training steps taken and the seconds they took.
        steps_per_second: over the last second or so; 0 while paused.
        loss: mean over the last steps; `loss_known` says whether there is one.
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
        probe: (11,), the probed point's values, columns `INSPECTED`; or (0,) when nothing is probed.
        training_ladder: the noise levels that are learned, descending.
        fields_version: grows when learned, true or ground differ from the frame before; 0 says nothing about it.
        busy: one line on what the engine is doing when it is neither training nor idle ("growing the pool"), or "".
        keyframes: (k,), earlier training steps whose weights are kept; shown_step: the one whose field is shown, -1 for
            the present weights; keyframe_bytes: what they take, of keyframe_limit.
        maps, race: see there; None while nobody wants them.
        pins: (k, 11), the pinned points' values, columns `INSPECTED`.
        loop: (k, 2), the corners of the loop; loop_integrals: (2, 3), learned and true: the line integral of the score
            once round it, its error, and the integral of its size.
        racing: whether a race runs, seen or not.
        floor: (1,), the least value that the loss can have on average, if that is known; else (0,).
        learning_rate: of the next step; lowered: what it was multiplied by after steps that had to be undone.
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
    busy: str = ""
    training_ladder: Array = field(default_factory=_none)
    fields_version: int = 0
    keyframes: Array = field(default_factory=_none)
    shown_step: int = -1
    keyframe_bytes: int = 0
    keyframe_limit: int = 0
    maps: Maps | None = None
    race: Race | None = None
    pins: Array = field(default_factory=lambda: np.zeros((0, len(INSPECTED)), np.float32))
    loop: Array = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    loop_integrals: Array = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    racing: bool = False
    floor: Array = field(default_factory=_none)
    learning_rate: float = 0.0
    lowered: float = 1.0


def same_learning(before: Frame | None, frame: Frame) -> bool:
    """Whether both frames are the engine's same one, so that at most their particles differ."""
    return before is not None and before.learned is frame.learned


_PARTICLES = tuple(each.name for each in fields(Particles))


def joined(frame: Frame, particles: Particles) -> Frame:
    """The frame with these particles; until the first release it keeps its own, which lie nowhere."""
    if not particles.released:
        return frame
    return replace(frame, **{name: getattr(particles, name) for name in _PARTICLES})
