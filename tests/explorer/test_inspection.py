"""What the inspector is told about a point, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from explorer.engine.frames import INSPECTED
from explorer.engine.inspection import inspect
from trainer.densities import GaussianMixture, PaintedDensity
from trainer.fit import Fit, FitSettings
from trainer.models import TrueScore
from trainer.paintings import preset_weights

COLUMN = {name: index for index, name in enumerate(INSPECTED)}


def test_a_gaussian_has_its_closed_forms() -> None:
    density = GaussianMixture([1.0], [[0.2, -0.1]], [0.09 * np.eye(2)])
    sigma, points = 0.4, np.array([[0.5, 0.3], [0.2, -0.1], [-1.0, 1.0]])
    v = 0.3**2 + sigma**2
    away = points - np.array([0.2, -0.1])
    found = inspect(TrueScore(density), density, sigma, points, 1000, 0.01)
    assert found.shape == (3, 11)
    assert found.dtype == np.float32
    assert found[:, :2] == pytest.approx(points)
    for field in ("learned", "true"):
        assert found[:, [COLUMN[f"{field}_x"], COLUMN[f"{field}_y"]]] == pytest.approx(-away / v, abs=1e-5)
        assert found[:, COLUMN[f"{field}_divergence"]] == pytest.approx(-2 / v, rel=1e-3)
    log_p = -(away**2).sum(1) / (2 * v) - math.log(2 * math.pi * v)
    assert found[:, COLUMN["log_p"]] == pytest.approx(log_p, abs=1e-5)
    assert found[:, COLUMN["expected"]] == pytest.approx(10 * np.exp(log_p), rel=1e-5)
    assert found[:, COLUMN["learned_curl"]] == pytest.approx(0, abs=1e-2)


def test_a_network_is_told_by_its_own_derivatives() -> None:
    density = PaintedDensity(preset_weights("two-moons"))
    fit = Fit(density, FitSettings(), seed=0)
    for _ in fit.run(steps=60):
        pass
    model, points = fit.snapshot(), np.array([[0.1, 0.2], [-0.4, 0.5]])
    found = inspect(model, density, 0.3, points, 512, 1e-3)
    x, h = torch.tensor(points), 5e-3
    assert found[:, [2, 3]] == pytest.approx(fit.score(x, 0.3).numpy(), abs=1e-5)
    right, left, up, down = (fit.score(x + h * torch.tensor(way), 0.3) for way in ((1, 0), (-1, 0), (0, 1), (0, -1)))
    divergence = (right[:, 0] - left[:, 0] + up[:, 1] - down[:, 1]) / (2 * h)
    curl = (right[:, 1] - left[:, 1] - up[:, 0] + down[:, 0]) / (2 * h)
    assert found[:, COLUMN["learned_divergence"]] == pytest.approx(divergence.numpy(), abs=0.02)
    assert found[:, COLUMN["learned_curl"]] == pytest.approx(curl.numpy(), abs=0.02)
    exact = inspect(TrueScore(density), density, 0.3, points, 512, 1e-3)
    assert exact[:, COLUMN["learned_divergence"]] == pytest.approx(found[:, COLUMN["true_divergence"]], abs=0.01)


def test_everything_is_finite_everywhere_and_levels_are_held() -> None:
    density = PaintedDensity(preset_weights("two-moons"))
    model = Fit(density, FitSettings(), seed=0).snapshot()
    points = np.array([[40.0, -40.0], [0.0, 0.0], [1.25, 1.25]])
    low, held = (inspect(model, density, sigma, points, 512, 1e-3) for sigma in (0.0, model.sigma_min))
    assert np.isfinite(low).all()
    assert (low == held).all()
    assert inspect(model, density, 0.1, np.zeros((0, 2)), 512, 1e-3).shape == (0, 11)
