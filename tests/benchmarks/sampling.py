"""How right the particles end: `python -m tests.benchmarks.sampling [--quick] [--heavy W ...]`.

Prints, for two far modes of weights 0.8 / 0.2 and 0.7 / 0.3, on the true and on a learned score,

1. the bias of the small mode's share against the number of steps, for annealed Langevin with the default schedule (its
   steps scaled), for the schedule of Song & Ermon 2019 (equal steps at each level, on a ladder from 0.6, which suits it
   best), for plain Langevin and for ascent;
   annealed Langevin is measured on a million particles in the row of the default settings, all else on 50,000;
2. over 20 seeds of 10,000 particles, how often the ledger's bands contain the truth, and how far from a mode ascent
   ends.

The learned score and the true one are both read from tables, whose largest error is printed. `--quick` takes a tenth of
the particles and a quarter of the seeds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
import torch

from trainer.densities import GaussianMixture
from trainer.fit import Fit
from trainer.metrics import mode_ledger
from trainer.models import ScoreModel, TrueScore
from trainer.modes import Ledger, ModeMap, find_modes
from trainer.noise import Noise
from trainer.samplers import SAMPLERS, noise_levels, start_points, total_steps
from trainer.settings import ParticleSettings
from trainer.tables import TabulatedScore

SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)
CROWD = 50_000  # particles of one run of a sampler; the default's bias is measured on many runs


def far_modes(heavy: float) -> GaussianMixture:
    """Two modes of width 0.125 in opposite corners, the figure of Song & Ermon 2019 at an eighth of its size."""
    covariance = 0.125**2 * np.eye(2)
    return GaussianMixture([heavy, 1 - heavy], [[0.625, 0.625], [-0.625, -0.625]], [covariance, covariance])


def end(sampler: str, model: ScoreModel, settings: ParticleSettings, seed: int, n: int) -> torch.Tensor:
    """Where the particles are after the last step."""
    noise = Noise(seed)
    *_, (_, x) = SAMPLERS[sampler](model, start_points(n, noise), settings, noise)
    return x


def small_share(sampler: str, model: ScoreModel, settings: ParticleSettings, modes: ModeMap, total: int) -> float:
    """The small mode's share of `total` particles, as a fraction of all that are in a mode."""
    counts = np.zeros(len(modes.mass) + 1)
    for seed, first in enumerate(range(0, total, CROWD)):
        x = end(sampler, model, settings, 1000 + seed, min(CROWD, total - first))
        counts += np.bincount(modes.of(x.numpy()), minlength=len(counts))
    return float(counts[1] / counts[:-1].sum())


def equal_steps(settings: ParticleSettings) -> ParticleSettings:
    """Nearly the same number of steps, shared out equally over a ladder that starts where that serves it best."""
    each = max(1, round(total_steps(settings) / settings.levels))
    return replace(settings, steps=each, fine_steps=each, sigma_max=0.6)


def print_biases(name: str, model: ScoreModel, modes: ModeMap, total: int) -> None:
    """Print bias against steps for every sampler; annealed Langevin's default on `total` particles."""
    truth = float(modes.mass[1])
    print(f"\n{name}: small mode's share minus {truth:.3f}")
    print(
        f"{'steps':>8}{'particles':>12}{'annealed':>12}{'equal steps':>14}{'Langevin':>12}{'ascent':>12}{'1 s.e.':>10}"
    )
    for scale in SCALES:
        default = ParticleSettings()
        settings = replace(
            default, steps=round(default.steps * scale), fine_steps=max(1, round(default.fine_steps * scale))
        )
        n = total if scale == 1 else CROWD
        biases = [
            small_share("annealed", model, settings, modes, n) - truth,
            small_share("annealed", model, equal_steps(settings), modes, n) - truth,
            small_share("langevin", model, settings, modes, CROWD) - truth,
            small_share("ascent", model, settings, modes, CROWD) - truth,
        ]
        columns = "".join(f"{bias:>+{width}.4f}" for bias, width in zip(biases, (12, 14, 12, 12), strict=True))
        print(f"{total_steps(settings):>8}{n:>12,}{columns}{np.sqrt(truth * (1 - truth) / n):>10.4f}", flush=True)


def print_coverage(name: str, model: ScoreModel, modes: ModeMap, seeds: int) -> None:
    """Print how often the bands of 10,000 particles hold, and where ascent ends."""
    settings = ParticleSettings()
    print(f"\n{name}: {settings.number:,} particles, {total_steps(settings)} steps, {seeds} seeds")
    for sampler in ("ascent", "langevin", "annealed"):
        began = time.perf_counter()
        clouds = [end(sampler, model, settings, seed, settings.number).numpy() for seed in range(seeds)]
        took = (time.perf_counter() - began) / seeds
        ledgers: list[Ledger] = [mode_ledger(cloud, modes) for cloud in clouds]
        share = np.mean([ledger.share[1] for ledger in ledgers])
        held = sum(ledger.holds for ledger in ledgers)
        line = f"  {sampler:<9} bands hold {held:>2} of {seeds}; small mode's share {share:.4f}; {took:.2f} s a run"
        if sampler == "ascent":
            away = [np.linalg.norm(c[:, None] - modes.centres[None], axis=2).min(1) for c in clouds]
            line += f"; distance to a mode: mean {np.mean(away):.4f}, largest {np.max(away):.4f}"
        print(line, flush=True)


def main() -> None:
    """Print both tables for both problems and both scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the particles, a quarter of the seeds")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--heavy", type=float, nargs="*", default=[0.8, 0.7], help="weights of the heavy mode")
    parser.add_argument("--fit-seconds", type=float, default=10.0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    total, seeds = (100_000, 5) if args.quick else (1_000_000, 20)
    default = ParticleSettings()
    print(f"default: {default}")
    for heavy in args.heavy:
        density = far_modes(heavy)
        modes = find_modes(density)
        fit = Fit(density, device="cpu", seed=0)
        for _ in fit.run(seconds=args.fit_seconds):
            pass
        for source, model in (("true", TrueScore(density)), ("learned", fit.snapshot())):
            table = TabulatedScore(model)
            error = max(table.error(level.sigma) for level in noise_levels(default))
            what = f"far modes {heavy} / {1 - heavy:.1f}, {source} score (tables within {error:.4f})"
            if source == "learned":
                what += f" after {fit.step} steps of training"
            print_coverage(what, table, modes, seeds)
            print_biases(what, table, modes, total)


if __name__ == "__main__":
    main()
