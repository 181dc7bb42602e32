"""How many projections does sliced score matching want? `python -m tests.benchmarks.projections [--quick] [--json]`.

At a fixed batch of x the gradient of SSM with M random directions scatters about that of ISM, which has the exact
trace; its variance, the mean of |g - g_ISM|^2 over draws of the directions, falls like 1 / M. But the gradient of ISM
itself scatters from batch to batch, and no number of projections gets below that: the floor. Shown for each kind of
direction, with (1/2) (v . s)^2 (ssm) and with the exact (1/2) |s|^2 (ssm_vr), in units of the floor, beside
milliseconds of processor time.

The network is the default one after 100 steps at one noise level, the batch has 512 points, the time is that of loss
and gradient. `slope` is that of log variance against log M; -1 is what independent directions give.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from trainer.densities import Density, load_density
from trainer.fit import Fit
from trainer.learned import LearnedScore
from trainer.objectives import Batch, ScoreFunction, draw_probes, ism, ssm, ssm_vr
from trainer.settings import FitSettings, LadderSettings, Projection

COUNTS = (1, 2, 4, 8, 16, 32, 64)
BATCH = 512
SIGMA = 0.1
Loss = Callable[[ScoreFunction, Batch], Tensor]
LOSSES: dict[str, Loss] = {"ssm": ssm, "ssm_vr": ssm_vr}


def trained(density: Density, sigma: float, steps: int) -> LearnedScore:
    """A learner after so many steps at one noise level."""
    settings = FitSettings(target="single", ladder=LadderSettings(levels=1, sigma_min=sigma))
    fit = Fit(density, settings, device="cpu", seed=0)
    for _ in fit.run(steps=steps):
        pass
    return fit.snapshot()


def gradient(learner: LearnedScore, loss: Loss, x: Tensor, sigma: float, probes: Tensor | None = None) -> Tensor:
    """The gradient of the mean loss over x, (B, 2), in the learner's weights."""
    levels = torch.full((len(x),), sigma)
    leaf = learner.weights.detach().clone().requires_grad_(True)
    score = learner.network.score_function(leaf, levels)
    return torch.autograd.grad(loss(score, Batch(x, x, levels, probes=probes)).mean(), leaf)[0]


def floor(learner: LearnedScore, density: Density, sigma: float, draws: int) -> float:
    """The variance of the exact trace's gradient over batches of x ~ p_sigma."""
    generator = torch.Generator().manual_seed(1)
    batches = (density.sample(BATCH, sigma, generator=generator) for _ in range(draws))
    found = torch.stack([gradient(learner, ism, x, sigma) for x in batches])
    return float(found.var(0).sum())


def scatter(
    learner: LearnedScore, loss: Loss, kind: Projection, x: Tensor, sigma: float, count: int, draws: int
) -> tuple[float, float]:
    """At a fixed batch x, over draws of `count` directions: the mean of |g - g_ISM|^2, and milliseconds a gradient."""
    exact = gradient(learner, ism, x, sigma)
    generator = torch.Generator().manual_seed(count)
    squares, times = [], []
    for _ in range(draws):
        probes = draw_probes(kind, count, x, generator)
        began = time.process_time()
        g = gradient(learner, loss, x, sigma, probes)
        times.append(time.process_time() - began)
        squares.append(float((g - exact).square().sum()))
    return statistics.fmean(squares), 1000 * statistics.median(times)


def slope(counts: tuple[int, ...], variances: list[float]) -> float:
    """Of log variance against log M, by least squares."""
    return float(np.polyfit(np.log(counts), np.log(variances), 1)[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="up to 16 directions, a quarter of the draws")
    parser.add_argument("--density", default="two-moons")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    counts, draws = (COUNTS[:5], 16) if options.quick else (COUNTS, 64)
    density = load_density(options.density)
    learner = trained(density, SIGMA, 100)
    x = density.sample(BATCH, SIGMA, generator=torch.Generator().manual_seed(2))
    bound = floor(learner, density, SIGMA, 4 * draws)
    times = []
    for _ in range(20):
        began = time.process_time()
        gradient(learner, ism, x, SIGMA)
        times.append(1000 * (time.process_time() - began))
    exact_ms = statistics.median(times)
    rows = []
    for name, loss in LOSSES.items():
        for kind in get_args(Projection):
            found = [scatter(learner, loss, kind, x, SIGMA, m, draws) for m in counts]
            variances = [variance / bound for variance, _ in found]
            rows.append(
                {
                    "objective": name,
                    "projection": kind,
                    "variance": variances,
                    "milliseconds": [ms for _, ms in found],
                    "slope": slope(counts, variances),
                }
            )
    result = {
        "density": options.density,
        "sigma": SIGMA,
        "projections": counts,
        "floor": bound,
        "exact_milliseconds": exact_ms,
        "rows": rows,
    }
    if options.json:
        print(json.dumps(result))
        return
    print(f"{options.density}, sigma {SIGMA}: variance of the gradient by the directions alone, over the exact trace's")
    print(f"from batch to batch; the exact trace takes {exact_ms:.2f} ms")
    print(f"{'':>8}{'':>12}" + "".join(f"{f'M = {m}':>10}" for m in counts) + f"{'slope':>8}")
    for row in rows:
        head = f"{row['objective']:>8}{row['projection']:>12}"
        print(head + "".join(f"{v:>10.3g}" for v in row["variance"]) + f"{row['slope']:>8.2f}")
    for name in LOSSES:
        slowest = next(row for row in rows if row["objective"] == name and row["projection"] == "rademacher")
        print(f"{name:>8}{'ms':>12}" + "".join(f"{ms:>10.2f}" for ms in slowest["milliseconds"]))


if __name__ == "__main__":
    main()
