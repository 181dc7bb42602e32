"""The race in the engine: same points for all, aligned, measured at fixed steps, and what cannot train stands still."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch

from explorer.engine.race import RaceRun
from trainer.densities import PaintedDensity, load_density
from trainer.errors import TrainingError
from trainer.fit import Fit
from trainer.lattices import lattice_points
from trainer.metrics import relative_fisher_error
from trainer.plans import RaceSettings
from trainer.settings import FitSettings, LadderSettings, NetworkSettings

SMALL = FitSettings(
    batch=64,
    network=NetworkSettings(width=32, features=16),
    ladder=LadderSettings(levels=8, sigma_min=0.1, sigma_max=1.0),
)
ONE = replace(SMALL, target="single")
SLICED = replace(SMALL, objective="ssm_vr", weighting="ncsn")
EXACT = replace(SMALL, objective="esm")
LATTICE = lattice_points((0.0, 0.0), 1.25, 8)


@pytest.fixture(scope="module")
def moons() -> PaintedDensity:
    return cast(PaintedDensity, load_density("two-moons"))


def run_of(density: PaintedDensity, *entrants: FitSettings, aligned: str = "steps", seed: int = 3) -> RaceRun:
    return RaceRun(RaceSettings(entrants, aligned), density, seed, "cpu")  # type: ignore[arg-type]


def fits(run: RaceRun) -> list[Fit]:
    return [cast(Fit, fit) for fit in run.fits]


def test_all_see_the_same_noisy_points_at_every_step(moons: PaintedDensity) -> None:
    run = run_of(moons, ONE, SLICED, EXACT, SMALL)
    blocks = set()
    for _ in range(70):  # more than a block of 64 batches
        run.advance(turns=4)
        one, sliced, exact, pooled = (fit._points for fit in fits(run))
        for other in (sliced, exact):
            assert torch.equal(one.x0, other.x0)
            assert torch.equal(one.x, other.x)
        assert torch.equal(one.x0, pooled.x0)
        blocks.add(float(one.x[0, 0]))
    assert len(blocks) == 2
    # Pooled targets spread their points: the same draws and the same noise, carried farther and to lattice nodes.
    assert not torch.equal(one.x, pooled.x)
    noise, wider = (one.x - one.x0).square().mean(), (pooled.x - pooled.x0).square().mean()
    assert 1.3 < float((wider / noise).sqrt()) < 1.8
    assert all(torch.equal(fit._streams.data.get_state(), fits(run)[0]._streams.data.get_state()) for fit in fits(run))


def test_a_race_does_not_change_what_a_run_alone_would_do(moons: PaintedDensity) -> None:
    run = run_of(moons, SMALL, ONE)
    run.advance(turns=120)
    run.measure()
    for racer, settings in zip(fits(run), (SMALL, ONE), strict=True):
        alone = Fit(moons, settings, "cpu", 3)
        for _ in alone.run(steps=60):
            pass
        assert torch.equal(alone.weights, racer.weights)


def test_by_steps_the_clock_changes_nothing(moons: PaintedDensity) -> None:
    whole, pieces = run_of(moons, SMALL, SLICED), run_of(moons, SMALL, SLICED)
    whole.advance(turns=220)
    whole.measure()
    while sum(fit.step if fit else 0 for fit in pieces.fits) < 220:
        assert pieces.advance(deadline=-math.inf) == 1  # as if every turn came too late
        pieces.measure(deadline=-math.inf)
    pieces.measure()
    for one, other in zip(whole.part(LATTICE, 0.2, True).racers, pieces.part(LATTICE, 0.2, True).racers, strict=True):
        assert one.step == other.step == 110
        for name in ("learned", "curve_loss", "errors", "error_steps", "floor", "variance"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert one.error_steps.tolist() == [50, 100]


def test_turns_go_round_by_steps_and_to_the_quickest_by_seconds(moons: PaintedDensity) -> None:
    run = run_of(moons, SLICED, ONE)
    for turns in range(1, 20):
        run.advance(turns=1)
        assert abs(sum(fit.step * sign for fit, sign in zip(run.fits, (1, -1), strict=True) if fit)) == turns % 2
    assert run.configure(replace(run.settings, aligned="seconds"))
    fits(run)[0].seconds += 100.0
    run.advance(turns=30)
    assert [fit.step for fit in fits(run)] == [10, 39]
    assert run.configure(replace(run.settings, aligned="steps"))
    run.advance(turns=29)
    assert [fit.step for fit in fits(run)] == [39, 39]
    assert not run.configure(RaceSettings((ONE, SLICED)))


def test_what_is_measured(moons: PaintedDensity) -> None:
    run = run_of(moons, ONE, SLICED, EXACT, SMALL, replace(SMALL, target="reference", reference=16))
    run.advance(turns=250)
    assert run.measuring
    assert run.measure()
    race = run.part(LATTICE, 0.2, True, fresh=True)
    one, sliced, exact, pooled, reference = race.racers
    assert [racer.label for racer in race.racers] == ["one draw", "sliced VR", "exact score", "pooled", "reference"]
    assert (race.aligned, race.running, race.sigma) == ("steps", True, 0.2)
    # Levels that are not learned have no error; the others agree with the error measured apart.
    for racer, fit in zip(race.racers, fits(run), strict=True):
        assert racer.errors.shape == (1, 5)
        assert racer.errors[0, :2].tolist() == [0.0, 0.0]
        assert racer.errors[0, 3] == pytest.approx(relative_fisher_error(fit, moons, 0.3), rel=1e-4)
        assert racer.learned.shape == (8, 8, 2)
        assert racer.milliseconds == pytest.approx(1000 * racer.seconds / racer.step, rel=0.05)
        assert len(racer.curve_loss) == racer.step == 50
    # Floors: that of one draw is what its loss comes down to; -1/2 E|s|^2 is negative; the exact score's is 0.
    assert np.mean(one.curve_loss[-20:]) == pytest.approx(float(one.floor[0]), rel=0.3)
    assert float(sliced.floor[0]) < 0
    assert np.mean(sliced.curve_loss[-20:]) > float(sliced.floor[0])
    assert exact.floor.tolist() == pooled.floor.tolist() == [0.0]
    assert reference.floor.size == 0
    # Targets without noise of their own scatter least.
    assert float(exact.variance[0]) < float(one.variance[0])


def test_an_edit_is_learned_by_all_from_the_same_points(moons: PaintedDensity) -> None:
    run = run_of(moons, ONE, SLICED, EXACT)
    run.advance(turns=154)  # the first of them is a turn ahead
    run.measure()
    weights = [fit.weights.clone() for fit in fits(run)]
    painting = np.array(moons.weights)
    painting[20:40, 20:40] = painting.max()
    run.change_density(PaintedDensity(painting))
    assert not run.measuring
    assert [fit.step for fit in fits(run)] == [52, 52, 52]
    assert torch.equal(weights[0], fits(run)[0].weights)
    assert run.part(LATTICE, 0.2, True).racers[0].floor.size == 0
    run.advance(turns=150)
    points = [fit._points.x for fit in fits(run)]
    assert torch.equal(points[0], points[1])
    assert torch.equal(points[0], points[2])
    run.measure()
    assert run.part(LATTICE, 0.2, True).racers[2].error_steps.tolist() == [50, 102]


def test_who_cannot_train_stands_still_and_the_others_go_on(moons: PaintedDensity) -> None:
    fine = replace(SMALL.ladder, sigma_min=0.001)
    pooled, one, sliced = (replace(each, ladder=fine) for each in (SMALL, ONE, SLICED))
    run = run_of(moons, pooled, one, sliced)
    run.advance(turns=20)
    failed = fits(run)[2]

    def fail() -> None:
        raise TrainingError("training stopped at step 10: the loss blew up 12 times")

    failed.step_once = fail  # type: ignore[method-assign, assignment]
    run.advance(turns=20)
    run.measure()
    first, second, third = run.part(LATTICE, 0.2, True).racers
    assert "ladder" in first.note
    assert "\n" not in first.note
    assert (first.step, first.learned.size) == (0, 0)
    assert (second.note, second.step) == ("", 38 - third.step)
    assert third.note == "training stopped at step 10: the loss blew up 12 times"
    assert third.learned.shape == (8, 8, 2)
    third_alone = run_of(moons, pooled, pooled)
    assert third_alone.advance(turns=10) == 2
    assert third_alone.advance(turns=10) == 0


def test_a_field_is_taken_anew_one_at_a_time(moons: PaintedDensity) -> None:
    run = run_of(moons, ONE, EXACT)
    run.advance(turns=20)
    before = run.part(LATTICE, 0.2, True)
    run.advance(turns=20)
    second = run.part(LATTICE, 0.2, True)
    assert [np.array_equal(a.learned, b.learned) for a, b in zip(before.racers, second.racers, strict=True)] == [
        False,
        True,
    ]
    third = run.part(LATTICE, 0.3, True)
    assert not np.array_equal(third.racers[1].learned, second.racers[1].learned)
    assert run.part(LATTICE, 5.0, True).sigma == pytest.approx(1.0)
