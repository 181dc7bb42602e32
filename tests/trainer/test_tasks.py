"""Every objective at work in a run: the same points, the right gradient, a state to go on from, and no idle option."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainer.densities import GaussianMixture, load_density
from trainer.errors import InputError
from trainer.fit import Fit, FitSettings
from trainer.graphs import GraphedStep
from trainer.metrics import relative_fisher_error
from trainer.noise import Noise
from trainer.passes import RegressionPass
from trainer.samplers import SAMPLERS
from trainer.settings import LadderSettings, NetworkSettings, ParticleSettings
from trainer.tables import TabulatedScore
from trainer.tasks import EVERY, FARTHER, REACH, WIDER, Regression, roaming

SMALL = FitSettings(network=NetworkSettings(width=32, features=16), ladder=LadderSettings(levels=8), batch=128)
FREE = replace(SMALL, target="single", parameterisation="score")
DDPM = replace(SMALL, objective="ddpm", schedule="ddpm-linear", weighting="ddpm")
EACH = {
    "pooled": SMALL,
    "single": replace(SMALL, target="single"),
    "reference": replace(SMALL, target="reference"),
    "control variate": replace(SMALL, target="control_variate"),
    "esm": replace(SMALL, objective="esm"),
    "ism": replace(SMALL, objective="ism"),
    "hutchinson": replace(SMALL, objective="hutchinson"),
    "ssm": replace(SMALL, objective="ssm", projections=2),
    "ssm_vr": replace(SMALL, objective="ssm_vr", projection="sphere"),
    "ddpm": DDPM,
    "energy": replace(SMALL, parameterisation="energy"),
    "energy by ism": replace(SMALL, parameterisation="energy", objective="ism"),
    "laplace": replace(FREE, kernel="laplace"),
    "edm levels": replace(SMALL, schedule="edm", target="single"),
}
OTHERS = {
    "gaussian probes": replace(SMALL, objective="ssm_vr", projection="gaussian"),
    "rademacher probes": replace(SMALL, objective="ssm_vr"),
    "four probes": replace(SMALL, objective="ssm_vr", projections=4),
    "ddpm, cosine": replace(DDPM, schedule="ddpm-cosine"),
    "noise": replace(SMALL, parameterisation="noise"),
    "score": replace(SMALL, parameterisation="score"),
    "unconditional": replace(SMALL, parameterisation="unconditional"),
    "mixture": replace(FREE, kernel="mixture"),
    "gaussian": FREE,
    "long reference": replace(SMALL, target="reference", reference=1000),
    "ncsn": replace(SMALL, weighting="ncsn"),
    "no weight": replace(SMALL, weighting="none"),
    "one level": replace(SMALL, ladder=LadderSettings(levels=1, sigma_min=0.3)),
    **{
        name: replace(SMALL, network=replace(SMALL.network, **{name: value}))
        for name, value in (("octaves", 3.0), ("damped", False), ("activation", "gelu"), ("features", 0), ("depth", 3))
    },
    **{name: replace(SMALL, network=replace(SMALL.network, activation=name)) for name in ("tanh", "softplus")},
}


@pytest.fixture(scope="module")
def two() -> GaussianMixture:
    return GaussianMixture([0.7, 0.3], [[0.5, 0.4], [-0.5, -0.3]], [[[0.03, 0.01], [0.01, 0.02]]] * 2)


def _train(fit: Fit, steps: int) -> Fit:
    for _ in fit.run(steps=steps):
        pass
    return fit


def test_every_option_changes_what_is_learned(two: GaussianMixture) -> None:
    learned = {
        name: _train(Fit(two, settings, device="cpu"), 12).weights.clone() for name, settings in (EACH | OTHERS).items()
    }
    learned.pop("rademacher probes")  # with one projection that is what "hutchinson" is
    names = list(learned)
    for k, a in enumerate(names):
        for b in names[:k]:
            same_shape = learned[a].shape == learned[b].shape
            assert not (same_shape and torch.allclose(learned[a], learned[b], rtol=1e-4, atol=1e-6)), (a, b)


def test_objectives_see_the_same_points(two: GaussianMixture) -> None:
    """All but pooled targets, which spread the points wider and move each to its nearest node."""
    runs = {name: _train(Fit(two, s, device="cpu", seed=3), 80) for name, s in EACH.items() if s.kernel == "gaussian"}
    runs = {name: fit for name, fit in runs.items() if fit.settings.schedule == "geometric"}
    reference = runs.pop("single")._points
    for name, fit in runs.items():
        points = fit._points
        assert torch.equal(points.x0, reference.x0), name
        if fit.settings.pooled:
            spread = torch.full((len(points), 1), WIDER)
            spread[::EVERY] = FARTHER
            wide = reference.x0 + spread * (reference.x - reference.x0)
            moved = (points.x - wide).norm(dim=1) / reference.sigma
            assert float(moved.quantile(0.95)) < 2**0.5 / 6 + 1e-3, name
            assert float(moved.quantile(0.01)) > 0, name
        else:
            assert torch.equal(points.x, reference.x), name


def test_points_without_a_pooled_target_stay_where_noise_put_them(two: GaussianMixture) -> None:
    fit, single = (Fit(two, s, device="cpu", seed=3) for s in (SMALL, EACH["single"]))
    assert bool(fit.pool.table.isnan().all())  # no table is made before the first step
    for run in (fit, single):
        run._fill_block()
    stays = torch.ones(len(fit._points), dtype=torch.bool)
    stays[roaming()] = False
    assert torch.equal(fit._points.x[stays], single._points.x[stays])
    assert torch.equal(fit._task.tensors()["target"][stays], single._task.tensors()["target"][stays])


def test_points_that_roam_aim_at_the_draws_and_only_guide(two: GaussianMixture) -> None:
    fit = Fit(two, replace(SMALL, batch=512), device="cpu", seed=3)
    fit._fill_block()
    task, points = fit._task, fit._points
    assert isinstance(task, Regression)
    _, target, weight, guide = task.inputs()
    assert float(points.x[roaming()].abs().max()) <= REACH
    assert float(points.x[roaming()].abs().max()) > 1.3
    assert int((weight == 0).sum()) == int((guide > 0).sum()) == len(points.x[roaming()])
    # At a noise level as wide as the plane a thousand draws give the score almost as the density does.
    x, sigma = points.x[roaming()], points.sigma[roaming()]
    wide = sigma > 0.5
    exact = fit.network.conditioning.output(two.score(x, sigma).float(), fit.network.centre(x), sigma)
    assert float((target[roaming()] - exact)[wide].norm() / exact[wide].norm()) < 0.1
    loss = task.loss(fit.weights, slice(0, 512)).clone()
    target[roaming()] += 100
    assert torch.equal(task.loss(fit.weights, slice(0, 512)), loss)


def test_no_particle_flies_off_after_an_edit() -> None:
    """On the weights that an edit leaves; without points that roam a fifth of the particles ends beyond the plane."""
    fit = _train(Fit(load_density("crescents"), device="cpu", seed=0), 1500)
    fit.change_density(load_density("smile"))
    _train(fit, 400)
    settings, noise = ParticleSettings(number=500), Noise(0)
    for name in ("ascent", "langevin"):
        start = SAMPLERS[name].start(fit, settings, 500, noise)
        moves = SAMPLERS[name](TabulatedScore(fit.snapshot()), start, settings, noise)
        x = next(x for step, x in moves if step == 300)
        assert float((x.abs().amax(1) > 1.5).float().mean()) < 0.01


@pytest.mark.parametrize("name", list(EACH))
def test_a_restored_run_goes_on_to_the_last_bit(two: GaussianMixture, name: str) -> None:
    fit = _train(Fit(two, EACH[name], device="cpu", seed=8), 21)
    other = Fit(two, SMALL, device="cpu", seed=1)
    other.restore(fit.state())
    assert other.settings == EACH[name]
    for run in (fit, other):
        _train(run, 40)
    assert torch.equal(fit.weights, other.weights)


@pytest.mark.parametrize("name", list(EACH))
def test_every_objective_learns(two: GaussianMixture, name: str) -> None:
    """Against the truth of its own kernel, at a level in the middle; a score of zero would have 1."""
    fit = _train(Fit(two, EACH[name], device="cpu", seed=2), 400)
    assert fit.recoveries == 0
    assert relative_fisher_error(fit.snapshot(), two, 0.3, n=4000) < (0.12 if name == "laplace" else 0.05)


def test_fresh_gradients_leave_the_run_alone_and_have_its_mean(two: GaussianMixture) -> None:
    for settings in (SMALL, replace(SMALL, objective="ism")):
        fit, twin = (_train(Fit(two, settings, device="cpu", seed=5), 30) for _ in range(2))
        fresh = fit.estimates()
        drawn = torch.stack([next(fresh)[2] for _ in range(40)])
        assert drawn.shape == (40, fit.parameters)
        assert float((drawn[0] - drawn[1]).norm()) > 0
        for run in (fit, twin):
            _train(run, 40)
        assert torch.equal(fit.weights, twin.weights)
        halves = drawn[:20].mean(0), drawn[20:].mean(0)
        assert float(torch.nn.functional.cosine_similarity(*halves, dim=0)) > 0.3


def test_pooled_targets_lead_where_the_exact_score_does(two: GaussianMixture) -> None:
    """From the same weights, plain squares against the pool's targets at those points and against the true score."""
    fit = _train(Fit(two, replace(SMALL, batch=4096), device="cpu", seed=5), 60)
    task, points = fit._task, fit._points
    assert isinstance(task, Regression)
    exact = fit.network.conditioning.output(
        two.score(points.x, points.sigma), fit.network.centre(points.x), points.sigma
    )
    features, target, weight, _ = task.inputs()
    plain = RegressionPass(fit.network, len(points), torch.float32)
    gradients = []
    for aim in (target, exact):
        plain.loss(fit.weights, features.float(), aim, weight)
        gradients.append(plain.gradient.clone())
    assert float(torch.nn.functional.cosine_similarity(*gradients, dim=0)) > 0.99


