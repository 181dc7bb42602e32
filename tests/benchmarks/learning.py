"""How fast the score is learned: `python -m tests.benchmarks.learning` prints the table.

For each density the plain recipe (`plain_recipe.py`), one-draw targets and pooled targets are trained for the same time
on the same number of threads, one after another. Errors are relative Fisher errors, E|s_theta - s|^2 / E|s|^2 with x
drawn from p_sigma (16,384 points, fixed seed), and their geometric mean over five noise levels. The clock counts all
from the density to the weights, the first draws and tables too; only the measuring itself is left out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks.plain_recipe import PlainRecipe
from trainer.densities import Density, PaintedDensity, load_density
from trainer.fit import Fit, FitSettings

SIGMAS = (0.02, 0.05, 0.1, 0.3, 1.0)
MARKS = (1.0, 3.0, 10.0)
PLAIN_MARKS = (*MARKS, 60.0)
GLANCES = tuple(0.05 * k for k in range(2, 40))
"""When the recipe's error is looked at, to see when it reaches the plain one's."""
POINTS = 16_384


class Learner(Protocol):
    """What is timed."""

    def score(self, x: Tensor, sigma: float) -> Tensor:
        """The learned score, with shape (B, 2)."""
        ...


class Truth:
    """Points of p_sigma and their scores, once for all learners."""

    def __init__(self, density: Density) -> None:
        generator = torch.Generator().manual_seed(2024)
        self.points = {s: density.sample(POINTS, s, generator=generator).double() for s in SIGMAS}
        self.scores = {s: density.score(x, s) for s, x in self.points.items()}

    def errors(self, learner: Learner, sigmas: tuple[float, ...] = SIGMAS) -> list[float]:
        """The relative Fisher error at each sigma."""
        return [
            float((learner.score(self.points[s], s) - self.scores[s]).square().sum() / self.scores[s].square().sum())
            for s in sigmas
        ]


def geometric_mean(values: list[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


@dataclass
class Curve:
    """Errors of one learner on one density: seconds -> errors at `SIGMAS`."""

    steps_per_second: float = 0.0
    longest_step: float = 0.0
    errors: dict[float, list[float]] = field(default_factory=dict)

    def mean(self, seconds: float) -> float:
        """The geometric mean over sigma at that time."""
        return geometric_mean(self.errors[seconds])

    def reached(self, goal: float) -> float | None:
        """The first measured time at which the mean was at most `goal`."""
        return next((t for t in sorted(self.errors) if self.mean(t) <= goal), None)


def plain_curve(density: Density, truth: Truth, seed: int) -> Curve:
    """Train the plain recipe."""
    learner, curve = PlainRecipe(density, seed), Curve()
    for mark in PLAIN_MARKS:
        learner.run(mark - learner.seconds)
        curve.errors[mark] = truth.errors(learner)
    curve.steps_per_second = learner.step / learner.seconds
    return curve


def fit_curve(density: Density, truth: Truth, settings: FitSettings, seed: int) -> tuple[Curve, Fit]:
    """Train a `Fit`; the time that its construction takes counts."""
    began = time.perf_counter()
    fit, curve = Fit(density, settings, device="cpu", seed=seed), Curve()
    ready = time.perf_counter() - began
    for mark in sorted({*GLANCES, *MARKS}):
        before = fit.seconds
        for progress in fit.run(seconds=mark - ready - fit.seconds):
            curve.longest_step = max(curve.longest_step, progress.seconds - before)
            before = progress.seconds
        curve.errors[mark] = truth.errors(fit)
    curve.steps_per_second = fit.step / fit.seconds
    return curve, fit


def error_after_edit(fit: Fit, density: PaintedDensity) -> dict[float, float]:
    """Seconds after a stroke across the painting -> relative Fisher error at sigma = 0.1 on the edited density."""
    weights = np.array(density.weights, dtype=np.float64)
    n = len(weights)
    row = n // 6
    weights[row : row + max(1, n // 25), n // 5 : 4 * n // 5] = weights.max()
    edited = PaintedDensity(weights)
    truth = Truth(edited)
    began, before = time.perf_counter(), fit.seconds
    fit.change_density(edited)
    ready = time.perf_counter() - began
    found = {}
    for mark in (0.25, 0.5, 1.0, 2.0):
        for _ in fit.run(seconds=mark - ready - (fit.seconds - before)):
            pass
        found[mark] = truth.errors(fit, (0.1,))[0]
    return found


def compare(name: str, density: Density, seed: int) -> dict[str, object]:
    """Train all three on one density, print their rows, and return the figures."""
    truth = Truth(density)
    plain = plain_curve(density, truth, seed)
    curves = {"plain": plain}
    result: dict[str, object] = {"density": name, "seed": seed}
    for target in ("single", "pooled"):
        curves[target], fit = fit_curve(density, truth, FitSettings(target=target), seed)
        if target == "pooled" and isinstance(density, PaintedDensity):
            result["after_edit"] = error_after_edit(fit, density)
    for kind, curve in curves.items():
        show(name, seed, kind, curve, plain)
        result[kind] = asdict(curve) | {
            "seconds_to_plain_10s": curve.reached(plain.mean(10.0)),
            "seconds_to_plain_60s": curve.reached(plain.mean(60.0)),
            "below_plain_10s": plain.mean(10.0) / curve.mean(10.0),
        }
    if "after_edit" in result:
        say(f"  after a stroke, error at sigma 0.1: {result['after_edit']}")
    return result


def show(name: str, seed: int, kind: str, curve: Curve, plain: Curve) -> None:
    """Print one learner's rows."""
    say(f"{name}, seed {seed}, {kind}: {curve.steps_per_second:.0f} steps/s, longest {1e3 * curve.longest_step:.1f} ms")
    for mark in PLAIN_MARKS:
        if mark in curve.errors:
            levels = "  ".join(f"{e:8.2g}" for e in curve.errors[mark])
            ratio = plain.mean(mark) / curve.mean(mark)
            say(f"  {mark:4.0f} s   {levels}   mean {curve.mean(mark):8.2g}   plain / this {ratio:7.1f}")
    if curve is not plain:
        worse = [s for s, a, b in zip(SIGMAS, curve.errors[10.0], plain.errors[10.0], strict=True) if a > b]
        times = [curve.reached(plain.mean(mark)) for mark in (10.0, 60.0)]
        shown = [f"after {t:.2f} s" if t else "not by 10 s" for t in times]
        say(f"  plain's 10 s error {shown[0]}, its 60 s error {shown[1]}; worse than plain at: {worse or 'no sigma'}")


def say(line: str) -> None:
    """Print to standard error, at once."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Read the options, run, and print JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--densities", nargs="*", default=["two-moons", "checkerboard", "spiral", "far-modes"])
    parser.add_argument(
        "--painting", metavar="FILE.npy", action="append", default=[], help="weights, row 0 at the bottom"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1, help="as many as the live engine uses by default")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    say(f"cpu, {torch.get_num_threads()} thread(s), torch {torch.__version__}; sigma {SIGMAS}")
    densities = {name: load_density(name) for name in options.densities}
    densities |= {file: load_density(file, as_="weights") for file in options.painting}
    results = [compare(name, d, seed) for name, d in densities.items() for seed in options.seeds]
    if options.json:
        print(json.dumps({"threads": options.threads, "sigmas": SIGMAS, "runs": results}))


if __name__ == "__main__":
    main()
