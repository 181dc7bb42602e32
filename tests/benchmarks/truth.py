"""What exact truth costs: fields on a lattice, scores at points near and far, draws.

    python -m tests.benchmarks.truth [--threads N] [--json]

drawn, mixed sigma: the score at 10,000 points drawn from p_sigma, at that sigma and at another sigma for each point.
far: the score at points of [-3, 3]^2 that the separable sum does not serve; how many of them follows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from trainer.densities import PaintedDensity
from trainer.paintings import preset_weights

PAINTINGS = ("crescents", "two-moons", "checkerboard", "spiral", "far-modes", "all full")
SIGMAS = (0.0, 0.02, 0.1, 1.0)
POINTS = 10_000


def milliseconds(work: Callable[[], Any], repeats: int = 7) -> float:
    """The median time of `work`, after one run that fills the caches."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def measure(name: str, sigma: float) -> dict[str, Any]:
    """One row of the table; times in ms."""
    density = PaintedDensity(np.ones((128, 128)) if name == "all full" else preset_weights(name))
    drawn = density.sample(POINTS, sigma, generator=torch.Generator().manual_seed(0))
    anywhere = torch.rand(30_000, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 6 - 3
    far = anywhere[density.is_far(anywhere, sigma)][:POINTS]
    mixed = torch.rand(POINTS, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return {
        "painting": name,
        "sigma": sigma,
        "lattice 64^2": milliseconds(lambda: density.score_lattice((0, 0), 1.25, 64, sigma)),
        "density 64^2": milliseconds(lambda: density.density_lattice((0, 0), 1.25, 64, sigma)),
        "drawn": milliseconds(lambda: density.score(drawn, sigma)),
        "mixed sigma": milliseconds(lambda: density.score(drawn, mixed)),
        "far": milliseconds(lambda: density.score(far, sigma)) if len(far) else 0.0,
        "far points": len(far),
        "draw 10^4": milliseconds(lambda: density.sample(POINTS, sigma)),
        "draw 10^6": milliseconds(lambda: density.sample(1_000_000, sigma), 2),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What exact truth costs.")
    parser.add_argument("--threads", type=int, help="torch's threads; its own choice unless given")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    rows = []
    for name in PAINTINGS:
        for sigma in SIGMAS:
            rows.append(measure(name, sigma))
            if options.json:
                continue
            if len(rows) == 1:
                print(f"ms, median; 128 x 128 cells, {POINTS:,} points, {torch.get_num_threads()} threads, float64")
                print("  ".join(f"{head:>12}" for head in rows[0]))
            print(
                "  ".join(f"{v:>12.2f}" if isinstance(v, float) else f"{v:>12}" for v in rows[-1].values()), flush=True
            )
    if options.json:
        print(json.dumps({"threads": torch.get_num_threads(), "points": POINTS, "rows": rows}))


if __name__ == "__main__":
    main()
