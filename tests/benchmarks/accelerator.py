"""What a GPU gains: `python -m tests.benchmarks.accelerator [--density NAME] [--json]`.

Prints, for the default network at its default batch,

1. training steps a second: with every operation launched by itself, and as one CUDA graph, and their ratio;
2. particles moved a second by annealed Langevin dynamics, on the network and on tables, all of it on the device;
3. the relative Fisher error against seconds.

On a machine without CUDA the processor runs, for which there is no graph to compare with; the table says so.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from itertools import islice
from statistics import geometric_mean

import torch

from trainer.densities import Density, load_density
from trainer.fit import Fit
from trainer.metrics import fisher_errors
from trainer.models import ScoreModel
from trainer.noise import Noise
from trainer.samplers import annealed_langevin, start_points
from trainer.settings import ParticleSettings
from trainer.tables import TabulatedScore

SIGMAS = (0.02, 0.05, 0.1, 0.3, 1.0)
MARKS = (1.0, 3.0, 10.0)
PARTICLES = 100_000


@dataclass(frozen=True)
class Gain:
    """What one device reached; rates in 1 / s, `graphed` None without CUDA."""

    device: str
    eager: float
    graphed: float | None
    particles: float
    particles_on_tables: float
    errors: dict[float, float]

    @property
    def ratio(self) -> float | None:
        """Steps a second as a graph over steps a second without."""
        return self.graphed / self.eager if self.graphed else None


def step_rate(density: Density, device: str, *, captures: bool, steps: int = 2000) -> float:
    """Training steps a second, after the pool's first growth."""
    fit = Fit(density, device=device)
    fit.captures = captures
    for _ in fit.run(steps=300):
        pass
    wait(device)
    began = time.perf_counter()
    for _ in fit.run(steps=steps):
        pass
    wait(device)
    return steps / (time.perf_counter() - began)


def particle_rate(model: ScoreModel, steps: int = 40) -> float:
    """Particle steps a second of annealed Langevin dynamics."""
    noise, settings = Noise(0, model.device), ParticleSettings()
    run = annealed_langevin(model, start_points(PARTICLES, noise), settings, noise)
    next(run)  # a table is made at its first question
    wait(str(model.device))
    began = time.perf_counter()
    for _ in islice(run, steps):
        pass
    wait(str(model.device))
    return PARTICLES * steps / (time.perf_counter() - began)


def wait(device: str) -> None:
    """Until the device has done all that it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def measure(density: Density, device: str) -> Gain:
    """All figures of one device."""
    graphed = step_rate(density, device, captures=True) if device == "cuda" else None
    eager = step_rate(density, device, captures=False)
    fit, errors = Fit(density, device=device), {}
    for mark in MARKS:
        for _ in fit.run(seconds=mark - fit.seconds):
            pass
        errors[mark] = geometric_mean(e.relative for e in fisher_errors(fit.snapshot(), density, SIGMAS))
    model = fit.snapshot()
    return Gain(fit.device_name, eager, graphed, particle_rate(model), particle_rate(TabulatedScore(model)), errors)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--density", default="two-moons")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    gain = measure(load_density(options.density), "cuda" if torch.cuda.is_available() else "cpu")
    if options.json:
        print(json.dumps(asdict(gain) | {"ratio": gain.ratio}))
        return
    print(f"{options.density} on {gain.device}")
    print(f"  training      {gain.eager:10,.0f} steps/s, each operation launched by itself")
    if gain.graphed:
        print(f"                {gain.graphed:10,.0f} steps/s as one CUDA graph: {gain.ratio:.1f} times as many")
    else:
        print("                not measured as a CUDA graph: there is no CUDA device")
    print(f"  particles     {gain.particles:10,.0f} a second on the network, {gain.particles_on_tables:,.0f} on tables")
    for seconds, error in gain.errors.items():
        print(f"  error         {error:10.2g} after {seconds:g} s (geometric mean over sigma {SIGMAS})")


if __name__ == "__main__":
    main()
