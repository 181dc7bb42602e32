"""Failure and cure: where every sampler ends, `python -m tests.benchmarks.failure_and_cure [--quick] [--json]`.

On two far modes of weights 0.8 / 0.2, on the thin circle and on a painting of two crescents of weights 0.8 / 0.2, each
sampler from the start that it wants, with three scores: the true one; one learned for some seconds at all noise levels;
and for the samplers that use no other, one learned as long at sigma_min alone. Printed are

* the share of each mode in all particles of all seeds, beside the truth, with simultaneous 95 % bands;
* held: over how many seeds the bands of one seed's particles contain the truth (where there is more than one mode);
* elsewhere: the particles outside the region that holds 99.9 % of p_sigma at sigma_min; samplers whose last step
  denoises end within p_sigma, and have fewer there than exact draws;
* distance: sliced Wasserstein, order 2, to p_sigma at sigma_min, mean over seeds; the row "exact draws" has what as
  many draws of p_sigma itself get, which is nothing but their noise;
* evaluations of the score for each particle, and seconds a run.

Scores are read from tables (`trainer.tables`), one for each noise level that a sampler asks for, made before the clock
starts; their largest error is printed. mala reads none: it needs the exact density, and runs with fewer particles. The
probability flow is smooth and gets fewer steps.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace

import numpy as np
import torch

from trainer.densities import Density, load_density
from trainer.distances import Projections, project, sliced_wasserstein_to_density
from trainer.fit import Fit
from trainer.metrics import mode_ledger
from trainer.models import ScoreModel, TrueScore
from trainer.modes import Ledger, ModeMap, find_modes
from trainer.noise import Noise
from trainer.samplers import SAMPLERS, Sampler, within
from trainer.settings import FitSettings, LadderSettings, ParticleSettings
from trainer.tables import TabulatedScore

TRUE, LEARNED, ALONE = "true score", "learned score", "score learned at sigma_min alone"
ONE_LEVEL = ("ascent", "langevin")
DENSITIES = ("far-modes", "circle", "crescents")
ODE_STEPS = 50
METROPOLIS = {"far-modes": 2_000, "circle": 400, "crescents": 1_000}
"""Particles of mala, whose every step asks a painting for its exact score."""


def describe(clouds: list[np.ndarray], modes: ModeMap, exact: Projections) -> dict[str, object]:
    """The ledger of all clouds together, in how many of them the bands hold, and their distance to the density."""
    whole = mode_ledger(np.concatenate(clouds), modes)
    ledgers: list[Ledger] = [mode_ledger(cloud, modes) for cloud in clouds]
    distances = [sliced_wasserstein_to_density(cloud, exact) for cloud in clouds]
    return {
        "particles": len(clouds[0]),
        "seeds": len(clouds),
        "share": whole.share.tolist(),
        "low": whole.low.tolist(),
        "high": whole.high.tolist(),
        "held": sum(ledger.holds for ledger in ledgers),
        "elsewhere": whole.elsewhere,
        "distance": float(np.mean(distances)),
    }


def run(
    sampler: Sampler, model: ScoreModel, settings: ParticleSettings, seeds: range, n: int
) -> tuple[list[np.ndarray], float]:
    """Where n particles end, for each seed, and seconds a run."""
    clouds = []
    began = time.perf_counter()
    for seed in seeds:
        noise = Noise(seed)
        *_, (_, x) = sampler(model, sampler.start(model, settings, n, noise), settings, noise)
        clouds.append(x.numpy())
    return clouds, (time.perf_counter() - began) / len(seeds)


def learned(density: Density, seconds: float, ladder: LadderSettings) -> ScoreModel:
    """What the default settings learn in so many seconds on these noise levels."""
    fit = Fit(density, FitSettings(ladder=ladder), device="cpu", seed=0)
    for _ in fit.run(seconds=seconds):
        pass
    return fit.snapshot()


def rows(name: str, source: str, model: ScoreModel, seeds: int, n: int) -> list[dict[str, object]]:
    """Run every sampler on one density with one score, and print a line for each."""
    density = load_density(name)
    default = ParticleSettings() if source == ALONE else within(ParticleSettings(), model)
    modes = find_modes(density, default.sigma_min)
    exact = project(density, default.sigma_min)
    table = TabulatedScore(model)
    made = []

    def keep(what: str, clouds: list[np.ndarray], evaluations: int, seconds: float, error: float) -> None:
        values = describe(clouds, modes, exact)
        row = {"density": name, "score": source, "sampler": what, "mass": modes.mass.tolist(), **values}
        made.append({**row, "evaluations": evaluations, "seconds": seconds, "table_error": error})
        print(line(made[-1]), file=sys.stderr, flush=True)

    print(f"\n{name}, {source}; truth {' / '.join(f'{m:.3f}' for m in modes.mass)}", file=sys.stderr)
    print(
        f"  {'':<12}{'share of each mode, 95 % bands':<46}{'held':>8}{'elsewhere':>11}{'distance':>10}"
        f"{'evaluations':>13}{'s a run':>9}{'table within':>14}",
        file=sys.stderr,
    )
    draws = [
        density.sample(n, default.sigma_min, generator=torch.Generator().manual_seed(2 + seed)).numpy()
        for seed in range(seeds)
    ]
    keep("exact draws", draws, 0, 0.0, 0.0)
    for sampler in SAMPLERS.values():
        if sampler.needs_log_prob and source != TRUE:
            continue  # a learned score has no density to decide with
        if source == ALONE and sampler.name not in ONE_LEVEL:
            continue  # one noise level is no ladder
        settings = replace(default, diffusion_steps=ODE_STEPS) if sampler.name == "ode" else default
        if sampler.needs_log_prob:
            clouds, seconds = run(sampler, model, settings, range(1), min(n, METROPOLIS[name]))
            error = 0.0
        else:
            error = max(table.error(sigma) for sigma in sampler.levels(settings, model))
            clouds, seconds = run(sampler, table, settings, range(seeds), n)
        keep(sampler.name, clouds, sampler.evaluations(settings, model), seconds, error)
    return made


def line(row: dict[str, object]) -> str:
    """One sampler's line of the table."""
    bands = zip(row["share"], row["low"], row["high"], strict=True)
    shares = " / ".join(f"{share:.3f} ({low:.3f}-{high:.3f})" for share, low, high in bands)
    held = f"{row['held']} of {row['seeds']}" if len(row["share"]) > 1 else "-"
    return (
        f"  {row['sampler']:<12}{shares:<46}{held:>8}{row['elsewhere']:>11.4f}{row['distance']:>10.4f}"
        f"{row['evaluations']:>13}{row['seconds']:>9.2f}{row['table_error']:>14.4f}"
    )


def main() -> None:
    """Print a table for each density and score, or all rows as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer particles, two seeds, three seconds of learning")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--particles", type=int, default=10_000)
    parser.add_argument("--fit-seconds", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    seeds, n, seconds = (2, 2_000, 3.0) if args.quick else (args.seeds, args.particles, args.fit_seconds)
    found: list[dict[str, object]] = []
    for name in DENSITIES:
        density = load_density(name)
        low = ParticleSettings().sigma_min
        found += rows(name, TRUE, TrueScore(density), seeds, n)
        found += rows(name, LEARNED, learned(density, seconds, LadderSettings(sigma_min=low)), seeds, n)
        found += rows(name, ALONE, learned(density, seconds, LadderSettings(levels=1, sigma_min=low)), seeds, n)
    if args.json:
        print(json.dumps({"fit_seconds": seconds, "rows": found}))


if __name__ == "__main__":
    main()
