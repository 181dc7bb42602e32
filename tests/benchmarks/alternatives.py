"""The default against alternatives, and against the exact score: `python -m tests.benchmarks.alternatives`.

Every row is a `Fit` of the same density with one thing changed. Time is the processor time of the one thread that
trains: other programs disturb it less than a clock on the wall. Errors are those of `tests.benchmarks.learning`.

The row "exact score" regresses on the density's own score instead of the pool's, tabulated once at the same nodes: what
pooled targets would give if the pool were infinite. Its tables are made before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from tests.benchmarks.learning import MARKS, Truth, geometric_mean, say
from trainer.densities import Density, load_density
from trainer.fit import Fit, FitSettings
from trainer.settings import NetworkSettings

ALTERNATIVES = {
    "default": FitSettings(),
    "one-draw targets": FitSettings(target="single"),
    "learning rate 5e-3": FitSettings(learning_rate=5e-3),
    "batch 128": FitSettings(batch=128),
    "width 256": FitSettings(network=NetworkSettings(width=256)),
    "three hidden layers": FitSettings(network=NetworkSettings(depth=3)),
    "16 frequencies": FitSettings(network=NetworkSettings(features=16)),
}
EXACT = "exact score"


def exact_fit(density: Density, seed: int) -> Fit:
    """The default, its tables filled with the exact score's F and never renewed."""
    fit = Fit(density, device="cpu", seed=seed)
    pool = fit.pool
    for lattice in pool._lattices:
        reach = lattice.spacing * (lattice.side - 1) / 2
        centre = (lattice.low[0] + reach, lattice.low[1] + reach)
        half = reach + lattice.spacing / 2  # the nodes are the centres of as many cells
        score = torch.from_numpy(density.score_lattice(centre, half, lattice.side, lattice.sigma)).view(-1, 2)
        node = torch.arange(lattice.side) * lattice.spacing
        y, x = torch.meshgrid(lattice.low[1] + node, lattice.low[0] + node, indexing="ij")
        centred = torch.stack((x, y), -1).view(-1, 2) - torch.tensor(pool.conditioning.mean)
        sigma = torch.full((len(centred),), lattice.sigma)
        end = lattice.offset + lattice.side**2
        pool.table[lattice.offset : end] = pool.conditioning.output(score, centred, sigma)
    pool._units, pool.next_unit = [], 0  # nothing is left to be made
    return fit


def errors_over_time(
    make: str, density: Density, truth: Truth, seed: int, marks: tuple[float, ...], *, by_steps: bool
) -> dict[str, object]:
    """Train one row's learner; steps taken and errors at each mark, in seconds or in steps."""
    spent = 0.0
    if make == EXACT:
        fit = exact_fit(density, seed)
    else:
        began = time.thread_time()
        fit = Fit(density, ALTERNATIVES[make], device="cpu", seed=seed)
        spent = time.thread_time() - began
    steps, errors = {}, {}
    for mark in marks:
        began = time.thread_time()
        while (fit.step if by_steps else spent + time.thread_time() - began) < mark:
            fit.step_once()
        spent += time.thread_time() - began
        steps[mark], errors[mark] = fit.step, truth.errors(fit)
    return {"learner": make, "seed": seed, "steps": steps, "errors": errors}


def main() -> None:
    """Read the options, run, and print JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--densities", nargs="*", default=["two-moons", "checkerboard", "far-modes", "crescents", "letters"]
    )
    parser.add_argument("--learners", nargs="*", default=[*ALTERNATIVES, EXACT], choices=[*ALTERNATIVES, EXACT])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=list(MARKS))
    parser.add_argument("--steps", type=int, nargs="+", help="measure after so many steps, not seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = []
    for name in options.densities:
        density = load_density(name)
        truth = Truth(density)
        for seed in options.seeds:
            for learner in options.learners:
                marks, unit = (options.steps, "steps") if options.steps else (options.seconds, "s")
                row = errors_over_time(learner, density, truth, seed, tuple(marks), by_steps=unit == "steps")
                means = "  ".join(f"{t:g} {unit} {geometric_mean(e):8.2g}" for t, e in row["errors"].items())
                say(f"{name}, seed {seed}, {learner:20s} {means}   steps {list(row['steps'].values())}")
                runs.append({"density": name} | row)
    if options.json:
        print(json.dumps({"runs": runs}))


if __name__ == "__main__":
    main()
