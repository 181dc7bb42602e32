"""Draws by guide table equal bisection, value for value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.categorical import Categorical


@pytest.mark.parametrize("kind", ["one", "two", "equal", "over 300 decades", "last is tiny"])
def test_guide_table_equals_bisection(kind: str) -> None:
    rng = np.random.default_rng(0)
    weights = {
        "one": np.ones(1),
        "two": np.array([0.8, 0.2]),
        "equal": np.ones(16384),
        "over 300 decades": 10 ** rng.uniform(-300, 0, 5000),
        "last is tiny": np.array([1.0, 1.0, 1e-30]),
    }[kind]
    drawn = Categorical(weights).draw(100_000, torch.Generator().manual_seed(1), torch.device("cpu"))
    u = torch.rand(100_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    cdf = torch.from_numpy(weights.cumsum() / weights.cumsum()[-1])
    assert torch.equal(drawn, torch.searchsorted(cdf, u, right=True))
