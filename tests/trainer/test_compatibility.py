"""The nearest valid settings: found for every pair of choices, with as little changed as can be."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest

from trainer.compatibility import USUAL, compatible, idle
from trainer.errors import InputError
from trainer.settings import FitSettings, LadderSettings, NetworkSettings
from trainer.words import FIELDS, WORDS, said


@cache
def every_valid() -> tuple[FitSettings, ...]:
    """All combinations of the dependent fields that `FitSettings` accepts."""
    found = []
    for values in product(*USUAL.values()):
        try:
            found.append(FitSettings(**dict(zip(USUAL, values, strict=True))))  # type: ignore[arg-type]
        except InputError:
            continue
    return tuple(found)


def away(one: FitSettings, other: FitSettings) -> set[str]:
    return {field for field in USUAL if getattr(one, field) != getattr(other, field)}


def test_every_value_can_be_had_from_every_valid_setting() -> None:
    valid = every_valid()
    assert len(valid) > 500
    for settings in valid[::7]:
        for field, values in USUAL.items():
            for value in values:
                found = compatible(settings, field, value)
                assert getattr(found.settings, field) == value
                assert set(found.changed) == away(settings, found.settings) - {field}


def test_no_valid_settings_change_fewer_fields_of_less_weight() -> None:
    cost = {"target": 1, "weighting": 1, "schedule": 2, "parameterisation": 4, "kernel": 8, "objective": 16}

    def price(fields: set[str]) -> int:
        return sum(cost[field] for field in fields)

    for settings in every_valid()[::61]:
        for field, values in USUAL.items():
            for value in values:
                found = compatible(settings, field, value)
                possible = (other for other in every_valid() if getattr(other, field) == value)
                assert price(set(found.changed)) == min(price(away(settings, other) - {field}) for other in possible)


def test_what_is_valid_already_stays() -> None:
    found = compatible(FitSettings(), "target", "single")
    assert found.settings == replace(FitSettings(), target="single")
    assert found.changed == ()


@pytest.mark.parametrize(
    ("path", "value", "changed", "values"),
    [
        ("kernel", "laplace", ("target", "parameterisation"), {"target": "single", "parameterisation": "score"}),
        ("objective", "ddpm", ("weighting", "schedule"), {"weighting": "ddpm", "schedule": "ddpm-linear"}),
        ("schedule", "edm", ("target",), {"target": "single"}),
    ],
)
def test_the_usual_choice_is_taken(path: str, value: str, changed: tuple[str, ...], values: dict[str, str]) -> None:
    found = compatible(FitSettings(), path, value)
    assert found.changed == changed
    assert found.settings == replace(FitSettings(), **{path: value}, **values)  # type: ignore[arg-type]


def test_other_fields_stay() -> None:
    settings = FitSettings(batch=64, network=NetworkSettings(width=32), learning_rate=0.1)
    found = compatible(settings, "kernel", "mixture").settings
    assert (found.batch, found.network, found.learning_rate) == (64, settings.network, 0.1)


def test_the_ends_of_the_ladder_give_way() -> None:
    settings = FitSettings(ladder=LadderSettings(sigma_min=0.02, sigma_max=1.0))
    raised = compatible(settings, "ladder.sigma_min", 1.5)
    assert (raised.settings.ladder, raised.changed) == (LadderSettings(sigma_min=1.5), ("ladder.sigma_max",))
    lowered = compatible(settings, "ladder.sigma_max", 0.015)
    assert lowered.settings.ladder == LadderSettings(sigma_min=0.0015, sigma_max=0.015)
    assert lowered.changed == ("ladder.sigma_min",)
    assert compatible(settings, "ladder.sigma_max", None).changed == ()


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("kernel", "cauchy", "kernel: 'cauchy' is unknown"),
        ("batch", 3, "batch: 3 is out of range"),
        ("network.width", 2.5, "network.width: 2.5 is not a whole number"),
        ("ladder.sigma_max", 1000.0, "ladder.sigma_max: 1000 is out of range"),
        ("ladder.sigma_min", "much", "ladder.sigma_min: 'much' is not a number"),
        ("learning_rate", float("nan"), "learning_rate: nan is out of range"),
    ],
)
def test_what_no_settings_have_is_refused_by_the_field(path: str, value: Any, line: str) -> None:  # noqa: ANN401
    with pytest.raises(InputError, match=f"^{line}"):
        compatible(FitSettings(), path, value)


def test_idle_fields_change_nothing_that_is_checked() -> None:
    assert set(idle(FitSettings())) == {"projections", "projection", "reference"}
    ddpm = idle(compatible(FitSettings(), "objective", "ddpm").settings)
    assert {"target", "weighting", "ladder.levels", "ladder.sigma_min", "ladder.sigma_max"} <= set(ddpm)
    bare = FitSettings(network=NetworkSettings(features=0))
    assert {"network.octaves", "network.damped"} <= set(idle(bare))
    assert all("\n" not in line for line in ddpm.values())


def test_every_choice_has_a_word() -> None:
    for field, values in USUAL.items():
        assert set(WORDS[field]) == set(values)
        assert len(set(WORDS[field].values())) == len(values)
    assert set(USUAL) < set(FIELDS)
    assert [said("kernel", "laplace"), said("ladder.sigma_max", None), said("learning_rate", 0.025)] == [
        "Laplace",
        "from data",
        "0.025",
    ]
    assert [said("network.damped", True), said("batch", 512)] == ["yes", "512"]