def test_esm_wants_a_density_that_knows_its_score() -> None:
    class Draws:
        def sample(self, n: int, sigma: float = 0.0, *, generator: torch.Generator | None = None) -> torch.Tensor:
            return torch.randn(n, 2, generator=generator)

    with pytest.raises(InputError, match="objective: esm needs a density with an exact score"):
        Fit(Draws(), replace(SMALL, objective="esm"), device="cpu")
    assert _train(Fit(Draws(), SMALL, device="cpu"), 3).step == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kernel": "laplace"}, "parameterisation: denoiser is defined for Gaussian noise, not for Laplace"),
        (
            {"kernel": "mixture", "parameterisation": "score"},
            "target: a pooled target is known for Gaussian noise, not for Gaussian mixture",
        ),
        (
            {"kernel": "laplace", "parameterisation": "energy", "target": "single", "schedule": "ddpm-linear"},
            "schedule: DDPM, linear is defined for Gaussian noise",
        ),
        ({"objective": "ddpm"}, "schedule: DDPM's objective draws its noise levels from DDPM's timesteps"),
        ({"objective": "ddpm", "schedule": "ddpm-cosine"}, "weighting: DDPM's objective has a weight of its own"),
        ({"schedule": "edm"}, "target: a pooled target is fitted level by level"),
        ({"schedule": "edm", "target": "control_variate"}, "target: a control variate is fitted level by level"),
        (
            {"schedule": "ddpm-cosine", "target": "single", "parameterisation": "score"},
            "parameterisation: score does not learn at DDPM's noise levels",
        ),
        ({"batch": 10**400}, "batch: a number of hundreds of digits is out of range"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        FitSettings(**wrong)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_control_variate_survives_a_failed_step(two: GaussianMixture) -> None:
    fit = _train(Fit(two, EACH["control variate"], device="cpu"), 70)
    fit.weights.fill_(torch.nan)
    _train(fit, 70)
    assert fit.recoveries == 1
    assert bool(fit.weights.isfinite().all())


def test_the_schedule_edm_trains_between_the_ends_asked_for(two: GaussianMixture) -> None:
    ladder = LadderSettings(sigma_min=1e-3, sigma_max=50.0)
    fit = Fit(two, replace(SMALL, schedule="edm", target="single", ladder=ladder), device="cpu")
    assert (fit.sigma_min, fit.sigma_max) == (1e-3, 50.0)


def test_data_of_no_width_can_be_learned() -> None:
    dot = GaussianMixture([1.0], [[0.3, 0.1]], [[[1e-40, 0.0], [0.0, 1e-40]]])
    fit = _train(Fit(dot, SMALL, device="cpu"), 60)
    assert relative_fisher_error(fit.snapshot(), dot, 0.02, n=2000) < 0.05


def test_a_fit_of_an_energy_knows_its_log_density(two: GaussianMixture) -> None:
    fit = _train(Fit(two, EACH["energy"], device="cpu"), 60)
    x = two.sample(500, generator=torch.Generator().manual_seed(1))
    difference = fit.log_prob(x, 0.3) - two.log_prob(x, 0.3)
    assert fit.has_log_density
    assert float(difference.std()) < 0.2
    with pytest.raises(InputError, match="log_prob: a network of the parameterisation denoiser has none"):
        Fit(two, SMALL, device="cpu").log_prob(x, 0.3)


def test_the_loss_of_a_batch_is_that_of_its_rows(two: GaussianMixture) -> None:
    """What a captured step computes from copies of the block's rows is what the loop computes from the rows."""
    fit = _train(Fit(two, SMALL, device="cpu"), 3)
    task = fit._task
    assert isinstance(task, Regression)
    part = slice(128, 256)
    value, gradient = float(task.loss(fit.weights, part)), task.gradient.clone()
    copies = [tensor[part].clone() for tensor in task.inputs()]
    assert float(task.loss_of(fit.weights, *copies)) == value
    assert torch.equal(task.gradient, gradient)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_captured_step_is_the_plain_one(two: GaussianMixture) -> None:
    fit = _train(Fit(two, FitSettings(), device="cuda"), 5)
    task = fit._task
    assert isinstance(task, Regression)
    part = slice(512, 1024)
    graph = GraphedStep(task, fit._optimiser, part)
    before = {name: tensor.clone() for name, tensor in fit._optimiser.tensors().items()}
    fit._optimiser.set_rates(1e-2, 0.1)
    graph.replay(part)
    captured = fit.weights.clone()
    for name, tensor in fit._optimiser.tensors().items():
        tensor.copy_(before[name])
    task.loss(fit.weights, part)
    fit._optimiser.step(task.gradient)
    torch.testing.assert_close(captured, fit.weights, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_learns_as_well_as_the_processor(two: GaussianMixture) -> None:
    errors = [
        relative_fisher_error(_train(Fit(two, FitSettings(), device=name), 400).snapshot(), two, 0.1)
        for name in ("cpu", "cuda")
    ]
    assert errors[1] < 3 * errors[0]
