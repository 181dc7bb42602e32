"""The past of the weights: which steps are kept, in how much memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.engine.keyframes import PER_OCTAVE, Keyframes, on_grid
from trainer.learned import LearnedScore


@dataclass
class Weights:
    """A snapshot as far as keyframes know it: 100 float32."""

    step: int
    weights: torch.Tensor


SIZE = 400


def snapshot(step: int) -> LearnedScore:
    return cast(LearnedScore, Weights(step, torch.zeros(SIZE // 4)))


def trained(keyframes: Keyframes, last: int, first: int = 0) -> Keyframes:
    for step in range(first, last + 1):
        if keyframes.due(step):
            keyframes.add(step, snapshot(step))
    return keyframes


def test_the_grid_is_dense_early_and_logarithmic_later() -> None:
    steps = trained(Keyframes(), 10_000).steps
    assert steps[:10].tolist() == list(range(10))
    assert len(steps[steps <= 1000]) == 63
    assert len(steps) == 90
    late = np.log2(steps[steps > 200])
    assert np.diff(late).max() < 1.05 / PER_OCTAVE
    assert np.diff(late).min() > 0.95 / PER_OCTAVE


def test_a_full_memory_is_thinned_and_stays_logarithmic() -> None:
    keyframes = trained(Keyframes(40 * SIZE), 20_000)
    assert keyframes.bytes == len(keyframes.steps) * SIZE <= keyframes.limit == 40 * SIZE
    assert len(keyframes.steps) >= 20
    gaps = np.diff(np.log2(keyframes.steps[keyframes.steps > 30]))
    assert gaps.max() / gaps.min() < 1.2
    assert keyframes.steps[0] == 0


def test_what_is_kept_depends_on_step_numbers_alone() -> None:
    whole = trained(Keyframes(30 * SIZE), 5000)
    parts = trained(trained(Keyframes(30 * SIZE), 777), 5000, first=778)
    assert whole.steps.tolist() == parts.steps.tolist()


@given(st.integers(0, 10**7), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_coarse_grids_are_parts_of_fine_ones(step: int, power: int) -> None:
    if on_grid(step, 2 ** (power + 1)):
        assert on_grid(step, 2**power)


def test_the_nearest_kept_step_at_or_before() -> None:
    keyframes = trained(Keyframes(), 300)
    found = keyframes.at(250)
    assert found is not None
    assert found.step == max(step for step in keyframes.steps if step <= 250)
    exact = keyframes.at(256)
    assert exact is not None
    assert exact.step == 256
    late = Keyframes()
    late.add(64, snapshot(64))
    assert late.at(63) is None
    with pytest.raises(ValueError, match="not later"):
        late.add(64, snapshot(64))


def test_the_limit_holds_whatever_it_is() -> None:
    keyframes = trained(Keyframes(), 1000)
    keyframes.set_limit(5 * SIZE)
    assert 2 <= len(keyframes.steps) <= 5
    keyframes.set_limit(SIZE - 1)
    assert keyframes.bytes == 0
    assert not keyframes.steps.size
    keyframes.set_limit(100 * SIZE)
    keyframes.clear()
    assert trained(keyframes, 12).steps.tolist() == [step for step in range(13) if on_grid(step)]
