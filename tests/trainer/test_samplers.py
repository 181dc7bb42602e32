from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm
from torch import Tensor

from tests.trainer.particles import far_modes, gaussian, last, near_modes
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, LAPLACE
from trainer.metrics import mode_ledger
from trainer.models import ScoreModel, TrueScore
from trainer.noise import Noise
from trainer.samplers import FAR, SAMPLERS, Sampler, start_points, total_steps, within
from trainer.settings import ParticleSettings

SHORT = ParticleSettings(levels=4, steps=5, fine_steps=3, diffusion_steps=9)
WITH_NOISE = [name for name, sampler in SAMPLERS.items() if sampler.starts_from == "prior"]

each = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


class Known:
    """A standard Gaussian, of dots or pictures, whose score is known on [0.05, 0.3] only."""

    sigma_min, sigma_max, kernel, device = 0.05, 0.3, GAUSSIAN, torch.device("cpu")

    def __init__(self) -> None:
        self.asked: list[float] = []

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        self.asked.append(float(sigma))
        return -x / (1 + sigma**2)

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        return -0.5 * x.flatten(1).square().sum(1) / (1 + sigma**2)


def end(sampler: Sampler, model: ScoreModel, settings: ParticleSettings, seed: int, n: int) -> Tensor:
    noise = Noise(seed)
    return last(sampler(model, sampler.start(model, settings, n, noise), settings, noise))


def test_the_nine_samplers() -> None:
    assert list(SAMPLERS) == ["ascent", "langevin", "mala", "annealed", "pc", "sde", "ode", "ddpm", "ddim"]
    assert all(SAMPLERS[name].name == name for name in SAMPLERS)
    assert WITH_NOISE == ["pc", "sde", "ode", "ddpm", "ddim"]


@each
def test_steps_are_counted_and_the_start_is_left_alone(sampler: Sampler) -> None:
    model, x0 = gaussian(0.1), start_points(10, Noise(0))
    kept = x0.clone()
    steps = [step for step, _ in sampler(model, x0, SHORT, Noise(0))]
    assert steps == list(range(1, sampler.steps(SHORT, model) + 1))
    assert len(steps) == (9 if sampler.name in WITH_NOISE else total_steps(SHORT))
    assert torch.equal(x0, kept)


@each
@pytest.mark.parametrize(
    "changes", [{}, {"corrector_steps": 3, "ode_method": "euler"}, {"corrector_steps": 0, "diffusion_steps": 999}]
)
def test_evaluations_and_levels_are_what_is_asked_of_the_model(sampler: Sampler, changes: dict[str, object]) -> None:
    settings = within(replace(SHORT, **changes), Known())
    model = Known()
    last(sampler(model, torch.zeros(1, 2), settings, Noise(0)))
    assert len(model.asked) == sampler.evaluations(settings, model)
    assert tuple(dict.fromkeys(model.asked)) == pytest.approx(sampler.levels(settings, model))


@each
def test_particle_k_moves_alike_whatever_their_number(sampler: Sampler) -> None:
    model, settings = TrueScore(near_modes()), replace(SHORT, eta=0.5)
    few, many = end(sampler, model, settings, 2, 30), end(sampler, model, settings, 2, 5_000)
    torch.testing.assert_close(many[:30], few, rtol=0, atol=1e-6)
    ids, noise = torch.tensor([4_000, 3]), Noise(2)
    some = last(sampler(model, sampler.start(model, settings, 2, noise, ids), settings, noise, ids))
    torch.testing.assert_close(some, many[ids], rtol=0, atol=1e-6)


# --- where they end ------------------------------------------------------------------------------------------------

LAWS = {
    "langevin": ParticleSettings(levels=1, steps=400, fine_steps=400, epsilon=0.015),
    "mala": ParticleSettings(levels=1, steps=250, fine_steps=250, epsilon=0.06),
    "annealed": ParticleSettings(levels=14, steps=60, fine_steps=60, sigma_max=0.6),
    "pc": ParticleSettings(diffusion_steps=150),
    "sde": ParticleSettings(diffusion_steps=300),
    "ode": ParticleSettings(diffusion_steps=30),
    "ddpm": ParticleSettings(diffusion_steps=1000),
    "ddim": ParticleSettings(diffusion_steps=400, eta=0.3, vp_schedule="ddpm-cosine"),
}
"""Settings under which a sampler's end is the density of `near_modes` as nearly as 2,500 particles can tell."""


def across(x: np.ndarray) -> np.ndarray:
    """The distribution function of the first coordinate of `near_modes`."""
    return 0.7 * norm.cdf(x, 0.5, 0.25) + 0.3 * norm.cdf(x, -0.5, 0.25)


def along(x: np.ndarray) -> np.ndarray:
    return norm.cdf(x, 0.1, 0.25)


@pytest.mark.parametrize("name", LAWS)
def test_ends_follow_the_density(name: str) -> None:
    """Kolmogorov-Smirnov in both coordinates; every sampler but ascent, which ends on modes."""
    x = end(SAMPLERS[name], TrueScore(near_modes()), LAWS[name], 5, 2_500).double().numpy()
    assert kstest(x[:, 0], across).pvalue > 0.01
    assert kstest(x[:, 1], along).pvalue > 0.01


