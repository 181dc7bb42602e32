"""Pictures per second in training: `python -m tests.benchmarks.image_training [--preset P] [--device D] [--turns N]`.

`train` beside a bare loop of the same U-Net: the same batch, noise levels, loss and Adam, numbers from torch's own
generator, and no framework, averaging, clipping, journal or checkpoint. They take turns of some steps in one process,
so that all see the same machine. Goal: 0.95 or more in the ratio of the medians over the turns. A second bare loop,
with averaged weights and clipping, shows what is left for everything else.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from trainer.devices import choose_device, device_label
from trainer.images.ladder import ladder_levels, recommended_ladder
from trainer.images.networks import build_unet
from trainer.images.pictures import Pictures, scaled
from trainer.images.settings import ImageSettings
from trainer.images.training import train


def bare(pictures: Pictures, settings: ImageSettings, device: torch.device, more: bool) -> Iterator[None]:
    """The loop that anybody would write; with `more`, averaged weights and clipping too."""
    torch.manual_seed(0)
    unet = build_unet(settings, pictures.shape).to(device).train()
    average = build_unet(settings, pictures.shape).to(device)
    weights = [p for p in unet.parameters() if p.requires_grad]
    averages = [a for a, p in zip(average.parameters(), unet.parameters(), strict=True) if p.requires_grad]
    optimiser = torch.optim.Adam(weights, lr=settings.learning_rate, fused=device.type in ("cpu", "cuda"))
    data = torch.from_numpy(scaled(pictures.values, pictures.levels)).to(device)
    ladder = ladder_levels(recommended_ladder(pictures.values, pictures.levels)).float().to(device)
    while True:
        x = data[torch.randint(len(data), (settings.batch,), device=device)]
        sigma = ladder[torch.randint(len(ladder), (settings.batch,), device=device)]
        z, wide = torch.randn_like(x), sigma[:, None, None, None]
        loss = (wide * unet(x + wide * z, sigma).sample + z).square().mean() / 2
        optimiser.zero_grad()
        loss.backward()
        if more:
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if more:
            with torch.no_grad():
                torch._foreach_lerp_(averages, weights, 0.001)
        yield


def seconds(loop: Iterator[object], steps: int, device: torch.device) -> float:
    """How long so many steps take."""
    began = time.perf_counter()
    for _ in range(steps):
        next(loop)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def main() -> None:
    """Let the loops take turns, and print their rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny", choices=("tiny", "small", "ncsnpp"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--side", type=int, default=8)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=5, help="in a turn")
    parser.add_argument("--turns", type=int, default=15)
    args = parser.parse_args()
    device = choose_device(args.device)
    shape = (2000, args.channels, args.side, args.side)
    pictures = Pictures("nothing", np.random.default_rng(0).integers(0, 17, shape, dtype=np.uint8), 17)
    settings = ImageSettings(preset=args.preset, batch=args.batch, steps=10**6)
    with tempfile.TemporaryDirectory() as folder:
        loops: dict[str, Iterator[object]] = {
            "train()": train(pictures, settings, Path(folder) / "run", device=args.device, checkpoint_every=10**6),
            "bare loop": bare(pictures, settings, device, more=False),
            "bare loop with averaging and clipping": bare(pictures, settings, device, more=True),
        }
        times: dict[str, list[float]] = {name: [] for name in loops}
        for loop in loops.values():
            seconds(loop, 5, device)
        for turn in range(args.turns):
            order = list(loops) if turn % 2 else list(loops)[::-1]
            for name in order:
                times[name].append(seconds(loops[name], args.steps, device))
        loops["train()"].close()  # type: ignore[attr-defined]
    where = f"{args.preset}, {shape[1:]}, batch {args.batch}, {device_label(device)}"
    print(f"{where}; {args.turns} turns of {args.steps} steps; pictures/s, and train() over this loop")
    print(f"{'':40}{'median':>10}{'ratio':>8}{'fastest':>10}{'ratio':>8}")
    for name, found in times.items():
        cells = []
        for take in (statistics.median, min):
            rate, ratio = args.batch * args.steps / take(found), take(found) / take(times["train()"])
            cells.append(f"{rate:10,.0f}{ratio:8.3f}")
        print(f"{name:40}{''.join(cells)}")


if __name__ == "__main__":
    main()
