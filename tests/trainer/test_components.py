"""Gaussian components: what is painted of them is the Gaussian that they say, with the mass that they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.components import Component, bump, composite, mass_of, with_share
from trainer.errors import InputError

some = st.builds(
    Component,
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(0.01, 2.0),
    st.floats(0.01, 2.0),
    st.floats(-360, 360),
    st.floats(1e-6, 100),
)


@settings(max_examples=60, deadline=None)
@given(some, st.sampled_from([32, 100, 256]))
def test_all_of_its_mass_is_on_the_painting(component: Component, size: int) -> None:
    weights = bump(component, size)
    assert weights.sum(dtype=float) * (2 / size) ** 2 == pytest.approx(component.mass, rel=1e-5)
    assert weights.min() >= 0
    assert Component.from_json(json.loads(json.dumps(component.to_json()))) == component


def test_moments_are_those_of_the_gaussian_once_the_cells_width_is_put_back() -> None:
    size, angle = 128, np.radians(30)
    weights = bump(Component(0.1, -0.2, 0.15, 0.05, 30.0, 0.3), size).astype(float)
    axis = (np.arange(size) + 0.5) * 2 / size - 1
    x, y = np.meshgrid(axis, axis)
    p = weights / weights.sum()
    mean = np.array([(p * x).sum(), (p * y).sum()])
    assert mean == pytest.approx([0.1, -0.2], abs=1e-4)
    u = np.stack([x - mean[0], y - mean[1]])
    covariance = np.einsum("rc,irc,jrc->ij", p, u, u) + np.eye(2) * (2 / size) ** 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert covariance == pytest.approx(turn @ np.diag([0.15**2, 0.05**2]) @ turn.T, abs=2e-5)


def test_the_composite_is_the_sum_scaled_to_1() -> None:
    paint = np.zeros((64, 64), np.float32)
    paint[:10] = 0.5
    faint = Component(0.5, 0.5, 0.2, 0.2, 0.0, 0.05)
    total = composite(paint, [faint])
    assert np.array_equal(total, paint + bump(faint, 64))
    assert mass_of(paint, [faint]) == pytest.approx(0.5 * 640 / 1024 + 0.05)
    bright = composite(paint, [faint, Component(0.5, 0.5, 0.1, 0.1, 0.0, 1.0)])
    assert bright.max() == 1
    assert bright.sum() / bright[0, 0] == pytest.approx(mass_of(paint, [faint]) * 1024 / 0.5 + 1024 / 0.5, rel=1e-4)


def test_a_share_gives_the_mass() -> None:
    component = with_share(Component(mass=7.0), 0.25, rest=0.3)
    assert component.mass / (component.mass + 0.3) == pytest.approx(0.25)
    for share, rest, line in ((1.0, 1.0, "share: 1 is not between"), (0.5, 0.0, "share: there is no other paint")):
        with pytest.raises(InputError, match=f"^{line}"):
            with_share(Component(), share, rest)


@pytest.mark.parametrize(
    "values", [{"x": 1.5}, {"along": 0.0}, {"mass": 0.0}, {"angle": float("nan")}, {"y": "0"}, {"across": True}]
)
def test_a_value_out_of_range_is_refused_in_one_line(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match=rf"^{next(iter(values))}: .*; give (a number|one) from .* to .*$"):
        Component(**values)  # type: ignore[arg-type]


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(InputError, match=r"^component: not the fields of one; give x, y, .*$"):
        Component.from_json({**Component().to_json(), "z": 1})
