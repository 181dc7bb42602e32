"""Releases of particles: paired panes on one clock, tables where they pay, a past that can be shown, and notes."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
import torch

from explorer.engine.nearness import Truth
from explorer.engine.particles import ParticleRun
from explorer.panes import pane_names
from trainer.densities import GaussianMixture
from trainer.distances import project, sliced_wasserstein_to_density
from trainer.kernels import GAUSSIAN
from trainer.langevin import total_steps
from trainer.models import TrueScore
from trainer.modes import find_modes
from trainer.noise import Noise
from trainer.samplers import SAMPLERS
from trainer.scenes import REGION_SIDE, Pane, Scene, Start, region_cells, region_text, story
from trainer.settings import ParticleSettings
from trainer.tables import TabulatedScore

SHORT = ParticleSettings(number=600, levels=6, steps=20, fine_steps=10)


@pytest.fixture(scope="module")
def density() -> GaussianMixture:
    return GaussianMixture(
        weights=np.array([0.8, 0.2]),
        means=np.array([[-0.6, -0.6], [0.6, 0.6]]),
        covariances=np.array([np.eye(2) * 0.015] * 2),
    )


def scene(*samplers: str, start: Start | None = None, **changes: object) -> Scene:
    settings = replace(SHORT, **changes)
    return Scene(tuple(Pane(name, settings) for name in samplers), start or Start())


def release(density: GaussianMixture, what: Scene) -> ParticleRun:
    model = TrueScore(density)
    return ParticleRun(what, [model] * len(what.panes), 5, density, 100)


def test_panes_move_as_their_samplers_do_alone(density: GaussianMixture) -> None:
    run = release(density, Scene(story(SHORT)))
    run.move(10**6)
    assert run.done
    assert run.step == total_steps(SHORT)
    noise = Noise(5)
    for index, name in enumerate(("ascent", "langevin", "annealed")):
        table = TabulatedScore(TrueScore(density))
        sampler = SAMPLERS[name]
        *_, (_, end) = sampler(table, sampler.start(table, SHORT, 600, noise), SHORT, noise)
        assert np.array_equal(run.panes()[index], end.numpy())


def test_deadlines_change_nothing(density: GaussianMixture) -> None:
    """A past deadline lets one piece pass at a time; the particles end where they end without one."""
    what = scene("annealed", "ode", diffusion_steps=30)
    whole, pieces = release(density, what), release(density, what)
    whole.move(40)
    calls = 0
    while pieces.step < 40:
        pieces.move(40 - pieces.step, perf_counter() + 1e-4)
        calls += 1
    assert calls > 1
    assert np.array_equal(whole.panes(), pieces.panes())


def test_panes_share_one_clock(density: GaussianMixture) -> None:
    run = release(density, scene("annealed", "sde", diffusion_steps=40))
    assert run.steps == total_steps(SHORT)
    run.move(run.steps // 2)
    assert [state.step for state in run.states()] == [run.steps // 2, 20]
    run.move(10**6)
    assert [state.step for state in run.states()] == [run.steps, 40]


def test_what_was_kept_is_shown_again_and_replayed(density: GaussianMixture) -> None:
    run = release(density, Scene(story(SHORT)))
    seen = {0: run.panes().copy()}
    for step in range(1, 31):
        run.move(1)
        seen[step] = run.panes().copy()
    assert run.kept[-1] == 30
    assert run.show(12) == 12
    assert np.array_equal(run.panes(), seen[12])
    assert run.states()[0].step == 12
    assert run.move(5) == 5
    assert (run.shown, run.step) == (17, 30)
    assert np.array_equal(run.panes(), seen[17])
    assert run.move(20) == 20
    assert (run.shown, run.step) == (37, 37)
    run.show(None)
    straight = release(density, Scene(story(SHORT)))
    straight.move(37)
    assert np.array_equal(run.panes(), straight.panes())


def test_a_finished_run_can_be_played_again(density: GaussianMixture) -> None:
    run = release(density, scene("langevin"))
    run.move(10**6)
    run.show(0)
    assert not run.done
    run.move(10**6)
    assert run.done
    assert run.shown == run.steps


def test_the_followed_way_passes_through_the_particle(density: GaussianMixture) -> None:
    run = release(density, Scene(story(SHORT)))
    run.move(10)
    run.follow(33)
    run.move(10)
    for pane, state in enumerate(run.states(trails=True)):
        assert np.array_equal(state.path[-1], run.panes()[pane, 33])
        assert len(state.path) == 22  # the start, 20 steps, and where it is
        assert state.trail.shape[1:] == (100, 2)
        assert np.array_equal(state.trail[-1], run.panes()[pane, :100])
    starts = [state.path[0].tolist() for state in run.states()]
    assert starts[0] == starts[1] == starts[2]
    run.follow(-1)
    assert run.states()[0].path.shape == (0, 2)


def test_distances_fall_where_the_sampler_is_right(density: GaussianMixture) -> None:
    run = release(density, scene("annealed", number=3000, levels=12, steps=60))
    run.move(10**6)
    assert run.states(distances=True)[0].distances.size == 0
    assert run.measure()
    state = run.states(distances=True)[0]
    assert state.distance_times[0] == 0
    assert state.distance_times[-1] == 1
    assert state.distances.size == 61
    assert state.distances[-1] < 0.5 * state.distances[0]
    floor = float(state.distance_floor[0])
    draws = [density.sample(2000, 0.02, generator=torch.Generator().manual_seed(k)) for k in range(1, 9)]
    known = project(density, 0.02, 8)
    assert floor == pytest.approx(np.mean([sliced_wasserstein_to_density(x, known) for x in draws]), rel=0.25)
    assert floor < 1.2 * state.distances[-1]
    assert run.states()[0].distances.size == 0
    assert run.states()[0].distance_floor.size == 0


def test_projections_are_kept_across_releases(density: GaussianMixture) -> None:
    truth = Truth(density)
    model = TrueScore(density)
    for _ in range(2):
        run = ParticleRun(scene("ascent"), [model], 0, truth, 0)
        run.move(1)
        run.measure()
        kept = truth.known[SHORT.sigma_min]
        assert kept is truth.known[SHORT.sigma_min]
        assert list(truth.known) == [SHORT.sigma_min]


class ScoreAlone:
    """A score without a log-density."""

    sigma_min, sigma_max, kernel, device = 0.01, 3.0, GAUSSIAN, torch.device("cpu")
    has_log_density = False

    def score(self, x: torch.Tensor, sigma: float | torch.Tensor) -> torch.Tensor:
        return -x


def test_a_sampler_that_cannot_run_leaves_its_pane_standing(density: GaussianMixture) -> None:
    run = ParticleRun(scene("mala", "langevin"), [ScoreAlone(), TrueScore(density)], 5, density, 0)
    before = run.panes().copy()
    run.move(10)
    first, second = run.states()
    assert "log-density" in first.note
    assert (first.step, first.steps) == (0, 0)
    assert np.array_equal(run.panes()[0], before[0])
    assert second.step == 10
    assert not np.array_equal(run.panes()[1], before[1])


def test_a_diverged_pane_stands_and_the_others_go_on(density: GaussianMixture) -> None:
    wild = Pane("langevin", replace(SHORT, epsilon=1.0))
    what = Scene((wild, Pane("langevin", SHORT)))
    run = release(density, what)
    run.move(10**6)
    first, second = run.states()
    assert first.diverged
    assert not second.diverged
    assert first.step < second.step == run.steps
    assert np.isfinite(run.panes()).all()


def test_few_questions_are_asked_without_a_table() -> None:
    run = ParticleRun(scene("sde", number=100, diffusion_steps=20), [ScoreAlone()], 5, Truth(None), 0)
    run.move(10**6)
    assert run.states()[0].table_error == 0
    many = ParticleRun(scene("sde", number=9000, diffusion_steps=20, sigma_min=0.2), [ScoreAlone()], 5, Truth(None), 0)
    many.move(10**6)
    assert 0 <= many.states()[0].table_error < 1e-3


def test_ledgers_have_a_row_for_each_pane(density: GaussianMixture) -> None:
    run = release(density, scene("ascent", "langevin", "annealed", "sde", diffusion_steps=30))
    run.move(10**6)
    modes = run.modes(find_modes(density))
    assert modes.share.shape == (4, 2)
    assert modes.share.sum(1) + modes.elsewhere == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", ["uniform", "gaussian", "point", "region"])
def test_all_panes_start_where_they_are_put(density: GaussianMixture, kind: str) -> None:
    cell = 20 * REGION_SIDE + 4
    start = Start(kind, (0.25, -0.5), 0.1, region_text([cell]))
    run = release(density, scene("langevin", "sde", start=start))
    first, second = run.panes()
    assert np.array_equal(first, second)
    if kind == "region":
        low = 2.5 * np.array([4, 20]) / REGION_SIDE - 1.25
        assert ((first >= low) & (first <= low + 2.5 / REGION_SIDE)).all()
        return
    assert first.mean(0) == pytest.approx((0.25, -0.5), abs=0.02)
    assert first.std(0) == pytest.approx({"uniform": 0.1 / 3**0.5, "gaussian": 0.1, "point": 0}[kind], rel=0.1)


def test_regions_are_written_and_read() -> None:
    cells = (0, 5, 31, 32, 700, 1023)
    assert region_cells(region_text(cells)) == cells
    assert region_cells("") == ()


def test_names_say_what_differs() -> None:
    quick = Pane("langevin", replace(SHORT, epsilon=4e-4))
    what = Scene((Pane("langevin", SHORT), quick, Pane("ode", SHORT)))
    assert pane_names(what) == ("Langevin, ε 9e-5", "Langevin, ε 4e-4", "ODE")
    assert pane_names(Scene((quick, quick))) == ("Langevin 1", "Langevin 2")
    assert pane_names(Scene()) == ("ascent", "Langevin", "annealed")
