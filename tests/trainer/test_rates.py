"""The rate and the average against their formulas."""

from __future__ import annotations

import pytest

from trainer.rates import averaging_weight, learning_rate


def test_rate_rises_holds_and_falls_by_its_power() -> None:
    rates = [learning_rate(1.0, i) for i in range(6401)]
    assert rates[0] == pytest.approx(1 / 30)
    assert max(rates) == rates[29] == 1.0
    assert rates[6400] / rates[800] == pytest.approx(8**-0.75)


@pytest.mark.parametrize("ema", [0.05, 0.1, 0.3])
def test_the_average_covers_the_same_share_of_runs_of_any_length(ema: float) -> None:
    # With weights in proportion to i^(1/ema - 1), the average of i = 1 .. n is n / (1 + ema) for large n.
    for n in (2000, 8000):
        average = 0.0
        for i in range(n):
            average += averaging_weight(ema, i) * (i + 1 - average)
        assert average / n == pytest.approx(1 / (1 + ema), rel=2e-3)
