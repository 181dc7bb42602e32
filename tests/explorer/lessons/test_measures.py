"""What a lesson measures, held against the frame's own numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.engine.frames import ERROR_SIGMAS, Frame, Maps, Race, Racer
from explorer.lessons.measures import QUANTITIES, Measure, Moment, measured, progress, words
from tests.explorer.frames import empty_frame, make_frame
from trainer.errors import InputError


def value(quantity: str, frame: Frame, **which: float) -> float | None:
    return measured(Measure(quantity, **which), frame)  # type: ignore[arg-type]


def racer(label: str, error: float, milliseconds: float, variance: float | None, step: int = 100) -> Racer:
    nothing = np.zeros(0, np.float32)
    errors = np.full((2, len(ERROR_SIGMAS)), error, np.float32)
    errors[1, 0] = 0  # not measured yet: the one before counts
    spread = nothing if variance is None else np.array([variance], np.float32)
    fields = np.zeros((2, 2, 2), np.float32)
    steps = np.array([50, 100], np.float32)
    return Racer(
        label, step, 1.0, milliseconds, fields, nothing, nothing, nothing, nothing, steps, steps, errors, spread
    )


def test_shares_count_modes_by_mass() -> None:
    frame = make_frame()
    assert frame.modes is not None
    swapped = replace(frame.modes, mass=frame.modes.mass[::-1], share=frame.modes.share[:, ::-1])
    for modes in (frame.modes, swapped):
        one = replace(frame, modes=modes)
        assert value("share", one, pane=2, mode=2) == pytest.approx(0.449)
        assert value("weight_error", one, pane=2) == pytest.approx(0.252)
        assert value("modes", one) == 2
    assert value("elsewhere", frame, pane=2) == pytest.approx(0.003)
    assert value("share", frame, pane=4) is None
    assert value("share", frame, mode=3) is None


def test_errors_are_the_newest_at_the_nearest_level() -> None:
    frame = make_frame()
    for sigma, column in ((0.02, 0), (0.03, 0), (0.1, 2), (0.9, 4)):
        assert value("fisher", frame, sigma=sigma) == pytest.approx(float(frame.errors[-1, column]))
    errors = frame.errors.copy()
    errors[-1, 2] = 0
    assert value("fisher", replace(frame, errors=errors), sigma=0.1) == pytest.approx(float(errors[-2, 2]))


def test_distance_and_floor_are_ratios() -> None:
    frame = make_frame()
    assert value("distance", frame, pane=1) is None
    arrays = np.array([0.4, 0.1], np.float32), np.array([0.05], np.float32)
    state = replace(frame.pane_states[0], distances=arrays[0], distance_floor=arrays[1])
    assert value("distance", replace(frame, pane_states=(state, *frame.pane_states[1:])), pane=1) == pytest.approx(2)
    assert value("floor", replace(frame, loss=0.5, floor=np.array([0.4], np.float32))) == pytest.approx(0.8)


def test_the_rotational_share_is_that_where_data_lie() -> None:
    none = np.zeros((0, 0), np.float32)
    grid = np.zeros((2, 2, 2), np.float32)
    expected = np.array([[3, 0], [1, 0]], np.float32)
    rotational = np.array([[0.1, 9], [0.5, 9]], np.float32)
    maps = Maps(1, 1, 0.1, (0, 0), 1.25, grid, grid, expected, expected, expected, rotational, none)
    assert value("rotational", make_frame(maps=maps)) == pytest.approx(0.2)
    assert value("rotational", make_frame(maps=replace(maps, rotational=none))) is None


def test_races_are_ratios_of_racers() -> None:
    race = Race("steps", True, 0.1, (racer("one", 0.2, 6.0, 8.0), racer("two", 0.05, 2.0, 2.0)))
    frame = make_frame(race=race)
    assert value("race_error", frame, racer=1, against=2, sigma=0.02) == pytest.approx(4)
    assert value("race_time", frame, racer=1, against=2) == pytest.approx(3)
    assert value("race_variance", frame, racer=2, against=1) == pytest.approx(0.25)
    assert value("race_time", frame, racer=1, against=3) is None
    late = Race("steps", True, 0.1, (racer("one", 0.2, 6.0, None), racer("two", 0.05, 2.0, 2.0)))
    assert value("race_variance", make_frame(race=late)) is None
    assert words(Measure("race_error"), frame) == "ratio of Fisher errors, one over two, σ 0.1"


def test_nothing_is_known_before_there_is_anything() -> None:
    assert all(value(name, empty_frame()) is None for name in QUANTITIES)


def test_progress_counts_by_its_clock() -> None:
    frame = make_frame(progress=0.5)
    assert progress(Moment(), frame, 0) == 1
    assert progress(Moment("particles", 1.0), frame, 0) == pytest.approx(0.5)
    assert progress(Moment("particles", 0.25), frame, 0) == 1
    assert progress(Moment("particles", 1.0), frame, 1) == 0  # the release is not a later one
    assert progress(Moment("steps", 6824), frame, 0) == pytest.approx(0.5)
    racing = Race("steps", True, 0.1, (racer("one", 0.2, 6, None, step=30), racer("two", 0.1, 2, None, step=90)))
    assert progress(Moment("race", 60), make_frame(race=racing), 0) == pytest.approx(0.5)
    assert progress(Moment("race", 60), frame, 0) == 0


def test_words_say_what_was_measured() -> None:
    assert words(Measure("share", pane=2, mode=2), make_frame()) == "share of mode 2, Langevin"
    assert words(Measure("fisher", sigma=0.09), make_frame()) == "relative Fisher error, σ 0.1"


@pytest.mark.parametrize(
    "values", [{"quantity": "joy"}, {"quantity": "share", "mode": 0}, {"quantity": "fisher", "sigma": 0}]
)
def test_measures_that_there_are_not(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"^measure\."):
        Measure(**values)  # type: ignore[arg-type]
