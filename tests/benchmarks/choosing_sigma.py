"""Which sigma for denoising score matching at a single level? `python -m tests.benchmarks.choosing_sigma [--quick]`.

What is wanted is the score s_0 of p_0; what is learned is s_sigma. With |.|^2 the mean square under p_0, over that of
s_0 itself,

    total = |s_theta - s_0|^2,    bias = |s_sigma - s_0|^2, exact,    variance = |s_theta - s_sigma|^2.

Small sigma: no bias, but a target whose variance grows like 2 / sigma^2. Large sigma: the reverse. So the total is
U-shaped. Each target trains the default network for as many steps at one sigma, and means are over seeds. Beside the
errors stands the noise of its gradient, the variance over batches in units of the exact score's (esm), at the weights
that esm reaches in a tenth of the steps: the same for all targets. Where a sigma is too fine for the pool's grid, there
are no pooled targets.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from trainer.densities import Density, GaussianMixture, load_density
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.metrics import gradient_variance
from trainer.settings import FitSettings, LadderSettings

SIGMAS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
TARGETS = {
    "one draw": FitSettings(target="single"),
    "control variate": FitSettings(target="control_variate"),
    "reference": FitSettings(target="reference"),
    "pooled": FitSettings(target="pooled"),
}
POINTS = 16_384
GRADIENTS = 64
WARM_UP = 32  # batches to which the control variate fits its coefficient


def mixture() -> GaussianMixture:
    """Three Gaussians of standard deviation 0.1 to 0.2."""
    return GaussianMixture(
        [0.5, 0.3, 0.2],
        [[-0.4, -0.3], [0.5, 0.4], [0.3, -0.5]],
        [[[0.04, 0.0], [0.0, 0.01]], [[0.02, 0.015], [0.015, 0.03]], [[0.01, 0.0], [0.0, 0.01]]],
    )


class Truth:
    """Points of p_0, and what the score is there without noise."""

    def __init__(self, density: Density) -> None:
        self.density = density
        self.x = density.sample(POINTS, 0.0, generator=torch.Generator().manual_seed(2024)).double()
        self.clean = density.score(self.x)
        self.size = float(self.clean.square().sum())

    def bias(self, sigma: float) -> float:
        """|s_sigma - s_0|^2."""
        return self._distance(self.density.score(self.x, sigma), self.clean)

    def errors(self, fit: Fit, sigma: float) -> tuple[float, float]:
        """Variance |s_theta - s_sigma|^2 and total |s_theta - s_0|^2."""
        learned = fit.score(self.x, sigma)
        return self._distance(learned, self.density.score(self.x, sigma)), self._distance(learned, self.clean)

    def _distance(self, a: Tensor, b: Tensor) -> float:
        return float((a - b).square().sum()) / self.size


def trained(density: Density, settings: FitSettings, seed: int, steps: int) -> Fit:
    """A run of so many steps."""
    fit = Fit(density, settings, device="cpu", seed=seed)
    for _ in fit.run(steps=steps):
        pass
    return fit


def noise(fit: Fit, weights: Tensor) -> float:
    """The variance of the run's gradient over batches, at these weights."""
    estimates = islice(fit.estimates(weights), WARM_UP, None)
    return gradient_variance(lambda _: next(estimates)[2], GRADIENTS).variance


def measure(truth: Truth, sigma: float, steps: int, seeds: int) -> dict[str, Any]:
    """All figures at one sigma."""
    ladder = LadderSettings(levels=1, sigma_min=sigma)
    explicit = trained(truth.density, FitSettings(objective="esm", ladder=ladder), 0, max(1, steps // 10))
    common = explicit.snapshot().weights
    least = noise(explicit, common)
    row: dict[str, Any] = {"sigma": sigma, "bias": truth.bias(sigma), "targets": {}}
    for name, settings in TARGETS.items():
        try:
            fits = [trained(truth.density, replace(settings, ladder=ladder), seed, steps) for seed in range(seeds)]
        except InputError:
            row["targets"][name] = None
            continue
        errors = [truth.errors(fit, sigma) for fit in fits]
        row["targets"][name] = {
            "variance": statistics.fmean(variance for variance, _ in errors),
            "total": statistics.fmean(total for _, total in errors),
            "gradient_noise": noise(fits[0], common) / least,
        }
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the steps, every other sigma")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--density", help="a preset or a file; a mixture of three Gaussians unless given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    steps, sigmas = (250, SIGMAS[::2]) if options.quick else (1000, SIGMAS)
    truth = Truth(load_density(options.density) if options.density else mixture())
    if not options.json:
        print(f"{options.density or 'mixture'}, {steps} steps, {options.seeds} seed(s); errors relative to E|s_0|^2")
        print(f"{'':>7}{'':>9}" + "".join(f"  |{name:>27}" for name in TARGETS))
        print(f"{'sigma':>7}{'bias':>9}" + f"  |{'variance':>9}{'total':>9}{'noise':>9}" * len(TARGETS))
    rows = []
    for sigma in sigmas:
        rows.append(measure(truth, sigma, steps, options.seeds))
        if not options.json:
            cells = "".join(
                f"  |{found['variance']:>9.2g}{found['total']:>9.2g}{found['gradient_noise']:>9.3g}"
                if found
                else f"  |{'-':>9}{'-':>9}{'-':>9}"
                for found in rows[-1]["targets"].values()
            )
            print(f"{sigma:>7g}{rows[-1]['bias']:>9.2g}{cells}", flush=True)
    if options.json:
        name = options.density or "mixture"
        print(json.dumps({"density": name, "steps": steps, "seeds": options.seeds, "rows": rows}))


if __name__ == "__main__":
    main()
