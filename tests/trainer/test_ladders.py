"""The smallest ladder: what it promises, what a run of it gives, and that a smaller one would not do."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import replace

import pytest

from tests.trainer.command_line import refused, values_of
from tests.trainer.particles import far_modes, gaussian, last
from trainer.cli import main
from trainer.commands.sample import OPTIONS
from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.ladders import SmallestLadder, smallest_ladder
from trainer.langevin import annealed_langevin, noise_levels
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.predictions import Prospect, predict
from trainer.samplers import start_points
from trainer.tables import TabulatedScore

N = 40_000


@pytest.fixture(scope="module")
def prospect() -> Prospect:
    return Prospect(far_modes())


@pytest.fixture(scope="module")
def ladder(prospect: Prospect) -> SmallestLadder:
    return smallest_ladder(prospect, weight_error=0.02, variance_error=0.1)


def test_it_keeps_what_was_asked_for_as_predicted(prospect: Prospect, ladder: SmallestLadder) -> None:
    forecast = predict(prospect, ladder.particles())
    assert forecast == ladder.forecast
    assert forecast.weight_error <= 0.017  # 0.02 less the precision of the prediction
    assert forecast.variance_error <= 0.1
    assert forecast.stable
    assert forecast.steps < 450  # the recommendation from general rules takes some 1,300


def test_a_run_of_it_keeps_the_request_within_its_band(prospect: Prospect, ladder: SmallestLadder) -> None:
    settings, noise, model = ladder.particles(), Noise(5), TabulatedScore(TrueScore(far_modes()))
    end = last(annealed_langevin(model, start_points(N, noise), settings, noise))
    found = prospect.shares(end.numpy())
    assert abs(found[1] - 0.2) <= 0.02 + 1.96 * math.sqrt(0.16 / N)
    assert found[1] == pytest.approx(ladder.forecast.levels[-1].shares[1], abs=0.003 + 2.6 * math.sqrt(0.16 / N))


def test_fewer_steps_would_not_do(prospect: Prospect, ladder: SmallestLadder) -> None:
    settings = ladder.particles()
    fewer = predict(prospect, replace(settings, steps=settings.steps * 3 // 4))
    assert fewer.weight_error > 0.017
    lower = predict(prospect, replace(settings, sigma_max=settings.sigma_max / 1.6))
    assert lower.weight_error > 0.05
    longer = predict(prospect, replace(settings, fine_steps=settings.fine_steps - 1))
    assert longer.variance_error > 0.1


def test_every_number_has_its_reason(ladder: SmallestLadder) -> None:
    assert set(ladder.choices) == {
        "sigma_max", "sigma_min", "levels", "steps", "fine_steps", "fine_below", "epsilon", "overlap"
    }  # fmt: skip
    for choice in ladder.choices.values():
        assert re.fullmatch(r"[0-9a-z].*\.", choice.reason), choice
    assert "says nothing" in ladder.overlap.reason
    assert ladder.overlap.value > 0.99
    assert f"{sum(level.steps for level in noise_levels(ladder.particles())):,} steps" in ladder.steps.reason


def test_smaller_errors_take_more_steps(prospect: Prospect, ladder: SmallestLadder) -> None:
    finer = smallest_ladder(prospect, sigma_max=0.8, weight_error=0.01, variance_error=0.2)
    coarser = smallest_ladder(prospect, sigma_max=0.8, weight_error=0.05, variance_error=0.2)
    assert finer.sigma_max.value == coarser.sigma_max.value == 0.8
    assert coarser.forecast.steps < finer.forecast.steps
    assert finer.forecast.weight_error <= 0.008


def test_one_mode_needs_no_time_to_settle_weights() -> None:
    density = gaussian(0.02).density
    assert isinstance(density, GaussianMixture)
    found = smallest_ladder(density, weight_error=0.01, variance_error=0.1)
    assert found.steps.value == found.fine_steps.value
    assert "one mode" in found.sigma_max.reason
    assert found.forecast.variance_error <= 0.1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weight_error": 0.0}, "weight_error"),
        ({"variance_error": 2.0}, "variance_error"),
        ({"sigma_min": 0.2, "sigma_max": 0.3}, "sigma_max"),
        ({"sigma_max": 0.1, "weight_error": 0.01}, "weight_error: no ladder"),
    ],
)
def test_what_cannot_be_is_refused(prospect: Prospect, given: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        smallest_ladder(prospect, **given)


def test_the_command_prints_a_command_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    found = values_of(capsys, "recommend", "far-modes", "--weight-error", "0.05", "--variance-error", "0.3")
    words = shlex.split(found["command"])
    assert words[:2] == ["score-trainer", "sample"]
    flags = dict(zip(words[6::2], words[7::2], strict=True))
    assert {option.name for option in OPTIONS} >= set(flags)
    for flag, value in flags.items():
        assert float(value) == pytest.approx(found[flag[2:].replace("-", "_")]["value"], rel=1e-9)
    assert found["predicted"]["weight_error"] <= 0.05
    assert main(["recommend", "far-modes", "--weight-error", "0.05", "--variance-error", "0.3"]) == 0
    assert found["command"] in capsys.readouterr().out


def test_the_command_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--weight-error" in refused(capsys, "recommend", "far-modes", "--weight-error", "2")
    assert "--sigma-max" in refused(capsys, "recommend", "far-modes", "--sigma-max", "1")
