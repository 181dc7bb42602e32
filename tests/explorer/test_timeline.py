"""What a film shows when."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.export.timeline import Moment, Pace, plan_film

PER_LEVEL = [290] * 5 + [6] * 25
TWENTY = {
    "seconds": 20,
    "fps": 30,
    "steps": 2000,
    "sigma": 0.1,
    "pace": Pace(tuple(PER_LEVEL), 1.0, 0.02),
}


def phases(moments: list[Moment]) -> dict[str, list[Moment]]:
    return {phase: [m for m in moments if m.phase == phase] for phase in ("train", "move", "hold")}


def test_a_film_learns_then_moves_then_rests() -> None:
    moments = plan_film(**TWENTY)
    assert len(moments) == 600
    assert [m.phase for m in moments] == sorted((m.phase for m in moments), key=["train", "move", "hold"].index)
    parts = phases(moments)
    assert [len(parts[p]) for p in ("train", "move", "hold")] == [264, 246, 90]
    steps = [m.step for m in moments]
    assert steps == sorted(steps)
    assert (steps[0], steps[263], steps[-1]) == (0, 2000, 2000)
    assert all(m.particle_step == 0 for m in parts["train"])
    assert parts["move"][0].particle_step == 0
    assert parts["move"][-1].particle_step == 1600
    assert parts["hold"] == [Moment("hold", 2000, 1600, 0.02)] * 90


def test_early_learning_is_seen_step_by_step_and_late_learning_passes() -> None:
    steps = [m.step for m in phases(plan_film(**TWENTY))["train"]]
    assert steps[:15] == [0] * 15
    gaps = np.diff(steps[15:])
    assert gaps.min() >= 0
    assert gaps[:20].max() <= 2
    assert gaps[-1] > 25
    # A fortieth of the steps takes about a fifth of the part's time.
    assert 0.15 < np.searchsorted(steps, 50) / len(steps) < 0.35


def test_short_noise_levels_take_their_share_of_the_time() -> None:
    moves = [m.particle_step for m in phases(plan_film(**TWENTY))["move"]]
    assert moves[:16] == [0] * 16
    assert moves[-1] == 1600
    assert min(np.diff(moves[16:])) >= 0
    # 5 sqrt(290) of time for the long levels, 25 sqrt(6) for the short ones, on a clock that starts slowly.
    long = np.searchsorted(moves[16:], 1450) / len(moves[16:])
    share = 5 * 290**0.5 / (5 * 290**0.5 + 25 * 6**0.5)
    assert np.expm1(2 * long) / np.expm1(2) == pytest.approx(share, abs=0.02)
    assert max(np.diff(moves[16:36])) <= 6


def test_sigma_stands_then_rises_to_the_ladders_top_then_shows_the_target() -> None:
    parts = phases(plan_film(**TWENTY))
    sigmas = np.array([m.sigma for m in parts["train"]])
    np.testing.assert_allclose(sigmas[:158], 0.1)
    assert (np.diff(sigmas) >= 0).all()
    assert sigmas[-1] == pytest.approx(1.0)
    assert np.diff(np.log(sigmas)).max() < 0.04
    assert {m.sigma for m in parts["move"] + parts["hold"]} == {0.02}


@pytest.mark.parametrize(
    ("seconds", "fps", "steps"), [(1, 1, 0), (1, 1, 5000), (1, 10, 3), (0.1, 30, 40), (600, 60, 100), (2, 5, 7)]
)
def test_films_of_every_length_begin_at_nothing_and_end_with_everything(seconds: float, fps: int, steps: int) -> None:
    moments = plan_film(seconds, fps, steps, 0.2, Pace((3, 3), 1.0, 0.1))
    assert len(moments) == max(3, round(seconds * fps))
    assert moments[-1] == Moment("hold", steps, 6, 0.1)
    assert {m.phase for m in moments} == {"train", "move", "hold"}
    for name in ("step", "particle_step"):
        values = [getattr(m, name) for m in moments]
        assert values == sorted(values)
    assert phases(moments)["train"][-1].step == steps
