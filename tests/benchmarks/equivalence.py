"""Four objectives, one minimiser: `python -m tests.benchmarks.equivalence [--quick] [--json]`.

On three densities, each at one noise level, for a network as it was at steps 0, 10, 100 and 1000 of a run:

* **Values.** On the same samples of p_sigma, ESM - ISM against 1/2 E|s|^2, ESM - DSM against 1/2 E|s|^2 - 1/2 E|t|^2
  (t the kernel's score): constants that know nothing of the network. Deviations are relative to the constant; beside
  each stands one standard error of the paired difference.
* **Directions.** The cosine between the gradient of each objective in the weights and that of ESM, on the same samples,
  at initialisation, at initialisation with a random output layer (the usual one is zero, and leaves only its own
  gradient), and at step 100. At convergence a gradient is nothing but noise, and the cosine says nothing.

Sums are float64; the network, smaller than the default one so that a million samples take a minute, is float32.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.densities import Density, GaussianMixture, load_density
from trainer.fit import Fit
from trainer.learned import LearnedScore
from trainer.networks import ScoreNetwork
from trainer.objectives import Batch, ScoreFunction, draw_probes, dsm, esm, ism, one_draw_target, ssm, ssm_vr
from trainer.settings import FitSettings, LadderSettings, NetworkSettings

STEPS = (0, 10, 100, 1000)
SIGMAS = {"mixture": 0.1, "two-moons": 0.2, "checkerboard": 0.3}
NETWORK = NetworkSettings(width=64, features=32)
CHUNK = 4096
LOSSES: dict[str, Callable[[ScoreFunction, Batch], Tensor]] = {
    "esm": esm,
    "ism": ism,
    "ssm": ssm,
    "ssm_vr": ssm_vr,
    "dsm": dsm,
}


def densities() -> dict[str, Density]:
    """A mixture of three Gaussians, one of them slanted, and two paintings."""
    mixture = GaussianMixture(
        [0.5, 0.3, 0.2],
        [[-0.4, -0.3], [0.5, 0.4], [0.3, -0.5]],
        [[[0.04, 0.0], [0.0, 0.01]], [[0.02, 0.015], [0.015, 0.03]], [[0.01, 0.0], [0.0, 0.01]]],
    )
    return {"mixture": mixture, "two-moons": load_density("two-moons"), "checkerboard": load_density("checkerboard")}


@dataclass(frozen=True)
class Gap:
    """How far a difference of two losses is from its constant; `deviation` and `error` in units of the constant."""

    constant: float
    deviation: float
    error: float


def batches(density: Density, sigma: float, n: int, seed: int) -> Iterator[Batch]:
    """`n` samples of p_sigma with all that the objectives ask for, in chunks."""
    generator = torch.Generator().manual_seed(seed)
    for first in range(0, n, CHUNK):
        rows = min(CHUNK, n - first)
        x0 = density.sample(rows, 0.0, generator=generator)
        x = x0 + sigma * torch.randn(rows, 2, generator=generator)
        probes = draw_probes("rademacher", 1, x, generator)
        yield Batch(x0, x, torch.full((rows,), sigma), exact=density.score(x, sigma), probes=probes)


class _Moments:
    """Mean and standard error of a stream of values."""

    def __init__(self) -> None:
        self.count, self.first, self.second = 0, 0.0, 0.0

    def add(self, values: Tensor) -> None:
        v = values.double()
        self.count += len(v)
        self.first += float(v.sum())
        self.second += float(v.square().sum())

    @property
    def mean(self) -> float:
        return self.first / self.count

    @property
    def error(self) -> float:
        return math.sqrt((self.second / self.count - self.mean**2) / self.count)


def gaps(network: ScoreNetwork, weights: Tensor, density: Density, sigma: float, n: int) -> tuple[Gap, Gap]:
    """ESM - ISM and ESM - DSM against their constants, on the same n samples."""
    implicit, denoising, constants = _Moments(), _Moments(), (_Moments(), _Moments())
    for batch in batches(density, sigma, n, seed=11):
        score = network.score_function(weights, batch.sigma)
        explicit = esm(score, batch).detach()
        truth = 0.5 * batch.exact.square().sum(1)
        target = 0.5 * one_draw_target(batch).square().sum(1)
        implicit.add(explicit - ism(score, batch).detach() - truth)
        denoising.add(explicit - dsm(score, batch).detach() - (truth - target))
        constants[0].add(truth)
        constants[1].add(truth - target)
    return tuple(
        Gap(constant.mean, gap.mean / constant.mean, gap.error / abs(constant.mean))
        for gap, constant in zip((implicit, denoising), constants, strict=True)
    )


def gradients(network: ScoreNetwork, weights: Tensor, density: Density, sigma: float, n: int) -> dict[str, Tensor]:
    """Each objective's gradient in the weights, float64, as the mean over the same n samples."""
    found = {name: torch.zeros(network.count, dtype=torch.float64) for name in LOSSES}
    for batch in batches(density, sigma, n, seed=12):
        for name, loss in LOSSES.items():
            leaf = weights.detach().clone().requires_grad_(True)
            value = loss(network.score_function(leaf, batch.sigma), batch).sum()
            found[name] += torch.autograd.grad(value, leaf)[0].double() / n
    return found


