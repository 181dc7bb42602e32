import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.densities import GaussianMixture, PaintedDensity
from trainer.kernels import GAUSSIAN
from trainer.models import TrueScore
from trainer.tables import TabulatedScore

MIXTURE = GaussianMixture(
    [0.6, 0.4], [[0.4, 0.2], [-0.5, -0.3]], [[[0.05, 0.0], [0.0, 0.05]], [[0.04, 0.01], [0.01, 0.02]]]
)


class Opaque:
    """The exact score behind the interface of a network: no lattice of its own; counts what it is asked."""

    sigma_min, sigma_max, kernel, device = 0.0, 10.0, GAUSSIAN, torch.device("cpu")

    def __init__(self) -> None:
        self.asked = 0

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        self.asked += len(x)
        return MIXTURE.score(x, sigma)


def points(n: int, width: float) -> torch.Tensor:
    return (2 * torch.rand(n, 2, generator=torch.Generator().manual_seed(1)) - 1) * width


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.5])
def test_the_table_is_as_wrong_as_it_says(sigma: float) -> None:
    table, x = TabulatedScore(TrueScore(MIXTURE)), points(5_000, 1.2)
    exact = MIXTURE.score(x, sigma)
    wrong = float((table.score(x, sigma) - exact).norm(dim=1).mean() / exact.square().sum(1).mean().sqrt())
    assert table.error(sigma) < 0.01
    assert wrong == pytest.approx(table.error(sigma), rel=0.25)


def test_the_error_falls_with_the_square_of_the_spacing() -> None:
    errors = [TabulatedScore(TrueScore(MIXTURE), spacing=0.1, most_nodes=nodes).error(0.02) for nodes in (64, 128, 256)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.25)


def test_a_density_s_lattice_and_a_model_s_answers_make_the_same_table() -> None:
    x = points(1_000, 1.2)
    for sigma in (0.03, 0.2):
        a, b = TabulatedScore(TrueScore(MIXTURE)).score(x, sigma), TabulatedScore(Opaque()).score(x, sigma)
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_a_thin_painting_is_tabulated_well() -> None:
    weights = np.zeros((128, 128))
    weights[40, 20:100] = 1
    table = TabulatedScore(TrueScore(PaintedDensity(weights)))
    assert table.error(0.02) < 0.02
    assert table.error(0.2) < 0.005


def test_outside_the_table_the_model_itself_answers() -> None:
    model = Opaque()
    table = TabulatedScore(model)
    inside = points(100, 1.0)
    table.score(inside, 0.1)
    before = model.asked
    x = torch.cat((inside, torch.tensor([[3.0, 0.0], [0.0, -40.0], [1e4, 1e4]])))
    found = table.score(x, 0.1)
    assert model.asked == before + 3
    assert torch.equal(found[100:], MIXTURE.score(x[100:], 0.1))
    assert torch.equal(found[:100], table.score(inside, 0.1))


def test_a_position_that_is_no_number_is_not_interpolated() -> None:
    found = TabulatedScore(TrueScore(MIXTURE)).score(torch.tensor([[0.1, 0.1], [float("nan"), 0.0]]), 0.1)
    assert bool(found[0].isfinite().all())
    assert not bool(found[1].isfinite().all())


def test_tables_are_built_ahead_in_small_chunks() -> None:
    model = Opaque()
    table = TabulatedScore(model)
    asked = []
    for _ in table.prepare(0.05):
        assert not table.ready(0.05)
        asked.append(model.asked)
    assert max(np.diff([0, *asked])) <= 2048
    assert asked[-1] == table.nodes(0.05) ** 2
    assert table.ready(0.05)
    assert list(table.prepare(0.05)) == []


def test_nodes_follow_sigma() -> None:
    table = TabulatedScore(TrueScore(MIXTURE))
    assert [table.nodes(sigma) for sigma in (0.02, 0.05, 0.2, 1.0)] == [128, 128, 64, 64]


def test_dtype_and_levels_of_the_caller_are_kept() -> None:
    table, x = TabulatedScore(TrueScore(MIXTURE)), points(10, 1.0).double()
    assert table.score(x, 0.1).dtype == torch.float64
    assert table.score(x[:0], 0.1).shape == (0, 2)
    sigma = torch.full((10,), 0.1, dtype=torch.float64)
    torch.testing.assert_close(table.score(x, sigma), MIXTURE.score(x, sigma))
    assert (table.sigma_min, table.kernel, table.device) == (0.0, GAUSSIAN, torch.device("cpu"))
