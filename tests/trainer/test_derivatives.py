import pytest
import torch
from torch import Tensor

from tests.trainer.fields import Field
from trainer.densities import load_density
from trainer.derivatives import curl, divergence, is_differentiable, jacobian
from trainer.errors import InputError
from trainer.models import TrueScore

POINTS = torch.rand(200, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def cubic(x: Tensor) -> Tensor:
    """(x^2 y, x + y^3): Jacobian ((2 x y, x^2), (1, 3 y^2))."""
    return torch.stack((x[:, 0] ** 2 * x[:, 1], x[:, 0] + x[:, 1] ** 3), dim=1)


def test_divergence_and_curl_of_a_polynomial_are_exact() -> None:
    x, y = POINTS.T
    exact = torch.stack((2 * x * y, x**2, torch.ones_like(x), 3 * y**2), dim=1).view(-1, 2, 2)
    torch.testing.assert_close(jacobian(Field(cubic), POINTS, 0.1), exact, atol=1e-15, rtol=1e-14)
    torch.testing.assert_close(divergence(Field(cubic), POINTS, 0.1), 2 * x * y + 3 * y**2, atol=1e-15, rtol=1e-14)
    torch.testing.assert_close(curl(Field(cubic), POINTS, 0.1), 1 - x**2, atol=1e-15, rtol=1e-14)


def test_central_differences_are_wrong_by_the_third_derivative() -> None:
    """Of the cubic only d(y^3)/dy has a third derivative, 6: wrong by 6 h^2 / 6 = h^2 exactly."""
    h = 0.01
    wrong = jacobian(Field(cubic), POINTS, 0.1, spacing=h) - jacobian(Field(cubic), POINTS, 0.1)
    exact = torch.zeros_like(wrong)
    exact[:, 1, 1] = h**2
    torch.testing.assert_close(wrong, exact, atol=1e-13, rtol=0)


@pytest.mark.parametrize("sigma", [0.05, 0.5])
def test_the_divergence_of_a_painting_equals_central_differences(sigma: float) -> None:
    model = TrueScore(load_density("two-moons"))
    exact = divergence(model, POINTS, sigma)
    torch.testing.assert_close(divergence(model, POINTS, sigma, spacing=1e-5), exact, rtol=1e-5, atol=1e-5)


def test_sigma_may_differ_from_point_to_point() -> None:
    model = TrueScore(load_density("two-moons"))
    sigma = torch.linspace(0.1, 1, 4, dtype=torch.float64)
    each = [divergence(model, POINTS[k : k + 1], float(s)) for k, s in enumerate(sigma)]
    torch.testing.assert_close(divergence(model, POINTS[:4], sigma), torch.cat(each))


def test_a_score_without_a_graph_needs_a_spacing() -> None:
    frozen = Field(lambda x: cubic(x.detach()))
    assert is_differentiable(Field(cubic), POINTS, 0.1)
    assert not is_differentiable(frozen, POINTS, 0.1)
    with pytest.raises(InputError, match=r"^model: .*spacing.*$"):
        divergence(frozen, POINTS, 0.1)
    torch.testing.assert_close(
        divergence(frozen, POINTS, 0.1, spacing=1e-4), divergence(Field(cubic), POINTS, 0.1), atol=1e-7, rtol=0
    )
    with pytest.raises(InputError, match=r"^spacing: 0; give"):
        divergence(frozen, POINTS, 0.1, spacing=0.0)
