"""A run without process, clock or window: its past, what it stops at, its race, and what reaches a frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from time import perf_counter

import numpy as np
import pytest
import torch

from explorer.engine.freezing import freeze, thaw
from explorer.engine.messages import (
    INSPECTED,
    Applied,
    ConfigureRace,
    ConfigureScene,
    Frame,
    Look,
    Probe,
    Release,
    Repaint,
    Reset,
    RunRace,
    Seek,
    SetLimits,
    StopWhen,
)
from explorer.engine.orders import Order
from explorer.engine.simulation import RELEASE_AFTER, Simulation
from explorer.recipe import Recipe, Recorder
from tests.explorer.both import Both
from trainer.errors import InputError
from trainer.paintings import preset_weights
from trainer.plans import RaceSettings, StopSettings
from trainer.projects import Setup
from trainer.scenes import Pane, Scene, story
from trainer.settings import FitSettings, LadderSettings, NetworkSettings, ParticleSettings

FIT = FitSettings(batch=64, ladder=LadderSettings(8), network=NetworkSettings(32, 1, 8))
SHORT = ParticleSettings(number=200, levels=3, steps=10, fine_steps=5)
SETUP = Setup(preset_weights("crescents", 64), "crescents", fit=FIT, scene=Scene(story(SHORT)))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def simulation(setup: Setup = SETUP, *, live: bool = False) -> Simulation:
    return Simulation(setup, device="cpu", live=live)


def settle(run: Simulation) -> Frame:
    """Work until nothing is left to be derived."""
    while not run.measure(perf_counter() + 0.05):
        pass
    assert not run.measuring
    return run.frame()


# --- the past ---


def test_a_kept_step_is_shown_as_it_was_and_training_goes_on() -> None:
    run = simulation()
    run.train(19)
    then = run.frame()
    assert then.shown_step == -1
    run.train(200)
    now = run.frame()
    assert 19 in now.keyframes.tolist()
    assert not np.array_equal(now.learned, then.learned)
    run.apply(Look(step=19))
    past = run.frame()
    assert (past.shown_step, past.step) == (19, 219)
    assert np.array_equal(past.learned, then.learned)
    assert np.array_equal(past.true, now.true)
    run.apply(Look(step=20))
    assert run.frame().shown_step == 19, "the last one kept before it"
    run.train(10)
    assert np.array_equal(run.frame().learned, then.learned)
    run.apply(Look())
    assert run.frame().shown_step == -1
    assert not np.array_equal(run.frame().learned, then.learned)


def test_the_memory_of_the_past_can_be_limited() -> None:
    run = simulation()
    run.train(64)
    frame = run.frame()
    assert 0 < frame.keyframe_bytes <= frame.keyframe_limit
    run.apply(SetLimits(frame.keyframe_bytes // 3))
    thinned = run.frame()
    assert thinned.keyframe_bytes <= thinned.keyframe_limit == frame.keyframe_bytes // 3
    assert set(thinned.keyframes.tolist()) < set(frame.keyframes.tolist())


def test_particles_are_released_into_a_past_field() -> None:
    early = Both(SETUP)
    early.train(16)
    early.apply(Release())
    expected = early.to_the_end()
    late = Both(SETUP)
    late.train(216)
    late.apply(Release())
    present = late.to_the_end()
    late.apply(Release(16))
    past = late.to_the_end()
    assert [state.weights_step for state in present.pane_states] == [216] * 3
    assert [state.weights_step for state in past.pane_states] == [16] * 3
    assert np.array_equal(past.panes, expected.panes)
    assert not np.array_equal(past.panes, present.panes)
    assert late.mover.released == 2


def test_what_is_not_kept_any_more_cannot_be_released_into() -> None:
    run = simulation()
    run.train(20)
    run.apply(SetLimits(0))
    with pytest.raises(InputError, match=r"^training step 4: no weights are kept of it; choose a later step$"):
        run.apply(Release(4))
    assert not run.events


def test_a_release_into_the_past_is_in_the_recipe_and_repeats() -> None:
    run, recorder = Both(SETUP), Recorder(Recipe(SETUP))
    run.train(30)
    run.apply(Release(8))
    first = run.to_the_end()
    for event in run.simulation.events:
        recorder.take(event)
    recipe = recorder.recipe(run.simulation.fit.step)
    again = Both(recipe.initial)
    for step, command in recipe.commands():
        again.train(step - again.simulation.fit.step)
        again.apply(command)
    assert np.array_equal(again.to_the_end().panes, first.panes)


def test_seek_shows_a_kept_moment_exactly_and_moving_goes_on_from_it() -> None:
    run = Both(SETUP)
    run.train(20)
    run.apply(Release())
    steps = run.mover.steps
    run.mover.move(steps // 2)
    half = run.frame()
    end = run.to_the_end()
    assert end.particle_shown == end.particle_step == steps
    kept = half.particle_kept.astype(int).tolist()
    run.apply(Seek(steps // 2))
    back = run.frame()
    assert back.particle_shown in kept
    assert back.particle_step == steps
    assert run.mover.left == steps - back.particle_shown
    if back.particle_shown == half.particle_shown:
        assert np.array_equal(back.panes, half.panes)
    assert not np.array_equal(back.panes, end.panes)
    assert back.modes is not None
    assert end.modes is not None
    assert not np.array_equal(back.modes.share, end.modes.share)
    again = run.to_the_end()
    assert np.array_equal(again.panes, end.panes)
    assert np.array_equal(again.modes.share, end.modes.share)


# --- stopping by itself ---


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        (StopSettings(steps=40), "40 steps"),
        (StopSettings(seconds=0.1), "seconds"),
        (StopSettings(steps=15_000, seconds=0.1), "seconds"),
    ],
)
def test_a_condition_pauses_a_live_run_once(stop: StopSettings, words: str) -> None:
    run = simulation(replace(SETUP, stop=stop), live=True)
    assert run.train(20_000) < 20_000
    assert stop.steps is None or run.fit.step <= stop.steps
    assert words in run.stopping.reason
    run.stopping.reason = ""
    assert run.train(300) == 300, "it has stopped once; who goes on wants to"
    run.apply(StopWhen(StopSettings(steps=run.fit.step + 7)))
    assert run.train(300) == 7


def test_an_error_below_the_limit_pauses_once_all_levels_are_measured() -> None:
    run = simulation(replace(SETUP, stop=StopSettings(error=1.0)), live=True)
    assert run.train(300) == 300, "errors that are not measured are not known"
    settle(run)
    errors = list(run.measurements.latest.values())
    assert len(errors) == 5
    assert max(errors) < 1
    run.apply(StopWhen(StopSettings(error=max(errors) * 0.99)))
    assert run.train(5) == 5
    run.apply(StopWhen(StopSettings(error=max(errors) * 1.01)))
    assert run.train(5) == 1
    assert "every σ" in run.stopping.reason


def test_a_repeated_run_does_not_stop_by_itself() -> None:
    run = simulation(replace(SETUP, stop=StopSettings(steps=5)))
    assert run.train(20) == 20
    assert run.stopping.reason == ""


def test_a_live_run_releases_by_itself_at_a_step_number() -> None:
    run = simulation(live=True)
    run.train(RELEASE_AFTER - 1)
    assert not run.events
    run.train(1)
    order, applied = run.events
    assert isinstance(order, Order)
    assert order.automatic
    assert order.learned.step == RELEASE_AFTER
    assert applied == Applied(RELEASE_AFTER, Release())
    run.train(RELEASE_AFTER)
    assert len(run.events) == 2


def test_a_live_run_that_has_particles_waits_for_an_edit() -> None:
    run = simulation(live=True)
    run.hold_release()
    run.train(RELEASE_AFTER)
    assert not run.events
    run.apply(Repaint(5, preset_weights("smile", 64), "smile"))
    run.events.clear()
    run.train(RELEASE_AFTER)
    assert [type(event) for event in run.events] == [Order, Applied]


def test_an_order_holds_the_score_to_the_last_bit() -> None:
    run = simulation(replace(SETUP, fit=replace(FIT, parameterisation="energy")))
    run.train(20)
    model = run.fit.snapshot()
    again = thaw(freeze(model), run.density, torch.device("cpu"))
    x = torch.rand(300, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(again.score(x, 0.2), model.score(x, 0.2))
    assert torch.equal(again.log_prob(x, 0.2), model.log_prob(x, 0.2))
    assert (again.step, again.seed, again.settings) == (20, model.seed, model.settings)
    assert (again.sigma_min, again.sigma_max) == (model.sigma_min, model.sigma_max)


# --- the race ---


def test_a_race_runs_beside_the_fit_and_does_not_touch_it() -> None:
    entrants = (FIT, replace(FIT, target="single"))
    alone, run = simulation(), simulation(replace(SETUP, race=RaceSettings(entrants)))
    alone.train(30)
    run.apply(RunRace(True))
    for _ in range(10):
        run.run_race(perf_counter())  # a deadline that has passed gives one turn
        run.train(3)
    assert np.array_equal(run.frame().learned, alone.frame().learned)
    assert run.frame().race is None, "nobody looks at it"
    run.apply(Look(wants=frozenset({"race"})))
    settle(run)
    race = run.frame().race
    assert race is not None
    assert race.running
    assert [racer.step for racer in race.racers] == [5, 5]
    assert len({racer.label for racer in race.racers}) == 2
    run.apply(RunRace(False))
    run.run_race(inf)
    held = run.frame().race
    assert held is not None
    assert not held.running
    assert [racer.step for racer in held.racers] == [5, 5]


def test_a_race_begins_again_with_other_entrants_and_with_a_reset() -> None:
    run = simulation(replace(SETUP, race=RaceSettings((FIT, replace(FIT, target="single")))))
    run.apply(RunRace(True))
    run.apply(Look(wants=frozenset({"race"})))

    def steps() -> list[int]:
        race = run.frame().race
        return [] if race is None else [racer.step for racer in race.racers]

    for _ in range(6):
        run.run_race(perf_counter())
    assert steps() == [3, 3]
    run.apply(ConfigureRace(RaceSettings(run.race.settings.entrants, "seconds")))  # type: ignore[union-attr]
    assert steps() == [3, 3], "who races has not changed"
    run.apply(Reset(9))
    assert steps() == [0, 0]
    run.apply(ConfigureRace(RaceSettings((FIT,) * 3)))
    assert steps() == [0, 0, 0]
    run.apply(ConfigureRace(RaceSettings()))
    assert run.race is None
    assert run.frame().race is None
    assert not run.race_running


# --- what is looked at ---


def test_maps_the_loop_and_pins_arrive_when_they_are_wanted() -> None:
    run = simulation()
    run.train(20)
    plain = settle(run)
    assert plain.maps is None
    assert plain.loop.size == plain.pins.size == plain.probe.size == 0
    square = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
    pins = ((0.1, 0.2), (-0.3, 0.4))
    look = Look(sigma=0.2, wants=frozenset({"fine", "curl"}), cells=16, pins=pins, loop=square)
    run.apply(look)
    run.apply(Probe((0.25, -0.5)))
    assert run.measuring
    frame = settle(run)
    maps = frame.maps
    assert maps is not None
    assert (maps.step, maps.sigma, maps.learned.shape) == (20, pytest.approx(0.2), (16, 16, 2))
    assert maps.curl.shape == maps.rotational.shape == maps.expected.shape == (16, 16)
    assert maps.learned_log_p.size == 0, "no energy is learned"
    assert frame.pins[:, :2] == pytest.approx(np.array(pins))
    assert frame.probe.shape == (len(INSPECTED),)
    assert frame.probe[:2] == pytest.approx([0.25, -0.5])
    assert frame.loop == pytest.approx(np.array(square))
    assert frame.loop_integrals.shape == (2, 3)
    assert abs(frame.loop_integrals[1, 0]) < 1e-3 * frame.loop_integrals[1, 2], "the truth is a gradient"
    run.train(5)
    assert run.measuring
    later = settle(run).maps
    assert later is not None
    assert later.step == 25
    assert later.version > maps.version
    run.apply(replace(look, step=8))
    past = settle(run).maps
    assert past is not None
    assert past.step == 8
    run.apply(Probe(None))
    run.apply(Look())
    gone = settle(run)
    assert gone.maps is None
    assert gone.pins.size == gone.probe.size == 0


def test_trails_distances_and_a_followed_particle_arrive_when_they_are_wanted() -> None:
    run = Both(SETUP)
    run.train(20)
    run.apply(Release())
    run.mover.move(10)
    assert all(state.trail.size == state.distances.size == state.path.size == 0 for state in run.frame().pane_states)
    run.apply(Look(wants=frozenset({"trails", "distances"}), followed=3))
    run.to_the_end()
    frame = run.settle()
    for pane, state in enumerate(frame.pane_states):
        assert state.trail.shape[2] == 2
        assert state.distances.size == state.distance_times.size > 0
        assert state.path[-1] == pytest.approx(frame.panes[pane, 3])


def test_a_scene_of_four_samplers_moves_on_one_clock() -> None:
    samplers = ("annealed", "sde", "ode", "ddim")
    panes = tuple(Pane(sampler, replace(SHORT, diffusion_steps=12)) for sampler in samplers)  # type: ignore[arg-type]
    run = Both(SETUP)
    run.train(20)
    run.apply(ConfigureScene(Scene(panes), 5))
    assert run.frame().panes.shape[0] == 4
    run.apply(Release())
    frame = run.to_the_end()
    assert [state.sampler for state in frame.pane_states] == list(samplers)
    assert [state.step for state in frame.pane_states] == [state.steps for state in frame.pane_states]
    assert frame.particle_steps == max(state.steps for state in frame.pane_states)
    assert frame.modes is not None
    assert frame.modes.share.shape[0] == 4


def test_a_repaint_is_learned_by_the_race_too() -> None:
    run = simulation(replace(SETUP, race=RaceSettings((FIT, FIT))))
    run.apply(RunRace(True))
    run.run_race(perf_counter())
    run.apply(Repaint(5, preset_weights("smile", 64), "smile"))
    assert run.race is not None
    assert run.race.density is run.density
    frame = run.frame()
    assert (frame.revision, frame.name) == (5, "smile")
