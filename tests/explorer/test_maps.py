"""Maps made in pieces: they hold what the trainer computes in one go, and never mix two steps or places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.engine.maps import MapMaker, loop_integrals
from trainer.circulation import circle, curl_map, line_integral
from trainer.densities import GaussianMixture, PaintedDensity
from trainer.error_maps import fisher_error_map
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.kernels import GAUSSIAN, LAPLACE, Kernel
from trainer.lattices import lattice_points
from trainer.models import TrueScore
from trainer.settings import FitSettings

CPU = torch.device("cpu")
WHOLE = ((0.0, 0.0), 1.25)
BLOBS = GaussianMixture([0.7, 0.3], [[-0.5, -0.3], [0.5, 0.4]], [np.eye(2) * 0.02, np.eye(2) * 0.01])


@dataclass(frozen=True)
class Swirl:
    """The true score and a rotation of angular speed `turn` about the origin: its curl is 2 `turn` everywhere."""

    density: GaussianMixture | PaintedDensity
    turn: float = 0.5
    kernel: Kernel = GAUSSIAN
    sigma_min: float = 0.01
    sigma_max: float = 2.0
    device: torch.device = CPU

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        rotation = torch.stack((-x[:, 1], x[:, 0]), dim=1)
        return self.density.score(x, sigma, kernel=self.kernel) + self.turn * rotation


def crescents() -> PaintedDensity:
    weights = np.zeros((32, 32))
    weights[4:9, 5:12] = 1.0
    weights[22:26, 20:27] = 0.3
    return PaintedDensity(weights)


def finished(maker: MapMaker) -> MapMaker:
    assert maker.work(None)
    return maker


@pytest.mark.parametrize("kernel", [GAUSSIAN, LAPLACE], ids=["gaussian", "laplace"])
@pytest.mark.parametrize("sigma", [0.02, 0.3])
def test_maps_are_what_the_trainer_computes(kernel: Kernel, sigma: float) -> None:
    density = crescents()
    model = Swirl(density, kernel=kernel)
    maker = MapMaker(chunk=100)
    maker.request(model, density, sigma, (0.1, -0.2), 1.5, 24, 7, frozenset({"curl"}), 4096)
    maps = finished(maker).latest
    assert maps is not None
    reference = fisher_error_map(model, density, sigma, (0.1, -0.2), 1.5, 24)
    scale = 1 + np.abs(reference.exact)
    assert np.abs((maps.learned - reference.learned) / scale).max() < 1e-4
    assert np.abs((maps.true - reference.exact) / scale).max() < 1e-4
    assert maps.log_p == pytest.approx(reference.log_density, rel=1e-5, abs=1e-4)
    cell = (3.0 / 24) ** 2
    assert maps.expected == pytest.approx(4096 * cell * reference.density, rel=1e-3, abs=1e-6)
    assert (maps.step, maps.sigma, maps.centre, maps.half_width) == (7, sigma, (0.1, -0.2), 1.5)
    reference_curl = curl_map(model, sigma, (0.1, -0.2), 1.5, 24)
    assert maps.curl == pytest.approx(reference_curl.curl, rel=1e-3, abs=1e-3)
    assert maps.rotational == pytest.approx(reference_curl.rotational_share, rel=1e-3, abs=1e-6)


def test_curl_of_a_rotation_and_of_a_gradient() -> None:
    maker = MapMaker()
    for turn in (0.5, 0.0):
        maker.request(Swirl(BLOBS, turn), BLOBS, 0.3, *WHOLE, 16, int(10 * turn), frozenset({"curl"}))
        maps = finished(maker).latest
        assert maps is not None
        assert maps.curl == pytest.approx(np.full((16, 16), 2 * turn), abs=1e-4)
        assert (maps.rotational.max() > 0.001) == (turn > 0)


def test_what_is_not_wanted_is_empty() -> None:
    maker = MapMaker()
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16)
    maps = finished(maker).latest
    assert maps is not None
    assert (maps.curl.size, maps.rotational.size, maps.learned_log_p.size) == (0, 0, 0)
    assert maps.expected.max() == 0


def test_work_stops_at_the_deadline_and_goes_on() -> None:
    maker = MapMaker(chunk=16)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16)
    pieces = 1
    while not maker.work(0.0):
        assert maker.latest is None
        pieces += 1
    assert pieces >= 16  # 256 points of the learned score, 16 at a time
    assert maker.latest is not None
    assert maker.latest.version == 1


def test_the_same_request_costs_nothing_and_a_new_step_waits() -> None:
    maker = MapMaker(chunk=16)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16, 1)
    assert not maker.work(0.0)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16, 2)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16, 3)
    seen = []
    while not maker.work(0.0):
        if maker.latest is not None and maker.latest.step not in seen:
            seen.append(maker.latest.step)
    assert seen == [1]
    assert maker.latest is not None
    assert maker.latest.step == 3  # step 2 was never begun
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16, 3)
    assert maker.work(0.0)
    assert maker.latest.version == 2


def test_another_place_starts_at_once() -> None:
    maker = MapMaker(chunk=16)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16, 1)
    assert not maker.work(0.0)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, (0.2, 0.0), 0.5, 16, 1)
    maps = finished(maker).latest
    assert maps is not None
    assert (maps.centre, maps.version) == ((0.2, 0.0), 1)


def test_truth_is_kept_while_only_the_weights_change(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = GaussianMixture.score_lattice
    monkeypatch.setattr(GaussianMixture, "score_lattice", lambda *a, **k: calls.append(1) or real(*a, **k))
    maker = MapMaker()
    for step in range(3):
        maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 16, step)
        finished(maker)
    assert len(calls) == 1
    maker.request(Swirl(BLOBS), BLOBS, 0.2, *WHOLE, 16, 3)
    finished(maker)
    assert len(calls) == 2


def test_far_from_the_mass_log_p_is_still_right() -> None:
    density = crescents()
    maker = MapMaker()
    maker.request(Swirl(density), density, 0.01, (2.0, -2.0), 0.8, 12)
    maps = finished(maker).latest
    assert maps is not None
    wanted = density.log_prob(lattice_points((2.0, -2.0), 0.8, 12), 0.01).view(12, 12).numpy()
    assert wanted.min() < -700  # below what exp can hold
    assert maps.log_p == pytest.approx(wanted, rel=1e-5)


def test_an_energy_has_a_log_density_whose_gradient_is_the_score() -> None:
    settings = FitSettings(parameterisation="energy", batch=256)
    fit = Fit(crescents(), settings, device="cpu", seed=1)
    for _ in fit.run(steps=3):
        pass
    model = fit.snapshot()
    maker = MapMaker()
    maker.request(model, fit.density, 0.3, *WHOLE, 48, 3, frozenset({"fine", "curl"}), 0, True)
    maps = finished(maker).latest
    assert maps is not None
    assert maps.learned_log_p.max() == pytest.approx(maps.log_p.max(), abs=1e-5)
    cell = 2.5 / 48
    slope = (maps.learned_log_p[:, 2:] - maps.learned_log_p[:, :-2]) / (2 * cell)
    assert slope == pytest.approx(maps.learned[:, 1:-1, 0], abs=0.05)
    assert np.abs(maps.curl).max() < 1e-3


def test_loop_integrals_are_the_trainers_and_stokes(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = tuple(map(tuple, circle((0.1, 0.0), 0.4, 48).tolist()))
    maker = MapMaker(chunk=64)
    model = Swirl(BLOBS, 0.5)
    maker.request(model, BLOBS, 0.3, *WHOLE, 16, 1, frozenset(), loop=loop)
    finished(maker)
    assert maker.latest is None  # no map was wanted
    assert maker.loop == pytest.approx(np.array(loop), abs=1e-6)
    polygon = 0.5 * 48 * 0.4**2 * np.sin(2 * np.pi / 48)
    assert maker.loop_integrals[0, 0] == pytest.approx(2 * 0.5 * polygon, rel=1e-4)
    assert abs(maker.loop_integrals[1, 0]) < 1e-4 * maker.loop_integrals[1, 2]
    reference = line_integral(TrueScore(BLOBS), loop, 0.3)
    assert maker.loop_integrals[1, 2] == pytest.approx(reference.size, rel=1e-3)
    assert loop_integrals(model, BLOBS, loop, 0.3) == pytest.approx(maker.loop_integrals, abs=1e-6)


def test_another_loop_forgets_the_old_integral_at_once() -> None:
    triangle = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5))
    maker = MapMaker(chunk=8)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 8, 1, frozenset(), loop=triangle)
    assert finished(maker).loop_integrals.shape == (2, 3)
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 8, 1, frozenset(), loop=(*triangle, (-0.2, 0.1)))
    assert maker.loop_integrals.shape == (0, 3)
    assert len(finished(maker).loop) == 4
    maker.request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 8, 1, frozenset())
    assert maker.loop.shape == (0, 2)


def test_a_lattice_without_points_is_refused() -> None:
    with pytest.raises(InputError, match="lattice points"):
        MapMaker().request(Swirl(BLOBS), BLOBS, 0.3, *WHOLE, 0)