@pytest.mark.parametrize(
    ("coordinate", "law"),
    [(0, lambda x: across(x + 0.05)), (0, lambda x: across(x * 1.1)), (1, lambda x: norm.cdf(x, 0.1, 0.28))],
)
def test_the_kolmogorov_smirnov_test_would_notice(coordinate: int, law: Callable[[np.ndarray], np.ndarray]) -> None:
    """As many exact draws are told from a density that is 0.05 aside or a tenth too wide."""
    x = near_modes().sample(2_500, generator=torch.Generator().manual_seed(0)).double().numpy()
    assert kstest(x[:, 0], across).pvalue > 0.01
    assert kstest(x[:, coordinate], law).pvalue < 0.01


@pytest.mark.parametrize("name", WITH_NOISE)
def test_far_modes_get_their_weights_from_noise(name: str) -> None:
    """Within the bands of 5,000 particles on the true score, where Langevin dynamics is at one half."""
    settings = ParticleSettings(diffusion_steps=60 if name == "ode" else 150)
    ledger = mode_ledger(end(SAMPLERS[name], TrueScore(far_modes()), settings, 0, 5_000), far_modes())
    assert ledger.holds
    assert ledger.elsewhere < 0.005


# --- guards --------------------------------------------------------------------------------------------------------


@each
def test_levels_the_model_does_not_know_are_refused(sampler: Sampler) -> None:
    with pytest.raises(InputError, match=r"^particles\.sigma_.*give one between 0\.05 and 0\.3$"):
        next(sampler(Known(), torch.zeros(1, 2), ParticleSettings(), Noise(0)))


@pytest.mark.parametrize("name", WITH_NOISE)
def test_a_start_the_model_does_not_know_is_refused(name: str) -> None:
    settings = ParticleSettings(sigma_min=0.1, start_sigma=1.0)
    with pytest.raises(InputError, match=r"^particles\.start_sigma: 1 is .*give one between 0\.05 and 0\.3$"):
        next(SAMPLERS[name](Known(), torch.zeros(1, 2), settings, Noise(0)))


@each
def test_gaussian_only_samplers_refuse_other_noise(sampler: Sampler) -> None:
    model = Known()
    model.kernel = LAPLACE
    settings = within(SHORT, model)
    if sampler.gaussian_only:
        with pytest.raises(InputError, match=r"^kernel: .*Gaussian noise only"):
            sampler(model, torch.zeros(1, 2), settings, Noise(0))
    else:
        assert bool(last(sampler(model, torch.ones(1, 2), settings, Noise(0))).isfinite().all())


def test_the_ladders_can_be_cut_to_what_the_model_knows() -> None:
    cut = within(replace(SHORT, start_sigma=2.0), Known())
    assert (cut.sigma_min, cut.sigma_max, cut.start_sigma) == (0.05, 0.3, 0.3)
    assert within(ParticleSettings(), Known()).start_sigma is None
    assert within(ParticleSettings(), gaussian(1.0)) == ParticleSettings()
    for sampler in SAMPLERS.values():
        assert len(list(sampler(Known(), torch.zeros(1, 2), cut, Noise(0)))) == sampler.steps(cut, Known())


@each
def test_an_unstable_step_stays_finite(sampler: Sampler) -> None:
    settings = replace(SHORT, levels=2, steps=40, fine_steps=40, epsilon=1.0, sigma_max=0.05, corrector_snr=0.7)
    x = end(sampler, gaussian(1e-3), settings, 0, 20)
    assert bool(x.isfinite().all())
    assert float(x.abs().max()) <= FAR * (1 + 1e-6)


@each
def test_pictures_move_by_the_same_code(sampler: Sampler) -> None:
    """Every pixel of a standard Gaussian picture moves as the two coordinates of a dot with the same noise would."""
    model, settings, noise = Known(), within(replace(SHORT, eta=1.0), Known()), Noise(0)
    x0 = sampler.start(model, settings, 4, noise, shape=(3, 8, 8))
    assert x0.shape == (4, 3, 8, 8)
    x = last(sampler(model, x0, settings, noise))
    assert x.shape == (4, 3, 8, 8)

    class Flat:
        def normal(self, step: int, draw: int, ids: int, shape: tuple[int, ...]) -> Tensor:
            return noise.normal(step, draw, ids, (3, 8, 8)).reshape(ids, *shape)

        def uniform(self, step: int, draw: int, ids: int, shape: tuple[int, ...]) -> Tensor:
            return noise.uniform(step, draw, ids, shape)

    flat = last(sampler(model, x0.flatten(1), settings, Flat()))  # type: ignore[arg-type]
    torch.testing.assert_close(x.flatten(1), flat, rtol=0, atol=1e-6)


def test_the_caller_s_gradient_mode_holds_between_steps() -> None:
    noise = Noise(0)
    for sampler in SAMPLERS.values():
        moves = sampler(gaussian(1.0), start_points(4, noise), SHORT, noise)
        next(moves)
        assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_sigma", 0.01),
        ("start_sigma", 1e6),
        ("diffusion_steps", 1),
        ("diffusion_steps", 2.5),
        ("rho", 0.5),
        ("corrector_steps", -1),
        ("corrector_snr", 1.0),
        ("ode_method", "rk4"),
        ("vp_schedule", "geometric"),
        ("eta", 1.1),
    ],
)
def test_settings_out_of_range_name_their_field(field: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"^particles\.{field}: [^\n]*$"):
        replace(ParticleSettings(), **{field: value})


def test_settings_of_older_files_still_load() -> None:
    assert ParticleSettings.from_json({"number": 7, "sigma_max": 0.5}) == ParticleSettings(number=7, sigma_max=0.5)
    every = ParticleSettings(start_sigma=2.0, ode_method="euler", vp_schedule="ddpm-cosine", eta=0.5)
    assert ParticleSettings.from_json(every.to_json()) == every