def cosines(network: ScoreNetwork, weights: Tensor, density: Density, sigma: float, n: int) -> dict[str, float]:
    """The cosine of each objective's gradient with that of ESM."""
    found = gradients(network, weights, density, sigma, n)
    explicit = found.pop("esm")
    return {name: float(torch.cosine_similarity(explicit, g, 0)) for name, g in found.items()}


def run_to(density: Density, sigma: float, steps: tuple[int, ...]) -> dict[int, LearnedScore]:
    """The learner at each of these steps of a run at one noise level, with one-draw targets."""
    settings = FitSettings(target="single", ladder=LadderSettings(levels=1, sigma_min=sigma), network=NETWORK)
    fit = Fit(density, settings, device="cpu", seed=0)
    found = {}
    for step in steps:
        for _ in fit.run(steps=step - fit.step):
            pass
        found[step] = fit.snapshot()
    return found


def random_output(learner: LearnedScore) -> Tensor:
    """The learner's weights with an output layer of variance 0.01 / inputs in place of its own."""
    weights = learner.weights.clone()
    last = learner.network.layers(weights)[-1]
    last.normal_(0, 0.1 / math.sqrt(last.shape[1]), generator=torch.Generator().manual_seed(5))
    return weights


def measure(name: str, density: Density, sigma: float, n: int) -> dict[str, Any]:
    """All figures of one density and noise level."""
    learners = run_to(density, sigma, STEPS)
    network = learners[0].network
    values = {}
    for step, learner in learners.items():
        implicit, denoising = gaps(network, learner.weights, density, sigma, n)
        values[step] = {"esm - ism": asdict(implicit), "esm - dsm": asdict(denoising)}
    places = {
        "initial": learners[0].weights,
        "random output": random_output(learners[0]),
        "step 100": learners[100].weights,
    }
    directions = {place: cosines(network, w, density, sigma, n) for place, w in places.items()}
    return {"density": name, "sigma": sigma, "values": values, "cosines": directions}


def show(row: dict[str, Any]) -> None:
    """Print the figures of one density and noise level."""
    print(f"\n{row['density']}, sigma {row['sigma']}")
    print(f"{'step':>8}   {'ESM - ISM':>12}{'off by':>10}{'1 s.e.':>9}   {'ESM - DSM':>12}{'off by':>10}{'1 s.e.':>9}")
    for step, pair in row["values"].items():
        cells = "".join(
            f"   {g['constant'] * (1 + g['deviation']):>12.4f}{g['deviation']:>+10.3%}{g['error']:>9.3%}"
            for g in pair.values()
        )
        print(f"{step:>8}{cells}")
    print(f"{'cosine with ESM':>20}" + "".join(f"{name:>10}" for name in list(LOSSES)[1:]))
    for place, found in row["cosines"].items():
        print(f"{place:>20}" + "".join(f"{c:>10.5f}" for c in found.values()), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    n = 100_000 if options.quick else 1_000_000
    rows = []
    for name, density in densities().items():
        rows.append(measure(name, density, SIGMAS[name], n))
        if not options.json:
            show(rows[-1])
    if options.json:
        print(json.dumps({"samples": n, "rows": rows}))


if __name__ == "__main__":
    main()
