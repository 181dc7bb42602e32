"""What a lesson can ask about: quantities of a frame, and when they are to be read.

No lesson holds an answer. It holds the question and what decides it: a quantity, measured on the person's own screen
when the run has come so far. `measured` reads it, `progress` says how near that is. Plain functions of a frame; neither
Qt nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from explorer.engine.frames import ERROR_SIGMAS, Frame, Racer
from explorer.engine.messages import Want
from explorer.panes import pane_names
from trainer.errors import InputError
from trainer.plans import MOST_RACERS
from trainer.scenes import MOST_PANES
from trainer.settings import MOST_SIGMA, choice, number, whole

Clock = Literal["now", "steps", "particles", "race"]

MOST_MODES = 64


@dataclass(frozen=True)
class Measure:
    """Which quantity is read.

    Attributes:
        quantity: a name of `QUANTITIES`.
        pane, racer: which one, from 1; `against`: the racer that it is divided by.
        mode: which mode, from 1, the largest mass first.
        sigma: the noise level of errors; the nearest one that is followed is taken.
    """

    quantity: str
    pane: int = 1
    mode: int = 1
    sigma: float = 0.1
    racer: int = 1
    against: int = 2

    def __post_init__(self) -> None:
        choice("measure.quantity", self.quantity, tuple(QUANTITIES))
        whole("measure.pane", self.pane, 1, MOST_PANES)
        whole("measure.mode", self.mode, 1, MOST_MODES)
        number("measure.sigma", self.sigma, 1e-3, MOST_SIGMA)
        for name in ("racer", "against"):
            whole(f"measure.{name}", getattr(self, name), 1, MOST_RACERS)


@dataclass(frozen=True)
class Moment:
    """When it is read.

    Attributes:
        clock: "now" as soon as it is known; after so many training "steps" or steps of the "race"; after this fraction
            of the "particles"' run.
        amount: how many, or which fraction.
    """

    clock: Clock = "now"
    amount: float = 0.0

    def __post_init__(self) -> None:
        choice("when.clock", self.clock, get_args(Clock))
        number("when.amount", self.amount, 0, 1 if self.clock == "particles" else 1e7)


def measured(measure: Measure, frame: Frame) -> float | None:
    """The quantity in this frame; None while it is not known."""
    value = QUANTITIES[measure.quantity].read(measure, frame)
    return None if value is None or not np.isfinite(value) else float(value)


def words(measure: Measure, frame: Frame) -> str:
    """What is measured, in words: "share of mode 2, Langevin"."""
    known = QUANTITIES[measure.quantity]
    parts = [known.title]
    if "mode" in known.of:
        parts[0] = f"{known.title} {measure.mode}"
    if "pane" in known.of and measure.pane <= len(frame.pane_states):
        parts.append(pane_names(frame.pane_states)[measure.pane - 1])
    if "racer" in known.of and frame.race is not None and measure.racer <= len(frame.race.racers):
        parts.append(frame.race.racers[measure.racer - 1].label)
    if "against" in known.of and frame.race is not None and measure.against <= len(frame.race.racers):
        parts[-1] += f" over {frame.race.racers[measure.against - 1].label}"
    if "sigma" in known.of:
        parts.append(f"σ {ERROR_SIGMAS[_level(measure.sigma)]:g}")
    return ", ".join(parts)


def progress(moment: Moment, frame: Frame, since: int) -> float:
    """How much of the way to the moment is done, from 0 to 1; `since` is the release that a run must be later than."""
    if moment.clock == "now" or moment.amount == 0:
        return 1.0
    if moment.clock == "particles":
        if frame.released <= since or not frame.particle_steps:
            return 0.0
        return min(1.0, frame.particle_step / frame.particle_steps / moment.amount)
    if moment.clock == "race":
        steps = [racer.step for racer in frame.race.racers if not racer.note] if frame.race is not None else []
        return min(1.0, min(steps, default=0) / moment.amount)
    return min(1.0, frame.step / moment.amount)


# --- quantities ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quantity:
    """Something that can be measured.

    Attributes:
        title: what it is called.
        of: which fields of `Measure` it depends on.
        read: its value in a frame, or None.
        wants: the parts of a frame that it is read from (`explorer.engine.messages.Look`).
    """

    title: str
    of: tuple[str, ...]
    read: Callable[[Measure, Frame], float | None]
    wants: frozenset[Want] = frozenset()


def _share(measure: Measure, frame: Frame) -> float | None:
    modes = frame.modes
    if modes is None or measure.pane > len(modes.share) or measure.mode > modes.mass.size:
        return None
    order = np.argsort(-modes.mass, kind="stable")
    return float(modes.share[measure.pane - 1, order[measure.mode - 1]])


def _weight_error(measure: Measure, frame: Frame) -> float | None:
    modes = frame.modes
    if modes is None or measure.pane > len(modes.share):
        return None
    return float(np.abs(modes.share[measure.pane - 1] - modes.mass).max())


def _elsewhere(measure: Measure, frame: Frame) -> float | None:
    modes = frame.modes
    return None if modes is None or measure.pane > len(modes.elsewhere) else float(modes.elsewhere[measure.pane - 1])


def _modes(measure: Measure, frame: Frame) -> float | None:
    return None if frame.modes is None else float(frame.modes.mass.size)


def _distance(measure: Measure, frame: Frame) -> float | None:
    if measure.pane > len(frame.pane_states):
        return None
    state = frame.pane_states[measure.pane - 1]
    if not state.distances.size or not state.distance_floor.size or state.distance_floor[0] <= 0:
        return None
    now = frame.particle_step / max(frame.particle_steps, 1)
    if state.distance_times.size and state.distance_times[-1] < now - 1 / 50:
        return None  # distances are worked out when there is time: the newest is of an earlier moment
    return float(state.distances[-1] / state.distance_floor[0])


def _fisher(measure: Measure, frame: Frame) -> float | None:
    return _last_error(frame, measure.sigma)


def _floor(measure: Measure, frame: Frame) -> float | None:
    if not frame.floor.size or not frame.loss_known or frame.loss <= 0:
        return None
    return float(frame.floor[0] / frame.loss)


def _rotational(measure: Measure, frame: Frame) -> float | None:
    """Where data lie: the mean over cells, each counted by how many training points are expected there."""
    maps = frame.maps
    if maps is None or not maps.rotational.size or not maps.expected.any():
        return None
    return float(np.average(maps.rotational, weights=maps.expected))


def _race_error(measure: Measure, frame: Frame) -> float | None:
    one, other = _racers(measure, frame)
    if one is None or other is None:
        return None
    return _ratio(_last_error(one, measure.sigma), _last_error(other, measure.sigma))


def _race_loss(measure: Measure, frame: Frame) -> float | None:
    racer, _ = _racers(replace(measure, against=measure.racer), frame)
    return None if racer is None or not racer.curve_loss.size else float(racer.curve_loss[-1])


def _race_time(measure: Measure, frame: Frame) -> float | None:
    one, other = _racers(measure, frame)
    return None if one is None or other is None else _ratio(one.milliseconds, other.milliseconds)


def _race_variance(measure: Measure, frame: Frame) -> float | None:
    one, other = _racers(measure, frame)
    if one is None or other is None or not one.variance.size or not other.variance.size:
        return None
    return _ratio(float(one.variance[0]), float(other.variance[0]))


def _racers(measure: Measure, frame: Frame) -> tuple[Racer | None, Racer | None]:
    racers = frame.race.racers if frame.race is not None else ()
    if max(measure.racer, measure.against) > len(racers):
        return None, None
    return racers[measure.racer - 1], racers[measure.against - 1]


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if not one or not other else one / other


def _last_error(of: Frame | Racer, sigma: float) -> float | None:
    """The newest error at this level, once it is of the latter half of the steps; 0 stands for one not measured yet."""
    if not of.error_steps.size or 2 * of.error_steps[-1] < of.step:
        return None  # errors are worked out when there is time, and are due at 50, 100, 200 ... steps
    column = of.errors[:, _level(sigma)]
    known = column[column > 0]
    return float(known[-1]) if known.size else None


def _level(sigma: float) -> int:
    """The place of the nearest noise level that is followed, by its logarithm."""
    return int(np.abs(np.log(np.asarray(ERROR_SIGMAS) / sigma)).argmin())


_RACE = frozenset[Want]({"race"})

QUANTITIES: dict[str, Quantity] = {
    "share": Quantity("share of mode", ("pane", "mode"), _share),
    "weight_error": Quantity("largest error of a share", ("pane",), _weight_error),
    "elsewhere": Quantity("share outside the 99.9 % region", ("pane",), _elsewhere),
    "modes": Quantity("modes of the density", (), _modes),
    "distance": Quantity("distance to the truth over its floor", ("pane",), _distance, frozenset({"distances"})),
    "fisher": Quantity("relative Fisher error", ("sigma",), _fisher),
    "floor": Quantity("floor of the loss over the loss", (), _floor),
    "rotational": Quantity("rotational share of the Jacobian", (), _rotational, frozenset({"fine", "curl"})),
    "race_error": Quantity("ratio of Fisher errors", ("racer", "against", "sigma"), _race_error, _RACE),
    "race_loss": Quantity("loss", ("racer",), _race_loss, _RACE),
    "race_time": Quantity("ratio of times a step", ("racer", "against"), _race_time, _RACE),
    "race_variance": Quantity("ratio of gradient variances", ("racer", "against"), _race_variance, _RACE),
}
"""What can be measured, by name."""


def check_measure(measure: Measure, *, panes: int, racers: int) -> None:
    """Refuse a measure of a pane or a racer that there is not.

    Raises:
        InputError: says which, and how many there are.
    """
    of = QUANTITIES[measure.quantity].of
    if "pane" in of and measure.pane > panes:
        raise InputError(f"measure.pane: there is no pane {measure.pane}; the step has {panes}")
    if "racer" in of and max(measure.racer, measure.against) > racers:
        raise InputError(f"measure.racer: there is no racer {max(measure.racer, measure.against)}; there are {racers}")
