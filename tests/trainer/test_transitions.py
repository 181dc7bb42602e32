"""Densities moved on a lattice against closed forms: Gaussians, powers, and sums that must be kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.trainer.particles import far_modes
from trainer.densities import GaussianMixture
from trainer.lattices import finish
from trainer.transitions import Lattice, Transition, chebyshev_of_power, lattice_for, pace, reach, resampled


def _moments(p: np.ndarray, lattice: Lattice) -> tuple[float, float]:
    """Mean and variance along x."""
    side = p.sum(0) / p.sum()
    mean = float(side @ lattice.axis)
    return mean, float(side @ (lattice.axis - mean) ** 2)


def _bump(lattice: Lattice, mean: float, variance: float) -> np.ndarray:
    side = np.exp(-((lattice.axis - mean) ** 2) / (2 * variance))
    other = np.exp(-(lattice.axis**2) / (2 * variance))
    return np.outer(other, side) / (side.sum() * other.sum())


def _moves(density: GaussianMixture, sigma: float, lattice: Lattice, epsilon: float) -> Transition:
    score = density.score_lattice((0.0, 0.0), lattice.half_width, lattice.cells, sigma)
    return Transition(score, lattice, epsilon / 2, epsilon)


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_a_gaussian_moves_as_its_closed_form_says(steps: int) -> None:
    own, sigma, epsilon = 0.04, 0.3, 0.03
    v = own + sigma**2
    density = GaussianMixture([1.0], [[0.0, 0.0]], [own * np.eye(2)])
    lattice = lattice_for(sigma, epsilon, v, 1.5)
    start = _bump(lattice, 0.4, 0.1)
    _, first = _moments(start, lattice)
    p = start
    for _ in range(steps):
        p = _moves(density, sigma, lattice, epsilon).step(p)
    x, b = epsilon / (2 * v), 1 / (1 - epsilon / (4 * v))
    mean, variance = _moments(p, lattice)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(0.4 * (1 - x) ** steps, abs=1e-4)
    assert variance == pytest.approx((1 - x) ** (2 * steps) * (first - b * v) + b * v, rel=1e-3)


@pytest.mark.parametrize("n", [1, 2, 9, 400, 10_000])
def test_chebyshev_series_of_a_power(n: int) -> None:
    terms = chebyshev_of_power(n)
    x = np.linspace(-1, 1, 501)
    assert np.polynomial.chebyshev.chebval(x, terms) == pytest.approx(x**n, abs=1e-8)
    assert terms.sum() == pytest.approx(1, abs=1e-14)
    assert len(terms) <= math.sqrt(2 * n * math.log(2e9)) + 3


def test_many_steps_at_once_are_the_steps_one_by_one() -> None:
    lattice = lattice_for(0.3, 0.02, 0.09, 1.25)
    moves = _moves(far_modes(), 0.3, lattice, 0.02)
    p = _bump(lattice, 0.5, 0.2)
    whole = finish(moves.moving(p, 300))
    for _ in range(300):
        p = moves.step(p)
    assert np.abs(whole - p).sum() < 1e-6


def test_merged_steps_do_to_a_gaussian_what_the_single_ones_do() -> None:
    epsilon, variance, cell = 1e-4, 0.01, 0.05
    merged = pace(200, epsilon, variance, cell)
    x = epsilon / (2 * variance)
    kept = (1 - merged.drift / variance) ** merged.steps
    assert merged.steps == 8
    assert kept == pytest.approx((1 - x) ** 200)
    after = merged.noise * (1 - kept**2) / (1 - kept ** (2 / merged.steps))
    assert after == pytest.approx(variance / (1 - x / 2) * (1 - kept**2))
    assert pace(200, 0.01, variance, cell) == pace(200, 0.01, 1.0, cell)  # fine enough: nothing is merged


def test_resampling_keeps_mass_mean_and_variance() -> None:
    coarse, fine = Lattice(2.0, 40), Lattice(1.7, 96)
    p = _bump(coarse, 0.3, 0.05)
    q = resampled(p, coarse, fine)
    assert q.sum() == pytest.approx(1)
    assert _moments(q, fine) == pytest.approx((0.3, 0.05), rel=0.02)
    assert reach(p, coarse) == pytest.approx(0.3 + 4.3 * math.sqrt(0.05), abs=0.15)
