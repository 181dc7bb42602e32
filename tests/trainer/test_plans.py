"""Stop conditions and races: what they refuse, how they are kept, and what the racers are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trainer.compatibility import compatible
from trainer.errors import InputError
from trainer.plans import RaceSettings, StopSettings, entrants, names
from trainer.settings import FitSettings, LadderSettings, NetworkSettings


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"steps": 0}, "stop.steps: 0 is out of range; give a number between 1 and 1e+09"),
        ({"seconds": 0.0}, "stop.seconds: 0 is out of range; give a number between 0.1 and 1e+06"),
        ({"error": 2.0}, "stop.error: 2 is out of range; give a number between 1e-09 and 1"),
    ],
)
def test_stop_conditions_are_checked(values: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as caught:
        StopSettings(**values)
    assert str(caught.value) == line
    assert StopSettings.from_json(StopSettings(steps=5, error=0.1).to_json()) == StopSettings(steps=5, error=0.1)


def test_a_race_survives_json() -> None:
    race = RaceSettings(entrants(), "seconds")
    assert RaceSettings.from_json(race.to_json()) == race
    assert RaceSettings.from_json(RaceSettings().to_json()) == RaceSettings()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), "race.entrants: 1 of them; give two to 5"),
        ((FitSettings(),) * 5, "race.entrants: 6 of them; give two to 5"),
        ((FitSettings(batch=64),), "race.entrants: not all have the same batch: 512 and 64; they must"),
        (
            (FitSettings(ladder=LadderSettings(sigma_min=0.1)),),
            "race.entrants: not all have the same smallest σ: 0.02 and 0.1",
        ),
        (
            (compatible(FitSettings(), "objective", "ddpm").settings,),
            "race.entrants: not all have the same noise levels: geometric ladder and DDPM, linear",
        ),
        (
            (compatible(FitSettings(), "kernel", "laplace").settings,),
            "race.entrants: not all have the same noise: Gaussian and Laplace",
        ),
    ],
)
def test_what_cannot_race_together_is_named(others: tuple[FitSettings, ...], said: str) -> None:
    with pytest.raises(InputError) as caught:
        RaceSettings((FitSettings(), *others))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_names_are_short_and_differ() -> None:
    assert names(entrants()) == ("pooled", "one draw", "sliced VR")
    base = FitSettings()
    assert names([base, replace(base, weighting="ncsn")]) == ("pooled, weight EDM", "pooled, weight σ²")
    assert names([base, replace(base, parameterisation="energy"), replace(base, objective="ism")]) == (
        "pooled, denoiser",
        "pooled, energy",
        "ISM",
    )
    wide = replace(base, network=NetworkSettings(width=64))
    assert names([base, wide, base]) == ("pooled, width 128", "pooled, width 64", "pooled, width 128 (2)")
    assert names([replace(base, learning_rate=0.1), base]) == ("pooled, rate 0.1", "pooled, rate 0.025")
